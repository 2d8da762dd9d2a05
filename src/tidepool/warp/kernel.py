"""The CPU kernel: bilinear affine warps of small pictures, compiled by numba without the GIL.

Agrees with ``scipy.ndimage.affine_transform(order=1, mode="constant", cval=0)`` within one grey level. Along an
output row the input position is stepped linearly, and the span of columns that fall inside the input is solved
before the row is walked, so the inner loop has no bounds test.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

# Read-only inputs, so that memory-mapped pictures are taken too; the signature is given so that there is one
# compilation, at import, that the cache keeps.
Pixels = npt.NDArray[Any]
_PICTURES = numba.types.Array(numba.uint8, 4, "C", readonly=True)
_MATRICES = numba.types.Array(numba.float32, 3, "C", readonly=True)


@numba.njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def _span(start: float, step: float, limit: int, count: int) -> tuple[int, int]:
    """Return the first and last x in 0..count-1 with 0 <= start + step * x <= limit (empty: first > last)."""
    if step == 0.0:
        return (0, count - 1) if 0.0 <= start <= limit else (count, -1)
    low, high = -start / step, (limit - start) / step
    if low > high:
        low, high = high, low
    first, last = int(max(math.ceil(low), 0.0)), int(min(math.floor(high), count - 1.0))
    # The divisions round: settle the two ends by the exact test.
    while first <= last and not 0.0 <= start + step * first <= limit:
        first += 1
    while first <= last and not 0.0 <= start + step * last <= limit:
        last -= 1
    if first <= last:
        while first > 0 and 0.0 <= start + step * (first - 1) <= limit:
            first -= 1
        while last < count - 1 and 0.0 <= start + step * (last + 1) <= limit:
            last += 1
    return first, last


def _warp(images: Any, matrices: Any, out: Any, fill: float, rounding: float) -> None:
    """Warp ``images`` [N, H, W, C] by ``matrices`` float32 [N, 2, 3] into ``out`` [N, h, w, C], ``fill`` outside."""
    count, height, width, channels = images.shape
    out_height, out_width = out.shape[1], out.shape[2]
    # One row and one column more than the picture: the right and lower neighbour always exist (their weight is 0).
    # One plane a channel, flat, so that it stays in the first-level cache and one index finds a pixel.
    pitch = width + 1
    plane = np.zeros((height + 1) * pitch, dtype=np.float32)
    for n in range(count):
        a, b, tx = float(matrices[n, 0, 0]), float(matrices[n, 0, 1]), float(matrices[n, 0, 2])
        d, e, ty = float(matrices[n, 1, 0]), float(matrices[n, 1, 1]), float(matrices[n, 1, 2])
        for c in range(channels):
            for y in range(height):
                for x in range(width):
                    plane[y * pitch + x] = images[n, y, x, c]
            for y in range(out_height):
                u0, v0 = b * y + tx, e * y + ty
                first, last = _span(u0, a, width - 1, out_width)
                first_v, last_v = _span(v0, d, height - 1, out_width)
                first = min(max(first, first_v), out_width)
                last = max(min(last, last_v), first - 1)
                for x in range(first):
                    out[n, y, x, c] = fill
                for x in range(first, last + 1):
                    u, v = u0 + a * x, v0 + d * x
                    column, row = np.int32(u), np.int32(v)
                    right, down = np.float32(u - column), np.float32(v - row)
                    corner = np.uint32(row * pitch + column)
                    below = np.uint32(corner + pitch)
                    top = plane[corner] + right * (plane[corner + np.uint32(1)] - plane[corner])
                    bottom = plane[below] + right * (plane[below + np.uint32(1)] - plane[below])
                    out[n, y, x, c] = top + down * (bottom - top) + np.float32(rounding)
                for x in range(last + 1, out_width):
                    out[n, y, x, c] = fill


_options = {"nogil": True, "cache": True, "error_model": "numpy"}
_warp_bytes = numba.njit(
    [numba.void(_PICTURES, _MATRICES, numba.uint8[:, :, :, ::1], numba.float32, numba.float32)], **_options
)(_warp)
_warp_floats = numba.njit(**_options)(_warp)  # rare: compiled when the first floats come


def warp(images: Pixels, matrices: npt.NDArray[np.float32], out: Pixels, fill: float = 0.0) -> None:
    """Warp grey ``[N, H, W]`` or colour ``[N, H, W, C]`` pictures, uint8 or float32, into ``out`` of the same type.

    Runs on the calling thread and releases the GIL. ``fill`` is what lies outside the pictures.
    """
    if images.ndim == 3:
        images, out = images[..., None], out[..., None]
    kernel, rounding = (_warp_bytes, 0.5) if images.dtype == np.uint8 else (_warp_floats, 0.0)
    matrices = np.ascontiguousarray(matrices, dtype=np.float32)
    kernel(np.ascontiguousarray(images), matrices, out, np.float32(fill), np.float32(rounding))
