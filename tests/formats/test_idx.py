import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from tidepool.errors import DataError
from tidepool.formats import read

PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def idx(array: np.ndarray, code: int = 8) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def fails(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("train-images.idx3-ubyte", "train-labels-idx1-ubyte.gz"),
    ],
)
def test_labels_are_found_beside(tmp_path: Path, images: str, labels: str) -> None:
    for name, array in ((images, PIXELS), (labels, np.array([5, 6], np.uint8))):
        content = idx(array)
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    found = read(tmp_path / images)
    assert np.array_equal(found.images, PIXELS)
    assert found.labels is not None
    assert found.labels.tolist() == [5, 6]
    assert len(read(tmp_path)) == 2
    assert images in fails(tmp_path / labels)


@pytest.mark.parametrize(
    ("code", "kind"), [(8, np.uint8), (9, np.int8), (11, np.int16), (12, np.int32), (13, np.float32), (14, np.float64)]
)
def test_all_types_without_suffix(tmp_path: Path, code: int, kind: type) -> None:
    array = (PIXELS.astype(np.float64) - 12).astype(kind) if code != 8 else PIXELS
    (tmp_path / "file").write_bytes(idx(array, code))
    found = read(tmp_path / "file")
    assert np.array_equal(found.images, array)
    assert found.images.dtype == kind
    assert found.labels is None


def test_wrong_magic(tmp_path: Path) -> None:
    path = tmp_path / "a-images-idx3-ubyte"
    path.write_bytes(b"\x12\x34\x56\x78" + bytes(100))
    assert "wrong magic number 0x12345678" in fails(path)


@pytest.mark.parametrize("packed", [False, True])
def test_cut_short(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "a-images-idx3-ubyte"
    content = idx(PIXELS)[:-5]
    path.write_bytes(gzip.compress(content) if packed else content)
    message = fails(path)
    assert "cut short" in message
    assert "35 bytes found, 40 expected" in message


@pytest.mark.parametrize("packed", [False, True])
def test_two_billion_images_are_not_believed(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "a-images-idx3-ubyte"
    content = struct.pack(">BBBBIII", 0, 0, 8, 3, 2_000_000_000, 28, 28) + bytes(1000)
    path.write_bytes(gzip.compress(content) if packed else content)
    message = fails(path)
    assert "cut short" in message
    assert "2,000,000,000" in message


def test_longer_than_its_header(tmp_path: Path) -> None:
    path = tmp_path / "a-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(PIXELS) + b"more"))
    assert "longer than its header says" in fails(path)


def test_one_label_less(tmp_path: Path) -> None:
    (tmp_path / "t-images-idx3-ubyte").write_bytes(idx(PIXELS))
    (tmp_path / "t-labels-idx1-ubyte").write_bytes(idx(np.array([5], np.uint8)))
    message = fails(tmp_path / "t-images-idx3-ubyte")
    assert "labels 1, images 2" in message
    assert "header" in message
