from __future__ import annotations

import io
import time
from types import SimpleNamespace

import pytest
from rich.console import Console

from tidepool.cli import printing


def test_progress_off_a_terminal_is_a_plain_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    def heard(bar: printing.Bar, done: int, total: int) -> None:
        bar(done, total, lambda rate: f"{done:,} of {total:,} pictures, {rate:,.0f} a second")

    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    text = io.StringIO()
    bar = printing.Bar(Console(file=text, width=80))
    for done in (1000, 2000, 3000):
        now[0] += 6
        heard(bar, done, 10_000)
    bar.close()
    assert text.getvalue().strip() == "2,000 of 10,000 pictures, 167 a second, 48 s left"
    terminal = io.StringIO()
    bar = printing.Bar(Console(file=terminal, width=80, force_terminal=True))
    now[0] += 1
    heard(bar, 500, 1000)
    bar.close()
    assert "500 of 1,000 pictures, 500 a second" in terminal.getvalue()


@pytest.mark.parametrize("wide", [60, 80])
def test_a_bar_keeps_to_one_line_whatever_it_is_told(wide: int) -> None:
    terminal = io.StringIO()
    bar = printing.Bar(
        Console(file=terminal, width=wide, force_terminal=True, color_system=None), "c  a long [title] " * 2
    )
    bar(1, 2, lambda rate: "words [in brackets] that are much longer than the room that is left for them")
    bar.close()
    assert "c  a long [title] c  a long [title]" in terminal.getvalue()
    assert max(len(line.split("\r")[-1]) for line in terminal.getvalue().split("\n")) <= wide + 12  # control codes
    assert "left for them" not in terminal.getvalue()


def test_quiet_has_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    bar = printing.Bar(Console(quiet=True, force_terminal=True))
    bar(1, 2, lambda rate: "half")
    bar.close()
    assert capsys.readouterr().out == ""


def test_reading_is_shown_once_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:

    now = 0.0
    monkeypatch.setattr(printing, "time", SimpleNamespace(monotonic=lambda: now))
    bar = printing.ReadingBar(printing.Printer())
    quiet = printing.ReadingBar(printing.Printer(quiet=True))
    for now in (0.5, 2.0, 11.0, 12.0, 20.0):
        for shown in (bar, quiet):
            shown(int(now * 1e6), 40_000_000, "32 files")
    bar.close()
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["read       32 files", "           11 of 40 MB, 1.0 MB/s, 29 s left"]
    now = 0.0
    bar = printing.ReadingBar(printing.Printer())
    for what in ("32 files", "waiting for another"):
        bar(0, 40_000_000, what)
    assert capsys.readouterr().out.splitlines() == ["read       waiting for another"]
