"""Test-time views: pictures that a model is unsure of are looked at again, moved by a pixel to each corner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.preprocessing import pad_evenly

Array = npt.NDArray[Any]
Predict = Callable[[Array], npt.NDArray[np.float32]]

SHIFTS = ((-1, -1), (-1, 1), (1, -1), (1, 1))
# Errors lie among the least sure few per cent; looking again at more only costs time.
_UNSURE_SHARE = 0.1
_LEAST = 1e-12


@dataclass(frozen=True)
class Looker:
    """Looks at pictures with ``predict``: raw ``[n, H, W(, C)]`` to probabilities ``[n, K]``.

    frame, background : of the model: smaller pictures are padded so before they are moved.
    """

    predict: Predict
    frame: tuple[int, int]
    background: float = 0.0

    def again(self, images: Array, found: Array, below: float) -> npt.NDArray[np.float32]:
        """Return ``found`` ``[N, K]`` with the rows whose greatest probability is under ``below`` seen five times.

        The mean of the five is the geometric one.
        """
        unsure = np.flatnonzero(found.max(axis=1) < below)
        if not len(unsure):
            return found
        chosen = pad_evenly(images[unsure], self.frame, self.background)
        views = [found[unsure], *(self.predict(moved(chosen, *shift)) for shift in SHIFTS)]
        logs = np.mean([np.log(np.maximum(view, _LEAST)) for view in views], axis=0)
        powers = np.exp(logs - logs.max(axis=1, keepdims=True))
        together = found.copy()
        together[unsure] = powers / powers.sum(axis=1, keepdims=True)
        return together

    def worth(self, images: Array, truth: npt.NDArray[np.int64]) -> dict[str, Any]:
        """Judge by labelled pictures that the model never learnt whether looking again pays.

        Returns ``{"below", "pays", "gain"}``: the probability under which a picture counts as unsure (the least sure
        tenth here), whether the likelihood rises by more than chance would have it, and by how much on average.
        """
        found = self.predict(images)
        below = float(np.quantile(found.max(axis=1), _UNSURE_SHARE))
        again = self.again(images, found, below)
        rows = np.arange(len(truth))
        gains = np.log(np.maximum(again[rows, truth], _LEAST)) - np.log(np.maximum(found[rows, truth], _LEAST))
        chance = float(gains.std()) / len(gains) ** 0.5
        return {"below": below, "pays": bool(gains.mean() > 2 * chance), "gain": float(gains.mean())}


def moved(images: Array, down: int, right: int) -> Array:
    """Return pictures ``[N, H, W(, C)]`` moved by whole pixels; what comes in repeats the edge."""
    rows = np.clip(np.arange(images.shape[1]) - down, 0, images.shape[1] - 1)
    columns = np.clip(np.arange(images.shape[2]) - right, 0, images.shape[2] - 1)
    return np.ascontiguousarray(images[:, rows[:, None], columns[None, :]])
