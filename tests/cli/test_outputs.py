"""Where outputs go: a full disk, no place, something that stands there. Nothing is lost, nothing half done."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from said import everything, has

from tidepool import files

Refused = Callable[..., str]


@pytest.fixture
def full_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """``full_after(n)``: ``n`` more files fit on the disk, the next one does not."""

    def fill(count: int) -> None:
        left = iter(range(count))

        def fsync(handle: int) -> None:
            if next(left, None) is None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(files.os, "fsync", fsync)

    return fill


def test_a_full_disk(refused: Refused, here: Path, data: Path, finished, full_after) -> None:  # type: ignore[no-untyped-def]
    model = finished[1] / "model.tidepool"
    full_after(0)
    for args in (
        ("train", data / "few.npz", "--epochs", 1, "--out", "new/m.tidepool", "--quiet"),
        ("predict", model, data / "test.csv", "--out", "new/p.csv", "--no-cache"),
        ("export", model, "new/m.onnx"),
        ("convert", data / "few.npz", "new/copy.csv.gz"),
        ("convert", data / "few.npz", "new/t-images-idx3-ubyte"),
        ("show", data / "few.npz", "--out", "new/sheet.png"),
        ("audit", data / "train.npz", data / "turned.npz", "--fix", "new/fixed.npz", "--quiet"),
    ):
        has(refused(*args, code=4), "cannot be written (No space left on device)", "the disk is full")
        assert not [path for path in everything(here) if path.is_file()]


@pytest.mark.parametrize("fitting", range(5))
def test_a_disk_that_fills_up_while_run_writes(  # type: ignore[no-untyped-def]
    refused: Refused, here: Path, data: Path, full_after, fitting: int
) -> None:
    full_after(fitting)
    args = ("run", data / "few.npz", "--test", data / "test.csv", "--no-audit", "--no-cache", "--budget", "1s")
    has(refused(*args, "--out", "out", "--quiet", code=4), "No space left on device", "the disk is full")
    assert not [path for path in everything(here) if path.is_file()]


def test_a_full_disk_while_a_folder_is_written(
    refused: Refused, here: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_bytes(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_bytes)
        has(refused("convert", data / "few.npz", "new/png", code=4), "new/png: cannot be written", "the disk is full")
    assert not list((here / "new").iterdir())


def test_a_place_where_nothing_can_be_written(refused: Refused, here: Path, data: Path) -> None:
    (here / "file").write_text("mine")
    has(refused("run", data / "few.npz", "--out", "file"), "file: is a file, expected a folder")
    few = data / "few.npz"
    for args in (
        ("train", few, "--epochs", 1, "--out", "file/m.tidepool", "--quiet"),
        ("convert", few, "file/copy.npz"),
        ("run", few, "--budget", "1s", "--out", "file/out", "--quiet"),
    ):
        has(refused(*args, code=4), "file/", "a part of this path is a file")
    assert (here / "file").read_text() == "mine"


def test_what_exists_is_not_overwritten(refused: Refused, here: Path, data: Path, finished) -> None:  # type: ignore[no-untyped-def]
    few, model = data / "few.npz", finished[1] / "model.tidepool"
    for out, args in {
        "m.tidepool": ("train", few, "--epochs", 1, "--out"),
        "p.csv": ("predict", model, data / "test.csv", "--out"),
        "m.onnx": ("export", model),
        "c.npz": ("convert", few),
        "s.png": ("show", few, "--out"),
        "f.npz": ("audit", few, few, "--fix"),
        "folder": ("run", few, "--out"),
    }.items():
        place = here / out / "mine" if out == "folder" else here / out
        place.parent.mkdir(exist_ok=True)
        place.write_text("mine")
        has(refused(*args, out), f"{out}: exists already", "--force")
        assert place.read_text() == "mine"
