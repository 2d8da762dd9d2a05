"""Faults of single pictures' places: each moved at random, centred by another rule, or some of them turned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from tidepool.audit.faults.base import Fault
from tidepool.audit.faults.resampling import box_of, ink_of
from tidepool.audit.faults.symmetries import Symmetry
from tidepool.audit.reference import ReferenceNet
from tidepool.images import Array


def centres(images: Array, background: float, by: str) -> Array:
    """Return row and column of each picture's middle ``[N, 2]`` in pixels: ``by`` its 'mass' or its 'box'.

    Faint ink (below a tenth of the strongest) does not count; an empty picture's middle is that of the frame.
    """
    ink = ink_of(images, background)
    height, width = ink.shape[1:]
    middles = np.tile((np.array([height, width]) - 1) / 2, (len(ink), 1))
    if by == "box":
        for i, picture in enumerate(ink):
            if (box := box_of(picture)) is not None:
                middles[i] = (box[0] + box[1] - 1) / 2, (box[2] + box[3] - 1) / 2
        return middles
    ink[ink < 0.1 * ink.max(axis=(1, 2), keepdims=True)] = 0
    total = ink.sum(axis=(1, 2))
    some = total > 0
    middles[some, 0] = ink[some].sum(axis=2) @ np.arange(height) / total[some]
    middles[some, 1] = ink[some].sum(axis=1) @ np.arange(width) / total[some]
    return middles


def moved(images: Array, by: Array, background: float) -> Array:
    """Return each of ``images`` ``[N, H, W(, C)]`` moved by its own whole pixels ``[N, 2]`` (down, right)."""
    height, width = images.shape[1:3]
    rows = np.arange(height) - by[:, :1]
    columns = np.arange(width) - by[:, 1:]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    out: Array = images[
        np.arange(len(images))[:, None, None],
        rows.clip(0, height - 1)[:, :, None],
        columns.clip(0, width - 1)[:, None, :],
    ]
    out[~inside] = background
    return out


@dataclass(frozen=True)
class Recentred(Fault):
    """Pictures that do not lie where training has its own: their centre ``by`` 'mass' or 'box' goes to ``middle``."""

    by: str
    middle: tuple[float, float]
    background: float = 0.0

    echoed = True
    repair: ClassVar[str]

    @property
    def exact(self) -> bool:
        """Rounding and what left the frame cannot be known."""
        return False

    def undo(self, images: Array) -> Array:
        """Move each picture by whole pixels to where training has its own."""
        way = np.round(np.array(self.middle) - centres(images, self.background, self.by)).astype(int)
        return moved(images, way, self.background)


@dataclass(frozen=True)
class Jittered(Recentred):
    """Each picture moved at random by up to ``reach`` pixels either way."""

    reach: int = 2

    id = "jittered"
    plain = "are each moved at random, where the training images lie still"

    @property
    def repair(self) -> str:  # type: ignore[override]
        """Say the rule."""
        return f"move each image so that its centre of {self.by} lies where training has it"

    def replay(self, images: Array) -> Array:
        """Move each picture at random."""
        way = np.random.default_rng(0).integers(-self.reach, self.reach + 1, (len(images), 2))
        return moved(images, way, self.background)


@dataclass(frozen=True)
class NotCentredByMass(Recentred):
    """Pictures centred by the box of their ink, where training has them by their centre of mass."""

    id = "not-centred-by-mass"
    plain = "are centred by the box of their ink, where the training images are centred by their mass"
    repair = "move each image so that its centre of mass lies where training has it"

    def replay(self, images: Array) -> Array:
        """Centre each picture by its box."""
        middle = (np.array(images.shape[1:3]) - 1) / 2
        way = np.round(middle - centres(images, self.background, "box")).astype(int)
        return moved(images, way, self.background)


@dataclass(frozen=True)
class MixedOrientation(Fault):
    """A ``share`` of the pictures has ``symmetry``; a net that learnt both orientations tells which ones.

    low, span : bring the pictures to the 0..1 that ``net`` knows.
    """

    symmetry: Symmetry
    share: float
    low: float = 0.0
    span: float = 255.0
    net: ReferenceNet | None = field(default=None, repr=False, compare=False)

    id = "mixed-orientation"

    @property
    def exact(self) -> bool:
        """The net errs, and some pictures look the same either way."""
        return False

    @property
    def parameters(self) -> dict[str, Any]:
        """Which orientation, and the part of the images 0..1 that has it."""
        return {"symmetry": self.symmetry.id, "share": round(self.share, 3)}

    @property
    def plain(self) -> str:
        """Say how many are turned, and how."""
        return f"are of mixed orientation (about {self.share:.0%} of them {self.symmetry.plain.removeprefix('are ')})"

    @property
    def repair(self) -> str:
        """Say what is done."""
        return f"undo `{self.symmetry.id}` where a net that learnt both orientations sees it; not exact"

    def undo(self, images: Array) -> Array:
        """Turn those back that the net sees turned."""
        if self.net is None:
            return images
        odds = np.log((1 - self.share) / self.share) / 4  # a readout of -1..1 stands for log odds of some -2..2
        turned = np.zeros(len(images), dtype=bool)
        for start in range(0, len(images), 4096):
            unit = (images[start : start + 4096].astype(np.float32) - self.low) / self.span
            scores = self.net.scores(unit)
            turned[start : start + 4096] = scores[:, 1] - scores[:, 0] > odds
        out = images.copy()
        out[turned] = self.symmetry.undo(images[turned])
        return out

    def replay(self, images: Array) -> Array:
        """Turn a share of the pictures."""
        some = np.random.default_rng(0).random(len(images)) < self.share
        out = images.copy()
        out[some] = self.symmetry.replay(images[some])
        return out
