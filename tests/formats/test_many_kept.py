"""Where large sets are kept on the disk: the room for them, which go first, what was left behind, two at once."""

from __future__ import annotations

import errno
import os
import threading
from collections import namedtuple
from pathlib import Path

import pytest
from test_many import _all_are_large, files, same, save, sets  # noqa: F401

from tidepool.errors import DataError, OutsideError
from tidepool.formats import many, mapped, read, reading
from tidepool.images import ImageSet

# ruff: noqa: F811  (the fixtures are those of test_many)
Usage = namedtuple("Usage", "total used free")


def test_no_room_says_how_much_is_needed_and_names_both_ways_out(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "LARGE", 5000)
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10**10, 10**10, 4000))
    with pytest.raises(OutsideError, match=r"need .* on the disk, 1 MB are free") as caught:
        read(files)
    assert str(mapped.folder()) in caught.value.message
    assert "TIDEPOOL_CACHE=" in caught.value.hint
    assert "--no-cache" in caught.value.hint
    assert caught.value.exit_code == 4
    assert not sets()


def test_what_is_needed_is_foreseen_from_the_first_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        save(tmp_path / f"{number}.mat", 40)
    asked = []
    monkeypatch.setattr(mapped, "_trim", lambda parent, needed: asked.append(needed))
    read(tmp_path / "*.mat")
    assert asked[0] == pytest.approx(20 * 40 * 144, rel=0.1)


def test_a_disk_that_fills_up_on_the_way(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutsideError, match=r"on the disk, .* are free"):
        read(files)
    assert not sets()


def test_a_cache_that_cannot_be_written(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    monkeypatch.setenv("TIDEPOOL_CACHE", str(tmp_path / "blocked"))
    with pytest.raises(OutsideError, match=r"blocked/sets: the pictures of .*data3 cannot be kept there") as caught:
        read(files)
    assert "--no-cache" in caught.value.hint


def test_an_error_on_the_way_leaves_nothing(files: Path) -> None:
    (files / "11.mat").write_bytes((files / "10.mat").read_bytes()[:700])
    with pytest.raises(DataError, match=r"11\.mat: broken"):
        read(files)
    assert not sets()


def test_the_sets_used_least_go_first(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def place() -> Path:
        found = mapped.entry(sorted(files.glob("*.mat"), key=reading.natural), reading.Options())
        assert found is not None
        return found

    read(files)
    places = [place()]
    for step in (1, 2):
        save(files / "2.mat", 20 + step)
        read(files)
        places.append(place())
    assert len(sets()) == 3
    # The first is used again, so the second is the oldest.
    for age, path in ((10, places[0]), (30, places[1]), (20, places[2])):
        os.utime(path / "set.json", (1e9 - age, 1e9 - age))
    assert mapped.load(places[0], "x") is not None
    monkeypatch.setattr(mapped, "LIMIT", int(3.5 * 90 * 150))
    save(files / "2.mat", 24)
    read(files)
    assert set(sets()) == {places[0], places[2], place()}


def test_what_a_killed_process_left_is_removed(files: Path, tmp_path: Path) -> None:
    left = mapped.folder() / ("." + 32 * "0")
    left.mkdir(parents=True)
    (left / "images.npy").write_bytes(b"half")
    read(files)
    assert not left.exists()
    assert len(sets()) == 1


def test_two_at_once_build_it_once(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fcntl")
    inside, go_on, said = threading.Event(), threading.Event(), []
    real = mapped._write

    def slow(*arguments):  # type: ignore[no-untyped-def]
        inside.set()
        assert go_on.wait(10)
        real(*arguments)

    monkeypatch.setattr(mapped, "_write", slow)
    found: list[ImageSet] = []
    first = threading.Thread(target=lambda: found.append(read(files)))
    first.start()
    assert inside.wait(10)
    monkeypatch.setattr(mapped, "_write", None)  # it would fail if it were called

    def hear(done: int, total: int, what: str) -> None:
        if "waiting" in what:
            said.append(what)
            go_on.set()

    second = read(files, progress=hear)
    first.join()
    same(second, found[0])
    assert len(said) == 1
    assert len(sets()) == 1
