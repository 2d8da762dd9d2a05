"""Holding back: a stratified part of the labelled rows that training never sees, by group where groups are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.randomness import uniforms

Index = npt.NDArray[np.int64]

# Rows that are scored at most, unless more are asked for: they tell 99.5 % to within .1, and are predicted after
# each epoch and twice at the end.
ENOUGH = 20_000


def default_share(count: int) -> float:
    """Return the share to hold back: enough rows to measure by, and no more than training can spare."""
    share = 0.2 if count < 5_000 else 0.1 if count < 20_000 else 0.05
    return min(share, ENOUGH / max(count, 1))


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


def hold_back_originals(
    targets: npt.NDArray[np.int64], share: float | None, seed: int, originals: npt.NDArray[Any]
) -> tuple[float, Index, Index]:
    """Return (share, training rows, rows to score) of a set with several versions of each original.

    originals : ``[N]``, which original a row is a version of; share : of the originals, None for the usual one.
    Training sees no version of an original that is held back. Of all the versions held back ``ENOUGH`` are scored,
    drawn at random: they tell little more than their originals do.
    """
    count = len(np.unique(originals))
    share = default_share(count) if share is None else share
    if count == len(targets):  # one version of each: the classes can be kept in proportion
        return share, *hold_back(targets, share, seed)
    rows, held = hold_back(targets, share, seed, originals)
    if len(held) > ENOUGH:
        chance = uniforms(seed, 0, held, 2)[:, 1]
        held = np.sort(held[np.argsort(chance, kind="stable")[:ENOUGH]])
    return share, rows, held
