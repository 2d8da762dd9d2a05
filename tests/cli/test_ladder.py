from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tidepool.formats import write
from tidepool.images import ImageSet
from tidepool.ladder import Line, Result

if TYPE_CHECKING:
    from conftest import Command

NAMES = ("finnegan", "plain", "mystery", "everything_right", "ours", "both_ways")


def result(letter: str) -> Result:
    line = Line(f"net of {letter}", "97", 0.98, 50, 100, 200, 1.5, 1_234_567)
    return Result(letter, f"rung {letter}", [line], ["Some words."], [])


@pytest.fixture
def rungs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> list[str]:
    """Rungs that take no time, on a small file of Kaggle's kind; those whose letter stands in the list are stopped."""
    stopped: list[str] = []
    for letter, name in zip("abcdef", NAMES):

        def instead(*arguments: object, letter: str = letter, **settings: object) -> Result:
            if letter in stopped:
                raise KeyboardInterrupt
            return result(letter)

        monkeypatch.setattr(importlib.import_module(f"tidepool.ladder.{name}"), name, instead)
    images = np.zeros((4000, 28, 28), np.uint8)
    write(ImageSet(images, np.arange(4000) % 10), tmp_path / "data" / "kaggle" / "train.csv.gz")
    monkeypatch.setenv("TIDEPOOL_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return stopped


def test_it_prints_a_line_a_rung_and_where_everything_went(rungs: list[str], command: Command) -> None:
    ended = command("ladder", "--quick")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert any("kaggle-digits, 4,000 images" in line for line in lines)
    for letter in "abcdef":
        assert any(line.split() == f"{letter} net of {letter} 97 98.00 200 1.5 s 1,234,567".split() for line in lines)
    assert max(len(line) for line in lines if line.startswith(tuple("abcdef-"))) <= 80
    assert lines[-1].split() == ["next", "open", "runs/ladder-quick/ladder.html"]
    assert Path("runs/ladder-quick/ladder.html").is_file()
    assert Path("runs/ladder-quick/ladder.json").is_file()


def test_stopped_it_says_how_to_go_on_and_goes_on(rungs: list[str], command: Command) -> None:
    rungs.append("d")
    ended = command("ladder", "--quick", "--out", "here")
    assert ended.code == 130
    assert "3 of 6 rungs are done" in ended.out
    assert "the same command goes on" in ended.out
    assert "stopped by Ctrl-C" in ended.err
    rungs.clear()
    again = command("ladder", "--quick", "--out", "here")
    assert again.code == 0
    assert again.out.count("(kept)") == 3
    finished = command("ladder", "--quick", "--out", "here")
    assert finished.code == 0
    assert "is finished" in finished.out


def test_other_settings_need_force(rungs: list[str], command: Command, refused: Callable[..., str]) -> None:
    assert command("ladder", "--quick", "--out", "here").code == 0
    assert "seed was 0, now 1" in refused("ladder", "--quick", "--out", "here", "--seed", 1)
    assert command("ladder", "--quick", "--out", "here", "--seed", 1, "--force").code == 0


def test_quiet_prints_nothing(rungs: list[str], command: Command) -> None:
    ended = command("ladder", "--quick", "--quiet", "--out", "here")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_an_out_that_is_a_file_is_refused(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "file").write_text("")
    assert "is a file" in refused("ladder", "--out", tmp_path / "file")


def test_without_rows_it_says_which_files_to_put_where(
    tmp_path: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import pooch

    def offline(*arguments: object, **settings: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(pooch, "retrieve", offline)
    said = refused("ladder", "--quiet", "--out", tmp_path / "out", code=4)
    assert "kaggle/train.csv.gz" in said
    assert not (tmp_path / "out").exists()


def test_help_shows_an_example_first(command: Command) -> None:
    ended = command("ladder", "--help")
    assert ended.code == 0
    assert "tidepool ladder --quick --out ladder" in ended.out
    assert all(option in ended.out for option in ("--quick", "--out", "--seed", "--force", "--quiet", "--no-cache"))


def test_a_place_that_cannot_be_written_is_said_before_the_first_rung(
    rungs: list[str], refused: Callable[..., str]
) -> None:
    rungs.append("a")  # it would be stopped there
    Path("file").write_text("x")
    assert "cannot be written" in refused("ladder", "--quick", "--out", "file/here", code=4)


def test_stopped_in_the_first_rung_it_leaves_nothing(rungs: list[str], command: Command) -> None:
    rungs.append("a")
    ended = command("ladder", "--quick", "--out", "new/here")
    assert ended.code == 130
    assert "nothing is kept" in ended.out
    assert not Path("new").exists()
