"""Are the labels right? The reference net's reading of the pictures beside the labels that came with them."""

from __future__ import annotations

import numpy as np

from tidepool.audit.faults import LabelsFromOne, LabelsOffByRows, LabelsPermuted, LabelsShuffled, TenForZero
from tidepool.audit.faults.labels import LabelFault
from tidepool.images import Array

_FEWEST = 20
_REACH = 50


def label_fault(train_classes: Array, read: Array, labels: Array, skill: float) -> tuple[LabelFault, list[str]] | None:
    """Return the fault of the test labels and its evidence, or None.

    read : ``[n]`` what the net reads in ``n`` consecutive pictures, as training labels.
    labels : ``[n]`` their labels, in the same order. skill : the net's accuracy 0..1 on held-back training pictures.
    """
    if len(labels) < _FEWEST or train_classes.dtype.kind != labels.dtype.kind:
        return None
    chance = 1 / len(train_classes)
    good = chance + 0.6 * (skill - chance)
    agreement = float((read == labels).mean())
    renamed = _renumbered(train_classes, read, labels, agreement)
    if renamed is not None:
        return renamed
    # A net that knows little cannot accuse labels.
    if agreement >= good or skill < 0.5 + chance / 2:
        return None
    told = f"labels agree with the pictures in {agreement:.1%}, where {skill:.1%} is usual"
    lag, at_lag = _best_lag(read, labels)
    if lag and at_lag >= good:
        return LabelsOffByRows(lag), [told, f"{at_lag:.1%} when the labels are moved by {lag} rows"]
    mapping, matched = _best_mapping(train_classes, read, labels)
    if matched >= good and len(labels) >= 3 * len(train_classes):
        return LabelsPermuted(mapping), [told, f"{matched:.1%} when they are renamed one to one"]
    if max(agreement, at_lag, matched) < chance + 0.35 * (skill - chance):
        return LabelsShuffled(), [told, f"at most {max(at_lag, matched):.1%} under any slip or renaming"]
    return None


def _renumbered(classes: Array, read: Array, labels: Array, agreement: float) -> tuple[LabelFault, list[str]] | None:
    """Tell 1..10 for 0..9 from 10 for 0: the label sets are the same, the pictures decide."""
    if classes.dtype.kind != "i":
        return None
    new = sorted(set(labels.tolist()) - set(classes.tolist()))
    if new != [int(classes.max()) + 1]:
        return None
    choices: list[tuple[float, LabelFault]] = []
    known: tuple[LabelFault, ...] = (LabelsFromOne(), TenForZero())
    for fault in known:
        if isinstance(fault, TenForZero) and new != [10]:
            continue
        choices.append((float((fault.undo_labels(labels) == read).mean()), fault))
    score, fault = max(choices, key=lambda choice: choice[0])
    # Only the pictures that carry the unknown label must gain: the others may be the same under both names.
    if score < agreement + 0.5 * float((labels == new[0]).mean()):
        return None
    return fault, [f"label {new[0]} is unknown to training", f"labels agree with {score:.1%} of the pictures after it"]


def _best_lag(read: Array, labels: Array) -> tuple[int, float]:
    """Return by how many rows the labels slipped down, and the agreement after moving them back."""
    best = (0, 0.0)
    reach = min(_REACH, len(labels) // 4)
    for lag in range(-reach, reach + 1):
        if not lag:
            continue
        pictures = read[: len(read) - lag] if lag > 0 else read[-lag:]
        slipped = labels[lag:] if lag > 0 else labels[:lag]
        best = max(best, (lag, float((pictures == slipped).mean())), key=lambda pair: pair[1])
    return best


def _best_mapping(classes: Array, read: Array, labels: Array) -> tuple[tuple[tuple[int, int], ...], float]:
    """Return the one-to-one renaming that agrees best with what the net reads (Hungarian method)."""
    from scipy.optimize import linear_sum_assignment

    found = np.unique(labels)
    table = (labels[:, None, None] == found[:, None]) & (read[:, None, None] == classes[None, None, :])
    counts = table.sum(axis=0)
    rows, columns = linear_sum_assignment(-counts)
    mapping = tuple((found[r].item(), classes[c].item()) for r, c in zip(rows, columns))
    return mapping, float(counts[rows, columns].sum() / len(labels))
