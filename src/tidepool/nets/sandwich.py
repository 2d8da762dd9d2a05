"""A stack that somebody wrote, with its weights: what ``NeuralNet`` and ``Sequential`` share.

Pictures of floats go into the first layer as they are, since their owner has scaled them; whole numbers from 0 to 255
are taken for grey levels and normalised inside the model. After a fit the weights are those of the last step.
"""

from __future__ import annotations

import datetime
import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import DataError, InputError, ModelFileError, StackError, did_you_mean
from tidepool.files import whole
from tidepool.images import ImageSet
from tidepool.nets.given import as_pictures
from tidepool.nets.initialisers import NAMES
from tidepool.nets.stack import Stack
from tidepool.preprocessing import Preprocessing
from tidepool.randomness import seed_for
from tidepool.updates import Update
from tidepool.warp import find as find_recipe

if TYPE_CHECKING:
    from tidepool.model import Model

Array = npt.NDArray[Any]
Weights = dict[str, Array]


@dataclass(frozen=True)
class Course:
    """How one fit goes: epochs of ``batch_size`` pictures at a constant rate, shuffled or not, warped by a recipe."""

    update: Update
    epochs: int
    batch_size: int = 128
    shuffle: bool = True
    recipe: str | None = None
    device: str = "auto"


@dataclass
class Sandwich:
    """A checked stack, its weights, and what it has been trained on.

    classes : the labels in the order of the outputs; history : the loop's rows of all fits, numbered on;
    spread : lowest and highest value of the floats that it was trained on.
    """

    stack: Stack
    seed: int = 0
    classes: list[Any] = field(default_factory=list)
    preprocessing: Preprocessing | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    spread: tuple[float, float] | None = None
    card: dict[str, Any] = field(default_factory=dict)
    interrupted: bool = False
    _weights: Weights = field(default_factory=dict)
    _module: Any = None  # the live module, while it is being trained
    _model: Any = None

    def __post_init__(self) -> None:
        check_initialisers(self.stack)

    @property
    def weights(self) -> Weights:
        """The present weights by name: the initial ones before a fit, live ones during it."""
        from tidepool.training.run import weights_of

        if self._module is not None:
            return weights_of(self._module)
        if not self._weights:
            self._weights = weights_of(self.stack.module(self.seed))
        return self._weights

    @weights.setter
    def weights(self, weights: Mapping[str, Array]) -> None:
        self._weights = _fitting(weights, self.weights)
        self._model = None
        if self._module is not None:
            from tidepool.training.run import load_weights

            load_weights(self._module, self._weights)

    @property
    def is_ready(self) -> bool:
        """Whether it can predict: it was trained, or has weights that were."""
        return self.preprocessing is not None

    @property
    def model(self) -> Model:
        """The artefact, with the present weights."""
        if self.preprocessing is None:
            raise InputError("not trained yet", "call fit first, or load weights")
        if self._model is None or self._module is not None:
            from tidepool.model import Model

            self._model = Model.make(
                self.stack, self.preprocessing, self.weights, {**self.card, "classes": self.classes}
            )
        model: Model = self._model
        return model

    def fit(
        self,
        pictures: Array,
        targets: npt.NDArray[np.int64],
        validation: tuple[Array, npt.NDArray[np.int64]] | None,
        course: Course,
        on_epoch: Callable[[dict[str, Any]], None] | None = None,
        path: str = "",
    ) -> None:
        """Train on from the present weights.

        ``pictures`` come from ``as_pictures``; ``targets`` are places in ``classes``. Ctrl-C and StopTraining end it.
        """
        from tidepool.training import loop, run
        from tidepool.training.card import versions
        from tidepool.training.device import pick_device
        from tidepool.training.plan import Plan

        self.stack.check_classes(len(self.classes))
        _require_some(pictures, targets)
        pictures = self._prepared(pictures, "training")
        assert self.preprocessing is not None
        if validation is not None:
            validation = (self.preprocessing.check(validation[0]), validation[1])
        batch = min(course.batch_size, len(pictures))
        rest = len(pictures) % batch
        # Batch normalisation cannot work on a single picture: it waits for the next epoch.
        steps_per_epoch = len(pictures) // batch + (rest > 1 or (rest == 1 and not self._normalises()))
        plan = Plan(
            steps=steps_per_epoch * course.epochs,
            steps_per_epoch=steps_per_epoch,
            batch_size=batch,
            update=course.update,
            schedule="constant",
            smoothing=0.0,
            average=0.0,
            recipe=find_recipe(course.recipe or "none"),
            shuffle=course.shuffle,
            seed=seed_for(self.seed, len(self.history)) if self.history else self.seed,
        )
        module = self.stack.module(self.seed)
        run.load_weights(module, self.weights)
        device = pick_device(course.device)
        done = len(self.history)

        def hear(row: dict[str, Any]) -> None:
            row["epoch"] = done + row["epoch"]
            self.history.append(row)
            if on_epoch:
                on_epoch(row)

        self._module = module
        try:
            task = run.Task(module, self.preprocessing, pictures, targets, validation, device)
            outcome = loop.train(task, plan, on_epoch=hear)
            weights = run.weights_of(module)
        finally:
            self._module = None
        self._weights, self._model = weights, None
        self.interrupted = outcome.interrupted
        last = self.history[-1] if self.history else {}
        score = {"accuracy": last["valid_accuracy"], "n": len(validation[1])} if validation and last else None
        self.card = {
            "plan": outcome.plan.to_dict(),
            "seed": self.seed,
            "device": device,
            "versions": versions(),
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "trained_on": {
                "path": path,
                "images": len(pictures),
                "held_back": len(validation[1]) if validation else 0,
                "frame": list(pictures.shape[1:3]),
            },
            "training": {
                "seconds": outcome.seconds,
                "images_per_second": outcome.images_per_second,
                "epochs": outcome.steps / plan.steps_per_epoch,
                "steps": outcome.steps,
                "interrupted": outcome.interrupted,
            },
            "validation": score,
        }

    def predict_proba(self, values: ImageSet | npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the probabilities ``[N, K]``; smaller frames are padded evenly.

        Warns where the values lie far outside those of the training: then they were prepared differently.
        """
        model = self.model
        pictures = as_pictures(values, self.stack.input_shape, smaller=True)
        if self.spread is not None and pictures.size:
            low, high = self.spread
            lowest, highest = float(pictures.min()), float(pictures.max())
            room = 2 * (high - low)
            if lowest < low - room or highest > high + room:
                warnings.warn(
                    f"these pictures have values {lowest:g}..{highest:g}, those of the training {low:g}..{high:g}: "
                    "were they scaled in the same way?",
                    stacklevel=3,
                )
            pictures = pictures.astype(np.float32, copy=False)
        return model.predict_proba(pictures)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights as safetensors, with the classes and the preprocessing in its header."""
        from safetensors.numpy import save_file

        known = {
            "classes": self.classes,
            "preprocessing": self.preprocessing.to_dict() if self.preprocessing else None,
            "spread": self.spread,
        }
        with whole(path) as temporary:
            save_file(self.weights, temporary, {"tidepool": json.dumps(known)})

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read weights back. Every name and shape must fit; a file without our header counts as trained on floats."""
        weights, known = _read(Path(path))
        self.weights = weights
        if self.preprocessing is not None:
            return
        shape = self.stack.input_shape
        frame = (1, shape[0]) if len(shape) == 1 else (shape[1], shape[2])
        channels = 1 if len(shape) == 1 else shape[0]
        plain = Preprocessing(frame, channels, "float32", (0.0,) * channels, (1.0,) * channels, flat=len(shape) == 1)
        kept = known.get("preprocessing")
        self.preprocessing = Preprocessing.from_dict(kept) if kept else _identity(plain)
        self.spread = tuple(known["spread"]) if known.get("spread") else None
        self.classes = self.classes or known.get("classes") or list(range(self.stack.output_shape[0]))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be made again: the module and the prediction session."""
        return {**self.__dict__, "_weights": self.weights, "_module": None, "_model": None}

    def _prepared(self, pictures: Array, what: str) -> Array:
        flat = len(self.stack.input_shape) == 1
        if pictures.dtype != np.uint8:
            low, high = float(pictures.min()), float(pictures.max())
            if not np.isfinite(low + high):
                raise DataError(f"the {what} pictures hold values that are not finite ({low:g}..{high:g})")
        if self.preprocessing is None:
            sample = pictures if pictures.dtype == np.uint8 else pictures[:1]
            found = Preprocessing.fit(sample, flat=flat)
            if pictures.dtype != np.uint8:
                found = _identity(found)
                self.spread = (low, high)
            self.preprocessing = found
        return self.preprocessing.check(pictures)

    def _normalises(self) -> bool:
        return any("running_mean" in name for name in self.weights)


def check_initialisers(stack: Stack) -> None:
    """Raise StackError for an initialiser that nobody knows, before anything is computed."""
    for name, layer in stack.layers:
        if getattr(layer, "initialiser", NAMES[0]) not in NAMES:
            wrong = str(getattr(layer, "initialiser", ""))
            raise StackError(f"layer '{name}': no initialiser '{wrong}'", did_you_mean(wrong, NAMES))


def _identity(found: Preprocessing) -> Preprocessing:
    return replace(found, mean=(0.0,) * len(found.mean), std=(1.0,) * len(found.std))


def _require_some(pictures: Array, targets: npt.NDArray[np.int64]) -> None:
    if not len(pictures) or len(pictures) != len(targets):
        raise DataError(
            f"{len(pictures)} pictures, {len(targets)} labels", "give one label a picture, and some of both"
        )


def _fitting(weights: Mapping[str, Array], own: Weights) -> Weights:
    """Return ``weights`` as float32, or raise ModelFileError naming the first that does not fit."""
    for name in weights:
        if name not in own:
            raise ModelFileError(f"weights '{name}' belong to no layer of this stack", did_you_mean(name, own))
    for name, value in own.items():
        if name not in weights:
            raise ModelFileError(f"weights '{name}' are missing", "the file was written by another stack")
        if np.shape(weights[name]) != value.shape:
            raise ModelFileError(
                f"weights '{name}' have shape {np.shape(weights[name])}, but the stack needs {value.shape}",
                "the file was written by another stack",
            )
    return {name: np.array(weights[name], dtype=value.dtype) for name, value in own.items()}


def _read(file: Path) -> tuple[Weights, dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    if not file.is_file():
        raise ModelFileError(f"{file}: no such file")
    try:
        with safe_open(file, "numpy") as opened:
            header = opened.metadata() or {}
            weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
        known = json.loads(header.get("tidepool", "{}"))
    except (SafetensorError, ValueError, OSError) as error:
        raise ModelFileError(f"{file}: no whole safetensors file ({error})", "copy it again") from error
    return weights, known
