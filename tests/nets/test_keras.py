from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

import tidepool as tp
from tidepool import nonlinearities, updates
from tidepool.callbacks import Callback, EarlyStopping, StopTraining
from tidepool.errors import DataError, InputError, ModelFileError, StackError
from tidepool.layers import (
    Activation,
    Conv2D,
    Conv2DLayer,
    Convolution2D,
    Dense,
    DenseLayer,
    Dropout,
    DropoutLayer,
    Flatten,
    InputLayer,
    MaxPool2DLayer,
    MaxPooling2D,
)
from tidepool.nets.keras import Sequential
from tidepool.optimizers import SGD, Adadelta, Adam, find
from tidepool.utils import np_utils, to_categorical

DIGITS = load_digits()
X = (DIGITS.images[:400, None] / 16).astype(np.float32)
y = DIGITS.target[:400]
Y = to_categorical(y, 10)


def make(seed: int = 0, optimizer=None) -> Sequential:
    model = Sequential(seed=seed)
    model.add(Convolution2D(6, 3, 3, border_mode="valid", input_shape=(1, 8, 8)))
    model.add(Activation("relu"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Dropout(0.1))
    model.add(Flatten())
    model.add(Dense(10))
    model.add(Activation("softmax"))
    optimizer = optimizer or SGD(lr=0.05, momentum=0.9, nesterov=True)
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


@pytest.fixture(scope="module")
def fitted() -> Sequential:
    model = make()
    model.fit(X, Y, batch_size=32, nb_epoch=8, verbose=0)
    return model


def test_it_learns(fitted: Sequential) -> None:
    loss, accuracy = fitted.evaluate(X, Y, show_accuracy=True, verbose=0)
    assert accuracy > 0.85
    assert fitted.evaluate(X, y, show_accuracy=False) == pytest.approx(loss)
    assert fitted.predict_classes(X).tolist() == fitted.predict(X).argmax(axis=1).tolist()
    assert fitted.predict_proba(X[:3]).shape == (3, 10)


def test_history_and_validation() -> None:
    model = make()
    history = model.fit(X, Y, batch_size=32, epochs=2, validation_data=(X[:50], Y[:50]), verbose=0)
    assert set(history.history) == {"loss", "val_loss", "val_accuracy", "val_acc"}
    assert history.epoch == [0, 1]
    assert history.history["val_accuracy"][-1] == pytest.approx(model.evaluate(X[:50], y[:50])[1])
    assert history.history["val_loss"][-1] == pytest.approx(model.evaluate(X[:50], y[:50])[0], rel=1e-4)
    more = model.fit(X, y, validation_split=0.25, nb_epoch=1, verbose=0)
    assert more.history["loss"][0] < history.history["loss"][0]
    assert model.model_.card["trained_on"]["images"] == 300


def test_verbose_prints_nolearns_table(capsys) -> None:
    make().fit(X, Y, nb_epoch=1, validation_split=0.1)
    out = capsys.readouterr().out
    assert "Train on 360 samples, validate on 40" in out
    assert "val loss" in out


def test_one_stack_written_both_ways_trains_to_the_same_bits() -> None:
    model = make(seed=3)
    net = tp.NeuralNet(
        layers=[
            ("input", InputLayer),
            ("conv", Conv2DLayer),
            ("pool", MaxPool2DLayer),
            ("dropout", DropoutLayer),
            ("output", DenseLayer),
        ],
        input_shape=(None, 1, 8, 8),
        conv_num_filters=6,
        dropout_p=0.1,
        output_num_units=10,
        output_nonlinearity=nonlinearities.softmax,
        update=updates.nesterov_momentum,
        update_learning_rate=0.05,
        update_momentum=0.9,
        batch_size=32,
        max_epochs=3,
        train_split=None,
        seed=3,
    )
    first, second = model.get_weights_by_name(), net.initialize().get_all_params_values()
    assert list(first) != list(second)
    assert all(np.array_equal(a, b) for a, b in zip(first.values(), second.values()))
    model.fit(X, Y, batch_size=32, nb_epoch=3, verbose=0)
    net.fit(X, y)
    trained, also = model.get_weights_by_name(), net.get_all_params_values()
    assert all(np.array_equal(a, b) for a, b in zip(trained.values(), also.values()))
    assert not np.array_equal(first["dense_1.weight"], trained["dense_1.weight"])
    assert np.array_equal(model.predict(X), net.predict_proba(X))


def test_layers_get_names_and_shapes(capsys) -> None:
    model = make()
    model.summary()
    out = capsys.readouterr().out
    for name in ("convolution2d_1", "activation_1", "maxpooling2d_1", "dropout_1", "flatten_1", "dense_1"):
        assert name in out
    assert model.input_shape == (None, 1, 8, 8)
    assert model.output_shape == (None, 10)
    assert model.count_params() == 6 * 9 + 6 + 54 * 10 + 10


def test_channels_last_and_todays_spellings() -> None:
    model = Sequential(
        [Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)), Flatten(), Dense(units=10, activation="softmax")]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X.transpose(0, 2, 3, 1), y, epochs=1, batch_size=64, verbose=0)
    assert np.array_equal(model.predict(X.transpose(0, 2, 3, 1)), model.predict(X))


@pytest.mark.parametrize(
    ("layers", "message", "hint"),
    [
        ([Dense(10)], "layer 'Dense' is the first and has no input_shape", "input_shape="),
        ([Conv2D(4, 3, input_shape=(1, 8, 8)), Dense(3)], "layer 'dense_1' .input 4x6x6.: Dense takes rows", "Flatten"),
        ([Conv2D(4, 9, input_shape=(1, 8, 8))], "layer 'conv2d_1' .input 1x8x8.: filters of 9x9", "smaller"),
        ([Flatten(input_shape=(1, 8, 8)), Conv2D(4, 3)], "layer 'conv2d_1' .input 64 values.: a convolution", "before"),
        ([Dense(4, input_dim=3), Dense(4, input_dim=9)], "layer 'Dense': input_shape", "first layer only"),
        ([DenseLayer(3)], "is no layer under Keras' names", "Dense"),
        ([Dense(3, init="glorot", input_dim=2)], "layer 'dense_1': no initialiser 'glorot'", "glorot_"),
    ],
)
def test_wrong_stacks_are_refused_at_add(layers, message, hint) -> None:
    with pytest.raises(StackError, match=message) as caught:
        Sequential(layers)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        ([], {}, "no layers"),
        ([Dense(3, input_dim=2)], {}, "layer 'dense_1': categorical_crossentropy needs probabilities"),
        ([Conv2D(3, 3, input_shape=(1, 8, 8)), Activation("softmax")], {}, "ends in planes"),
        ([Dense(3, activation="softmax", input_dim=2)], {"loss": "mse"}, "loss 'mse' is not supported"),
        ([Dense(3, activation="softmax", input_dim=2)], {"optimizer": "adadelt"}, "no optimizer 'adadelt'"),
        ([Dense(3, activation="softmax", input_dim=2)], {"metrics": ["auc"]}, "no metric 'auc'"),
        ([Dense(3, activation="softmax", input_dim=2)], {"optimiser": "sgd"}, "no parameter 'optimiser'"),
    ],
)
def test_wrong_compilations(layers, options, message) -> None:
    model = Sequential(layers)
    with pytest.raises(InputError, match=message):
        model.compile(**{"loss": "categorical_crossentropy", **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nb_epohc": 2}, "no parameter 'nb_epohc'"),
        ({"nb_epoch": 2, "epochs": 2}, "given twice"),
        ({"Y": Y[:, :9]}, "the labels have 9 columns, but the stack has 10 outputs"),
        ({"Y": y + 1}, "label .* is 10, but the stack has 10 outputs"),
        ({"Y": Y[:-1]}, "labels 399, images 400"),
        ({"Y": np.array(["a"] * 400)}, "expected one-hot rows or whole numbers"),
        ({"X": X[:, :, :7]}, r"the stack takes \(N, 1, 8, 8\)"),
        ({"callbacks": [EarlyStopping()]}, "EarlyStopping watches val_loss, but there is no validation"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"validation_split": 1.5}, "validation_split is 1.5"),
    ],
)
def test_wrong_fits(options, message) -> None:
    with pytest.raises(InputError, match=message):
        make().fit(**{"X": X, "Y": Y, "nb_epoch": 1, "verbose": 0, **options})


def test_fit_and_predict_need_what_came_before() -> None:
    model = Sequential([Dense(2, activation="softmax", input_dim=2)])
    with pytest.raises(InputError, match="not compiled"):
        model.fit(np.zeros((4, 2)), [0, 1, 0, 1])
    with pytest.raises(InputError, match="not trained yet"):
        make().predict(X)


def test_early_stopping_stops_and_restores() -> None:
    model = make(optimizer=SGD(lr=0.5, momentum=0.9, nesterov=True))
    stop = EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
    history = model.fit(X[:200], Y[:200], nb_epoch=40, validation_data=(X[200:], Y[200:]), callbacks=[stop], verbose=0)
    losses = history.history["val_loss"]
    assert len(losses) < 40
    assert len(losses) == int(np.argmin(losses)) + 3
    assert model.evaluate(X[200:], Y[200:])[0] == pytest.approx(min(losses), rel=1e-4)
    with pytest.raises(InputError, match="nothing named 'val_los'"):
        EarlyStopping(monitor="val_los")


def test_callbacks_may_end_it() -> None:
    class Ends(Callback):
        begun = False

        def on_train_begin(self, logs=None) -> None:
            self.begun = True

        def on_epoch_end(self, epoch, logs=None) -> None:
            assert logs["loss"] > 0
            if epoch == 1:
                self.model.stop_training = True

    def raises(model, history) -> None:
        raise StopTraining

    ends = Ends()
    assert make().fit(X, Y, nb_epoch=9, callbacks=[ends], verbose=0).epoch == [0, 1]
    assert ends.begun
    assert make().fit(X, Y, nb_epoch=9, callbacks=[raises], verbose=0).epoch == [0]


def test_weights_are_saved_and_loaded_whole_or_not_at_all(fitted: Sequential, tmp_path) -> None:
    path = tmp_path / "weights.h5"
    fitted.save_weights(path)
    with pytest.raises(InputError, match="exists already"):
        fitted.save_weights(path)
    fitted.save_weights(path, overwrite=True)
    model = make(seed=9)
    model.load_weights(path)
    assert np.array_equal(model.predict(X), fitted.predict(X))
    other = Sequential([Dense(10, activation="softmax", input_dim=64)])
    other.compile(loss="categorical_crossentropy")
    with pytest.raises(ModelFileError, match="belong to no layer"):
        other.load_weights(path)
    fitted.to_model().save(tmp_path / "m.tidepool")
    assert np.array_equal(tp.load(tmp_path / "m.tidepool").predict(X[:, 0]), fitted.predict_classes(X))


def test_unshuffled_sees_every_picture() -> None:
    model = make()
    model.fit(X[:70], Y[:70], batch_size=32, nb_epoch=1, shuffle=False, verbose=0)
    assert model.model_.card["training"]["steps"] == 3


def test_optimizers() -> None:
    assert SGD().name == "sgd"
    assert SGD(momentum=0.5).name == "momentum"
    assert SGD(learning_rate=0.3, momentum=0.5, nesterov=True).parameters["learning_rate"] == 0.3
    assert find("Adam") == Adam()
    assert find(updates.rmsprop).name == "rmsprop"
    assert Adadelta().parameters == {"learning_rate": 1.0, "rho": 0.95, "epsilon": 1e-6}
    with pytest.raises(InputError, match="decay"):
        SGD(decay=1e-6)
    with pytest.raises(InputError, match="optimizer is 3"):
        find(3)


@pytest.mark.parametrize("name", ["adadelta", "sgd", "adam", "rmsprop", "adagrad"])
def test_every_optimizer_trains(name: str) -> None:
    model = Sequential([Dense(10, activation="softmax", input_dim=64)])
    model.compile("categorical_crossentropy", name)
    losses = model.fit(X.reshape(-1, 64), Y, nb_epoch=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_to_categorical() -> None:
    assert np_utils.to_categorical([0, 2], 3).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert to_categorical(np.array([[1], [0]])).tolist() == [[0, 1], [1, 0]]
    assert to_categorical([1], num_classes=2).dtype == np.float32
    with pytest.raises(InputError, match="label 2 is 3"):
        to_categorical([0, 3], 3)
    with pytest.raises(InputError, match="whole numbers"):
        to_categorical([0.5])


def test_labels_that_are_neither() -> None:
    with pytest.raises(DataError, match="one-hot"):
        make().fit(X, Y * 0.5, verbose=0)
