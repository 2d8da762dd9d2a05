"""From flat rows of pixels to frames: which height and width a number of pixels stands for."""

from __future__ import annotations

from math import isqrt

from tidepool.errors import DataError
from tidepool.images import Array


def frame_of(pixels: int, shape: tuple[int, int] | None, where: str) -> tuple[int, ...]:
    """Return ``(H, W)`` or ``(H, W, 3)`` for rows of ``pixels`` values.

    Without ``shape`` a row is a square grey picture; with it, ``H * W`` values are grey and ``3 * H * W``
    are RGB with the three values of a pixel side by side. Raises DataError, naming ``where``, where neither fits.
    """
    if shape is None:
        side = isqrt(pixels)
        if pixels and side * side == pixels:
            return side, side
        raise DataError(f"{where}: {pixels} pixels a row, expected a square number such as 784 (28x28)", _hint(pixels))
    height, width = shape
    if pixels == height * width:
        return height, width
    if pixels == 3 * height * width:
        return height, width, 3
    raise DataError(
        f"{where}: {pixels} pixels a row, but --shape {height}x{width} needs {height * width}"
        f" (or {3 * height * width}, RGB)",
        _hint(pixels),
    )


def unflatten(rows: Array, shape: tuple[int, int] | None, where: str) -> Array:
    """Return ``[N, pixels]`` as ``[N, H, W]`` or ``[N, H, W, 3]``."""
    return rows.reshape(len(rows), *frame_of(rows.shape[1], shape, where))


def _hint(pixels: int) -> str:
    third = isqrt(pixels // 3)
    rgb = f"; if the pictures are RGB: --shape {third}x{third}" if pixels and 3 * third * third == pixels else ""
    # A frame longer than four to one is hardly ever a picture: such pairs would only lengthen the line.
    heights = [h for h in range(isqrt(pixels), 1, -1) if pixels % h == 0 and pixels // h <= 4 * h][:2]
    if heights:
        fits = " or ".join(f"--shape {h}x{pixels // h} or {pixels // h}x{h}" for h in heights)
        return f"frames that would fit: {fits}{rgb}"
    if rgb:
        return rgb.removeprefix("; ")
    squares = f"{isqrt(pixels) ** 2} or {(isqrt(pixels) + 1) ** 2}"
    return f"no frame fits {pixels} pixels; is a column missing, or not a pixel? (square frames nearby: {squares})"
