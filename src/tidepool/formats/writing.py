"""write: a set of pictures as a file (or a folder) whose format goes by its suffix."""

from __future__ import annotations

import os
from pathlib import Path

from tidepool.errors import DataError
from tidepool.files import refuse_existing
from tidepool.formats import idx
from tidepool.formats.registry import format_for
from tidepool.images import ImageSet


def write(images: ImageSet, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write ``images`` to ``path``; what appears is whole.

    By suffix: .csv(.gz|.zip), *-images-idx3-ubyte(.gz) with the labels beside it, .mat (affNIST's struct), .npz, .npy,
    .parquet; no suffix: a folder of PNG files, in class folders if there are labels.

    Raises DataError for an unknown suffix or what the format cannot hold, InputError if ``path`` exists and
    ``force`` is not given, OutsideError if the disk refuses.
    """
    target = Path(path).expanduser()
    kind = format_for(target)
    if not len(images):
        raise DataError(f"{target}: no pictures to write")
    refuse_existing(target, force)
    if kind.NAME == "idx" and images.labels is not None and (partner := idx.partner_of(target)) is not None:
        refuse_existing(partner, force)
    if target.is_dir() and kind.NAME != "folder":
        raise DataError(f"{target}: is a folder, expected the name of a file")
    if kind.NAME == "folder" and target.is_dir() and not _is_ours(target):
        raise DataError(
            f"{target}: holds more than pictures, so it is not overwritten", "give the name of a new folder"
        )
    kind.write(images, target)


def _is_ours(folder: Path) -> bool:
    """Say whether a folder holds pictures and class folders only: --force must not remove anything else."""
    from tidepool.formats.pictures import SUFFIXES

    depth_one = list(folder.iterdir())
    files = [p for p in depth_one if not p.is_dir()] + [q for p in depth_one if p.is_dir() for q in p.iterdir()]
    return all(p.is_file() and p.suffix.lower() in SUFFIXES for p in files)
