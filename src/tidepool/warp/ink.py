"""Where the ink of pictures goes under linear maps: its outermost points, found by numba in one pass."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from tidepool.warp.compiled import compiled

Floats = npt.NDArray[np.float64]


def _extremes(images: Any, maps: Any, ground: float, found: Any) -> None:
    """Write least x, least y, greatest x, greatest y of moved ink into ``found`` [N, 4]; inf, -inf for blank ones."""
    count, height, width, channels = images.shape
    flat = images.reshape(count, height * width * channels)
    pitch = width * channels
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    for n in range(count):
        a, b, c, d = maps[n, 0, 0], maps[n, 0, 1], maps[n, 1, 0], maps[n, 1, 1]
        low_x, low_y, high_x, high_y = np.inf, np.inf, -np.inf, -np.inf
        for row in range(height):
            first, end = row * pitch, (row + 1) * pitch
            while first < end and flat[n, np.uint64(first)] == ground:
                first += 1
            if first == end:
                continue
            last = end - 1
            while flat[n, np.uint64(last)] == ground:
                last -= 1
            # Of each row only its first and last ink pixel can be an extreme of a linear map.
            y = row - middle_y
            for at in (first, last):
                x = (at - row * pitch) // channels - middle_x
                u, v = a * x + b * y, c * x + d * y
                low_x, high_x = min(low_x, u), max(high_x, u)
                low_y, high_y = min(low_y, v), max(high_y, v)
        found[n, 0], found[n, 1], found[n, 2], found[n, 3] = low_x, low_y, high_x, high_y


_PICTURES = numba.types.Array(numba.uint8, 4, "C", readonly=True)
_MAPS = numba.types.Array(numba.float64, 3, "C", readonly=True)
_extremes_bytes = compiled(_extremes, [numba.void(_PICTURES, _MAPS, numba.float64, numba.float64[:, ::1])])
_extremes_others = compiled(_extremes)  # rare: compiled when the first floats come


def extremes(images: npt.NDArray[Any], maps: Floats, ground: float = 0.0) -> Floats:
    """Return ``[N, 4]``: least x, least y, greatest x, greatest y of the centres of ink pixels.

    images : ``[N, H, W]`` or ``[N, H, W, C]``; maps : ``[N, 2, 2]``, applied to points about the picture's centre;
    ground : what is no ink. A blank picture has inf, inf, -inf, -inf.
    """
    images = np.ascontiguousarray(images)
    if images.ndim == 3:
        images = images[..., None]
    found = np.empty((len(images), 4))
    kernel = _extremes_bytes if images.dtype == np.uint8 else _extremes_others
    kernel(images, np.ascontiguousarray(maps), float(ground), found)
    return found
