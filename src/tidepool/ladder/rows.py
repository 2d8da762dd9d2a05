"""The rows of the ladder: Kaggle's train rows (or MNIST's, where those are missing), a part of them held back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import DataError, OutsideError
from tidepool.images import ImageSet
from tidepool.ladder.mistakes import FRAME, SIDE
from tidepool.ladder.sizes import Sizes

Array = npt.NDArray[Any]
Pictures = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

_WORDS = {"kaggle-digits": "Kaggle's train rows", "mnist": "MNIST's training pictures"}

# Tells how far a rung is: a share 0..1 and some words.
Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class Rows:
    """What every rung learns from and is scored by: uint8 ``[N, 28, 28]`` and class numbers ``[N]``.

    name : the set's, as ``read`` knows it; words : what they are, in a sentence; sha256 : of the file.
    """

    images: Pictures
    labels: Labels
    held_images: Pictures
    held_labels: Labels
    name: str
    words: str
    sha256: str

    def score(self, predicted: Array) -> float:
        """Return which share of the held-back rows ``predicted`` has right."""
        return float((np.asarray(predicted) == self.held_labels).mean())


def find(cache: bool = True, note: Callable[[str], None] = lambda text: None) -> ImageSet:
    """Return Kaggle's train rows, or MNIST's training pictures where they are missing, which ``note`` is told.

    Raises OutsideError, which names the files and where they go, if neither can be had.
    """
    from tidepool.formats import read

    try:
        return read("kaggle-digits", cache=cache)
    except OutsideError as missing:
        try:
            found = read("mnist", cache=cache)
        except OutsideError as error:
            hint = (
                f"{missing.hint}: train.csv of kaggle.com/c/digit-recognizer, gzipped or not; or for mnist {error.hint}"
            )
            raise OutsideError(f"{missing.message}; and in its place {error.message}", hint) from error
        note(
            "Kaggle's train rows are not on this machine (they need an account): MNIST's training pictures take their "
            f"place. For Kaggle's {missing.hint}"
        )
        return found


def divide(data: ImageSet, sizes: Sizes, seed: int) -> Rows:
    """Return ``sizes.held`` rows held back, the same share of each class, and up to ``sizes.rows`` to learn from."""
    from tidepool.training.split import hold_back

    name = data.source.path or "memory"
    if data.frame != (SIDE, SIDE) or data.channels != 1 or data.images.dtype != np.uint8:
        raise DataError(f"{name}: expected grey pictures of {SIDE}x{SIDE}, found {data.summary()}")
    if len(data) < 2 * sizes.held:
        raise DataError(f"{name}: {len(data):,} rows, but {sizes.held:,} of them are to be held back", "give more rows")
    targets = np.unique(data.require_labels("the ladder"), return_inverse=True)[1].astype(np.int64)
    rows, held = hold_back(targets, sizes.held / len(data), seed)
    if len(rows) > sizes.rows:
        rows = rows[hold_back(targets[rows], sizes.rows / len(rows), seed)[1]]
    words = _WORDS.get(name, f"the rows of {name}")
    return Rows(data.images[rows], targets[rows], data.images[held], targets[held], name, words, data.source.sha256)


def as_floats(images: Pictures) -> Floats:
    """Return pictures as both listings have them: float32 ``[N, 1, H, W]`` in 0..1."""
    return images[:, None].astype(np.float32) / np.float32(255)


def padded(images: Pictures) -> Pictures:
    """Return pictures of 28x28 in the middle of 40x40, as affNIST's originals are."""
    around = (FRAME - SIDE) // 2
    return np.pad(images, ((0, 0), (around, around), (around, around)))


def affnist_file(images: Pictures, seed: int, number: int, index: Array | None = None) -> Pictures:
    """Return file ``number`` of a set made by affNIST's recipe: a new warp of each row, uint8 ``[N, 40, 40]``.

    index : the rows' numbers in the training set (default 0..N-1).
    """
    from tidepool import warp

    matrices = warp.recipes["affnist"].matrices(images, seed, number, index, size=(FRAME, FRAME))
    return warp.apply(images, matrices, (FRAME, FRAME))
