"""Faults of value: the same pictures on another scale. Each is ``v = factor * x + offset`` on the training scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tidepool.audit.faults.base import Fault
from tidepool.audit.scale import Scale
from tidepool.images import Array, ImageSet


@dataclass(frozen=True)
class Target:
    """The values to return to: number type, range, and the lattice ``base + k * step`` if there is one."""

    dtype: str
    base: float
    low: float
    high: float
    step: float | None

    @classmethod
    def of(cls, scale: Scale) -> Target:
        """Return the target that ``scale`` describes."""
        high = 255.0 if scale.dtype == "uint8" else scale.high
        return cls(scale.dtype, scale.low, scale.low, high, scale.step)

    def snap(self, values: Array) -> Array:
        """Return float64 ``values`` on the lattice and in the type of this target."""
        if self.step is not None:
            # k/255 as a quotient is what a division would have given, to the bit; k * (1/255) is not.
            parts = round(1 / self.step) if self.step < 1 else 0
            if parts and abs(self.step * parts - 1) < 1e-4 and abs(self.low) < self.step / 2:
                values = np.round(values * parts) / parts
            else:
                values = self.base + self.step * np.round((values - self.base) / self.step)
        kind = np.dtype(self.dtype)
        if kind.kind in "ui":
            values = np.round(values).clip(np.iinfo(kind).min, np.iinfo(kind).max)
        return values.astype(kind)


@dataclass(frozen=True)
class Rescaled(Fault):
    """``v = factor * x + offset``: the parent of every fault of scale.

    ``lossless`` says whether the sample came back to lie on the target's lattice.
    """

    factor: float
    offset: float
    target: Target
    dtype: str
    lossless: bool = False

    id = "rescaled"

    @property
    def exact(self) -> bool:
        """Exact where every value came back onto the training set's lattice."""
        return self.lossless

    @property
    def plain(self) -> str:
        """Say it by its factor."""
        return f"hold values {self.factor:.4g} times as large"

    @property
    def repair(self) -> str:
        """Say the inverse."""
        if self.factor < 1:
            return f"multiply each value by {_whole(1 / self.factor)}"
        return f"divide each value by {_whole(self.factor)}"

    def undo(self, images: Array) -> Array:
        """Return to the training scale; in slices, because float64 copies are large."""
        out = np.empty(images.shape, dtype=self.target.dtype)
        for start in range(0, len(images), 4096):
            part = slice(start, start + 4096)
            out[part] = self.target.snap((images[part].astype(np.float64) - self.offset) / self.factor)
        return out

    def replay(self, images: Array) -> Array:
        """Rescale correct images as the faulty set was."""
        values = images.astype(np.float64) * self.factor + self.offset
        kind = np.dtype(self.dtype)
        if kind.kind in "ui":
            values = np.round(values).clip(np.iinfo(kind).min, np.iinfo(kind).max)
        return values.astype(kind)


@dataclass(frozen=True)
class Scaled255(Rescaled):
    """One set lies in 0..255, the other in 0..1."""

    id = "scaled-255"

    @property
    def plain(self) -> str:
        """Say which way round."""
        return "were divided by 255" if self.factor < 1 else "were not divided by 255"


@dataclass(frozen=True)
class ScaledTwice(Rescaled):
    """Divided by 255 twice: the maximum is 1/255."""

    id = "scaled-twice"
    plain = "were divided by 255 once too often"

    @property
    def repair(self) -> str:
        """Say the inverse on this training scale."""
        return f"multiply each value by {_whole(1 / self.factor)}"


@dataclass(frozen=True)
class RangeMinus1To1(Rescaled):
    """``2 x / 255 - 1``."""

    id = "range-minus1-1"
    plain = "were stretched to the range -1..1"

    @property
    def repair(self) -> str:
        """Say the inverse."""
        return "add 1 and halve, then bring to the other set's range"


@dataclass(frozen=True)
class Standardised(Rescaled):
    """``(x / full - mean) / std``; ``known`` names the constants where they are well known."""

    mean: float = 0.0
    std: float = 1.0
    known: str | None = None

    id = "standardised"

    @property
    def parameters(self) -> dict[str, Any]:
        """Mean, standard deviation and the name of the constants."""
        return {"mean": round(self.mean, 5), "std": round(self.std, 5), "known": self.known}

    @property
    def plain(self) -> str:
        """Name the constants."""
        by = f"{self.known}'s constants, " if self.known else ""
        return f"were standardised ({by}mean {self.mean:.4g}, std {self.std:.4g})"

    @property
    def repair(self) -> str:
        """Say the inverse."""
        return f"multiply by {self.std:.4g}, add {self.mean:.4g}, then bring to the other set's range"


@dataclass(frozen=True)
class ScaledOther(Rescaled):
    """Any other factor: times 16, 0..2, 16 bits."""

    id = "scaled-other"

    @property
    def parameters(self) -> dict[str, Any]:
        """What each value was multiplied by."""
        return {"factor": float(f"{self.factor:.6g}")}


@dataclass(frozen=True)
class MissingValues(Fault):
    """NaN, infinities or a sentinel of -1 in the place of pixels; ``images`` counts the pictures hit."""

    count: int = 0
    total: int = 0
    sentinel: bool = False
    background: float = 0.0
    dtype: str = "uint8"
    where: tuple[str, ...] = ()

    id = "missing-values"

    @property
    def exact(self) -> bool:
        """What stood there is lost."""
        return False

    @property
    def repairable(self) -> bool:  # type: ignore[override]
        """Above a tenth of the pictures ``--fix`` stops."""
        return self.count <= 0.1 * self.total

    @property
    def plain(self) -> str:
        """Say how many."""
        what = "-1 in place of pixels" if self.sentinel else "missing values (NaN or infinite)"
        return f"have {what} in {self.count:,} of {self.total:,} pictures"

    @property
    def repair(self) -> str:
        """Say what is put there, and into which pictures."""
        if not self.repairable:
            return "none: too many pictures are damaged, get the data again"
        return f"put the background value {self.background:g} there (images {', '.join(self.where)})"

    def missing(self, images: Array) -> Array:
        """Return where pixels are missing, bool, shaped like ``images``."""
        return images == -1 if self.sentinel else ~np.isfinite(images)

    def undo(self, images: Array) -> Array:
        """Put the background there."""
        return np.where(self.missing(images), self.background, images).astype(self.dtype)

    def undo_set(self, images: ImageSet) -> ImageSet:
        """Return the set with background in the place of missing pixels."""
        return ImageSet(self.undo(images.images), images.labels, images.ids, images.source)


def _whole(value: float) -> str:
    return f"{round(value)}" if abs(value - round(value)) < 1e-3 * value else f"{value:.5g}"
