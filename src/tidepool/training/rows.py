"""Some rows of a set, as training takes them: gathered a batch at a time, so that the set is never copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import DataError
from tidepool.images import Array, ImageSet, Lazy

_BLOCK = 4096  # pictures looked at together


class Rows(Lazy):
    """The rows ``index`` ``[n]`` of ``images``, which lie in memory, are mapped from the disk, or are packed.

    images : ``[N, h, w]`` or ``[N, h, w, C]``; uint8 stays, every other type becomes float32 as it is gathered.
    frame : (height, width) that batches of them are brought to; None: their own.
    """

    def __init__(
        self, images: Array | Lazy, index: npt.NDArray[np.int64], frame: tuple[int, int] | None = None
    ) -> None:
        self.images = images
        self.index = index
        self.shape = (len(index), *images.shape[1:])
        self.dtype = np.dtype(np.uint8 if images.dtype == np.uint8 else np.float32)
        self.frame = frame or (int(images.shape[1]), int(images.shape[2]))

    def __getitem__(self, index: npt.NDArray[Any] | slice | Sequence[int]) -> Array:
        """Return the raw pictures at ``index`` of these rows, in their own frame."""
        rows = self.index[index]
        # ``take`` lets other threads run while pages come from the disk.
        found = self.images[rows] if isinstance(self.images, Lazy) else np.take(self.images, rows, axis=0)
        return found.astype(self.dtype, copy=False)


def require_finite(images: ImageSet) -> None:
    """Raise DataError where pictures hold values that are not finite as float32: how many, and the first."""
    values = images.images
    if values.dtype.kind != "f":
        return
    count, first = 0, -1
    for start in range(0, len(values), _BLOCK):
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite
            block = values[start : start + _BLOCK].astype(np.float32, copy=False)
        bad = np.flatnonzero(~np.isfinite(block).reshape(len(block), -1).all(axis=1))
        if len(bad) and not count:
            first = start + int(bad[0])
        count += len(bad)
    if count:
        name = images.source.path or "the training set"
        raise DataError(
            f"{name}: {count:,} of {len(images):,} pictures hold NaN or infinite values (first: {first + 1})",
            "replace those values, or leave those pictures out",
        )
