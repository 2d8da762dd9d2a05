"""The sandwich, nolearn's way: a scikit-learn classifier whose layers are addressed as ``layername_parameter``.

>>> net = NeuralNet(
...     layers=[("input", layers.InputLayer), ("conv1", layers.Conv2DLayer), ("output", layers.DenseLayer)],
...     input_shape=(None, 1, 28, 28),
...     conv1_num_filters=8,
...     output_num_units=10,
...     output_nonlinearity=nonlinearities.softmax,
... )
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from tidepool import updates
from tidepool.errors import DataError, InputError
from tidepool.images import ImageSet
from tidepool.model import Model
from tidepool.nets.given import as_pictures, as_targets, source_path
from tidepool.nets.nolearn_names import Names, handlers_of, number, whole
from tidepool.nets.sandwich import Course, Sandwich
from tidepool.nets.stack import Stack
from tidepool.training.split import hold_back
from tidepool.warp import find as find_recipe

__all__ = ["NeuralNet", "TrainSplit"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class TrainSplit:
    """What share of the training rows is held back to measure by; of each class the same share, if ``stratify``."""

    eval_size: float | None = 0.2
    stratify: bool = True

    def rows(self, targets: npt.NDArray[np.int64], seed: int) -> tuple[Array, Array]:
        """Return (training rows, held-back rows)."""
        share = self.eval_size or 0.0
        if not 0 <= share < 1:
            raise InputError(f"train_split holds back {share!r}", "give a share from 0 to below 1")
        return hold_back(targets if self.stratify else np.zeros_like(targets), share, seed)


class NeuralNet(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A stack of layers as a scikit-learn classifier.

    layers : ``[(name, class), ...]``, or ``[(class, {parameter: value}), ...]`` whose names are then made of the class
        and the place (``conv2d1``); the first is an InputLayer.
    update, update_... : a rule of ``tidepool.updates`` (or its name) and its parameters.
    train_split : what is held back in ``fit`` to fill ``valid_loss`` and ``valid_accuracy``: a TrainSplit, a share,
        or None.
    on_epoch_finished : called as ``f(net, net.train_history_)``; StopIteration or
        ``tidepool.callbacks.StopTraining`` ends training and keeps the model, as Ctrl-C does.
    initialiser : of all layers that are given none of their own; recipe : see ``tidepool.warp.find``, or None.
    random_state : takes the place of ``seed`` if it is given, for scikit-learn's sake.
    **parameters : ``conv1_num_filters=20`` and the like. An unknown name is an error here and now.

    Floats go into the first layer as they are; whole numbers from 0 to 255 are normalised inside the model. ``fit``
    starts anew, ``partial_fit`` goes on from the present weights. The weights kept are those of the last epoch.
    Fitted: ``classes_``, ``model_`` (a ``tidepool.model.Model``), ``train_history_`` (a dict an epoch).
    """

    def __init__(
        self,
        layers: Sequence[Any],
        update: Any = updates.nesterov_momentum,
        max_epochs: int = 10,
        batch_size: int = 128,
        train_split: Any = TrainSplit(eval_size=0.2),
        shuffle: bool = True,
        recipe: str | None = None,
        initialiser: str = "glorot_uniform",
        regression: bool = False,
        on_epoch_finished: Any = (),
        on_training_started: Any = (),
        on_training_finished: Any = (),
        verbose: int = 0,
        seed: int = 0,
        random_state: Any = None,
        device: str = "auto",
        **parameters: Any,
    ) -> None:
        self.layers = layers
        self.update = update
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.train_split = train_split
        self.shuffle = shuffle
        self.recipe = recipe
        self.initialiser = initialiser
        self.regression = regression
        self.on_epoch_finished = on_epoch_finished
        self.on_training_started = on_training_started
        self.on_training_finished = on_training_finished
        self.verbose = verbose
        self.seed = seed
        self.random_state = random_state
        self.device = device
        self._parameters = parameters
        self._check()

    # What scikit-learn asks of an estimator.

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all parameters, those of the layers and of the update included."""
        return {**super().get_params(deep=deep), **self._parameters}

    def set_params(self, **params: Any) -> NeuralNet:
        """Set parameters; InputError or StackError for an unknown one."""
        own = set(self._get_param_names())
        before = {name: getattr(self, name) for name in own}, self._parameters
        try:
            for name in own & set(params):
                setattr(self, name, params[name])
            self._parameters = {**self._parameters, **{k: v for k, v in params.items() if k not in own}}
            self._check()
        except InputError:
            self.__dict__.update(before[0], _parameters=before[1])
            raise
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether it can predict."""
        net = self.__dict__.get("_net")
        return net is not None and net.is_ready

    # Training.

    def fit(self, X: Any, y: Any = None, epochs: int | None = None) -> NeuralNet:
        """Train from initial weights on pictures ``[N, C, H, W]``, ``[N, H, W]`` or an ImageSet with its labels."""
        net = self._sandwich()
        pictures, labels = self._pictures_and_labels(net.stack, X, y)
        classes = np.unique(labels)
        if not len(classes):
            raise DataError("no pictures to train on", "give some of each class")
        if len(classes) < 2:
            raise DataError(f"one class only ({classes[0]})", "give pictures of at least two classes")
        net.stack.check_classes(len(classes))
        self._begin(net, classes)
        return self._train(pictures, labels, epochs, source_path(X))

    def partial_fit(self, X: Any, y: Any = None, classes: Any = None, epochs: int | None = None) -> NeuralNet:
        """Train on from the present weights, with the classes of the first call (or ``classes``, if this is it)."""
        net = self.__dict__.get("_net")
        if net is None or not net.classes:
            if classes is None:
                return self.fit(X, y, epochs)
            net = net or self._sandwich()
            self._begin(net, np.unique(classes))
        pictures, labels = self._pictures_and_labels(net.stack, X, y)
        return self._train(pictures, labels, epochs, source_path(X))

    def _begin(self, net: Sandwich, classes: Array | None) -> None:
        self._net = net
        self.train_history_: list[dict[str, Any]] = []
        if classes is not None:
            self.classes_ = classes
            net.classes = classes.tolist()

    def _train(self, pictures: Array, labels: Array, epochs: int | None, path: str) -> NeuralNet:
        from tidepool.training.loop import StopTraining

        net = self._net
        targets = as_targets(labels, self.classes_)
        split = self.train_split
        if not isinstance(split, TrainSplit):
            split = TrainSplit(number("train_split", split or 0.0, 0.0))
        rows, held = split.rows(targets, net.seed)
        table = None
        if self.verbose:
            from tidepool.training.table import EpochTable

            table = EpochTable()
            if not net.history:
                print(self.summary(), end="\n\n")

        def finished(row: dict[str, Any]) -> None:
            self.train_history_.append(self._row(row))
            if table:
                table(row)
            try:
                self._tell("on_epoch_finished")
            except StopIteration:
                raise StopTraining from None

        course = Course(
            self._names().made_update(),
            whole("max_epochs", self.max_epochs if epochs is None else epochs),
            whole("batch_size", self.batch_size),
            self.shuffle,
            self.recipe,
            self.device,
        )
        self._tell("on_training_started")
        validation = (pictures[held], targets[held]) if len(held) else None
        if len(held):
            pictures, targets = pictures[rows], targets[rows]
        net.fit(pictures, targets, validation, course, finished, path)
        if net.interrupted and self.verbose:
            print("Training was ended early; the model is kept.", file=sys.stderr)
        self._tell("on_training_finished")
        return self

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the loop's row under nolearn's names."""
        found: dict[str, Any] = {"epoch": row["epoch"]}
        for name in ("train_loss", "valid_loss"):
            if name in row:
                found[name] = row[name]
                found[f"{name}_best"] = all(row[name] < before.get(name, np.inf) for before in self.train_history_)
        if "valid_accuracy" in row:
            found["valid_accuracy"] = row["valid_accuracy"]
        return {**found, "dur": row["seconds"]}

    def _tell(self, event: str) -> None:
        for handler in handlers_of(event, getattr(self, event)):
            handler(self, self.train_history_)

    # Prediction.

    @property
    def model_(self) -> Model:
        """The artefact: ``net.model_.save("m.tidepool")``."""
        return self._fitted().model

    def predict(self, X: Any) -> Array:
        """Return the class labels ``[N]``."""
        probabilities = self._fitted().predict_proba(X)
        labels: Array = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> npt.NDArray[np.float32]:
        """Return the probabilities ``[N, K]``, in the order of ``classes_``."""
        return self._fitted().predict_proba(X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the share of correct labels."""
        labels = X.require_labels("scoring") if y is None and isinstance(X, ImageSet) else y
        return float(super().score(X, labels, sample_weight))

    def _fitted(self) -> Sandwich:
        net: Sandwich | None = self.__dict__.get("_net")
        if net is None or not net.is_ready:
            raise NotFittedError("this NeuralNet is not fitted yet: call fit, or load_params_from")
        return net

    # Weights.

    def initialize(self) -> NeuralNet:
        """Make the initial weights, without training."""
        self._begin(self._sandwich(), None)
        return self

    def get_all_params_values(self) -> dict[str, Array]:
        """Return copies of the weights by name (``conv1.weight``)."""
        if "_net" not in self.__dict__:
            self.initialize()
        return {name: value.copy() for name, value in self._net.weights.items()}

    def save_params_to(self, path: str | os.PathLike[str]) -> None:
        """Write the weights as safetensors; classes and preprocessing stand in its header."""
        if "_net" not in self.__dict__:
            self.initialize()
        self._net.save(path)

    def load_params_from(self, source: Any) -> NeuralNet:
        """Take the weights of a file, of a dict, or of another net; ModelFileError unless every one fits."""
        if "_net" not in self.__dict__:
            self.initialize()
        if isinstance(source, NeuralNet):
            self._net.weights = source.get_all_params_values()
        elif isinstance(source, Mapping):
            self._net.weights = dict(source)
        else:
            self._net.load(source)
            self.classes_ = np.array(self._net.classes)
        return self

    def summary(self) -> str:
        """Return the layer table, with learning capacity and image coverage."""
        return self._names().stack().summary()

    # From parameters to the stack.

    def _names(self) -> Names:
        return Names(self.layers, self.update, self.initialiser, self._parameters, self._get_param_names)

    def _check(self) -> None:
        """Raise for whatever can be known to be wrong before there are any pictures."""
        if self.regression:
            raise InputError("regression=True is not supported", "NeuralNet classifies: leave regression out")
        names = self._names()
        names.check()
        find_recipe(self.recipe or "none")
        for event in ("on_epoch_finished", "on_training_started", "on_training_finished"):
            handlers_of(event, getattr(self, event))
        # Values may still come by set_params, as in a grid search: only a complete stack is checked now.
        if names.is_complete():
            self._sandwich()

    def _sandwich(self) -> Sandwich:
        seed = self.seed
        if self.random_state is not None:
            seed = self.random_state
            if not isinstance(seed, (int, np.integer)):
                from sklearn.utils import check_random_state

                seed = check_random_state(seed).randint(2**31 - 1)
        return Sandwich(self._names().stack(), int(seed))

    def _pictures_and_labels(self, stack: Stack, X: Any, y: Any) -> tuple[Array, Array]:
        pictures = as_pictures(X, stack.input_shape)
        if y is None:
            if not isinstance(X, ImageSet):
                raise InputError("y is None", "give one label a picture, or an ImageSet with labels")
            return pictures, X.require_labels("training")
        labels = ImageSet(pictures, y).labels
        assert labels is not None
        return pictures, labels
