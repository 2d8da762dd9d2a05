"""Uniform cubic B-splines over a frame: how a coarse grid of coefficients becomes a smooth field."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@lru_cache(maxsize=64)
def basis(coefficients: int, pixels: int) -> Floats:
    """Return the weight ``[coefficients, pixels]`` of each coefficient at each pixel of one axis; columns sum to 1.

    ``coefficients - 3`` cells (at least one) span the pixels from the first to the last; read-only.
    """
    cells = coefficients - 3
    place = np.arange(pixels) * (cells / max(pixels - 1, 1))
    cell = np.minimum(place.astype(np.int64), cells - 1)
    t = place - cell
    weights = np.zeros((coefficients, pixels))
    column = np.arange(pixels)
    weights[cell, column] = (1 - t) ** 3 / 6
    weights[cell + 1, column] = (3 * t**3 - 6 * t**2 + 4) / 6
    weights[cell + 2, column] = (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6
    weights[cell + 3, column] = t**3 / 6
    weights.flags.writeable = False
    return weights


def regrid(fields: Floats, grid: tuple[int, int], size: tuple[int, int]) -> Floats:
    """Return the coefficients ``[N, 2, *grid]`` of nearly the same field on a finer grid, by least squares."""
    if fields.shape[2:] == grid:
        return fields
    down, across = (
        np.linalg.lstsq(basis(fine, side).T, basis(coarse, side).T, rcond=None)[0]
        for coarse, fine, side in zip(fields.shape[2:], grid, size)
    )
    finer: Floats = down @ fields @ across.T
    return finer
