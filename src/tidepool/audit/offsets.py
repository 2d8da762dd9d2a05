"""Where a mean picture lies inside another frame: all offsets at once, by Fourier transform."""

from __future__ import annotations

import numpy as np

from tidepool.images import Array


def best_offset(found: Array, wanted: Array, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[int, int]:
    """Return (top, left) at which ``wanted`` ``[h, w, C]`` lies best in ``found`` ``[H, W, C]``.

    Both have background 0. ``rows`` and ``columns`` are the first and the last offset allowed (negative: it sticks
    out). The squared difference is least where the cross-correlation is largest, because neither norm changes.
    """
    shape = found.shape[0] + wanted.shape[0], found.shape[1] + wanted.shape[1]
    spectrum = np.fft.rfft2(found, shape, axes=(0, 1)) * np.conj(np.fft.rfft2(wanted, shape, axes=(0, 1)))
    agreement = np.fft.irfft2(spectrum, shape, axes=(0, 1)).sum(axis=2)
    tops = np.arange(rows[0], rows[1] + 1)
    lefts = np.arange(columns[0], columns[1] + 1)
    inside = agreement[np.ix_(tops, lefts)]  # a negative index wraps round, as the transform does
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(tops[row]), int(lefts[column])
