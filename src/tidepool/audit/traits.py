"""Traits of single pictures: place, size, slant, ink, sharpness. They tell augmentation from another source."""

from __future__ import annotations

import numpy as np

from tidepool.images import Array

NAMES = ("row of the centre", "column of the centre", "height", "width", "slant", "ink", "sharpness")


def traits(unit: Array, background: float) -> Array:
    """Return ``[N, 7]`` (pixels, pixels, pixels, pixels, ratio, pixels of full ink, ratio) of ``unit`` images.

    Moments of the ink, which is the distance of each pixel from the ``background``; empty pictures are left out.
    """
    ink = np.abs((unit.mean(axis=3) if unit.ndim == 4 else unit).astype(np.float32) - np.float32(background))
    total = ink.sum(axis=(1, 2))
    ink, total = ink[total > 0], total[total > 0]
    rows, columns = np.arange(ink.shape[1], dtype=np.float32), np.arange(ink.shape[2], dtype=np.float32)
    by_row, by_column = ink.sum(axis=2), ink.sum(axis=1)
    y, x = by_row @ rows / total, by_column @ columns / total
    yy = by_row @ rows**2 / total - y**2
    xx = by_column @ columns**2 / total - x**2
    xy = np.einsum("nij,i,j->n", ink, rows, columns, optimize=True) / total - x * y
    heights, widths = np.sqrt(np.maximum(yy, 0)), np.sqrt(np.maximum(xx, 0))
    return np.stack([y, x, heights, widths, xy / (yy + 0.5), total, sharpness(ink)], axis=1)


def sharpness(ink: Array) -> Array:
    """Return squared steps between neighbours over squared ``ink`` ``[N, H, W]``: high where edges are hard."""
    steps = (np.diff(ink, axis=1) ** 2).sum(axis=(1, 2)) + (np.diff(ink, axis=2) ** 2).sum(axis=(1, 2))
    found: Array = steps / ((ink**2).sum(axis=(1, 2)) + 1e-9)
    return found


def recentre(unit: Array, background: float) -> Array:
    """Return ``unit`` images, each moved by whole pixels so that its ink's centre of mass is the frame's centre."""
    ink = np.abs((unit.mean(axis=3) if unit.ndim == 4 else unit) - background)
    total = ink.sum(axis=(1, 2)) + 1e-9
    height, width = ink.shape[1:]
    dy = np.round((height - 1) / 2 - ink.sum(axis=2) @ np.arange(height) / total).astype(int)
    dx = np.round((width - 1) / 2 - ink.sum(axis=1) @ np.arange(width) / total).astype(int)
    rows = (np.arange(height) - dy[:, None]) % height
    columns = (np.arange(width) - dx[:, None]) % width
    moved: Array = unit[np.arange(len(unit))[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved


def more_varied(train: Array, test: Array) -> bool:
    """Say whether the ``train`` traits ``[N, 7]`` cover the ``test`` traits ``[n, 7]`` and reach further.

    That is what augmentation does: in no trait are training pictures much narrower, in one much wider, and the middle
    of the test pictures is nowhere outside of what training has.
    """
    if len(train) < 20 or len(test) < 5:
        return False
    floor = np.array([0.1, 0.1, 0.1, 0.1, 0.02, 1.0, 0.02])
    wide, narrow = (np.subtract(*np.percentile(each, [90, 10], axis=0)) + floor for each in (train, test))
    ratio = wide / narrow
    below = (train < np.median(test, axis=0)).mean(axis=0)
    return bool(ratio.min() > 0.67 and ratio.max() > 1.4 and below.min() > 0.03 and below.max() < 0.97)
