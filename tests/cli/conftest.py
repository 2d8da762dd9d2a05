"""The real command line, called in this process; small sets of real pictures for it."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tidepool import clock
from tidepool.cli import main
from tidepool.formats import read, write
from tidepool.images import ImageSet


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and what it wrote to stdout and stderr."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


def call(*args: object) -> Ended:
    """Run ``tidepool ARGS``; its budget counts from now, not from the start of the tests."""
    out, err = io.StringIO(), io.StringIO()
    now = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["tidepool", *map(str, args)])
        patch.setattr(clock, "process_start", lambda: now)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as caught:
            main()
    assert isinstance(caught.value.code, int)
    assert "Traceback" not in err.getvalue()
    return Ended(caught.value.code, out.getvalue(), err.getvalue())


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """``command("run", path, ...)``: no data folder, no colours, 80 columns."""
    monkeypatch.delenv("TIDEPOOL_DATA", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    return call


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the present one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(command: Command) -> Callable[..., str]:
    """``refused("run", path, ..., code=2)``: the command fails with one line and one hint, and prints nothing else."""

    def check(*args: object, code: int = 2) -> str:
        ended = command(*args)
        assert ended.code == code, ended
        lines = ended.err.splitlines()
        assert len(lines) == 2, ended.err
        assert lines[0].startswith("tidepool: ")
        assert lines[1].startswith("  hint: ")
        assert len(lines[1]) > len("  hint: ")
        return ended.err

    return check


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the embedded digits: train.csv, test.csv (no labels), train.npz, scored.npz, turned.npz, few.npz.

    The first 1,400 are for training, the other 397 for testing; scored.npz has the test labels, turned.npz holds
    the test pictures transposed.
    """
    folder = tmp_path_factory.mktemp("data")
    digits = read("digits", cache=False)
    train, test = digits.select(slice(0, 1400)), digits.select(slice(1400, None))
    for name in ("train.csv", "train.npz"):
        write(ImageSet(train.images, train.labels), folder / name)
    write(ImageSet(test.images), folder / "test.csv")
    write(ImageSet(test.images, test.labels), folder / "scored.npz")
    write(ImageSet(test.images.transpose(0, 2, 1)), folder / "turned.npz")
    write(ImageSet(16 - test.images), folder / "inverted.npz")
    write(ImageSet(train.images[:200], train.labels[:200]), folder / "few.npz")  # type: ignore[index]
    return folder


@pytest.fixture(scope="session")
def truth() -> np.ndarray:  # type: ignore[type-arg]
    """Labels of the test pictures."""
    labels = read("digits", cache=False).labels
    assert labels is not None
    return labels[1400:]


@pytest.fixture(scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What runs once for all tests leaves the user's cache alone too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIDEPOOL_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("NO_COLOR", "1")
        patch.setenv("COLUMNS", "80")
        yield


@pytest.fixture(scope="session")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory, _cache: None) -> tuple[Ended, Path]:
    """``tidepool run train.csv --test test.csv``, done once, and the folder that it wrote."""
    folder = tmp_path_factory.mktemp("run") / "parent" / "out"
    # Imports and compiling take seconds that a training as short as this cannot spare.
    warm = call("train", data / "few.npz", "--epochs", 1, "--out", folder.parent / "warm.tidepool")
    assert warm.code == 0, warm
    ended = call("run", data / "train.csv", "--test", data / "test.csv", "--budget", "6s", "--out", folder)
    assert ended.code == 0, ended
    return ended, folder
