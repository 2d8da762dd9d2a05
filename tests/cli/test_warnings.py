"""What is said when pictures do not fit a model, or tell nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tidepool.formats import read, write
from tidepool.images import ImageSet

if TYPE_CHECKING:
    from conftest import Command


def test_predict_and_evaluate_warn_in_one_line(command: Command, tmp_path: Path) -> None:
    digits = read("digits")
    order = np.random.default_rng(0).permutation(len(digits))
    test = digits.select(order[1200:])
    write(digits.select(order[:1200]), tmp_path / "train.npz")
    write(test, tmp_path / "good.npz")
    write(ImageSet(test.images.transpose(0, 2, 1), test.labels), tmp_path / "bad.npz")
    model, out = tmp_path / "m.tidepool", tmp_path / "p.csv"
    assert command("train", tmp_path / "train.npz", "--epochs", 3, "--out", model, "--quiet").code == 0
    for name, warned in (("good.npz", 0), ("bad.npz", 1)):
        source = tmp_path / name
        for words in (("predict", model, source, "--out", out, "--force"), ("evaluate", model, source)):
            ended = command(*words)
            assert ended.code == 0
            assert ended.err.count("warning: these pictures look transposed") == warned


def test_audit_refuses_pictures_that_are_all_the_same(refused: Callable[..., str], tmp_path: Path) -> None:
    digits = read("digits")
    write(digits, tmp_path / "a.npz")
    write(ImageSet(np.full_like(digits.images, 3)), tmp_path / "b.npz")
    said = refused("audit", tmp_path / "a.npz", tmp_path / "b.npz")
    assert "all 1,797 test images are the same (every pixel is 3)" in said
