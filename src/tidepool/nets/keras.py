"""The sandwich, Keras' way: ``Sequential``, with the spellings of 2016 and of today.

>>> model = Sequential()
>>> model.add(Convolution2D(20, 3, 3, input_shape=(1, 40, 40)))
>>> model.add(Activation("relu"))
>>> model.add(Flatten())
>>> model.add(Dense(10))
>>> model.add(Activation("softmax"))
>>> model.compile(loss="categorical_crossentropy", optimizer="adadelta")
>>> model.fit(X, Y, batch_size=128, nb_epoch=10, validation_data=(X_test, Y_test))
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool import optimizers
from tidepool.callbacks import Callback, EarlyStopping, History
from tidepool.errors import InputError, StackError, did_you_mean
from tidepool.files import refuse_existing
from tidepool.images import ImageSet
from tidepool.model import Model
from tidepool.nets.given import as_pictures, class_numbers, source_path
from tidepool.nets.keras_layers import KerasLayer
from tidepool.nets.layers import Layer, Shape
from tidepool.nets.sandwich import Course, Sandwich, check_initialisers
from tidepool.nets.spelling import spelled
from tidepool.nets.stack import Stack
from tidepool.nonlinearities import softmax
from tidepool.updates import Update

__all__ = ["Sequential"]

Array = npt.NDArray[Any]

_LOSSES = ("categorical_crossentropy", "sparse_categorical_crossentropy")
_METRICS = ("accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy")


class Sequential:
    """Layers in a row.

    layers : to begin with; seed : of the initial weights, the order, the dropout.
    Each added layer is checked against the one before it at once. Classes are numbered from 0, pictures are
    ``[N, C, H, W]`` or ``[N, H, W, C]``, floats as they shall go into the first layer (whole numbers from 0 to 255 are
    normalised inside the model). ``fit`` goes on from the present weights; the momentum of an earlier fit is not kept.
    """

    @spelled
    def __init__(self, layers: Sequence[KerasLayer] = (), name: str | None = None, seed: int = 0) -> None:
        self.name = name or "sequential"
        self.seed = seed
        self.stop_training = False
        self._layers: list[tuple[str, Layer]] = []
        self._counts: dict[str, int] = {}
        self._input: Shape | None = None
        self._update: Update | None = None
        self._net: Sandwich | None = None
        for layer in layers:
            self.add(layer)

    # Building.

    def add(self, layer: KerasLayer) -> None:
        """Append a layer; the first one needs ``input_shape``. Raises StackError where it does not fit."""
        if not isinstance(layer, KerasLayer):
            shown = getattr(layer, "__name__", repr(layer))
            raise StackError(f"add: {shown} is no layer under Keras' names", "add(Dense(10)), from tidepool.layers")
        shape = self._input or layer.input_shape
        if shape is None:
            raise StackError(
                f"layer '{layer.name or layer.keras}' is the first and has no input_shape",
                f"{layer.keras}(..., input_shape=(1, rows, columns))",
            )
        if self._input is not None and layer.input_shape not in (None, self._output()):
            raise StackError(
                f"layer '{layer.name or layer.keras}': input_shape {layer.input_shape}, but it gets {self._output()}",
                "give input_shape to the first layer only",
            )
        count = self._counts.get(layer.keras, 0) + 1
        name = layer.name or f"{layer.keras.lower()}_{count}"
        made = layer.layer(name, self._output() if self._layers else shape)
        stack = Stack((*self._layers, (name, made)), shape)
        check_initialisers(stack)
        self._layers, self._input, self._net = list(stack.layers), shape, None
        self._counts[layer.keras] = count

    def _output(self) -> Shape:
        assert self._input is not None
        return Stack(tuple(self._layers), self._input).output_shape

    @spelled
    def compile(
        self,
        loss: str,
        optimizer: Any = "adadelta",
        metrics: Any = (),
        class_mode: str | None = None,
    ) -> None:
        """Choose how it is trained, and check that the stack ends in a softmax over the classes.

        loss : 'categorical_crossentropy' or 'sparse_categorical_crossentropy' (labels are taken in either form);
        optimizer : a name, one of ``tidepool.optimizers`` or an Update; metrics : accuracy is always measured.
        """
        if loss not in _LOSSES:
            raise InputError(f"loss '{loss}' is not supported", did_you_mean(str(loss), _LOSSES))
        for metric in [metrics] if isinstance(metrics, str) else metrics or ():
            if metric not in _METRICS:
                raise InputError(f"no metric '{metric}'", did_you_mean(str(metric), _METRICS))
        update = optimizers.find(optimizer)
        stack = self._stack()
        name, last = stack.layers[-1]
        if len(stack.output_shape) != 1:
            raise StackError(
                f"layer '{name}': the stack ends in planes {stack.output_shape}", "add Flatten() and Dense()"
            )
        if getattr(last, "nonlinearity", None) != softmax:
            raise StackError(f"layer '{name}': {loss} needs probabilities", "add Activation('softmax') at the end")
        if stack.output_shape[0] < 2:
            raise StackError(f"layer '{name}': one output only", "end with a Dense of one unit a class")
        self._update = update
        self._sandwich()

    def _stack(self) -> Stack:
        if self._input is None:
            raise StackError("there are no layers", "add(Convolution2D(20, 3, 3, input_shape=(1, 40, 40)))")
        return Stack(tuple(self._layers), self._input)

    def _sandwich(self) -> Sandwich:
        if self._net is None:
            stack = self._stack()
            self._net = Sandwich(stack, self.seed, classes=list(range(stack.output_shape[0])))
        return self._net

    # Training.

    @spelled
    def fit(
        self,
        X: Any,
        Y: Any = None,
        batch_size: int = 32,
        nb_epoch: int = 10,
        verbose: int = 1,
        callbacks: Sequence[Callback | Callable[..., None]] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        show_accuracy: bool = False,
        recipe: str | None = None,
        device: str = "auto",
    ) -> History:
        """Train on pictures and one-hot or whole-number labels; Ctrl-C ends it and keeps the model.

        validation_split : the last share of the rows is held back, as in Keras, before any shuffling.
        """
        if self._update is None:
            raise InputError("not compiled yet", "compile(loss='categorical_crossentropy', optimizer='adadelta')")
        net = self._sandwich()
        pictures, targets = self._pictures_and_targets(X, Y)
        validation = None
        if validation_data is not None:
            if not isinstance(validation_data, ImageSet) and len(validation_data) != 2:
                raise InputError("validation_data is no pair", "validation_data=(X_test, Y_test)")
            pair = (validation_data, None) if isinstance(validation_data, ImageSet) else validation_data
            validation = self._pictures_and_targets(*pair)
        elif validation_split:
            if not 0 < validation_split < 1:
                raise InputError(f"validation_split is {validation_split!r}", "a share from 0 to below 1")
            cut = int(len(pictures) * (1 - validation_split))
            validation = pictures[cut:], targets[cut:]
            pictures, targets = pictures[:cut], targets[:cut]
        for name, value in (("batch_size", batch_size), ("nb_epoch", nb_epoch)):
            if not isinstance(value, (int, np.integer)) or value < 1:
                raise InputError(f"{name} is {value!r}, expected a whole number above 0")
        called = list(callbacks or ())
        for callback in called:
            if isinstance(callback, EarlyStopping) and validation is None and callback.watches != "train_loss":
                raise InputError(
                    f"EarlyStopping watches {callback.monitor}, but there is no validation",
                    "give validation_data or validation_split, or monitor='loss'",
                )
        return self._train(
            net,
            pictures,
            targets,
            validation,
            called,
            verbose,
            source_path(X),
            Course(self._update, int(nb_epoch), int(batch_size), bool(shuffle), recipe, device),
        )

    def _train(
        self,
        net: Sandwich,
        pictures: Array,
        targets: npt.NDArray[np.int64],
        validation: tuple[Array, npt.NDArray[np.int64]] | None,
        callbacks: list[Any],
        verbose: int,
        path: str,
        course: Course,
    ) -> History:
        from tidepool.training.loop import StopTraining

        history, table = History(), None
        self.stop_training = False
        if verbose:
            from tidepool.training.table import EpochTable

            table = EpochTable()
            held = f", validate on {len(validation[1])}" if validation else ""
            print(f"Train on {len(targets)} samples{held}")

        def finished(row: dict[str, Any]) -> None:
            logs = {"loss": row["train_loss"]}
            if "valid_loss" in row:
                logs["val_loss"] = row["valid_loss"]
                logs["val_accuracy"] = logs["val_acc"] = row["valid_accuracy"]
            history.append(len(history.epoch), logs)
            if table:
                table(row)
            for callback in callbacks:
                tell = getattr(callback, "on_epoch_end", None)
                if tell is None:
                    callback(self, history)
                else:
                    tell(history.epoch[-1], logs)
            if self.stop_training:
                raise StopTraining

        _tell(callbacks, "set_model", self)
        _tell(callbacks, "on_train_begin", {})
        net.fit(pictures, targets, validation, course, finished, path)
        if net.interrupted and not self.stop_training and verbose:
            print("Training was ended early; the model is kept.", file=sys.stderr)
        _tell(callbacks, "on_train_end", {})
        return history

    # Prediction.

    @spelled
    def predict(self, X: Any, batch_size: int = 32, verbose: int = 0) -> npt.NDArray[np.float32]:
        """Return the probabilities ``[N, K]``."""
        return self._sandwich().predict_proba(X)

    predict_proba = predict

    @spelled
    def predict_classes(self, X: Any, batch_size: int = 32, verbose: int = 0) -> npt.NDArray[np.int64]:
        """Return the class numbers ``[N]``."""
        numbers: npt.NDArray[np.int64] = self._sandwich().predict_proba(X).argmax(axis=1)
        return numbers

    @spelled
    def evaluate(
        self, X: Any, Y: Any = None, batch_size: int = 32, verbose: int = 0, show_accuracy: bool = True
    ) -> Any:
        """Return ``[loss, accuracy]``; the loss alone with ``show_accuracy=False``."""
        _, targets = self._pictures_and_targets(X, Y, smaller=True)
        probabilities = self._sandwich().predict_proba(X)
        true = probabilities[np.arange(len(targets)), targets].astype(np.float64)
        loss = float(-np.log(np.clip(true, 1e-7, 1.0)).mean())
        accuracy = float((probabilities.argmax(axis=1) == targets).mean())
        if verbose:
            print(f"{len(targets)} samples: loss {loss:.4f}, accuracy {accuracy:.4f}")
        return [loss, accuracy] if show_accuracy else loss

    @property
    def model_(self) -> Model:
        """The artefact: ``model.model_.save("m.tidepool")``."""
        return self._sandwich().model

    def to_model(self) -> Model:
        """Return the artefact, a ``tidepool.model.Model``."""
        return self.model_

    # Looking at it, keeping it.

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """What goes in, channels first; None is the batch."""
        return (None, *self._stack().input_shape)

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """What comes out; None is the batch."""
        return (None, *self._stack().output_shape)

    @property
    def layers(self) -> list[Layer]:
        """The layers, as the sandwich knows them."""
        return [layer for _, layer in self._layers]

    def count_params(self) -> int:
        """Return the number of weights that training changes."""
        from tidepool.nets.summary import parameters

        return parameters(self._stack())

    def summary(self, print_fn: Callable[[str], Any] = print) -> None:
        """Print the layer table, with learning capacity and image coverage."""
        print_fn(self._stack().summary())

    def get_weights_by_name(self) -> dict[str, Array]:
        """Return copies of the weights by name (``dense_1.weight``)."""
        return {name: value.copy() for name, value in self._sandwich().weights.items()}

    def set_weights_by_name(self, weights: dict[str, Array]) -> None:
        """Put weights back; every name and shape must fit."""
        self._sandwich().weights = weights

    def save_weights(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Write the weights as safetensors, whatever the name ends in."""
        refuse = f"{os.fspath(path)}: exists already"
        try:
            target = refuse_existing(path, overwrite)
        except InputError:
            raise InputError(refuse, "give another name, or overwrite=True") from None
        self._sandwich().save(target)

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Read weights back; ModelFileError unless every name and shape fits."""
        self._sandwich().load(path)

    def _pictures_and_targets(self, X: Any, Y: Any, smaller: bool = False) -> tuple[Array, npt.NDArray[np.int64]]:
        stack = self._stack()
        pictures = as_pictures(X, stack.input_shape, smaller)
        if Y is None and isinstance(X, ImageSet):
            Y = X.require_labels("training")
        return pictures, class_numbers(Y, len(pictures), stack.output_shape[0])


def _tell(callbacks: list[Any], event: str, argument: Any) -> None:
    for callback in callbacks:
        if hasattr(callback, event):
            getattr(callback, event)(argument)
