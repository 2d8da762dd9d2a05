"""The symmetries of the square: transposed (MATLAB's and EMNIST's order), mirrored, turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tidepool.audit.faults.base import Fault
from tidepool.images import Array


class Symmetry(Fault):
    """A symmetry of the square: first ``turns`` quarter turns counter-clockwise, then a transposition if ``swap``."""

    turns: ClassVar[int] = 0
    swap: ClassVar[bool] = False

    def replay(self, images: Array) -> Array:
        """Do it."""
        turned = np.rot90(images, self.turns, axes=(1, 2))
        return np.swapaxes(turned, 1, 2) if self.swap else turned

    def undo(self, images: Array) -> Array:
        """Undo it: the transposition first, then the turns back."""
        back = np.swapaxes(images, 1, 2) if self.swap else images
        return np.rot90(back, -self.turns, axes=(1, 2))


@dataclass(frozen=True)
class Transposed(Symmetry):
    """Rows and columns exchanged: ``x.T``."""

    id = "transposed"
    swap = True
    plain = "are stored column by column (transposed)"
    repair = "transpose each image"


@dataclass(frozen=True)
class FlippedLR(Symmetry):
    """Mirrored left to right."""

    id = "flipped-lr"
    turns, swap = 1, True
    plain = "are mirrored left to right"
    repair = "mirror each image left to right"


@dataclass(frozen=True)
class FlippedUD(Symmetry):
    """Mirrored top to bottom."""

    id = "flipped-ud"
    turns, swap = 3, True
    plain = "are upside down in a mirror (top and bottom exchanged)"
    repair = "mirror each image top to bottom"


@dataclass(frozen=True)
class Rotated90(Symmetry):
    """Turned 90 degrees counter-clockwise."""

    id = "rotated-90"
    turns = 1
    plain = "are turned by 90 degrees counter-clockwise"
    repair = "turn each image 90 degrees clockwise"


@dataclass(frozen=True)
class Rotated180(Symmetry):
    """Turned 180 degrees."""

    id = "rotated-180"
    turns = 2
    plain = "stand on their head (turned by 180 degrees)"
    repair = "turn each image by 180 degrees"


@dataclass(frozen=True)
class Rotated270(Symmetry):
    """Turned 270 degrees counter-clockwise."""

    id = "rotated-270"
    turns = 3
    plain = "are turned by 90 degrees clockwise (270 counter-clockwise)"
    repair = "turn each image 90 degrees counter-clockwise"


@dataclass(frozen=True)
class AntiTransposed(Symmetry):
    """Mirrored at the other diagonal: transposed and turned by 180 degrees."""

    id = "anti-transposed"
    turns, swap = 2, True
    plain = "are mirrored at the diagonal from bottom left to top right (anti-transposed)"
    repair = "transpose each image and turn it by 180 degrees"


SYMMETRIES: tuple[Symmetry, ...] = (
    Transposed(),
    FlippedLR(),
    FlippedUD(),
    Rotated90(),
    Rotated180(),
    Rotated270(),
    AntiTransposed(),
)
