"""By how much was the other set's picture enlarged in its frame? Told by zooming the training set's mean and spread."""

from __future__ import annotations

import numpy as np

from tidepool.audit.faults.resampling import weights
from tidepool.images import Array

_FACTORS = np.exp(np.arange(np.log(0.45), np.log(1.85), 0.04))
_FINE = np.exp(np.arange(-0.03, 0.031, 0.01))
_OWED = 0.12  # of the logarithm: factors closer to 1 are left alone
_WORTH = 0.8  # the difference that must remain at most, for a closer look


def best_zoom(found: Array, wanted: Array) -> float | None:
    """Return the factor by which ``wanted`` ``[h, w, C]`` (background 0) was enlarged to ``found``, or None for 1.

    Zooming is linear, so that the mean of zoomed pictures is the zoomed mean; for the spread it is nearly so. The
    smaller of the two is enlarged: what the other lost over the edge is then lost in both.
    """

    def apart(factor: float) -> float:
        small, large = (wanted, found) if factor > 1 else (found, wanted)
        rows, columns = (weights(side, side, max(factor, 1 / factor)) for side in small.shape[:2])
        zoomed = np.einsum("ij,jkc,lk->ilc", rows, small, columns, optimize=True)
        return float(((large - zoomed) ** 2).sum())

    before = apart(1.0)
    coarse = min(_FACTORS, key=apart)
    best = float(min(coarse * _FINE, key=apart))
    return best if abs(np.log(best)) > _OWED and apart(best) < _WORTH * before else None
