"""What is searched: the widths of the net, the strength of the warps, the pace of training."""

from __future__ import annotations

from typing import Any, Protocol

from tidepool.nets import zoo
from tidepool.nets.layers import Shape
from tidepool.nets.stack import Stack
from tidepool.training.regime import Regime
from tidepool.updates import momentum_matrices
from tidepool.warp import Recipe
from tidepool.warp.parts import Affine, Elastic, Part

# The defaults, as a point of the space: tried first, so that what is found is never worse but by chance.
USUAL = {
    "first": 24,
    "second": 48,
    "third": 64,
    "fourth": 128,
    "rotation": 7.0,
    "shear": 0.08,
    "zoom": 0.07,
    "shift": 0.04,
    "elastic": 0.0,
    "batch_size": 256,
    "learning_rate": 0.1,
    "matrix_rate": 0.04,
    "weight_decay": 2e-3,
    "smoothing": 0.1,
    "warmup": 0.2,
}


class Trial(Protocol):
    """What is needed of an ``optuna.Trial``."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return a whole number."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a number."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Return one of several values."""


class Point:
    """A trial whose values are known."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return the value known by ``name``."""
        return int(self.values[name])

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return the value known by ``name``."""
        return float(self.values[name])

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Return the value known by ``name``."""
        return self.values[name]


def suggested(trial: Trial, shape: Shape, classes: int) -> tuple[Stack, Regime]:
    """Return the net and the regime that ``trial`` stands for, for pictures of ``shape`` (channels, height, width)."""
    widths = (
        trial.suggest_int("first", 8, 48, step=8),
        trial.suggest_int("second", 16, 96, step=16),
        trial.suggest_int("third", 32, 192, step=32),
        trial.suggest_int("fourth", 64, 256, step=64),
    )
    zoom = trial.suggest_float("zoom", 0.0, 0.25)
    affine = Affine(
        rotation=trial.suggest_float("rotation", 0.0, 25.0),
        shear=trial.suggest_float("shear", 0.0, 0.3),
        scale=(round(1 - zoom, 6), round(1 + zoom, 6)),
        shift=trial.suggest_float("shift", 0.0, 0.12),
    )
    elastic = Elastic(alpha=trial.suggest_float("elastic", 0.0, 2.0))
    parts: tuple[Part, ...] = (affine,) if elastic.is_identity else (affine, elastic)
    regime = Regime(
        recipe=Recipe("tuned", parts),
        update=momentum_matrices(
            learning_rate=trial.suggest_float("learning_rate", 0.02, 0.4, log=True),
            matrix_rate=trial.suggest_float("matrix_rate", 0.01, 0.2, log=True),
            weight_decay=trial.suggest_float("weight_decay", 1e-4, 1e-2, log=True),
        ),
        batch_size=trial.suggest_categorical("batch_size", (128, 256, 512)),
        smoothing=trial.suggest_float("smoothing", 0.0, 0.2),
        warmup=trial.suggest_float("warmup", 0.05, 0.4),
    )
    return zoo.convolutional(shape, classes, widths), regime
