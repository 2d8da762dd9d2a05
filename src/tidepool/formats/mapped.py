"""Large sets of several files: decompressed once into arrays on the disk, which are mapped into memory and not read.

Each set lies in a folder of its own under ``sets`` in the cache (``tidepool.formats.cache`` says where that is):
``images.npy``, ``labels.npy``, ``ids.npy``, ``groups.npy`` and, written last, ``set.json`` with what the others must
be. The folder takes its name when it is whole, so that a set is there or not; one that was cut off or changed since
is removed and built again. The sets that nobody has used for longest go when all of them are over ``LIMIT``.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import mmap
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from tidepool.errors import OutsideError, TidepoolError
from tidepool.formats import cache
from tidepool.formats.columns import Columns
from tidepool.formats.opening import reason
from tidepool.formats.options import Options
from tidepool.formats.room import available_memory, in_words
from tidepool.images import Array, ImageSet, Source

LIMIT = 16 << 30
_FACTS = "set.json"
# Folders of sets, and with a dot those that are being written: all that is ever removed, whatever else lies there.
_OURS = re.compile(r"\.?[0-9a-f]{32}")
_WAYS_OUT = "TIDEPOOL_CACHE=/a/larger/disk keeps them elsewhere; --no-cache trains without, more slowly"
# Errors of the disk that say that it is full; some systems know quotas.
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def folder() -> Path:
    """Return the folder of all sets; it may not exist."""
    return cache.root() / "sets"


def entry(paths: list[Path], options: Options) -> Path | None:
    """Return where the set of ``paths``, as they are now, lies or would lie; None if it cannot be told."""
    # IDX keeps the labels in files of their own, beside the pictures and named like them.
    folders = sorted({path.parent for path in paths if "images" in path.name})
    labels = [path for folder in folders for path in sorted(folder.glob("*labels*")) if path.is_file()]
    states = [cache.state(path) for path in (*paths, *labels)]
    if any(state is None for state in states):
        return None
    key = repr((cache.VERSION, np.__version__, states, options))
    return folder() / hashlib.sha256(key.encode()).hexdigest()[:32]


def load(place: Path, name: str) -> ImageSet | None:
    """Return the set that lies at ``place``, its images mapped, ``name`` its path; None if there is none or no more.

    A damaged one is removed. Raises OutsideError where a whole one cannot be mapped, for want of permission or memory.
    """
    try:
        facts = json.loads((place / _FACTS).read_text(encoding="utf-8"))
        for file, size in facts["bytes"].items():
            if (place / file).stat().st_size != size:
                raise ValueError(f"{file} has another size")
        images = _map(place / "images.npy")
        if [list(images.shape), images.dtype.str] != [facts["shape"], facts["dtype"]]:
            raise ValueError("images.npy holds something else")
        labels, ids, groups = (
            np.load(place / f"{field}.npy", allow_pickle=False) if f"{field}.npy" in facts["bytes"] else None
            for field in ("labels", "ids", "groups")
        )
        found = ImageSet(images, labels, ids, Source(name, facts["format"], facts["sha256"]), groups)
    except (FileNotFoundError, NotADirectoryError):
        if not place.exists():
            return None
        found = None
    except (OSError, MemoryError) as error:  # no permission, no more handles or room for addresses: no damage
        raise OutsideError(f"{place}: the pictures of {name} cannot be mapped ({reason(error)})", _WAYS_OUT) from error
    except Exception:  # whatever a damaged file does to a reader, it is built again
        found = None
    if found is None:
        shutil.rmtree(place, ignore_errors=True)
        return None
    with contextlib.suppress(OSError):
        os.utime(place / _FACTS)  # the oldest go first: being used makes it young
    return found


def build(
    place: Path, parts: Iterator[ImageSet], name: str, needed: int, waiting: Callable[[], None] = lambda: None
) -> ImageSet:
    """Write ``parts`` to ``place`` one after another, and return them as one set, ``name`` its path.

    parts : sets that agree in frame, type and labels; each is let go of before the next is asked for.
    needed : about how many bytes all of them take; waiting : called if another process is building this very set.
    Raises OutsideError where there is no room or no permission.
    """
    temporary = place.with_name(f".{place.name}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _alone(place, waiting):
            if (kept := load(place, name)) is not None:
                return kept
            _trim(place.parent, needed)
            free = shutil.disk_usage(place.parent).free
            if free < needed:
                raise _no_room(needed, free)
            try:
                shutil.rmtree(temporary, ignore_errors=True)
                temporary.mkdir()
                _write(temporary, parts)
                temporary.rename(place)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        if isinstance(error, TidepoolError):
            raise
        if error.errno in _FULL:
            raise _no_room(needed, shutil.disk_usage(place.parent).free) from error
        words = f"{place.parent}: the pictures of {name} cannot be kept there ({error.strerror or error})"
        raise OutsideError(words, _WAYS_OUT) from error
    found = load(place, name)
    if found is None:
        raise OutsideError(f"{place}: was changed by another program while it was written", "try again")
    return found


def _write(temporary: Path, parts: Iterator[ImageSet]) -> None:
    """Write the files of a set; only one of the parts is in memory at a time."""
    columns = Columns()
    shape: tuple[int, ...] = ()
    with _synced(temporary / "images.npy") as handle:
        for part in parts:
            columns.add(part)
            if not shape:
                shape, dtype = (0, *part.images.shape[1:]), part.images.dtype
                start = _head(handle, shape, dtype)
            handle.write(np.ascontiguousarray(part.images).data.cast("B"))
            shape = (shape[0] + len(part), *shape[1:])
            del part  # the next one is read now
        handle.seek(0)
        if _head(handle, shape, dtype) != start:  # numpy leaves room in the header for the first axis to grow
            raise OSError(f"the header grew with {shape[0]:,} pictures")
    for field, array in columns.arrays().items():
        with _synced(temporary / f"{field}.npy") as handle:
            np.save(handle, array, allow_pickle=False)
    source = columns.source("")
    facts = {
        "shape": list(shape),
        "dtype": dtype.str,
        "format": source.format,
        "sha256": source.sha256,
        "bytes": {file.name: file.stat().st_size for file in temporary.iterdir()},
    }
    with _synced(temporary / _FACTS) as handle:
        handle.write(json.dumps(facts, indent=1).encode() + b"\n")


@contextlib.contextmanager
def _synced(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to write, and have it on the disk at the end."""
    with path.open("wb") as handle:
        yield handle
        handle.flush()
        os.fsync(handle.fileno())


def _head(handle: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """Write numpy's header and return how long it is."""
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(handle, described)
    return handle.tell()


def _map(path: Path) -> Array:
    """Return the array of an NPY file, mapped: its pages are read when they are touched, and can be dropped again."""
    with path.open("rb") as handle:
        np.lib.format.read_magic(handle)
        shape, _, dtype = np.lib.format.read_array_header_1_0(handle)
        start = handle.tell()
        pages = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    free = available_memory()
    if free is not None and len(pages) > free // 2 and hasattr(mmap, "MADV_RANDOM"):
        # The set will not stay in memory: reading 128 kB around each picture, as is usual, would be for nothing.
        pages.madvise(mmap.MADV_RANDOM)
    return np.frombuffer(pages, dtype, math.prod(shape), start).reshape(shape)


@contextlib.contextmanager
def _alone(place: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of one set; the system lets go of it when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows: two that build the same set at once would disturb each other
        yield
        return
    with place.with_name(f".{place.name}.lock").open("wb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _trim(parent: Path, needed: int) -> None:
    """Remove what killed processes left, and the sets unused for longest, so that with ``needed`` more all fit."""
    entries = []
    for path in _sets(parent):
        with contextlib.suppress(OSError):
            if path.name.startswith("."):
                with _alone(path.with_name(path.name[1:]), _busy):
                    shutil.rmtree(path, ignore_errors=True)
            elif not (path / _FACTS).exists():  # somebody was killed while removing it
                shutil.rmtree(path, ignore_errors=True)
            else:
                entries.append(((path / _FACTS).stat().st_mtime, _size(path), path))
    total = needed
    for _, size, path in sorted(entries, reverse=True):
        total += size
        if total > LIMIT:
            shutil.rmtree(path, ignore_errors=True)


def _busy() -> None:
    raise BlockingIOError(errno.EAGAIN, "another process is building this set")


def _sets(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if _OURS.fullmatch(path.name) and path.is_dir()]


def _size(path: Path) -> int:
    total = 0
    with contextlib.suppress(OSError):  # another process may be removing it
        for file in path.iterdir():
            total += file.stat().st_size
    return total


def _no_room(needed: int, free: int) -> OutsideError:
    held = sum(map(_size, _sets(folder())))
    older = f" ({in_words(held)} of other sets lie there and may be deleted)" if held else ""
    words = f"the pictures, decompressed, need {in_words(needed)} on the disk, {in_words(free)} are free{older}"
    return OutsideError(f"{folder()}: {words}", _WAYS_OUT)
