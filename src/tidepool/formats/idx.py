"""IDX, the format of MNIST: yann.lecun.com/exdb/mnist, "FILE FORMATS FOR THE MNIST DATABASE".

Two zero bytes, a code for the type, the number of axes, the size of each axis as big-endian uint32, then the values,
last axis fastest. Labels lie in a file of their own beside the pictures, found by its name.
"""

from __future__ import annotations

import gzip
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tidepool.errors import DataError
from tidepool.files import whole
from tidepool.formats.opening import GZIP, raw_head, sha256_of, stream, unpacked_head, unreadable
from tidepool.formats.options import Options
from tidepool.images import Array, ImageSet, Source, labels_mismatch

NAME = "idx"
SLOW = False
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
# deflate packs at most 1032 to 1 (zlib, "Technical Details"): a file that claims more is lying.
_RATIO = 1032


def sniff(path: Path, head: bytes) -> bool:
    """Say whether the content starts as IDX does, or the name claims that it is IDX."""
    magic = len(head) >= 4 and head[:2] == b"\0\0" and head[2] in TYPES and 1 <= head[3] <= 4
    return magic or path.name.removesuffix(".gz").endswith("ubyte")


def is_labels(path: Path) -> bool:
    """Say whether this is a file of labels by its name, which is read along with its pictures."""
    return "labels" in path.name and "ubyte" in path.name


def read(path: Path, options: Options) -> ImageSet:
    """Read the pictures ``[N, H, W]`` (or ``[N, H, W, C]``) and the labels beside them, if they are there."""
    images = read_array(path)
    if images.ndim == 1:
        beside = [p for p in _partners(path, "labels", "images") if p.is_file()]
        hint = f"give the pictures instead: {beside[0]}" if beside else "give the file with the pictures (images-idx3)"
        raise DataError(f"{path}: these are labels ({len(images)} of them), not pictures", hint)
    if images.ndim == 2:
        from tidepool.formats.frames import unflatten

        images = unflatten(images, options.shape, str(path))
    source = Source(str(path), NAME, sha256_of(path))
    for place in _partners(path, "images", "labels"):
        if place.is_file():
            labels = read_array(place)
            if labels.ndim != 1:
                raise DataError(f"{place}: {labels.ndim} axes, expected one: labels", "are the two names swapped?")
            if len(labels) != len(images):
                raise labels_mismatch(len(labels), len(images), str(place))
            return ImageSet(images, labels, source=source)
    return ImageSet(images, source=source)


def read_array(path: Path) -> Array:
    """Return the array of one IDX file; raise DataError, before anything is allocated, if its size cannot be true."""
    head = unpacked_head(path)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in TYPES or not 1 <= head[3] <= 4:
        raise DataError(
            f"{path}: wrong magic number 0x{head[:4].hex()}, expected 0x00000803 (pictures) or 0x00000801 (labels)",
            "is this an IDX file?",
        )
    axes = head[3]
    start = 4 + 4 * axes
    if len(head) < start:
        raise DataError(f"{path}: cut short in its header ({len(head)} bytes, expected {start})", "fetch it again")
    shape = tuple(int(n) for n in np.frombuffer(head, ">u4", axes, 4))
    kind = np.dtype(TYPES[head[2]])
    expected = start + prod(shape) * kind.itemsize
    packed = raw_head(path).startswith(GZIP)
    size = path.stat().st_size
    if (packed and expected > size * _RATIO + 4096) or (not packed and expected != size):
        raise _wrong_size(path, shape, size, expected, packed)
    # A bytearray that grows with what really comes: the claim in the header is never allocated.
    content = bytearray()
    try:
        for block in stream(path):
            content += block
            if len(content) > expected:
                break
    except OSError as error:
        raise unreadable(path, error) from error
    if len(content) != expected:
        raise _wrong_size(path, shape, len(content), expected, packed=False)
    return np.frombuffer(content, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="), copy=False)


def write(images: ImageSet, path: Path) -> None:
    """Write the pictures to ``path`` and the labels beside it; only whole-number labels 0..255 fit into IDX."""
    code = next((c for c, t in TYPES.items() if np.dtype(t) == images.images.dtype.newbyteorder(">")), None)
    if code is None:
        raise DataError(f"{path}: IDX cannot hold pixels of type {images.images.dtype}", "write .npz, which can")
    partner = _partners(path, "images", "labels")
    if images.labels is not None:
        if not partner:
            raise DataError(f"{path}: no place for the labels", "name it like train-images-idx3-ubyte(.gz)")
        labels = images.labels
        if labels.dtype.kind != "i" or (len(labels) and not 0 <= labels.min() <= labels.max() <= 255):
            raise DataError(f"{path}: IDX labels are whole numbers 0..255, these are not", "write .npz or .csv")
        with whole(partner[0]) as temporary:
            _write_array(labels.astype(np.uint8), 0x08, temporary, packed=path.suffix == ".gz")
    with whole(path) as temporary:
        _write_array(images.images, code, temporary, packed=path.suffix == ".gz")


def partner_of(path: Path) -> Path | None:
    """Return where the labels of the pictures at ``path`` are written, or None if its name does not tell."""
    return next(iter(_partners(path, "images", "labels")), None)


def _write_array(array: Array, code: int, path: Path, packed: bool) -> None:
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    body = np.ascontiguousarray(array, dtype=TYPES[code])

    def fill(handle: BinaryIO) -> None:
        handle.write(header)
        handle.write(body.data)

    with path.open("wb") as raw:
        if packed:
            # No name and no time inside: the same pictures give the same bytes.
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as handle:
                fill(handle)  # type: ignore[arg-type]
        else:
            fill(raw)


def _partners(path: Path, have: str, want: str) -> list[Path]:
    """Return the names under which the other file of the pair may lie, likeliest first."""
    if have not in path.name:
        return []
    axes = ("idx3", "idx1") if want == "labels" else ("idx1", "idx3")
    stem = path.name.replace(have, want).replace(*axes).removesuffix(".gz")
    other = stem.replace(".idx", "-idx") if ".idx" in stem else stem.replace("-idx", ".idx")
    packed, plain = ([f"{s}.gz" for s in (stem, other)], [stem, other])
    both = (
        [packed[0], plain[0], packed[1], plain[1]]
        if path.suffix == ".gz"
        else [plain[0], packed[0], plain[1], packed[1]]
    )
    return [path.with_name(name) for name in dict.fromkeys(both)]


def _wrong_size(path: Path, shape: tuple[int, ...], found: int, expected: int, packed: bool) -> DataError:
    frame = " x ".join(f"{n:,}" for n in shape)
    how = f"{found:,} bytes packed" if packed else f"{found:,} bytes found" if found < expected else "more bytes follow"
    what = "cut short" if found < expected else "longer than its header says"
    return DataError(
        f"{path}: {what}: {how}, {expected:,} expected for {frame}", "was the download interrupted? fetch it again"
    )
