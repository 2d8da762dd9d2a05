"""Pictures kept in memory deflated, one by one: what is trained from where a large set may not lie on the disk.

Digits take about a sixth of their size (affNIST's 40x40: 285 bytes of 1,600), and any picture can be had in some
microseconds, so that the order of training is the same as from the disk or from plain memory.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.images import Array, Lazy

# Pictures deflated by one call of a thread; the fastest level: higher ones gain 4 % and cost half as much again.
_CHUNK = 1000
_LEVEL = 1


class Packed(Lazy):
    """Pictures of one frame and type, added a part at a time; ``nbytes`` is what they take in memory.

    frame : ``(H, W)`` or ``(H, W, C)``.
    """

    def __init__(self, frame: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape = (0, *frame)
        self.dtype = dtype
        self.nbytes = 0
        # A chunk: the number of its first picture, its deflated pictures end to end, and where each of them starts.
        self._firsts: list[int] = []
        self._chunks: list[tuple[bytes, npt.NDArray[np.int64]]] = []

    def append(self, images: Array) -> None:
        """Add pictures ``[n, H, W(, C)]`` of the same frame and type."""
        assert images.shape[1:] == self.shape[1:]
        assert images.dtype == self.dtype
        parts = [images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for part, (packed, starts) in zip(parts, pool.map(_deflate, parts)):
                self._firsts.append(self.shape[0])
                self._chunks.append((packed, starts))
                self.nbytes += len(packed) + starts.nbytes
                self.shape = (self.shape[0] + len(part), *self.shape[1:])

    def __getitem__(self, index: Array | slice | Sequence[int]) -> Array:
        """Return the pictures at ``index`` (a slice, whole numbers, a mask) inflated; IndexError where none is."""
        rows = self._rows(index)
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        size = math.prod(self.shape[1:]) * self.dtype.itemsize
        flat = found.reshape(-1).view(np.uint8).reshape(len(rows), size)
        chunks = np.searchsorted(self._firsts, rows, side="right") - 1
        for place, (row, chunk) in enumerate(zip(rows.tolist(), chunks.tolist())):
            packed, starts = self._chunks[chunk]
            start, stop = starts[row - self._firsts[chunk] :][:2]
            flat[place] = np.frombuffer(zlib.decompress(memoryview(packed)[start:stop], -15, size), np.uint8)
        return found

    def _rows(self, index: Array | slice | Sequence[int]) -> Array:
        """Return numbers from 0, as numpy understands ``index``."""
        if isinstance(index, slice):
            return np.arange(*index.indices(len(self)))
        rows = np.asarray(index)
        if rows.ndim != 1 or (len(rows) and rows.dtype.kind not in "bui"):
            raise IndexError(f"found {index!r}, expected a slice, a list of whole numbers or a mask")
        if rows.dtype == np.bool_ and len(rows):
            if len(rows) != len(self):
                raise IndexError(f"a mask of {len(rows)}, but {len(self)} pictures")
            return np.flatnonzero(rows)
        rows = rows.astype(np.int64, copy=False)
        rows = np.where(rows < 0, rows + len(self), rows)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"pictures {rows.min()} to {rows.max()} (from 0) of {len(self)}")
        return rows


def _deflate(images: Array) -> tuple[bytes, npt.NDArray[np.int64]]:
    packed = [zlib.compress(picture, _LEVEL, -15) for picture in np.ascontiguousarray(images)]
    return b"".join(packed), np.cumsum([0, *map(len, packed)], dtype=np.int64)
