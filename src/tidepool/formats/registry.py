"""The formats that there are, and which of them a file is: told by its content, never by its name alone."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Protocol

from tidepool.errors import DataError
from tidepool.formats.opening import unpacked_head
from tidepool.formats.options import Options
from tidepool.images import ImageSet


class Format(Protocol):
    """What each module of a format offers."""

    NAME: str
    SLOW: bool

    def sniff(self, path: Path, head: bytes) -> bool:
        """Say whether a file whose (unpacked) content starts with ``head`` is of this format."""

    def read(self, path: Path, options: Options) -> ImageSet:
        """Read it; raise DataError where it is broken or no set of pictures."""

    def write(self, images: ImageSet, path: Path) -> None:
        """Write it; raise DataError where the format cannot hold the set."""


# In the order of asking: those with a signature first, text last.
NAMES = ("npz", "parquet", "mat", "folder", "idx", "csv")
# Longest first, so that .csv.gz is not taken for .gz.
SUFFIXES = {
    "-ubyte.gz": "idx",
    "-ubyte": "idx",
    ".csv.gz": "csv",
    ".csv.zip": "csv",
    ".csv": "csv",
    ".mat": "mat",
    ".npz": "npz",
    ".npy": "npz",
    ".parquet": "parquet",
}
WRITABLE = ".csv, .csv.gz, .csv.zip, *-images-idx3-ubyte(.gz), .mat, .npz, .npy, .parquet, or no suffix for a folder"


def module(name: str) -> Format:
    """Import and return the format called ``name``."""
    found: Format = importlib.import_module(f"tidepool.formats.{name}")
    return found


def format_of(path: Path) -> Format:
    """Return the format of an existing file, by content; raise DataError if it is none that we know."""
    head = unpacked_head(path)
    if not head:
        raise DataError(f"{path}: empty file (nothing in the gzip)", "was the download or the copy interrupted?")
    for name in NAMES:
        if module(name).sniff(path, head):
            return module(name)
    raise DataError(
        f"{path}: not a format that can be read (it starts with {head[:8]!r})",
        "readable: CSV, IDX, MATLAB, NPZ, NPY, Parquet, pictures, folders of pictures",
    )


def format_for(path: Path) -> Format:
    """Return the format in which ``path`` is to be written, by suffix; raise DataError for an unknown suffix."""
    name = path.name.lower()
    for suffix, found in SUFFIXES.items():
        if name.endswith(suffix) and name != suffix:
            return module(found)
    if path.suffix:
        raise DataError(f"{path}: no format is written with the suffix '{path.suffix}'", f"writable: {WRITABLE}")
    return module("folder")
