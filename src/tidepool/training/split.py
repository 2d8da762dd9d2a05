"""Holding back: a stratified part of the labelled rows that training never sees, by group where groups are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.randomness import uniforms

Index = npt.NDArray[np.int64]


def default_share(count: int) -> float:
    """Return the share to hold back: enough rows to measure by, and no more than training can spare."""
    return 0.2 if count < 5_000 else 0.1 if count < 20_000 else 0.05


def hold_back(
    targets: npt.NDArray[np.int64], share: float, seed: int, groups: npt.NDArray[Any] | None = None
) -> tuple[Index, Index]:
    """Return (training rows, held-back rows), both sorted.

    Of each class the same share is held back, but never its last row. With ``groups`` whole groups are held back, so
    that no writer, patient or original stands on both sides.
    """
    if groups is not None:
        names, member = np.unique(groups, return_inverse=True)
        order = np.argsort(uniforms(seed, 0, np.arange(len(names)), 1)[:, 0])
        sizes = np.bincount(member)[order]
        taken = order[: int(np.searchsorted(np.cumsum(sizes), share * len(targets), side="right"))]
        held = np.isin(member, taken)
    else:
        chance = uniforms(seed, 0, np.arange(len(targets)), 1)[:, 0]
        held = np.zeros(len(targets), dtype=bool)
        for label in np.unique(targets):
            rows = np.flatnonzero(targets == label)
            count = min(round(share * len(rows)), len(rows) - 1)
            held[rows[np.argsort(chance[rows], kind="stable")[:count]]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
