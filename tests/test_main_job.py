"""tidepool.run, the main job as a notebook calls it; the command line's side of it is in tests/cli/test_run.py."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

import tidepool as tp
from tidepool.errors import DataError, FaultFound, InputError


@pytest.fixture(scope="module")
def digits() -> tp.ImageSet:
    return tp.read("digits", cache=False)


@pytest.fixture(scope="module")
def sets(digits: tp.ImageSet) -> tuple[tp.ImageSet, tp.ImageSet]:
    """1,400 labelled pictures and 397 without labels, both from memory."""
    assert digits.labels is not None
    return tp.ImageSet(digits.images[:1400], digits.labels[:1400]), tp.ImageSet(digits.images[1400:])


def test_what_it_gives_back(sets, digits: tp.ImageSet, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    train, test = sets
    result = tp.run(train, test, budget="5s", out=tmp_path / "a" / "b")
    assert result.folder == tmp_path / "a" / "b"
    assert result.report == result.folder / "report.html"
    assert result.report.is_file()
    assert result.predictions is not None
    assert digits.labels is not None
    # How well is the matter of the benchmarks: here the machine may be busy with other things.
    assert (result.predictions == digits.labels[1400:]).mean() > 0.3
    assert (result.predictions == result.model.predict(test)).all()
    assert result.verdict is not None
    assert result.verdict.verdict == "clean"
    assert json.loads((result.folder / "metrics.json").read_text()) == result.metrics
    assert (tp.load(result.folder / "model.tidepool").predict(test) == result.predictions).all()


def test_the_default_folder_has_the_name_of_the_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    start = time.monotonic()
    result = tp.run(budget=2)
    assert time.monotonic() - start < 10
    assert result.folder.parent == Path("runs")
    assert result.folder.name.startswith("digits-")
    assert result.predictions is None
    assert result.verdict is None
    assert result.metrics["audit"] == {"verdict": None}
    assert not (result.folder / "submission.csv").exists()


def test_a_fault_is_raised_and_nothing_is_written(sets, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    train, test = sets
    turned = tp.ImageSet(test.images.transpose(0, 2, 1))
    with pytest.raises(FaultFound, match="transposed") as caught:
        tp.run(train, turned, budget=4, out=tmp_path / "out")
    assert caught.value.exit_code == 3
    assert "Accuracy would fall from" in caught.value.message
    assert not (tmp_path / "out").exists()


def test_a_harmless_difference_goes_on(sets, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    train, test = sets
    padded = tp.ImageSet(np.pad(test.images, ((0, 0), (4, 4), (4, 4))))
    result = tp.run(train, padded, budget=3, out=tmp_path / "out")
    assert result.verdict is not None
    assert result.verdict.harmless
    assert result.model.preprocessing.frame == (16, 16)
    assert result.predictions is not None
    assert len(result.predictions) == len(test)


def test_swapped_sets_are_a_fault_not_missing_labels(sets, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    train, test = sets
    with pytest.raises(FaultFound, match=r"swap|exchanged"):
        tp.run(test, train, budget=4, out=tmp_path / "out")


def test_mistakes_are_told_before_the_work(sets, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    train, test = sets
    with pytest.raises(InputError, match="budget 'soon' is no time"):
        tp.run(train, budget="soon")
    with pytest.raises(DataError, match="no labels, but training needs them"):
        tp.run(test, test, budget=3, out=tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        tp.run(train, budget=3, out=tmp_path / "full")
    assert not (tmp_path / "out").exists()
