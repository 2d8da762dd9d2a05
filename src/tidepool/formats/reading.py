"""read: whatever the user points at (file, folder, glob, name of a data set), as one ImageSet."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

import numpy as np

from tidepool.errors import DataError, did_you_mean
from tidepool.formats import cache as parsed
from tidepool.formats.opening import raw_head
from tidepool.formats.options import Options
from tidepool.formats.registry import SUFFIXES, format_of, module
from tidepool.images import ImageSet, Source


def read(
    source: str | os.PathLike[str] | ImageSet,
    *,
    shape: tuple[int, int] | None = None,
    size: tuple[int, int] | None = None,
    label: str | None = None,
    cache: bool = True,
) -> ImageSet:
    """Return the pictures that ``source`` names.

    source : a file (its content tells the format), an image folder, a folder or a glob of several files (read as one
        set, 2.mat before 10.mat), the name of a data set, or an ImageSet, which is returned as it is.
        What exists on the disk wins over a name.
    shape : ``(H, W)`` of pictures that lie in flat rows, where it is not the square one.
    size : ``(H, W)`` to which the pictures of a folder are resized (Pillow's BOX filter where both sides shrink, that
        is averaging over areas; LANCZOS otherwise).
    label : the column or field that holds the labels, where it is not called label.
    cache : keep the parsed form of slow formats for the next time.

    Raises DataError for what is missing or broken, OutsideError where the network is needed and fails.
    """
    if isinstance(source, ImageSet):
        return source
    images = _found(os.fspath(source), Options(shape, size, label), cache)
    if size is not None and images.frame != tuple(size):
        height, width = images.frame
        raise DataError(
            f"{os.fspath(source)}: frames of {height}x{width} are not resized to {size[0]}x{size[1]}",
            "--size resizes picture files (PNG, JPEG, ...) as they are read; leave it out here",
        )
    return images


def _found(text: str, options: Options, cache: bool) -> ImageSet:
    """Return the set that ``text`` names: what exists on the disk first, then globs, then names."""
    path = Path(text).expanduser()
    if path.is_dir():
        return _read_directory(path, options, cache)
    if path.exists():
        return _read_file(path, options, cache)
    if glob.has_magic(text):
        found = [Path(name) for name in glob.glob(str(path))]  # noqa: PTH207 (Path.glob wants the fixed part apart)
        if not found:
            raise DataError(f"{text}: no file matches", "quote the pattern, and check the folder")
        return _read_several(found, text, options, cache)
    from tidepool import catalog

    if text in catalog.ENTRIES:
        return catalog.read(text, options, cache=cache)
    raise _missing(text, path, catalog.ENTRIES)


def natural(path: Path) -> tuple[list[tuple[int, int | str]], str]:
    """Return the key that sorts 2.mat before 10.mat."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part)) if part.isdecimal() else (1, part.lower()) for part in parts if part], str(path)


def join(parts: list[ImageSet], source: Source) -> ImageSet:
    """Return several sets as one; raise DataError, naming two of them, if frames, types or labels do not agree."""
    first = parts[0]
    for other in parts[1:]:
        names = f"{first.source.path} and {other.source.path}"
        if first.images.shape[1:] != other.images.shape[1:]:
            a, b = ("x".join(map(str, part.images.shape[1:])) for part in (first, other))
            raise DataError(f"{names}: frames {a} and {b} cannot be one set", "read them apart, or bring one to size")
        if first.images.dtype != other.images.dtype:
            raise DataError(
                f"{names}: pixels of type {first.images.dtype} and {other.images.dtype} cannot be one set",
                "convert one of them",
            )
        if (first.labels is None) != (other.labels is None):
            bare = first if first.labels is None else other
            raise DataError(f"{names}: {bare.source.path} has no labels, the other has", "all of them, or none")
    labels = None if first.labels is None else np.concatenate([p.labels for p in parts if p.labels is not None])
    # Row numbers start anew in each file: joined, they are counted through. File names stay what they are.
    named = all(part.ids is not None and part.ids.dtype.kind == "U" for part in parts)
    ids = np.concatenate([part.ids for part in parts if part.ids is not None]) if named else None
    return ImageSet(np.concatenate([part.images for part in parts]), labels, ids, source)


def _read_file(path: Path, options: Options, cache: bool) -> ImageSet:
    place = parsed.entry(path, options) if cache else None
    if place is not None and (kept := parsed.load(place, str(path))) is not None:
        return kept
    kind = format_of(path)
    images = kind.read(path, options)
    if not len(images):
        raise DataError(f"{path}: no pictures in it", "expected at least one")
    if place is not None and kind.SLOW and place == parsed.entry(path, options):
        parsed.store(place, images)
    return images


def _read_directory(path: Path, options: Options, cache: bool) -> ImageSet:
    files = [file for file in _listed(path) if file.is_file() and _is_data(file)]
    if files:
        return _read_several(files, str(path), options, cache)
    return module("folder").read(path, options)


def _read_several(paths: list[Path], name: str, options: Options, cache: bool) -> ImageSet:
    from tidepool.formats import folder, idx

    paths = sorted((p for p in paths if not p.name.startswith(".")), key=natural)
    if len(paths) == 1 and paths[0].is_dir():
        return _read_directory(paths[0], options, cache)
    files = [path for path in paths if path.is_file() and not idx.is_labels(path)]
    if not files:
        raise DataError(f"{name}: no file that holds pictures", "expected CSV, IDX, MATLAB, NPZ, Parquet or pictures")
    if all(folder.sniff(path, raw_head(path)) for path in files):
        return folder.read_files(files, name, options)
    parts = [_read_file(path, options, cache) for path in files]
    if len(parts) == 1:
        return parts[0]
    import hashlib

    digest = hashlib.sha256("".join(part.source.sha256 for part in parts).encode()).hexdigest()
    return join(parts, Source(name, parts[0].source.format, digest))


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
