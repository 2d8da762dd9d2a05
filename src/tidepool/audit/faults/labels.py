"""Faults of labels: counted from one, permuted, slipped by rows, unrelated to the pictures."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tidepool.audit.faults.base import Fault
from tidepool.images import Array, ImageSet


class LabelFault(Fault):
    """A fault that leaves the pictures alone."""

    @abstractmethod
    def undo_labels(self, labels: Array) -> Array:
        """Return the right labels ``[N]``."""

    def undo_set(self, images: ImageSet) -> ImageSet:
        """Return the set with its labels repaired."""
        if images.labels is None:
            return images
        return replace(images, labels=self.undo_labels(images.labels))


@dataclass(frozen=True)
class LabelsFromOne(LabelFault):
    """1..10 for 0..9."""

    id = "labels-from-one"
    plain = "have labels counted from 1 instead of 0"
    repair = "subtract 1 from each label"

    def undo_labels(self, labels: Array) -> Array:
        """Subtract one."""
        return labels - 1


@dataclass(frozen=True)
class TenForZero(LabelFault):
    """10 means 0, as in SVHN; subtracting 1 would be wrong."""

    id = "ten-for-zero"
    plain = "have the label 10 where 0 is meant"
    repair = "replace the label 10 by 0"

    def undo_labels(self, labels: Array) -> Array:
        """Replace 10 by 0."""
        return np.where(labels == 10, 0, labels)


@dataclass(frozen=True)
class LabelsPermuted(LabelFault):
    """Classes renamed consistently; ``mapping`` is (label as found, label as meant)."""

    mapping: tuple[tuple[Any, Any], ...]

    id = "labels-permuted"
    repair = "rename the labels back"

    @property
    def parameters(self) -> dict[str, Any]:
        """The renaming, found label to right label."""
        return {"mapping": {str(found): right for found, right in self.mapping}}

    @property
    def plain(self) -> str:
        """List what moved."""
        moved = ", ".join(f"{found} means {right}" for found, right in self.mapping if found != right)
        return f"have renamed labels ({moved})"

    def undo_labels(self, labels: Array) -> Array:
        """Rename; labels outside the mapping stay."""
        out = labels.copy()
        for found, right in self.mapping:
            out[labels == found] = right
        return out


@dataclass(frozen=True)
class LabelsOffByRows(LabelFault):
    """Row ``i`` carries the label of row ``i - k``: the labels slipped down by ``k`` rows."""

    k: int

    id = "labels-off-by-rows"

    @property
    def parameters(self) -> dict[str, Any]:
        """How far they slipped."""
        return {"k": self.k}

    @property
    def plain(self) -> str:
        """Say how far."""
        return f"have labels that slipped by {self.k} rows against the pictures"

    @property
    def repair(self) -> str:
        """Say the way back."""
        return f"move the labels back by {self.k} rows"

    def undo_labels(self, labels: Array) -> Array:
        """Roll back; the labels that fell off one end return at the other."""
        return np.roll(labels, -self.k)


@dataclass(frozen=True)
class LabelsShuffled(LabelFault):
    """Labels unrelated to the pictures."""

    id = "labels-shuffled"
    repairable = False
    plain = "have labels that do not belong to their pictures"
    repair = "none: the order is lost, get the labels again"

    @property
    def exact(self) -> bool:
        """Nothing can be restored."""
        return False

    def undo_labels(self, labels: Array) -> Array:
        """Nothing can be done."""
        return labels
