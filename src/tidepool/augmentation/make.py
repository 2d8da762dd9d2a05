"""Making the versions: warped on all cores, and written by one or two threads while the next are warped.

Only whole shards ever lie in the folder, so a run that stopped goes on with those that are missing.
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from tidepool.augmentation.order import Order, ground_of, warpable
from tidepool.augmentation.shard import Shard, Warping
from tidepool.augmentation.target import Target
from tidepool.errors import DataError, OutsideError
from tidepool.formats.affnist import cannot_hold
from tidepool.formats.room import in_words
from tidepool.images import ImageSet
from tidepool.warp.threads import in_chunks

_CHUNK = 1024
# Compressing takes several times as long as warping.
_WRITERS = min(2, os.cpu_count() or 1)
# Pixels of one shard, in bytes: with the number of writers it bounds the memory, at 1.2 GB for .mat, which is copied
# most. affNIST's 60,000 of 40x40 are 96 MB; a larger version of a set is written in parts.
SHARD = 100_000_000
# What a shard holds of a picture beside its pixels: matrices, transform, label, ids, and what a PNG adds.
_BESIDE = 200

Progress = Callable[[int, int], None]


@dataclass
class Made:
    """What was done: pictures in each version, shards in all and made now, and which pictures did not fit.

    shrunk : ``(version, id)`` of pictures made now that fitted into the frame at no shift and were shrunk, in order.
    """

    target: Target
    size: tuple[int, int]
    pictures: int
    shards: int
    made: int = 0
    shrunk: list[tuple[int, str]] = field(default_factory=list)


def augment(
    images: ImageSet,
    folder: str | os.PathLike[str],
    order: Order,
    *,
    force: bool = False,
    progress: Progress = lambda done, total: None,
) -> Made:
    """Write versions 1..copies of ``images`` into ``folder``; go on where an earlier call with the same order stopped.

    folder : its suffix says what lies in it: none or .mat (affNIST's layout), .npz, .parquet; shard k is version k,
    read back by ``tp.read``. force : make anew what was made with other settings. progress : hears of pictures
    warped and of how many there are to warp.

    Raises InputError where the folder holds anything else or the order does not fit the pictures, DataError where
    the layout cannot hold them, OutsideError where the disk has no room.
    """
    target = Target.of(os.fspath(folder))
    size = order.frame(images)
    _check_layout(images, target, size)
    record = order.record(images, target.suffix)
    target.check(record, order.copies, force)
    shards = _shards(images, order, size)
    missing = [shard for shard in shards if force or not target.path(shard.name).exists()]
    made = Made(target, size, len(images), len(shards))
    if missing:
        _check_room(images, order, size, missing, target, force)
    target.begin(record, order.copies, images.source.path, force)
    _make(images, order, missing, made, progress)
    return made


def _make(images: ImageSet, order: Order, missing: list[Shard], made: Made, progress: Progress) -> None:
    """Warp and write the missing shards in turn, and note in ``made`` what came of it."""
    assert images.ids is not None
    done, total = 0, sum(map(len, missing))
    writing: deque[Future[None]] = deque()
    with ThreadPoolExecutor(_WRITERS, "shards") as writers:
        for shard in missing:
            warping = Warping(images, order, shard, made.size, partial(_counted, progress, done, total))
            in_chunks(warping.chunk, len(shard), _CHUNK, os.cpu_count() or 1)
            done += len(shard)
            made.shrunk += [(shard.version, str(images.ids[i])) for i in sorted(warping.shrunk)]
            if len(writing) == _WRITERS:
                writing.popleft().result()
            writing.append(writers.submit(warping.write, made.target))
        for written in writing:
            written.result()
    made.made = len(missing)


def _counted(progress: Progress, before: int, total: int, now: int) -> None:
    progress(before + now, total)


def _shards(images: ImageSet, order: Order, size: tuple[int, int]) -> list[Shard]:
    """Return one shard a version, or equal parts where a version is too large for one."""
    one = int(np.prod((*size, *images.images.shape[3:]))) * warpable(images.images[:1]).itemsize
    parts = -(-len(images) * one // SHARD)
    edges = [len(images) * part // parts for part in range(parts + 1)]
    return [
        Shard(f"{version}" if parts == 1 else f"{version}-{part + 1}", version, edges[part], edges[part + 1])
        for version in range(1, order.copies + 1)
        for part in range(parts)
    ]


def _check_layout(images: ImageSet, target: Target, size: tuple[int, int]) -> None:
    """Raise DataError where affNIST's layout cannot hold what is to be written."""
    reason = cannot_hold((*size, *images.images.shape[3:]), images.images.dtype, images.labels)
    if target.suffix == ".mat" and reason:
        name = target.folder.with_suffix("").name or "versions"
        raise DataError(
            f"{images.source.path or 'the set'}: {reason}, so its versions cannot be written as .mat",
            f"give {name}.npz or {name}.parquet as DST: a folder of files that hold any pictures and labels",
        )


def _check_room(
    images: ImageSet, order: Order, size: tuple[int, int], missing: list[Shard], target: Target, force: bool
) -> None:
    """Raise OutsideError where the disk has not the room that the missing shards take by a careful estimate."""
    few = np.linspace(0, len(images) - 1, min(64, len(images))).round().astype(int)
    sample = order.recipe.warp(warpable(images.images[few]), order.seed, 1, few, size, ground_of(images))
    # Each compressed on its own: a whole shard hardly ever takes more.
    each = float(np.mean([len(zlib.compress(one.tobytes())) for one in sample])) + _BESIDE
    needed = int(each * sum(map(len, missing)))
    place = next(path for path in (target.folder.absolute(), *target.folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(place).free + (sum(path.stat().st_size for path in target.shards()) if force else 0)
    if needed > free:
        raise OutsideError(
            f"{target.folder}: needs about {in_words(needed)}, but {in_words(free)} are free on that disk",
            "make room, ask for fewer --copies, or write to another disk",
        )
