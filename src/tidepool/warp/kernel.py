"""The CPU kernel: bilinear warps of small pictures, compiled by numba without the GIL.

Agrees with ``scipy.ndimage.affine_transform(order=1, mode="constant", cval=0)`` within one grey level. In three steps,
each a loop that the compiler turns into vector instructions, or nearly so, on scratch that stays in the first caches:

1. ``_locate``: where each output pixel falls: the number of its upper left neighbour and two weights. The span of
   columns that fall inside the input is solved before a row is walked, so there is no bounds test.
2. ``_gather``: the four neighbours, which ``_pack`` has put into one 32-bit word, so that one load fetches them all.
3. ``_blend``: the four, weighted.

Pixels outside take their neighbours from one word more, which holds the fill.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from tidepool.warp.compiled import compiled
from tidepool.warp.splines import basis

Pixels = npt.NDArray[Any]
Fields = npt.NDArray[np.float32]

# Read-only inputs, so that memory-mapped pictures are taken too; the signature is given so that there is one
# compilation, at import, that the cache keeps.
_PICTURES = numba.types.Array(numba.uint8, 4, "C", readonly=True)
_MATRICES = numba.types.Array(numba.float32, 3, "C", readonly=True)
_FIELDS = numba.types.Array(numba.float32, 4, "C", readonly=True)
_BASIS = numba.types.Array(numba.float64, 2, "C", readonly=True)

# What only other kernels call is compiled into them: no wrappers, no cache of its own. That saves half a second.
_part = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
# Rows are walked in whole blocks: what runs over the end is overwritten by the next row, or lies in the margin.
_BLOCK = 16


@numba.njit(**_part)  # type: ignore[untyped-decorator]
def _span(start: Any, step: Any, inverse: Any, limit: Any, first: Any, last: Any) -> Any:
    """Return the first and last x in first..last with 0 <= start + step * x <= limit (empty: first > last).

    inverse : 1 / step.
    """
    if step == 0.0:
        return (first, last) if 0.0 <= start <= limit else (last + 1, last)
    low, high = -start * inverse, (limit - start) * inverse
    if low > high:
        low, high = high, low
    if not (low <= last + 1 and high >= first - 1):  # so that NaN is outside
        return last + 1, last
    # The estimates are rounded: an end that may be a pixel too far is settled by the exact test, scipy's.
    if low > first:
        first = math.ceil(low - 1e-6)
        if not 0.0 <= start + step * first <= limit:
            first += 1
    if high < last:
        last = math.floor(high + 1e-6)
        if not 0.0 <= start + step * last <= limit:
            last -= 1
    return first, last


@numba.njit(fastmath={"contract"}, **_part)  # type: ignore[untyped-decorator]
def _locate_row(
    places: Any, right: Any, down: Any, at: Any, count: Any, u0: Any, a: Any, v0: Any, d: Any, frame: Any
) -> None:
    """Locate ``count`` pixels from the output pixel ``at``; the input position starts at (u0, v0), steps by (a, d)."""
    height, width = frame
    last_u, last_v, nothing = np.float32(width - 1), np.float32(height - 1), np.int32(height * width)
    for i in range((count + _BLOCK - 1) // _BLOCK * _BLOCK):
        x = np.float32(np.int32(i))
        u, v = u0 + a * x, v0 + d * x
        # By conditions, not min and max, which mind NaN and so take several instructions.
        u = u if u > np.float32(0) else np.float32(0)
        v = v if v > np.float32(0) else np.float32(0)
        u = u if u < last_u else last_u
        v = v if v < last_v else last_v
        column, row = np.int32(u), np.int32(v)
        to = np.uint64(at + i)  # unsigned, so that numba need not ask whether it counts from the end
        # In 32 bits throughout: numba would go on in 64, of which a vector holds half as many.
        places[to] = np.int32(row * np.int32(width) + column) if np.int32(i) < np.int32(count) else nothing
        right[to], down[to] = u - np.float32(column), v - np.float32(row)


@numba.njit(**_part)  # type: ignore[untyped-decorator]
def _six(m: Any) -> Any:
    # scipy's steps, in scipy's precision, so that the same pixels are inside; numba's float() would keep float32.
    double = np.float64
    return double(m[0, 0]), double(m[0, 1]), double(m[0, 2]), double(m[1, 0]), double(m[1, 1]), double(m[1, 2])


@numba.njit(**_part)  # type: ignore[untyped-decorator]
def _locate(places: Any, right: Any, down: Any, matrix: Any, frame: Any, size: Any) -> None:
    """Write for each output pixel its upper left neighbour's number in the input (or height * width) and weights."""
    a, b, tx, d, e, ty = matrix
    height, width = frame
    for i in range(len(places)):
        places[i] = height * width
    per_a, per_d = 1.0 / a, 1.0 / d
    for y in range(size[0]):
        u0, v0 = b * y + tx, e * y + ty
        first, last = _span(u0, a, per_a, width - 1.0, 0, size[1] - 1)
        first, last = _span(v0, d, per_d, height - 1.0, first, last)
        if first <= last:
            u, v = np.float32(u0 + a * first), np.float32(v0 + d * first)
            at, count = y * size[1] + first, last + 1 - first
            _locate_row(places, right, down, at, count, u, np.float32(a), v, np.float32(d), frame)


@numba.njit(**_part)  # type: ignore[untyped-decorator]
def _widen(wide: Any, field: Any, columns: Any) -> None:
    """Spread the coefficients ``field`` [2, rows, columns] out along the rows: ``wide`` [2, rows, w]."""
    wide[:] = 0.0
    for axis in range(2):
        for k in range(field.shape[1]):
            for j in range(field.shape[2]):
                value = float(field[axis, k, j])
                for x in range(columns.shape[1]):
                    wide[axis, k, x] += value * columns[j, x]


@numba.njit(**_part)  # type: ignore[untyped-decorator]
def _bend_row(bend: Any, wide: Any, rows: Any, y: Any) -> None:
    """Write the displacements along row ``y``, ``bend`` [2, w]."""
    bend[:] = 0.0
    for k in range(wide.shape[1]):
        weight = rows[k, y]
        if weight != 0.0:
            for axis in range(2):
                for x in range(wide.shape[2]):
                    bend[axis, x] += weight * wide[axis, k, x]


@numba.njit(**_part)  # type: ignore[untyped-decorator]
def _locate_bent(
    places: Any, right: Any, down: Any, matrix: Any, frame: Any, field: Any, rows: Any, columns: Any, scratch: Any
) -> None:
    """Do the same where the spline field ``field`` [2, rows, columns] is added."""
    wide, bend = scratch
    a, b, tx, d, e, ty = matrix
    height, width = frame
    _widen(wide, field, columns)
    for y in range(rows.shape[1]):
        _bend_row(bend, wide, rows, y)
        u0, v0 = b * y + tx, e * y + ty
        for x in range(columns.shape[1]):
            u, v = u0 + a * x + bend[0, x], v0 + d * x + bend[1, x]
            inside = u >= 0.0 and u <= width - 1.0 and v >= 0.0 and v <= height - 1.0
            u, v = (u, v) if inside else (0.0, 0.0)
            column, row = np.int32(u), np.int32(v)
            to = np.uint64(y * columns.shape[1] + x)
            places[to] = row * width + column if inside else height * width
            right[to], down[to] = u - column, v - row


@compiled
def _farthest(fields: Any, rows: Any, columns: Any, found: Any) -> None:
    wide, bend = np.empty((2, rows.shape[0], columns.shape[1])), np.empty((2, columns.shape[1]))
    for n in range(len(fields)):
        _widen(wide, fields[n], columns)
        for y in range(rows.shape[1]):
            _bend_row(bend, wide, rows, y)
            for axis in range(2):
                for x in range(columns.shape[1]):
                    found[n, axis] = max(found[n, axis], abs(bend[axis, x]))


def farthest(fields: Fields, size: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Return how far each of ``fields`` moves any pixel of an output frame along x and y at most, ``[N, 2]``."""
    found = np.zeros((len(fields), 2))
    _farthest(fields, basis(fields.shape[2], size[0]), basis(fields.shape[3], size[1]), found)
    return found


@numba.njit(**_part)  # type: ignore[untyped-decorator]
def _pack(quads: Any, plane: Any, width: Any) -> None:
    """Put each pixel of ``plane`` [height * width] with its right, lower and lower right neighbour into one word.

    Where there is no neighbour another pixel (or 0) stands in its place: its weight is 0.
    """
    size = len(plane)
    whole = max(size - width - 1, 0)
    for i in range(whole):
        below = np.uint64(i + width)
        top = np.uint32(plane[i]) | np.uint32(plane[np.uint64(i + 1)]) << np.uint32(8)
        bottom = np.uint32(plane[below]) | np.uint32(plane[below + np.uint64(1)]) << np.uint32(8)
        quads[i] = top | bottom << np.uint32(16)
    for i in range(whole, size - 1):
        quads[i] = np.uint32(plane[i]) | np.uint32(plane[i + 1]) << np.uint32(8)
    quads[size - 1] = plane[size - 1]
    if size > width:  # the last but one row ends here: a lower neighbour, but no lower right one
        quads[whole] = quads[whole] | np.uint32(plane[size - 1]) << np.uint32(16)


@numba.njit(**_part)  # type: ignore[untyped-decorator]
def _gather(found: Any, quads: Any, places: Any) -> None:
    for i in range(len(found)):
        found[i] = quads[places[i]]


@numba.njit(fastmath={"contract"}, **_part)  # type: ignore[untyped-decorator]
def _blend(values: Any, found: Any, right: Any, down: Any) -> None:
    for i in range(len(found)):
        quad = found[i]
        corner = np.float32(np.int32(quad & np.uint32(255)))
        beside = np.float32(np.int32(quad >> np.uint32(8) & np.uint32(255)))
        below = np.float32(np.int32(quad >> np.uint32(16) & np.uint32(255)))
        opposite = np.float32(np.int32(quad >> np.uint32(24)))
        top = corner + right[i] * (beside - corner)
        bottom = below + right[i] * (opposite - below)
        values[i] = np.uint8(np.int32(top + down[i] * (bottom - top) + np.float32(0.5)))


def _warp(images: Any, matrices: Any, out: Any, fill: Any, fields: Any, rows: Any, columns: Any) -> None:
    """Warp ``images`` uint8 [N, H, W, C] into ``out`` [N, h, w, C]; ``fields`` [0, ...] where nothing is bent."""
    count, height, width, channels = images.shape
    frame, size = (height, width), (out.shape[1], out.shape[2])
    pixels = size[0] * size[1]
    source, target = images.reshape(count, height * width, channels), out.reshape(count, pixels, channels)
    plane, values = np.empty(height * width, np.uint8), np.empty(pixels, np.uint8)
    places, found = np.empty(pixels + _BLOCK, np.uint32), np.empty(pixels, np.uint32)
    right, down = np.zeros(pixels + _BLOCK, np.float32), np.zeros(pixels + _BLOCK, np.float32)
    quads = np.empty(height * width + 1, np.uint32)
    quads[-1] = np.uint32(fill) * np.uint32(0x01010101)
    scratch = np.empty((2, rows.shape[0], columns.shape[1])), np.empty((2, columns.shape[1]))
    for n in range(count):
        matrix = _six(matrices[n])
        if len(fields):
            _locate_bent(places, right, down, matrix, frame, fields[n], rows, columns, scratch)
        else:
            _locate(places, right, down, matrix, frame, size)
        for c in range(channels):
            for i in range(height * width):
                plane[i] = source[n, i, c]
            _pack(quads, plane, width)
            _gather(found, quads, places)
            _blend(values, found, right, down)
            for i in range(pixels):
                target[n, i, c] = values[i]


def _warp_floats(images: Any, matrices: Any, out: Any, fill: Any, fields: Any, rows: Any, columns: Any) -> None:
    """Do the same for float32: a pixel at a time, since four floats fit into no word."""
    count, height, width, channels = images.shape
    frame, size = (height, width), (out.shape[1], out.shape[2])
    pixels, nothing = size[0] * size[1], height * width
    source, target = images.reshape(count, nothing, channels), out.reshape(count, pixels, channels)
    places = np.empty(pixels + _BLOCK, np.uint32)
    right, down = np.zeros(pixels + _BLOCK, np.float32), np.zeros(pixels + _BLOCK, np.float32)
    scratch = np.empty((2, rows.shape[0], columns.shape[1])), np.empty((2, columns.shape[1]))
    for n in range(count):
        matrix = _six(matrices[n])
        if len(fields):
            _locate_bent(places, right, down, matrix, frame, fields[n], rows, columns, scratch)
        else:
            _locate(places, right, down, matrix, frame, size)
        for i in range(pixels):
            corner = np.int64(places[i])
            # The last row and column are their own neighbours: the weight is 0.
            beside = min(corner + 1, nothing - 1)
            below, opposite = min(corner + width, nothing - 1), min(corner + width + 1, nothing - 1)
            for c in range(channels):
                if corner == nothing:
                    target[n, i, c] = fill
                else:
                    top = source[n, corner, c] + right[i] * (source[n, beside, c] - source[n, corner, c])
                    bottom = source[n, below, c] + right[i] * (source[n, opposite, c] - source[n, below, c])
                    target[n, i, c] = top + down[i] * (bottom - top)


_PLACED = (numba.float32, _FIELDS, _BASIS, _BASIS)
_warp_bytes = compiled(_warp, [numba.void(_PICTURES, _MATRICES, numba.uint8[:, :, :, ::1], *_PLACED)])
_warp_others = compiled(_warp_floats)  # rare: compiled when the first floats come

_STRAIGHT = np.zeros((0, 2, 4, 4), dtype=np.float32)


def warp(
    images: Pixels,
    matrices: npt.NDArray[np.float32],
    out: Pixels,
    fill: float = 0.0,
    fields: Fields | None = None,
) -> None:
    """Warp grey ``[N, H, W]`` or colour ``[N, H, W, C]`` pictures, uint8 or float32, into ``out`` of the same type.

    matrices : ``[N, 2, 3]``; fill : what lies outside the pictures; fields : None or float32 ``[N, 2, rows,
    columns]``, coefficients of cubic B-splines that evenly span ``out``'s frame: displacements (x, y) in pixels of the
    input, added to where the matrix points. Runs on the calling thread and releases the GIL.
    """
    if images.ndim == 3:
        images, out = images[..., None], out[..., None]
    fields = _STRAIGHT if fields is None else np.ascontiguousarray(fields, dtype=np.float32)
    rows, columns = basis(fields.shape[2], out.shape[1]), basis(fields.shape[3], out.shape[2])
    matrices = np.ascontiguousarray(matrices, dtype=np.float32)
    if images.dtype == np.uint8:
        fill = min(max(round(fill), 0), 255)
    kernel = _warp_bytes if images.dtype == np.uint8 else _warp_others
    kernel(np.ascontiguousarray(images), matrices, out, np.float32(fill), fields, rows, columns)
