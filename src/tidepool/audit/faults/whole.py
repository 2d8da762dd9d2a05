"""Faults of whole sets: training and test files exchanged."""

from __future__ import annotations

from dataclasses import dataclass

from tidepool.audit.faults.base import Fault


@dataclass(frozen=True)
class SetsSwapped(Fault):
    """The first set has no labels and the second has: the two files were given in the wrong order."""

    id = "sets-swapped"
    plain = "and the training images are exchanged: the first set has no labels, the second has"
    repair = "swap the two sets"
