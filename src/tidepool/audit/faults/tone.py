"""Faults of tone: the grey scale turned round, bent, moved or stretched."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

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


@dataclass(frozen=True)
class Tone(Fault):
    """A change of grey values on the training set's own scale, from ``low`` over ``span`` upwards."""

    low: float
    span: float
    lossless: bool = False

    @property
    def exact(self) -> bool:
        """Rounding and clipping lose something, unless the sample shows that they did not."""
        return self.lossless

    @abstractmethod
    def forward(self, values: Array) -> Array:
        """Do it to values 0..1; the result is clipped to 0..1."""

    @abstractmethod
    def back(self, values: Array) -> Array:
        """Undo it on values 0..1."""

    def undo(self, images: Array) -> Array:
        """Undo it, in the type of the images."""
        return self._by(self.back, images)

    def replay(self, images: Array) -> Array:
        """Do it, in the type of the images."""
        return self._by(self.forward, images)

    def _by(self, change: Callable[[Array], Array], images: Array) -> Array:
        out = np.empty_like(images)
        if images.dtype == np.uint8:
            levels = change((np.arange(256.0) - self.low) / self.span)
            table = np.round(np.clip(levels, 0, 1) * self.span + self.low).clip(0, 255).astype(np.uint8)
            return table[images]
        for start in range(0, len(images), 4096):
            part = slice(start, start + 4096)
            values = np.clip(change((images[part].astype(np.float64) - self.low) / self.span), 0, 1)
            values = values * self.span + self.low
            out[part] = np.round(values) if images.dtype.kind in "ui" else values
        return out


@dataclass(frozen=True)
class Gamma(Tone):
    """``x ** g`` on 0..1: g below 1 lifts the middle tones, above 1 lowers them."""

    g: float = 1.0

    id = "gamma"

    @property
    def parameters(self) -> dict[str, Any]:
        """The exponent."""
        return {"gamma": round(self.g, 3)}

    @property
    def plain(self) -> str:
        """Say the exponent."""
        return f"have middle tones too {'light' if self.g < 1 else 'dark'} (gamma {self.g:.2f})"

    @property
    def repair(self) -> str:
        """Say the inverse."""
        return f"raise each value, on 0..1, to the power of {1 / self.g:.3g}"

    def forward(self, values: Array) -> Array:
        """Raise to the power."""
        return np.clip(values, 0, 1) ** self.g

    def back(self, values: Array) -> Array:
        """Take the root."""
        return np.clip(values, 0, 1) ** (1 / self.g)


@dataclass(frozen=True)
class Brightness(Tone):
    """``x + b``, clipped; ``b`` is a part of the span."""

    b: float = 0.0

    id = "brightness"

    @property
    def parameters(self) -> dict[str, Any]:
        """What was added, in the training set's units."""
        return {"b": round(self.b * self.span, 4)}

    @property
    def plain(self) -> str:
        """Say which way."""
        return f"are {'brighter' if self.b > 0 else 'darker'} by {abs(self.b) * self.span:.4g}"

    @property
    def repair(self) -> str:
        """Say the way back; what was clipped is lost."""
        way = "subtract" if self.b > 0 else "add"
        return f"{way} {abs(self.b) * self.span:.4g}; what was clipped stays lost"

    def forward(self, values: Array) -> Array:
        """Add."""
        return values + self.b

    def back(self, values: Array) -> Array:
        """Subtract; what was clipped at the end stays at that end."""
        ends = values >= 1 if self.b > 0 else values <= 0
        return np.where(ends, values, values - self.b)


@dataclass(frozen=True)
class Contrast(Tone):
    """``c * x``, clipped."""

    c: float = 1.0

    id = "contrast"

    @property
    def parameters(self) -> dict[str, Any]:
        """The factor."""
        return {"factor": round(self.c, 3)}

    @property
    def plain(self) -> str:
        """Say which way."""
        return f"have {'less' if self.c < 1 else 'more'} contrast (values times {self.c:.2f})"

    @property
    def repair(self) -> str:
        """Say the inverse."""
        return f"divide each value by {self.c:.3g}"

    def forward(self, values: Array) -> Array:
        """Multiply."""
        return values * self.c

    def back(self, values: Array) -> Array:
        """Divide."""
        return values / self.c
