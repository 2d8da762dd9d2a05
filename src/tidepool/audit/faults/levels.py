"""Faults that lose something for good: there is no way back, so the same is done to the other set.

``replay`` does it to correct pictures; ``undo`` leaves the damaged ones as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tidepool.audit.faults.base import Fault
from tidepool.images import Array


class Lossy(Fault):
    """A fault whose repair is to do the same to the other set."""

    mirrored: ClassVar[bool] = True

    @property
    def exact(self) -> bool:
        """What was lost is lost."""
        return False


@dataclass(frozen=True)
class Stepped(Lossy):
    """Values cut to a few ``levels``: ``levels[i]`` from ``edges[i - 1]`` (excluded) on."""

    levels: tuple[float, ...]
    edges: tuple[float, ...]
    dtype: str = "uint8"

    settles_values = True

    def replay(self, images: Array) -> Array:
        """Put every value on its level."""
        out = np.empty(images.shape, dtype=self.dtype)
        levels = np.array(self.levels)
        for start in range(0, len(images), 4096):
            part = slice(start, start + 4096)
            out[part] = levels[np.searchsorted(np.array(self.edges), images[part], side="left")]
        return out


@dataclass(frozen=True)
class Binarised(Stepped):
    """``x > t``."""

    id = "binarised"

    @property
    def plain(self) -> str:
        """Say the threshold."""
        return f"hold two values only (cut at about {self.edges[0]:.4g})"

    @property
    def repair(self) -> str:
        """Say what is done to the other set."""
        return f"none; the other set is cut at {self.edges[0]:.4g} in the same way"


@dataclass(frozen=True)
class TruncatedAfterDivision(Stepped):
    """Cast to whole numbers after a division by the maximum: only that maximum is left."""

    id = "truncated-after-division"
    plain = "were cut to whole numbers after a division by 255: only 0 and 1 are left"
    repair = "none; the other set is cut in the same way"


@dataclass(frozen=True)
class Quantised(Stepped):
    """Few grey levels."""

    id = "quantised"

    @property
    def parameters(self) -> dict[str, Any]:
        """How many levels."""
        return {"levels": len(self.levels)}

    @property
    def plain(self) -> str:
        """Say how many."""
        return f"hold {len(self.levels)} grey levels only"

    @property
    def repair(self) -> str:
        """Say what is done to the other set."""
        return f"none; the other set is brought to the same {len(self.levels)} levels"


@dataclass(frozen=True)
class PerImageNormalised(Lossy):
    """Each picture divided by its own length (``kind`` 'l2'), or standardised by itself ('standard')."""

    kind: str
    dtype: str = "float32"

    settles_values = True
    id = "per-image-normalised"

    @property
    def plain(self) -> str:
        """Say by what."""
        by = "divided by its own length (L2 norm)" if self.kind == "l2" else "standardised by itself (mean 0, std 1)"
        return f"were each {by}"

    @property
    def repair(self) -> str:
        """Say what is done to the other set."""
        return "none; each picture of the other set is normalised in the same way"

    def replay(self, images: Array) -> Array:
        """Normalise each picture."""
        out = np.empty(images.shape, dtype=self.dtype)
        for start in range(0, len(images), 4096):
            part = images[start : start + 4096].astype(np.float64)
            axes = tuple(range(1, part.ndim))
            if self.kind == "l2":
                part /= np.sqrt((part**2).sum(axis=axes, keepdims=True)) + 1e-12
            else:
                part -= part.mean(axis=axes, keepdims=True)
                part /= part.std(axis=axes, keepdims=True) + 1e-12
            out[start : start + 4096] = part
        return out
