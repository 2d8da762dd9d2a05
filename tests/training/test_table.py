from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from tidepool.training.table import EpochTable

ROWS = [
    {"epoch": 1, "train_loss": 0.9, "valid_loss": 0.6, "valid_accuracy": 0.81234, "best": True, "seconds": 1.234},
    {"epoch": 2, "train_loss": 0.5, "valid_loss": 0.7, "valid_accuracy": 0.8, "best": False, "seconds": 61.0},
    {"epoch": 3, "train_loss": 0.55, "valid_loss": 0.4, "valid_accuracy": 0.9, "best": True, "seconds": 1.0},
]


def printed(rows, **options) -> str:
    stream = io.StringIO()
    table = EpochTable(Console(file=stream, width=40, **options)) if options else EpochTable(stream=stream)
    for row in rows:
        table(row)
    return stream.getvalue()


def test_nolearns_columns_and_marks() -> None:
    lines = printed(ROWS).splitlines()
    assert re.split(r"\s{2,}", lines[0].strip()) == ["epoch", "trn loss", "val loss", "trn/val", "valid acc", "dur"]
    assert lines[2].split() == ["1", "0.90000*", "0.60000*", "1.50000", "0.81234", "1.23s"]
    assert lines[3].split() == ["2", "0.50000*", "0.70000", "0.71429", "0.80000", "61.00s"]
    assert lines[4].split() == ["3", "0.55000", "0.40000*", "1.37500", "0.90000", "1.00s"]
    assert len({len(line) for line in lines}) == 1


def test_without_validation() -> None:
    lines = printed([{"epoch": 1, "train_loss": 0.9, "best": False, "seconds": 1.0}]).splitlines()
    assert re.split(r"\s{2,}", lines[0].strip()) == ["epoch", "trn loss", "dur"]
    assert lines[2].split() == ["1", "0.90000*", "1.00s"]


def test_best_losses_are_coloured_on_a_terminal() -> None:
    lines = printed(ROWS, force_terminal=True, color_system="standard", no_color=False).splitlines()
    assert "\x1b[36m  0.90000*\x1b[0m" in lines[2]
    assert "\x1b[32m  0.60000*\x1b[0m" in lines[2]
    assert "\x1b[32m" not in lines[3]
    assert "\x1b[36m" not in lines[4]


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in printed(ROWS, force_terminal=True, color_system="standard")
    assert "\x1b" not in printed(ROWS)


def test_rows_come_one_by_one_and_are_never_wrapped() -> None:
    stream = io.StringIO()
    table = EpochTable(Console(file=stream, width=10))
    table(ROWS[0])
    assert len(stream.getvalue().splitlines()) == 3
    table(ROWS[1])
    assert len(stream.getvalue().splitlines()) == 4


def test_a_loss_of_zero() -> None:
    text = printed([{**ROWS[0], "valid_loss": 0.0}])
    assert "inf" in text
