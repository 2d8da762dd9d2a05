"""Faults of tone: the grey scale turned round."""

from __future__ import annotations

from dataclasses import dataclass

from tidepool.audit.faults.base import Fault
from tidepool.images import Array


@dataclass(frozen=True)
class Inverted(Fault):
    """Black and white exchanged: ``total - x``, where ``total`` is the sum of the two ends of the range."""

    total: float = 255.0

    id = "inverted"
    plain = "are inverted (black and white exchanged)"

    @property
    def repair(self) -> str:
        """Say from which number the values are taken."""
        return f"invert: take each value from {self.total:g}"

    def undo(self, images: Array) -> Array:
        """Take the values from the total; whole numbers stay in their type."""
        if images.dtype.kind in "ui":
            return (round(self.total) - images.astype("int64")).clip(0, None).astype(images.dtype)
        return (self.total - images.astype("float64")).astype(images.dtype)

    def replay(self, images: Array) -> Array:
        """Inversion is its own inverse."""
        return self.undo(images)
