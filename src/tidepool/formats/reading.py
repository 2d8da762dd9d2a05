"""read: whatever the user points at (file, folder, glob, name of a data set), as one ImageSet."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable
from pathlib import Path

from tidepool.errors import DataError, did_you_mean
from tidepool.formats import cache as parsed
from tidepool.formats.many import Manner, Progress, read_set
from tidepool.formats.opening import raw_head
from tidepool.formats.options import Options
from tidepool.formats.registry import SUFFIXES, format_of, module
from tidepool.images import ImageSet


def read(
    source: str | os.PathLike[str] | ImageSet,
    *,
    shape: tuple[int, int] | None = None,
    size: tuple[int, int] | None = None,
    label: str | None = None,
    cache: bool = True,
    lean: bool = False,
    progress: Progress | None = None,
) -> ImageSet:
    """Return the pictures that ``source`` names.

    source : a file (its content tells the format), an image folder, a folder or a glob of several files (read as one
        set, 2.mat before 10.mat), the name of a data set, or an ImageSet, which is returned as it is.
        What exists on the disk wins over a name.
    shape : ``(H, W)`` of pictures that lie in flat rows, where it is not the square one.
    size : ``(H, W)`` to which the pictures of a folder are resized (Pillow's BOX filter where both sides shrink, that
        is averaging over areas; LANCZOS otherwise).
    label : the column or field that holds the labels, where it is not called label.
    cache : keep the parsed form of slow formats for the next time. Several files with more than 128 MB of pictures
        are decompressed once, into ``$TIDEPOOL_CACHE/sets`` (else ``~/.cache/tidepool/sets``), and their images are
        mapped from there: an array that cannot be written to and takes next to no memory of its own.
    lean : where such a large set is read without the cache, keep its pictures packed in memory: ``images`` is then a
        ``tidepool.images.Lazy``, which training takes, and no array.
    progress : called with the bytes of files that are read, those of all, and a word on what is done.

    Raises DataError for what is missing or broken, OutsideError where the network is needed and fails.
    """
    if isinstance(source, ImageSet):
        return source
    manner = Manner(cache, lean, progress or Manner.progress)
    images = _found(os.fspath(source), Options(shape, size, label), manner)
    if size is not None and images.frame != tuple(size):
        height, width = images.frame
        raise DataError(
            f"{os.fspath(source)}: frames of {height}x{width} are not resized to {size[0]}x{size[1]}",
            "--size resizes picture files (PNG, JPEG, ...) as they are read; leave it out here",
        )
    return images


def _found(text: str, options: Options, manner: Manner) -> ImageSet:
    """Return the set that ``text`` names: what exists on the disk first, then globs, then names."""
    path = Path(text).expanduser()
    if path.is_dir():
        return _read_directory(path, options, manner)
    if path.exists():
        return _read_file(path, options, manner.cache)
    if glob.has_magic(text):
        found = [Path(name) for name in glob.glob(str(path))]  # noqa: PTH207 (Path.glob wants the fixed part apart)
        if not found:
            raise DataError(f"{text}: no file matches", "quote the pattern, and check the folder")
        return _read_several(found, text, options, manner)
    from tidepool import catalog

    if text in catalog.ENTRIES:
        return catalog.read(text, options, cache=manner.cache)
    raise _missing(text, path, catalog.ENTRIES)


def natural(path: Path) -> tuple[list[tuple[int, int | str]], str]:
    """Return the key that sorts 2.mat before 10.mat."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part)) if part.isdecimal() else (1, part.lower()) for part in parts if part], str(path)


def _read_file(
    path: Path, options: Options, cache: bool, keep: Callable[[ImageSet], bool] = lambda images: True
) -> ImageSet:
    """Return the set of one file; its parsed form is kept if the cache is used and ``keep`` says so."""
    place = parsed.entry(path, options) if cache else None
    if place is not None and (kept := parsed.load(place, str(path))) is not None:
        return kept
    kind = format_of(path)
    images = kind.read(path, options)
    if not len(images):
        raise DataError(f"{path}: no pictures in it", "expected at least one")
    if place is not None and kind.SLOW and keep(images) and place == parsed.entry(path, options):
        parsed.store(place, images)
    return images


def _read_directory(path: Path, options: Options, manner: Manner) -> ImageSet:
    files = [file for file in _listed(path) if file.is_file() and _is_data(file)]
    if files:
        return _read_several(files, str(path), options, manner)
    return module("folder").read(path, options)


def _read_several(paths: list[Path], name: str, options: Options, manner: Manner) -> ImageSet:
    from tidepool.formats import folder, idx

    paths = sorted((p for p in paths if not p.name.startswith(".")), key=natural)
    if len(paths) == 1 and paths[0].is_dir():
        return _read_directory(paths[0], options, manner)
    files = [path for path in paths if path.is_file() and not idx.is_labels(path)]
    if not files:
        raise DataError(f"{name}: no file that holds pictures", "expected CSV, IDX, MATLAB, NPZ, Parquet or pictures")
    if all(folder.sniff(path, raw_head(path)) for path in files):
        return folder.read_files(files, name, options)
    if len(files) == 1:
        return _read_file(files[0], options, manner.cache)
    return read_set(files, name, options, manner, lambda path, keep: _read_file(path, options, manner.cache, keep))


def _listed(path: Path) -> list[Path]:
    from tidepool.formats.opening import unreadable

    try:
        return sorted((p for p in path.iterdir() if not p.name.startswith(".")), key=natural)
    except OSError as error:
        raise unreadable(path, error) from error


def _is_data(path: Path) -> bool:
    """Say whether a file in a folder is one to read: by suffix, since a README lies in many of them."""
    return path.name.lower().endswith(tuple(SUFFIXES))


def _missing(text: str, path: Path, names: object) -> DataError:
    looks_like_a_path = bool(path.suffix) or "/" in text or os.sep in text
    if looks_like_a_path:
        near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, near) if near else f"there is no folder {path.parent}"
        return DataError(
            f"{text}: no such file or folder", hint if hint.startswith(("did", "there")) else "check the name"
        )
    assert isinstance(names, dict)
    return DataError(f"{text}: no such file, folder or data set", did_you_mean(text, names))
