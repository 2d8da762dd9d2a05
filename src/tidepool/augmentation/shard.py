"""One file's worth of versions: a part of one version of a set, warped chunk by chunk and written whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np

from tidepool.augmentation.order import Order, ground_of, warpable
from tidepool.augmentation.target import Target
from tidepool.formats.warped import Warped
from tidepool.images import ImageSet


@dataclass(frozen=True)
class Shard:
    """Version ``version`` of pictures ``start`` to ``stop`` (places in the set, from 0)."""

    name: str
    version: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


class Warping:
    """A shard on its way: ``chunk`` fills parts of it, on any number of threads, ``write`` ends it.

    shrunk : places of pictures that fitted into the frame at no shift and were shrunk.
    progress : hears how many pictures of the shard are done.
    """

    def __init__(
        self, images: ImageSet, order: Order, shard: Shard, size: tuple[int, int], progress: Callable[[int], None]
    ) -> None:
        self.shrunk: list[int] = []
        self._images, self._order, self._shard, self._size = images, order, shard, size
        dtype = warpable(images.images[:1]).dtype
        self._pixels = np.empty((len(shard), *size, *images.images.shape[3:]), dtype)
        self._matrices = np.empty((len(shard), 2, 3), np.float32)
        # Of the whole set, so that every shard has the same.
        self._ground = ground_of(images)
        self._progress, self._done, self._lock = progress, 0, Lock()

    def chunk(self, part: slice) -> None:
        """Warp pictures ``part``, counted from the shard's first."""
        index = np.arange(self._shard.start + part.start, self._shard.start + part.stop)
        originals = warpable(self._images.images[index[0] : index[-1] + 1])
        asked = (originals, self._order.seed, self._shard.version, index, self._size)
        recipe = self._order.recipe
        self._matrices[part] = recipe.matrices(*asked, self._ground)
        self._pixels[part] = recipe.warp(*asked, self._ground)
        shrunk = index[recipe.shrunk(*asked, self._ground)].tolist()
        with self._lock:
            self.shrunk += shrunk
            self._done += len(index)
            self._progress(self._done)

    def write(self, target: Target) -> None:
        """Write the pictures with the labels and ids of their originals, the originals' numbers, and the matrices."""
        from tidepool.formats import mat, npz, parquet

        images, shard = self._images, self._shard
        part = slice(shard.start, shard.stop)
        assert images.ids is not None
        groups = np.arange(shard.start + 1, shard.stop + 1) if images.groups is None else images.groups[part]
        labels = None if images.labels is None else images.labels[part]
        versions = ImageSet(self._pixels, labels, images.ids[part], groups=groups)
        first = (shard.version - 1) * len(images) + shard.start + 1
        warped = Warped(self._matrices, images.frame, self._size, first)
        writers = {".mat": mat, ".npz": npz, ".parquet": parquet}
        writers[target.suffix].write(versions, target.path(shard.name), warped)
