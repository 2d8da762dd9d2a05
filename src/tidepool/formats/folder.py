"""Folders of pictures: one sub-folder a class (torchvision's ImageFolder layout), or flat and without labels.

Hidden files and files that are no pictures by their suffix are passed over; all-digit folder names become
whole numbers.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from pathlib import Path

import numpy as np

from tidepool.errors import DataError
from tidepool.files import disk_error
from tidepool.formats.opening import unreadable
from tidepool.formats.options import Options
from tidepool.formats.pictures import SUFFIXES, decode_all, is_picture, to_png
from tidepool.images import ImageSet, Source

NAME = "folder"
SLOW = False


def sniff(path: Path, head: bytes) -> bool:
    """Say whether this single file is a picture, which is read as a set of one."""
    return is_picture(head)


def read(path: Path, options: Options) -> ImageSet:
    """Read a folder (labels from its sub-folders), or one picture; ids are paths relative to the folder."""
    if not path.is_dir():
        return read_files([path], str(path), options)
    folders = [p for p in _listed(path) if p.is_dir()]
    loose = [p for p in _listed(path) if p.is_file() and p.suffix.lower() in SUFFIXES]
    classes = [(folder, _pictures_under(folder)) for folder in folders]
    classes = [(folder, files) for folder, files in classes if files]
    if classes and loose:
        raise DataError(
            f"{path}: pictures both beside and inside of class folders ({loose[0].name}, {classes[0][0].name}/)",
            "move each picture into the folder of its class, or all of them out",
        )
    if not classes:
        if not loose:
            raise DataError(f"{path}: no pictures in this folder", f"expected {', '.join(SUFFIXES)}, or class folders")
        return read_files(loose, str(path), options, root=path)
    files = [file for _, found in classes for file in found]
    names = [folder.name for folder, found in classes for _ in found]
    # 7 and 07 are two folders: as numbers they would be one class.
    numbers = {name: int(name) for name in names if name.isascii() and name.isdigit()}
    as_numbers = len(numbers) == len(classes) and len(set(numbers.values())) == len(classes)
    labels = np.array([numbers[name] for name in names]) if as_numbers else np.array(names)
    images = read_files(files, str(path), options, root=path)
    return ImageSet(images.images, labels, images.ids, images.source)


def read_files(files: list[Path], name: str, options: Options, root: Path | None = None) -> ImageSet:
    """Read picture files as one set without labels."""
    stack = decode_all(files, [str(file) for file in files], name, options.size)
    ids = np.array([file.relative_to(root).as_posix() if root else file.name for file in files])
    digest = hashlib.sha256()
    for file in files:
        try:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        except OSError as error:
            raise unreadable(file, error) from error
    return ImageSet(stack, ids=ids, source=Source(name, NAME, digest.hexdigest()))


def write(images: ImageSet, path: Path) -> None:
    """Write PNG files: into class folders with labels, flat without; the folder appears whole or not at all."""
    pixels = images.images
    if pixels.dtype not in (np.uint8, np.uint16) or (pixels.dtype == np.uint16 and pixels.ndim == 4):
        raise DataError(f"{path}: PNG cannot hold pixels of type {pixels.dtype}", "write .npz, which can")
    if images.channels not in (1, 3):
        raise DataError(f"{path}: {images.channels} channels, expected 1 or 3", "write .npz, which can hold them")
    classes = [] if images.labels is None else [str(label) for label in images.labels]
    for label in set(classes):
        if not label or label.startswith(".") or set(label) & set('/\\:*?"<>|\0'):
            raise DataError(f"{path}: label {label!r} cannot be the name of a folder", "write .npz or .csv")
    temporary = path.with_name(f".{secrets.token_hex(4)}-{path.name}")
    try:
        temporary.mkdir(parents=True)
        for label in set(classes):
            (temporary / label).mkdir()
        for i, (picture, name) in enumerate(zip(pixels, _names(images))):
            target = temporary / classes[i] / name if classes else temporary / name
            target.write_bytes(to_png(picture))
        _swap(temporary, path)
    except OSError as error:
        raise disk_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap(temporary: Path, path: Path) -> None:
    """Put a finished folder in the place of an old one, which is removed only then."""
    old = path.with_name(f".{secrets.token_hex(4)}-old-{path.name}")
    if path.exists() or path.is_symlink():
        path.replace(old)
    try:
        temporary.replace(path)
    except OSError:
        if old.exists():
            old.replace(path)
        raise
    if old.is_dir() and not old.is_symlink():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)


def _names(images: ImageSet) -> list[str]:
    """Return file names that sort in the order of the set: the ids where they are names of pictures, else numbers."""
    assert images.ids is not None
    stems = [Path(str(one)).stem for one in images.ids] if images.ids.dtype.kind == "U" else []
    if stems and len(set(stems)) == len(stems) and all(stems):
        return [f"{stem}.png" for stem in stems]
    digits = len(str(len(images)))
    return [f"{i + 1:0{digits}d}.png" for i in range(len(images))]


def _listed(path: Path) -> list[Path]:
    from tidepool.formats.reading import natural

    try:
        return sorted((p for p in path.iterdir() if not p.name.startswith(".")), key=natural)
    except OSError as error:
        raise unreadable(path, error) from error


def _pictures_under(folder: Path) -> list[Path]:
    return [p for p in _listed(folder) if p.is_file() and p.suffix.lower() in SUFFIXES]
