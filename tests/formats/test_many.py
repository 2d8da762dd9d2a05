"""Large sets of several files: mapped from the disk, or packed in memory, as one set."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tidepool.errors import DataError, OutsideError
from tidepool.formats import many, mapped, read, reading
from tidepool.images import ImageSet, Lazy

RNG = np.random.default_rng(0)
COUNTS = (30, 20, 40)


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "LARGE", 1000)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with 1.mat, 2.mat, 10.mat of 30, 20, 40 pictures of 12x12."""
    folder = tmp_path / "data3"
    folder.mkdir()
    for name, count in zip((1, 2, 10), COUNTS):
        save(folder / f"{name}.mat", count)
    return folder


def save(path: Path, count: int, frame: int = 12, labels: bool = True) -> None:
    fields = {"images": RNG.integers(0, 256, (count, frame, frame)).astype(np.uint8)}
    if labels:
        fields["labels"] = np.arange(count)[:, None] % 3
    savemat(path, fields)


def plain(source: object, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    """Read as small sets are read."""
    with monkeypatch.context() as patch:
        patch.setattr(many, "LARGE", 1 << 30)
        return read(str(source), cache=False)


def same(one: ImageSet, two: ImageSet) -> None:
    assert one.images.dtype == two.images.dtype
    np.testing.assert_array_equal(one.images[:], two.images[:])
    for field in ("labels", "ids", "groups"):
        np.testing.assert_array_equal(getattr(one, field), getattr(two, field))
    assert one.source == two.source


def sets() -> list[Path]:
    return [path for path in mapped.folder().iterdir() if path.is_dir()]


def is_mapped(images: ImageSet) -> bool:
    import mmap

    base = images.images
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap)


def test_a_large_set_is_decompressed_once_and_mapped(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read(files)
    same(first, plain(files, monkeypatch))
    assert is_mapped(first)
    assert not first.images.flags.writeable
    assert is_mapped(first.select(slice(5, 50)))  # no copy
    monkeypatch.setattr("tidepool.formats.mat.read", None)  # it would fail if it were called
    same(read(files), first)
    same(read(f"{files}/*.mat"), read(f"{files}/*.mat", cache=True))
    assert len(sets()) == 1
    assert not (mapped.folder().parent / "parsed").exists()  # not kept twice


def test_small_sets_stay_in_memory(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "LARGE", 1 << 20)
    found = read(files)
    assert found.images.flags.writeable
    assert not mapped.folder().exists()
    with monkeypatch.context() as patch:
        patch.setattr("tidepool.formats.mat.read", None)
        same(read(files), found)  # each file's parsed form was kept


def test_only_one_file_is_in_memory_at_a_time(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[np.ndarray]] = []  # type: ignore[type-arg]
    most = 0
    real = reading.format_of

    def watched(path: Path):  # type: ignore[no-untyped-def]
        nonlocal most
        gc.collect()
        most = max(most, sum(ref() is not None for ref in alive))

        class Kind:
            SLOW = False

            @staticmethod
            def read(path: Path, options: object) -> ImageSet:
                found = real(path).read(path, options)  # type: ignore[arg-type]
                alive.append(weakref.ref(found.images))
                return found

        return Kind

    monkeypatch.setattr(reading, "format_of", watched)
    read(files)
    assert len(alive) == 3
    # When a file is about to be read, none of those before it is left.
    assert most == 0


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("lean", [True, False])
def test_a_file_that_does_not_agree_is_named_with_the_one_it_differs_from(files: Path, cache: bool, lean: bool) -> None:
    save(files / "11.mat", 5, frame=14)
    with pytest.raises(DataError, match=r"1\.mat and .*11\.mat: frames 12x12 and 14x14"):
        read(files, cache=cache, lean=lean)
    save(files / "11.mat", 5, labels=False)
    with pytest.raises(DataError, match=r"1\.mat and .*11\.mat: .*11\.mat has no labels"):
        read(files, cache=cache, lean=lean)
    savemat(files / "11.mat", {"images": RNG.random((5, 12, 12)), "labels": np.ones((5, 1))})
    with pytest.raises(DataError, match=r"11\.mat: pixels of type uint8 and float64"):
        read(files, cache=cache, lean=lean)
    assert not mapped.folder().exists() or not sets()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other_frame(path: Path) -> None:
    content = path.read_bytes()
    assert content.count(b"(90, 12, 12)") == 1
    path.write_bytes(content.replace(b"(90, 12, 12)", b"(45, 24, 12)"))


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (cut, "images.npy"),
        (empty, "images.npy"),
        (other_frame, "images.npy"),
        (cut, "labels.npy"),
        (Path.unlink, "labels.npy"),
        (Path.unlink, "set.json"),
        (empty, "set.json"),
    ],
)
def test_a_damaged_set_is_built_again(files: Path, monkeypatch: pytest.MonkeyPatch, damage, name: str) -> None:  # type: ignore[no-untyped-def]
    read(files)
    (place,) = sets()
    damage(place / name)
    same(read(files), plain(files, monkeypatch))
    assert sets() == [place]
    monkeypatch.setattr("tidepool.formats.mat.read", None)
    assert len(read(files)) == 90


def test_a_set_larger_than_memory_is_read_without_its_surroundings(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped, "available_memory", lambda: 1000)
    advised = []

    class Pages(mapped.mmap.mmap):  # type: ignore[misc]
        def madvise(self, advice: int) -> None:
            advised.append(advice)
            super().madvise(advice)

    monkeypatch.setattr("mmap.mmap", Pages)
    same(read(files), plain(files, monkeypatch))
    assert advised == [mapped.mmap.MADV_RANDOM]


def test_changed_files_are_another_set(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read(files)
    save(files / "2.mat", 25)
    after = read(files)
    assert len(after) == 95
    same(after, plain(files, monkeypatch))
    assert len(before.images[:]) == 90  # still mapped


def test_groups_and_names_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "named"
    folder.mkdir()
    for number in range(3):
        ids = np.array([f"{number}-{i}" for i in range(20)])
        np.savez(folder / f"{number}.npz", images=RNG.integers(0, 256, (20, 12, 12)).astype(np.uint8), ids=ids)
    real = reading.format_of

    def grouped(path: Path):  # type: ignore[no-untyped-def]
        class Kind:
            SLOW = True

            @staticmethod
            def read(path: Path, options: object) -> ImageSet:
                found = real(path).read(path, options)  # type: ignore[arg-type]
                return ImageSet(found.images, found.labels, found.ids, found.source, np.arange(20))

        return Kind

    monkeypatch.setattr(reading, "format_of", grouped)
    for found in (read(folder), read(folder), read(folder, cache=False, lean=True), plain(folder, monkeypatch)):
        assert found.ids is not None
        assert found.ids[[0, 20, 59]].tolist() == ["0-0", "1-0", "2-19"]
        np.testing.assert_array_equal(found.groups, np.tile(np.arange(20), 3))
    read(folder / "1.npz")
    monkeypatch.setattr(reading, "format_of", None)
    np.testing.assert_array_equal(read(folder / "1.npz").groups, np.arange(20))  # from the cache of parsed files


def test_without_the_cache_a_large_set_is_packed(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(files, cache=False, lean=True)
    assert isinstance(found.images, Lazy)
    same(found, plain(files, monkeypatch))
    assert not mapped.folder().exists()
    # Whoever does not ask for it gets an array.
    assert isinstance(read(files, cache=False).images, np.ndarray)


def test_packing_what_memory_cannot_hold_is_refused(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "available_memory", lambda: 6000)
    with pytest.raises(OutsideError, match=r"need 1 MB of memory, 1 MB are free") as caught:
        read(files, cache=False, lean=True)
    assert "--no-cache" in caught.value.hint


def test_progress_runs_from_nothing_to_all(files: Path) -> None:
    heard: list[tuple[int, int, str]] = []
    read(files, progress=lambda *told: heard.append(told))
    total = sum(file.stat().st_size for file in files.iterdir())
    assert [told[1] for told in heard] == [total] * len(heard)
    assert [told[0] for told in heard] == sorted(told[0] for told in heard)
    assert (heard[0][0], heard[-1][0]) == (0, total)
    assert str(mapped.folder()) in heard[-1][2]
    heard.clear()
    read(files, progress=lambda *told: heard.append(told))
    assert not heard  # nothing to wait for
