import errno
import os
from pathlib import Path

import numpy as np
import pytest

from tidepool.errors import DataError, InputError, OutsideError
from tidepool.formats import cache as parsed
from tidepool.formats import read, write
from tidepool.images import ImageSet

RNG = np.random.default_rng(0)
NUMBERS = np.sort(np.arange(12) % 4)
TEXTS = np.array(["a", "b", "ü, é"] * 4)
TEXTS.sort()
FILES = [".csv", ".csv.gz", ".csv.zip", "-images-idx3-ubyte", "-images-idx3-ubyte.gz", ".mat", ".npz", ".parquet", ""]


def same(one: ImageSet, two: ImageSet) -> None:
    assert np.array_equal(one.images, two.images)
    assert one.images.dtype == two.images.dtype
    assert (one.labels is None) == (two.labels is None)
    if one.labels is not None and two.labels is not None:
        assert np.array_equal(one.labels, two.labels)


@pytest.mark.parametrize("suffix", [*FILES, ".npy"])
@pytest.mark.parametrize("frame", [(6, 6), (6, 9), (5, 5, 3)])
@pytest.mark.parametrize("labels", [None, NUMBERS, TEXTS], ids=["none", "numbers", "texts"])
def test_exact(tmp_path: Path, suffix: str, frame: tuple[int, ...], labels: np.ndarray | None) -> None:
    images = ImageSet(RNG.integers(0, 256, (12, *frame)).astype(np.uint8), labels)
    cannot = (suffix == ".npy" and labels is not None) or ("ubyte" in suffix and labels is TEXTS)
    path = tmp_path / f"set{suffix}"
    if cannot:
        with pytest.raises(DataError, match="labels"):
            write(images, path)
        assert not path.exists()
        return
    write(images, path)
    same(images, read(path))
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".") and p.name != ".cache"]


@pytest.mark.parametrize("suffix", ["-images-idx3-ubyte", ".mat", ".npz", ".parquet"])
def test_floats_are_exact(tmp_path: Path, suffix: str) -> None:
    images = ImageSet(RNG.random((12, 6, 6)).astype(np.float32), NUMBERS)
    write(images, tmp_path / f"set{suffix}")
    same(images, read(tmp_path / f"set{suffix}"))


@pytest.mark.parametrize("suffix", ["", ".mat", ".npz", ".parquet"])
def test_sixteen_bits_are_exact(tmp_path: Path, suffix: str) -> None:
    images = ImageSet(RNG.integers(0, 65536, (12, 6, 6)).astype(np.uint16), NUMBERS)
    write(images, tmp_path / f"set{suffix}")
    same(images, read(tmp_path / f"set{suffix}"))


@pytest.mark.parametrize("suffix", [".csv", ""])
def test_floats_do_not_fit(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(DataError, match=r"\.npz"):
        write(ImageSet(RNG.random((2, 4, 4))), tmp_path / f"set{suffix}")


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_ids_are_kept(tmp_path: Path, suffix: str) -> None:
    images = ImageSet(np.zeros((2, 3, 3), np.uint8), ids=np.array(["one", "two"]))
    write(images, tmp_path / f"a{suffix}")
    assert read(tmp_path / f"a{suffix}").ids.tolist() == ["one", "two"]  # type: ignore[union-attr]


def test_unknown_suffix_and_existing_file(tmp_path: Path) -> None:
    images = ImageSet(np.zeros((2, 3, 3), np.uint8), np.array([0, 1]))
    with pytest.raises(DataError, match=r"\.parquet"):
        write(images, tmp_path / "a.xyz")
    for name in ("a.npz", "folder"):
        write(images, tmp_path / name)
        with pytest.raises(InputError, match="exists already"):
            write(images, tmp_path / name)
        write(images, tmp_path / name, force=True)
        same(images, read(tmp_path / name))


def test_force_never_removes_a_folder_of_other_things(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    with pytest.raises(DataError, match="holds more than pictures"):
        write(ImageSet(np.zeros((2, 3, 3), np.uint8)), tmp_path / "home", force=True)
    assert (tmp_path / "home" / "thesis.tex").exists()


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("name", ["a.csv", "a.npz", "a.mat", "a.parquet", "a-images-idx3-ubyte", "folder"])
def test_a_full_disk_is_one_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("os.fsync", full)
    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OutsideError, match="disk is full"):
        write(ImageSet(np.zeros((2, 3, 3), np.uint8)), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_size_is_for_picture_files_only(tmp_path: Path) -> None:
    write(ImageSet(np.zeros((2, 3, 3), np.uint8)), tmp_path / "a.npz")
    with pytest.raises(DataError, match="3x3 are not resized to 5x5"):
        read(tmp_path / "a.npz", size=(5, 5))


@pytest.mark.parametrize("suffix", [suffix for suffix in FILES if suffix])
def test_a_damaged_file_is_a_set_or_one_clear_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"set{suffix}"
    write(ImageSet(RNG.integers(0, 256, (12, 6, 6)).astype(np.uint8), NUMBERS), path)
    whole = path.read_bytes()
    damaged = [whole[:at] for at in range(1, len(whole), max(1, len(whole) // 12))]
    damaged += [whole[:at] + b"\r\x1f\xff" + whole[at + 3 :] for at in (0, 1, 5, 20, len(whole) // 2)]
    messages = []
    for content in damaged:
        path.write_bytes(content)
        try:
            read(path, cache=False)
        except DataError as error:
            messages.append(error.message)
    assert messages
    assert all(path.name in message and "\n" not in message for message in messages)


def make(path: Path, value: int) -> Path:
    path.write_text("label,p0,p1,p2,p3\n" + f"1,{value},0,0,0\n")
    return path


def test_cache_is_used_and_noticed_when_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "a.csv", 5)
    first = read(path)
    (entry,) = (tmp_path / ".cache" / "parsed").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr("tidepool.formats.csv.read", None)  # it would fail if it were called
        again = read(path)
    same(first, again)
    assert again.source == first.source
    entry.write_bytes(entry.read_bytes()[:100])
    same(first, read(path))
    make(path, 6)
    os.utime(path, ns=(1, 1))
    assert read(path).images[0, 0, 0] == 6


def test_cache_that_cannot_be_written_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    monkeypatch.setenv("TIDEPOOL_CACHE", str(tmp_path / "blocked"))
    assert len(read(make(tmp_path / "a.csv", 5))) == 1


def test_cache_off_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(make(tmp_path / "a.csv", 5), cache=False)
    assert not (tmp_path / ".cache").exists()
    monkeypatch.setattr(parsed, "LIMIT", 4000)
    for i in range(6):
        read(make(tmp_path / f"{i}.csv", i))
    kept = list((tmp_path / ".cache" / "parsed").iterdir())
    assert 1 <= len(kept) < 6


def test_what_is_read_as_it_is(tmp_path: Path) -> None:
    images = ImageSet(np.zeros((2, 3, 3), np.uint8))
    assert read(images) is images
    with pytest.raises(DataError, match="no file matches"):
        read(tmp_path / "*.mat")
    (tmp_path / "a.bin").write_bytes(b"\x01\x02\x03")
    with pytest.raises(DataError, match="not a format that can be read"):
        read(tmp_path / "a.bin")
