"""The article's two listings, as functions of the frame: the nets that its readers know."""

from __future__ import annotations

from typing import Any

from tidepool import Sequential, layers, nonlinearities, updates
from tidepool.ladder.rows import Tell

BATCH = 128


def keras(side: int, seed: int) -> Any:
    """Return the Keras listing for pictures of ``side`` x ``side``, compiled."""
    return _keras(side, seed, (20, 60, 120), 150)


def keras_example(side: int, seed: int) -> Any:
    """Return Keras' own MNIST example of 2016 for pictures of ``side`` x ``side``: the first net the author published.

    https://github.com/keras-team/keras, examples/mnist_cnn.py of version 0.3.
    """
    return _keras(side, seed, (32, 32), 128)


def _keras(side: int, seed: int, filters: tuple[int, ...], units: int) -> Any:
    """Return the sandwich that both are, its filters begun as Keras 0.3 did."""
    model = Sequential(seed=seed)
    shape: dict[str, Any] = {"input_shape": (1, side, side)}
    for count in filters:
        model.add(layers.Convolution2D(count, 3, 3, border_mode="valid", init="glorot_uniform_2016", **shape))
        model.add(layers.Activation("relu"))
        shape = {}
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))
    model.add(layers.Dropout(0.25))
    model.add(layers.Flatten())
    model.add(layers.Dense(units))
    model.add(layers.Activation("relu"))
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(10))
    model.add(layers.Activation("softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adadelta")
    return model


def nolearn(side: int, seed: int, batch: int = BATCH, **settings: Any) -> Any:
    """Return the nolearn listing for pictures of ``side`` x ``side``; ``settings`` are NeuralNet's."""
    from tidepool import NeuralNet

    return NeuralNet(
        layers=[
            ("input", layers.InputLayer),
            ("conv1", layers.Conv2DLayer),
            ("pool1", layers.MaxPool2DLayer),
            ("conv2", layers.Conv2DLayer),
            ("hidden3", layers.DenseLayer),
            ("dropout3", layers.DropoutLayer),
            ("output", layers.DenseLayer),
        ],
        input_shape=(None, 1, side, side),
        conv1_num_filters=20,
        conv1_filter_size=(5, 5),
        conv1_nonlinearity=nonlinearities.rectify,
        pool1_pool_size=(2, 2),
        conv2_num_filters=60,
        conv2_filter_size=(5, 5),
        conv2_nonlinearity=nonlinearities.rectify,
        hidden3_num_units=500,
        output_num_units=10,
        dropout3_p=0.5,
        output_nonlinearity=nonlinearities.softmax,
        update=updates.nesterov_momentum,
        update_learning_rate=0.01,
        update_momentum=0.9,
        batch_size=batch,
        seed=seed,
        **settings,
    )


def nolearn_as_keras(side: int, seed: int, optimizer: Any, init: str = "glorot_uniform") -> Any:
    """Return the stack of the nolearn listing as Keras writes it, under the same names, compiled.

    init : of the convolutions.
    """
    model = Sequential(seed=seed)
    model.add(layers.Convolution2D(20, 5, 5, input_shape=(1, side, side), init=init, name="conv1"))
    model.add(layers.Activation("relu"))
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))
    model.add(layers.Convolution2D(60, 5, 5, init=init, name="conv2"))
    model.add(layers.Activation("relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(500, name="hidden3"))
    model.add(layers.Activation("relu"))
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(10, name="output"))
    model.add(layers.Activation("softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=optimizer)
    return model


def heard(tell: Tell, epochs: int, first: float = 0.0, last: float = 1.0) -> Any:
    """Return what both listings call after an epoch (with themselves and a history): it tells how far they are.

    first, last : the share of the rung that lies before these epochs, and after them.
    """
    done = 0

    def finished(net: Any, history: Any) -> None:
        nonlocal done
        done += 1
        loss = history.history["loss"][-1] if hasattr(history, "history") else history[-1]["train_loss"]
        tell(first + (last - first) * done / epochs, f"epoch {done} of {epochs}, training loss {loss:.3f}")

    return finished


def require_whole(net: Any) -> None:
    """Raise KeyboardInterrupt if training was ended by Ctrl-C: the loop keeps the model, but a rung wants all of it."""
    if net.model_.card["training"]["interrupted"]:
        raise KeyboardInterrupt
