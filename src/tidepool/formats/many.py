"""Several files as one set: in memory while it is small, mapped from the disk or packed where it is large.

The files are read one at a time, and what one of them held is let go of before the next is read, so that the memory
taken does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np

from tidepool.errors import DataError, OutsideError
from tidepool.formats import mapped
from tidepool.formats.columns import Columns
from tidepool.formats.options import Options
from tidepool.formats.packed import Packed
from tidepool.formats.room import available_memory, in_words
from tidepool.images import Array, ImageSet

# Bytes of pictures from which a set of several files is a large one.
LARGE = 128 << 20

# Called with the bytes of files that are read, those of all, and what is done, in words.
Progress = Callable[[int, int, str], None]
# Reads a file; keeps its parsed form for the next time if it is told so once it is read.
ReadFile = Callable[[Path, Callable[[ImageSet], bool]], ImageSet]


@dataclass(frozen=True)
class Manner:
    """How to read: whether the cache is used, whether large pictures without it are packed, who hears of it."""

    cache: bool = True
    lean: bool = False
    progress: Progress = lambda done, total, what: None


def read_set(files: list[Path], name: str, options: Options, manner: Manner, read_file: ReadFile) -> ImageSet:
    """Return the pictures of ``files``, in their order, as one set with ``name`` as its path.

    Raises DataError, naming two files, where frames, types or labels do not agree; OutsideError where there is no
    room for a large set.
    """
    place = mapped.entry(files, options) if manner.cache else None
    if place is not None and (kept := mapped.load(place, name)) is not None:
        return kept
    reading = _Reading(files, manner, read_file)
    reading.what = f"{len(files)} files"
    parts = map(reading.read, files)
    held: list[ImageSet] = []
    for part in parts:
        held.append(part)
        if reading.bytes > LARGE:
            break
    # From here on nothing but ``held`` may hold what was read.
    del part
    every = chain(_emptied(held), parts)
    if reading.bytes <= LARGE:
        return _join(every, name)
    if place is not None:
        # What labels and row numbers take beside their pictures is little.
        needed = int(1.02 * reading.expected())
        reading.what = f"{len(files)} files, decompressed once into {mapped.folder()} ({in_words(needed)})"
        return mapped.build(place, every, name, needed, reading.wait)
    if manner.lean:
        reading.what = f"{len(files)} files, kept packed in memory"
        return _pack(every, name, reading)
    return _join(every, name)


class _Reading:
    """Reads file after file; knows how far it is, and that each file agrees with the first."""

    def __init__(self, files: list[Path], manner: Manner, read_file: ReadFile) -> None:
        self.sizes = {path: path.stat().st_size for path in files}
        self.manner = manner
        self.read_file = read_file
        self.what = ""
        self.bytes = 0  # of pictures
        self.done = 0  # of files
        self._first: _Kind | None = None

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return max(1, sum(self.sizes.values()))

    def read(self, path: Path) -> ImageSet:
        """Return the set of one file; raise DataError if it does not agree with the first one."""
        self.manner.progress(self.done, self.total, self.what)
        found = self.read_file(path, lambda images: self._is_small(images, path))
        kind = _Kind.of(found)
        self._first = self._first or kind
        self._first.require_like(kind)
        self.bytes += found.images.nbytes
        self.done += self.sizes[path]
        self.manner.progress(self.done, self.total, self.what)
        return found

    def _is_small(self, images: ImageSet, path: Path) -> bool:
        """Say whether the set looks like a small one with ``images`` from ``path``: a large one is kept as a whole."""
        found, done = self.bytes + images.images.nbytes, self.done + self.sizes[path]
        return found * self.total <= LARGE * max(1, done)

    def wait(self) -> None:
        """Say that another process is at it."""
        self.manner.progress(0, self.total, "another tidepool decompresses these files: waiting for it")

    def expected(self) -> int:
        """Return how many bytes the pictures of all files will take, judged by those that were read."""
        return int(self.bytes * self.total / max(1, self.done))


@dataclass(frozen=True)
class _Kind:
    """What the files of one set have in common."""

    path: str
    frame: tuple[int, ...]
    dtype: np.dtype[Any]
    labelled: bool

    @staticmethod
    def of(images: ImageSet) -> _Kind:
        return _Kind(images.source.path, images.images.shape[1:], images.images.dtype, images.labels is not None)

    def require_like(self, other: _Kind) -> None:
        names = f"{self.path} and {other.path}"
        if self.frame != other.frame:
            a, b = ("x".join(map(str, kind.frame)) for kind in (self, other))
            raise DataError(f"{names}: frames {a} and {b} cannot be one set", "read them apart, or bring one to size")
        if self.dtype != other.dtype:
            raise DataError(
                f"{names}: pixels of type {self.dtype} and {other.dtype} cannot be one set", "convert one of them"
            )
        if self.labelled != other.labelled:
            bare = other if self.labelled else self
            raise DataError(f"{names}: {bare.path} has no labels, the other has", "all of them, or none")


def _emptied(parts: list[ImageSet]) -> Iterator[ImageSet]:
    """Yield the parts and let go of them."""
    while parts:
        yield parts.pop(0)


def _join(parts: Iterator[ImageSet], name: str) -> ImageSet:
    """Return the set in plain memory."""
    columns, pictures = Columns(), []
    for part in parts:
        columns.add(part)
        pictures.append(part.images)
        del part
    return ImageSet(_concatenated(pictures), source=columns.source(name), **columns.arrays())


def _pack(parts: Iterator[ImageSet], name: str, reading: _Reading) -> ImageSet:
    """Return the set with its pictures packed; raise OutsideError as soon as it shows that memory will not do."""
    columns = Columns()
    packed: Packed | None = None
    free = available_memory()
    for part in parts:
        columns.add(part)
        if packed is None:
            packed = Packed(part.images.shape[1:], part.images.dtype)
        packed.append(part.images)
        del part
        needed = packed.nbytes * reading.total / max(1, reading.done)
        if free is not None and needed > free:
            raise OutsideError(
                f"{name}: without the cache the pictures need {in_words(needed)} of memory, {in_words(free)} are free",
                "leave --no-cache out; TIDEPOOL_CACHE=/a/larger/disk says where the cache lies",
            )
    return ImageSet(cast(Array, packed), source=columns.source(name), **columns.arrays())


def _concatenated(parts: list[Array]) -> Array:
    """Return the parts as one array; each is let go of once it is copied, so that memory is not taken twice."""
    found = np.empty((sum(map(len, parts)), *parts[0].shape[1:]), parts[0].dtype)
    start = 0
    parts.reverse()
    while parts:
        part = parts.pop()
        found[start : start + len(part)] = part
        start += len(part)
    return found
