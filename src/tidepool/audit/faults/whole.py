"""Faults of whole sets: training and test files exchanged, pictures that are in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tidepool.audit.faults.base import Fault
from tidepool.images import ImageSet


@dataclass(frozen=True)
class SetsSwapped(Fault):
    """The first set has no labels and the second has: the two files were given in the wrong order."""

    id = "sets-swapped"
    plain = "and the training images are exchanged: the first set has no labels, the second has"
    repair = "swap the two sets"


@dataclass(frozen=True)
class Duplicates(Fault):
    """Pictures of the test set that training has too, exactly or turned by one symmetry of the square.

    rows : their row numbers in training (from 0); count : test pictures that training has; share : of the test set;
    symmetry : the id of the symmetry under which most of them are the same, None for as they are;
    most : whether next to nothing would be left of training.
    """

    rows: tuple[int, ...]
    count: int
    share: float
    symmetry: str | None = None
    most: bool = False

    id = "duplicates"

    @property
    def repairable(self) -> bool:  # type: ignore[override]
        """Not where training is the test set."""
        return not self.most

    @property
    def parameters(self) -> dict[str, Any]:
        """How many test pictures, which part of the test set, under which symmetry."""
        return {"count": self.count, "share": round(self.share, 4), "symmetry": self.symmetry}

    @property
    def plain(self) -> str:
        """Say how many."""
        turned = f", {self.symmetry}" if self.symmetry else ""
        return f"hold {self.count:,} of the test images ({self.share:.1%} of them{turned})"

    @property
    def repair(self) -> str:
        """Drop them from training."""
        if self.most:
            return "none: the training set would be empty, give other test images"
        return f"drop {len(self.rows):,} images from the training set"

    def undo_set(self, images: ImageSet) -> ImageSet:
        """Return the training set without them."""
        kept = np.ones(len(images), dtype=bool)
        kept[list(self.rows)] = False
        return images.select(np.flatnonzero(kept))
