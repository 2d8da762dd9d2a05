"""What may lie beside mapped sets, what they are told apart by, and what is no reason to remove one."""

import os
from pathlib import Path

import numpy as np
import pytest

from tidepool.errors import OutsideError
from tidepool.formats import many, mapped, read, write
from tidepool.formats.options import Options
from tidepool.images import ImageSet

RNG = np.random.default_rng(0)
OPTIONS = Options(None, None, None)


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "LARGE", 1000)


def pictures(**fields: object) -> ImageSet:
    return ImageSet(RNG.integers(0, 256, (20, 12, 12)).astype(np.uint8), **fields)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    for name in "ab":
        write(pictures(labels=np.arange(20) % 3), made / f"{name}-images-idx3-ubyte")
    return made


def test_labels_in_files_of_their_own_are_read_again_when_they_change(folder: Path) -> None:
    assert read(folder).labels.tolist() == [*(np.arange(20) % 3)] * 2  # type: ignore[union-attr]
    for name in "ab":
        write(pictures(labels=np.arange(20) % 3 + 5), folder / "new-images-idx3-ubyte", force=True)
        (folder / "new-labels-idx1-ubyte").replace(folder / f"{name}-labels-idx1-ubyte")
    (folder / "new-images-idx3-ubyte").unlink()
    assert read(folder).labels.tolist() == [*(np.arange(20) % 3 + 5)] * 2  # type: ignore[union-attr]
    for name in "ab":
        (folder / f"{name}-labels-idx1-ubyte").unlink()
    assert read(folder).labels is None


def test_links_to_the_same_pictures_have_the_labels_beside_the_links(folder: Path, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    for name in "ab":
        (links / f"{name}-images-idx3-ubyte").symlink_to(folder / f"{name}-images-idx3-ubyte")
    assert read(folder).labels is not None
    assert read(links).labels is None


def test_files_that_were_changed_and_dated_back_are_another_set(tmp_path: Path) -> None:
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", pictures().images)
    paths = sorted(tmp_path.glob("*.npy"))
    before = mapped.entry(paths, OPTIONS)
    assert before == mapped.entry(paths, OPTIONS)
    times = paths[0].stat()
    np.save(paths[0], pictures().images)
    os.utime(paths[0], ns=(times.st_atime_ns, times.st_mtime_ns))
    assert paths[0].stat().st_size == times.st_size
    assert mapped.entry(paths, OPTIONS) != before


def test_groups_of_any_whole_type_are_joined(tmp_path: Path) -> None:
    for name, kind in (("a", np.uint64), ("b", np.int64)):
        write(pictures(groups=np.arange(20).astype(kind)), tmp_path / f"{name}.parquet")
    found = read(tmp_path)
    assert found.groups is not None
    assert found.groups.dtype == np.int64
    assert found.groups.tolist() == [*range(20), *range(20)]


def test_nothing_is_removed_but_what_is_ours(folder: Path) -> None:
    theirs = mapped.folder() / ".git"
    half_removed, being_written = (mapped.folder() / f"{dot}{'0' * 32}" for dot in ("", "."))
    for place in (theirs, half_removed, being_written):
        place.mkdir(parents=True)
        (place / "images.npy").write_bytes(b"something")
    read(folder)
    assert (theirs / "images.npy").exists()
    assert not half_removed.exists()
    assert not being_written.exists()


@pytest.mark.parametrize("error", [MemoryError(), OSError(12, "Cannot allocate memory"), PermissionError(13, "no")])
def test_a_set_that_cannot_be_mapped_now_is_not_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(path: Path) -> None:
        raise error

    read(folder)
    with monkeypatch.context() as patch:
        patch.setattr(mapped, "_map", refuse)
        with pytest.raises(OutsideError, match=r"the pictures of .*data cannot be mapped"):
            read(folder)
    monkeypatch.setattr("tidepool.formats.idx.read", None)  # it would fail if it were called
    assert len(read(folder)) == 40
