"""What the held-back pictures say, in numbers: the answer, who is confused with whom, how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidepool.report.facts import Held
from tidepool.statistics import calibration_error, wilson

# Above this a table of K x K no longer fits a screen, and the pairs below it say it better.
MOST_CLASSES = 40
_PAIRS = 12
_BINS = 10


@dataclass(frozen=True)
class Answer:
    """Accuracy of ``n`` pictures with its 95 % Wilson interval, in per cent."""

    accuracy: float
    low: float
    high: float
    n: int
    errors: int

    @classmethod
    def of(cls, right: int, n: int) -> Answer:
        """Return the answer for ``right`` of ``n`` pictures."""
        low, high = wilson(right, n)
        return cls(100 * right / n, 100 * low, 100 * high, n, n - right)


@dataclass(frozen=True)
class Cell:
    """``count`` pictures of one class predicted as another; ``ink`` 0..1: how strongly to colour it."""

    count: int
    ink: float
    diagonal: bool
    title: str


@dataclass(frozen=True)
class MatrixRow:
    """One class of the confusion matrix: its cells, how many pictures, and the share (per cent) predicted right."""

    name: str
    cells: list[Cell]
    total: int
    recall: float | None


@dataclass(frozen=True)
class Pair:
    """``count`` pictures of class ``truth`` were taken for ``predicted``: ``share`` per cent of the class."""

    truth: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class Bin:
    """Pictures of about one confidence: mean confidence, share right, its 95 % interval (all 0..1), how many."""

    confidence: float
    right: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Calibration:
    """``error``: expected calibration error in per cent; ``gap``: mean confidence minus accuracy, in points."""

    error: float
    gap: float
    bins: list[Bin]


def confusion(held: Held, count: int) -> npt.NDArray[np.int64]:
    """Return ``[K, K]``: pictures of class (row) predicted as class (column)."""
    cells = np.bincount(held.truth * count + held.predicted, minlength=count * count)
    return cells.reshape(count, count).astype(np.int64)


def matrix_rows(counts: npt.NDArray[np.int64], names: list[str]) -> list[MatrixRow]:
    """Return the confusion matrix ready to be drawn. Colours go by the share of a row, so rare classes show too."""
    totals = counts.sum(axis=1)
    shares = counts / np.maximum(totals, 1)[:, None]
    wrong = shares * (1 - np.eye(len(names)))
    # The square root lets a single error among hundreds be seen beside the most frequent confusion.
    ink = np.sqrt(wrong / max(float(wrong.max()), 1e-12))
    rows = []
    for i, name in enumerate(names):
        cells = [
            Cell(
                count=int(counts[i, j]),
                ink=round(float(shares[i, i] if i == j else ink[i, j]), 3),
                diagonal=i == j,
                title=f"{name} taken for {names[j]}: {counts[i, j]} of {totals[i]}",
            )
            for j in range(len(names))
        ]
        total = int(totals[i])
        rows.append(MatrixRow(name, cells, total, 100 * float(shares[i, i]) if total else None))
    return rows


def confused_pairs(counts: npt.NDArray[np.int64], names: list[str]) -> list[Pair]:
    """Return the most frequent confusions, at most a dozen; ties by the share of the class."""
    totals = counts.sum(axis=1)
    wrong = counts * (1 - np.eye(len(names), dtype=np.int64))
    places = np.argwhere(wrong)
    found = [
        Pair(names[i], names[j], int(wrong[i, j]), 100 * float(wrong[i, j] / totals[i]))
        for i, j in places[np.argsort(-wrong[wrong > 0], kind="stable")][: 10 * _PAIRS]
    ]
    return sorted(found, key=lambda pair: (-pair.count, -pair.share))[:_PAIRS]


def calibration(held: Held) -> Calibration:
    """Return how far the probabilities can be believed."""
    confidence, right = held.confidence, held.right
    place = np.clip((confidence * _BINS).astype(int), 0, _BINS - 1)
    bins = []
    for b in range(_BINS):
        inside = place == b
        if count := int(inside.sum()):
            low, high = wilson(int(right[inside].sum()), count)
            bins.append(Bin(float(confidence[inside].mean()), float(right[inside].mean()), low, high, count))
    error = 100 * calibration_error(held.probabilities, held.truth)
    return Calibration(error, 100 * float(confidence.mean() - right.mean()), bins)


def worst_errors(held: Held, most: int) -> npt.NDArray[np.int64]:
    """Return the rows of the wrong predictions, those first that gave the truth the least probability."""
    wrong = np.flatnonzero(~held.right)
    of_truth = held.probabilities[wrong, held.truth[wrong]]
    return wrong[np.argsort(of_truth, kind="stable")][:most]
