"""Parsed files, kept so that the second reading takes milliseconds.

A parsed file lies as uncompressed arrays (NPZ, nothing pickled) under ``$TIDEPOOL_CACHE/parsed``, else
``$XDG_CACHE_HOME/tidepool/parsed``, else ``~/.cache/tidepool/parsed``. The cache only ever saves time: whatever
goes wrong with it (full disk, no permission, a broken entry), the file itself is read. Large sets of several files
lie beside it: ``tidepool.formats.mapped``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path

import numpy as np

from tidepool.files import whole
from tidepool.formats.options import Options
from tidepool.images import ImageSet, Source

# Part of every key: raise it when a reader starts to read the same bytes differently.
VERSION = 3
LIMIT = 4 << 30
# Nanoseconds between two ticks of the clock that many systems date files by.
_TICK = 10_000_000


def root() -> Path:
    """Return the folder of everything that Tidepool keeps for this user; it may not exist."""
    if told := os.environ.get("TIDEPOOL_CACHE"):
        return Path(told).expanduser()
    if told := os.environ.get("XDG_CACHE_HOME"):
        return Path(told) / "tidepool"
    return Path("~/.cache/tidepool").expanduser()


def state(path: Path) -> tuple[str, int, int, int] | None:
    """Return what tells a file from another and from itself later: its full path, size and times; None if it cannot.

    Of the times, that of the last change (ctime) is there since ``cp -p`` and archives set the other one back.
    """
    try:
        found = path.stat()
        if 0 <= time.time_ns() - found.st_mtime_ns < _TICK:
            # Changed this very moment: a second change, right after we look, might carry the same time.
            time.sleep(_TICK / 1e9)
            found = path.stat()
        return str(path.resolve()), found.st_size, found.st_mtime_ns, found.st_ctime_ns
    except (OSError, RuntimeError):
        return None


def entry(path: Path, options: Options) -> Path | None:
    """Return where ``path``, as it is now, read with ``options``, lies or would lie; None if it cannot be told."""
    now = state(path)
    if now is None:
        return None
    key = (VERSION, np.__version__, *now, options)
    return root() / "parsed" / f"{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}.npz"


def load(place: Path, name: str) -> ImageSet | None:
    """Return the set kept at ``place`` with ``name`` as its path, or None if there is none or it is broken."""
    try:
        with place.open("rb") as handle, np.load(handle, allow_pickle=False) as kept:
            labels = kept["labels"] if "labels" in kept.files else None
            source = Source(name, str(kept["format"]), str(kept["sha256"]))
            groups = kept["groups"] if "groups" in kept.files else None
            images = ImageSet(kept["images"], labels, kept["ids"], source, groups)
    except FileNotFoundError:
        return None
    except Exception:  # whatever a damaged file does to a reader, it is rebuilt
        with contextlib.suppress(OSError):
            place.unlink()
        return None
    with contextlib.suppress(OSError):
        os.utime(place)  # the oldest go first: being read makes it young
    return images


def store(place: Path, images: ImageSet) -> None:
    """Keep ``images`` at ``place``; say nothing if that fails."""
    arrays = {"images": images.images, "ids": images.ids, "labels": images.labels, "groups": images.groups}
    source = {"format": np.str_(images.source.format), "sha256": np.str_(images.source.sha256)}
    held = {name: array for name, array in arrays.items() if array is not None}
    if sum(array.nbytes for array in held.values()) > LIMIT // 2:
        return
    with contextlib.suppress(Exception):
        with whole(place) as temporary:
            np.savez(temporary, **held, **source)  # type: ignore[arg-type]
        _trim(place.parent)


def _trim(folder: Path) -> None:
    """Remove the entries that nobody has read for longest until the rest is within the limit."""
    entries = sorted(((e.stat().st_mtime, e.stat().st_size, e) for e in folder.glob("*.npz")), reverse=True)
    total = 0
    for _, size, path in entries:
        total += size
        if total > LIMIT:
            path.unlink(missing_ok=True)
