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


def refined(found: Array, wanted: Array, dy: int, dx: int, reach: tuple[int, int]) -> tuple[int, int]:
    """Return the offset near (dy, dx) that leaves the least difference where both pictures can be seen.

    What a shift has pushed over the edge is lost in one of the two: there the cross-correlation misleads.
    """
    whole = float((wanted**2).sum()) + 1e-12

    def apart(offset: tuple[int, int]) -> float:
        ours, theirs = _overlap(wanted, *offset), _overlap(found, -offset[0], -offset[1])
        share = float((ours**2).sum()) / whole
        return float(((ours - theirs) ** 2).sum()) / max(share, 0.05)

    near = [(y, x) for y in range(dy - 2, dy + 3) for x in range(dx - 2, dx + 3)]
    return min((o for o in near if abs(o[0]) <= reach[0] and abs(o[1]) <= reach[1]), key=apart)


def _overlap(picture: Array, dy: int, dx: int) -> Array:
    """Return the part of ``picture`` that stays inside the frame when it is moved by (dy, dx)."""
    height, width = picture.shape[:2]
    part: Array = picture[max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
    return part
