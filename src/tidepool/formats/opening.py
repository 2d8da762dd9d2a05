"""Bytes of files, packed or not: look at the start, stream the rest, tell a cut or broken file from a good one.

gzip is RFC 1952 (several members one after another are one stream); zip is PKWARE's APPNOTE.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tidepool.errors import DataError, OutsideError

T = TypeVar("T")
HEAD = 65536
GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
_IN, _OUT = 1 << 20, 1 << 24


def raw_head(path: Path) -> bytes:
    """Return the first bytes of a file as they stand; raise DataError for a missing or empty file."""
    try:
        with path.open("rb") as handle:
            head = handle.read(HEAD)
    except OSError as error:
        raise unreadable(path, error) from error
    if not head:
        raise DataError(f"{path}: empty file (0 bytes)", "was the download or the copy interrupted?")
    return head


def unpacked_head(path: Path) -> bytes:
    """Return the first bytes of what a file holds: of the content if it is gzipped, else of the file."""
    head = raw_head(path)
    if not head.startswith(GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD)
    except zlib.error as error:
        raise _broken(path, "gzip", error) from error


def unreadable(path: Path, error: OSError) -> DataError | OutsideError:
    """Turn an OSError met while opening ``path`` into one clear line."""
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: no such file", "check the name and the folder")
    if isinstance(error, IsADirectoryError):
        return DataError(f"{path}: is a folder, expected a file")
    return OutsideError(f"{path}: cannot be read ({error.strerror or error})", "check its permissions and the disk")


def reason(error: BaseException) -> str:
    """Return an error of a library as a few words that fit into our one line."""
    text = (str(error).splitlines() or [""])[0] or type(error).__name__
    return text if len(text) <= 100 else text[:99] + "…"


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def stream(path: Path) -> Iterator[bytes]:
    """Yield what a file holds in blocks of a few megabytes: plain, gzipped, or the one member of a zip file."""
    head = raw_head(path)
    if head.startswith(GZIP):
        yield from _gunzip(path)
    elif head.startswith(ZIP):
        yield from _unzip(path)
    else:
        with path.open("rb") as handle:
            while block := handle.read(_OUT):
                yield block


def ahead(blocks: Iterator[T]) -> Generator[T, None, None]:
    """Yield ``blocks``, with the next one always being made on another thread; close it where it is left early."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = pool.submit(next, blocks, None)
            yield block


def _gunzip(path: Path) -> Iterator[bytes]:
    unpack = zlib.decompressobj(wbits=31)
    with path.open("rb") as handle:
        packed = handle.read(_IN)
        while packed:
            try:
                block = unpack.decompress(packed, _OUT)
            except zlib.error as error:
                raise _broken(path, "gzip", error) from error
            if block:
                yield block
            if unpack.eof:
                packed = unpack.unused_data.lstrip(b"\0") or handle.read(_IN).lstrip(b"\0")
                if packed:
                    unpack = zlib.decompressobj(wbits=31)
            else:
                packed = unpack.unconsumed_tail or handle.read(_IN)
    if not unpack.eof:
        raise DataError(f"{path}: the gzip stream is cut short", "was the download interrupted? fetch the file again")


def _unzip(path: Path) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
            if len(members) != 1:
                names = ", ".join(m.filename for m in members[:4]) or "none"
                raise DataError(
                    f"{path}: {len(members)} files in the zip ({names}), expected one", "unpack it and name one of them"
                )
            with archive.open(members[0]) as handle:
                while block := handle.read(_OUT):
                    yield block
    except (DataError, MemoryError):
        raise
    except Exception as error:  # damaged names, sizes, sums: zipfile raises many kinds
        raise _broken(path, "zip", error) from error


def _broken(path: Path, kind: str, error: Exception) -> DataError:
    return DataError(
        f"{path}: broken {kind} file ({reason(error)})", "was the download interrupted? fetch the file again"
    )
