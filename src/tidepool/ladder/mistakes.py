"""The mistakes of preparation that the article's test set may have suffered, as functions of Kaggle's 28x28 rows.

A preparation is how rows of 784 values 0..255 became what a 40x40 net was shown: turned, placed in the frame, scaled.
The right one is: as it is, padded by 6 on every side, divided by 255.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

SIDE, FRAME = 28, 40
_MARGIN = (FRAME - SIDE) // 2


def _padded(top: int, left: int) -> Callable[[Array], Array]:
    def place(images: Array) -> Array:
        below, right = FRAME - SIDE - top, FRAME - SIDE - left
        return np.pad(images, ((0, 0), (top, below), (left, right)))

    return place


def _flat(before: int) -> Callable[[Array], Array]:
    """The row of 784 values is padded to 1600 and only then made a picture."""

    def place(images: Array) -> Array:
        rows = images.reshape(len(images), -1)
        return np.pad(rows, ((0, 0), (before, FRAME**2 - SIDE**2 - before))).reshape(-1, FRAME, FRAME)

    return place


def _column_by_column(images: Array) -> Array:
    """Padded rightly, but the 1600 values are read back in MATLAB's order."""
    return np.pad(images, ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN))).transpose(0, 2, 1)


def _one_axis_first(images: Array) -> Array:
    """Rows padded to 40 x 28 in flat memory, then the flat picture cut into 40 columns and filled up below."""
    tall = np.pad(images, ((0, 0), (_MARGIN, _MARGIN), (0, 0))).reshape(len(images), -1)
    return np.pad(tall, ((0, 0), (0, FRAME**2 - tall.shape[1]))).reshape(-1, FRAME, FRAME)


def _resized(order: Literal[1, 3]) -> Callable[[Array], Array]:
    def place(images: Array) -> Array:
        from scipy.ndimage import zoom

        factors = np.array((1, FRAME / SIDE, FRAME / SIDE))
        big = zoom(images.astype(np.float32), factors, order=order, grid_mode=True, mode="grid-constant")
        return np.asarray(np.clip(big, 0, 255))

    return place


TURNS: dict[str, Callable[[Array], Array]] = {
    "upright": lambda x: x,
    "transposed": lambda x: x.transpose(0, 2, 1),
    "flipped left to right": lambda x: x[:, :, ::-1],
    "flipped upside down": lambda x: x[:, ::-1],
    "rotated by 90": lambda x: np.rot90(x, 1, (1, 2)),
    "rotated by 180": lambda x: x[:, ::-1, ::-1],
    "rotated by 270": lambda x: np.rot90(x, 3, (1, 2)),
}
PLACES: dict[str, Callable[[Array], Array]] = {
    "padded by 6": _padded(6, 6),
    "padded 3/9/8/4": _padded(3, 8),
    "padded right and below": _padded(0, 0),
    "padded left and above": _padded(12, 12),
    "padded above only": _padded(12, 6),
    "padded below only": _padded(0, 6),
    "padded left only": _padded(6, 12),
    "padded right only": _padded(6, 0),
    "resized, order 3": _resized(3),
    "resized, order 1": _resized(1),
    "flat row padded at the end": _flat(0),
    "flat row padded on both sides": _flat((FRAME**2 - SIDE**2) // 2),
    "flat row padded at the start": _flat(FRAME**2 - SIDE**2),
    "one axis padded before the reshape": _one_axis_first,
}
VALUES: dict[str, Callable[[Array], Array]] = {
    "divided by 255": lambda x: x / np.float32(255),
    "not divided": lambda x: x,
    "divided twice": lambda x: x / np.float32(255**2),
    "mean 0, deviation 1": lambda x: (x - x.mean()) / x.std(),
    "each picture mean 0, deviation 1": lambda x: (x - _each(x.mean((1, 2)))) / _each(x.std((1, 2))),
    "-1 to 1": lambda x: x / np.float32(127.5) - 1,
    "0 to 2": lambda x: x / np.float32(127.5),
    "inverted": lambda x: 1 - x / np.float32(255),
    "each row of length 1": lambda x: x / _each(np.sqrt((x.astype(np.float64) ** 2).sum((1, 2)))),
    "cut to 0 and 1": lambda x: np.floor(x / np.float32(255)),
}


def _each(values: Array) -> Array:
    return np.maximum(values, 1e-9)[:, None, None]


@dataclass(frozen=True)
class Preparation:
    """One way in which rows may have been prepared; the defaults are the right way.

    turn, place, values : names in TURNS, PLACES and VALUES; slipped : rows by which labels stand off their images.
    """

    turn: str = "upright"
    place: str = "padded by 6"
    values: str = "divided by 255"
    slipped: int = 0

    @property
    def mistakes(self) -> tuple[str, ...]:
        """What was done wrongly, in words; empty for the right way."""
        right = Preparation()
        named = [
            getattr(self, field)
            for field in ("turn", "place", "values")
            if getattr(self, field) != getattr(right, field)
        ]
        return (*named, f"labels slipped by {self.slipped}") if self.slipped else tuple(named)

    def apply(self, images: Array) -> Floats:
        """Return float32 ``[N, 40, 40]`` as the net was shown it, of uint8 ``[N, 28, 28]``."""
        placed = PLACES[self.place](np.ascontiguousarray(TURNS[self.turn](images)))
        return np.ascontiguousarray(VALUES[self.values](placed.astype(np.float32)), dtype=np.float32)

    def labels(self, labels: Array) -> Array:
        """Return the labels as they would stand beside the images."""
        return np.roll(labels, self.slipped)

    def __str__(self) -> str:
        return " + ".join(self.mistakes) or "right"


def every_preparation() -> list[Preparation]:
    """Return the right way, every single mistake, and every pair of mistakes of different kinds."""
    found = [Preparation(turn, place, values) for turn in TURNS for place in PLACES for values in VALUES]
    found = [one for one in found if len(one.mistakes) <= 2]
    return [*found, Preparation(slipped=1), Preparation(slipped=-1)]
