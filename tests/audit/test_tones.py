"""Changes of tone, made by code of this file's own, on enlarged digits that use the whole scale of grey."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tidepool import warp
from tidepool.audit import audit
from tidepool.audit.tones import levels_of, tone_between
from tidepool.images import ImageSet

Pair = tuple[ImageSet, ImageSet]


@pytest.fixture(scope="module")
def smooth(digits: Pair) -> Pair:
    """The digits, enlarged to 18x18 between a black rim, 0..255."""
    step = np.array([[0.5, 0, -1.0], [0, 0.5, -1.0]])

    def enlarged(images: ImageSet) -> ImageSet:
        bright = np.minimum(images.images * 16.0, 255).astype(np.uint8)
        return ImageSet(warp.apply(bright, np.tile(step, (len(bright), 1, 1)), (18, 18)), images.labels)

    return enlarged(digits[0]), enlarged(digits[1])


CHANGES: dict[tuple[str, float], Any] = {
    ("gamma", 0.5): lambda x: np.round(255 * (x / 255) ** 0.5),
    ("gamma", 0.637): lambda x: 255 * (x / 255) ** 0.637,
    ("gamma", 1.4): lambda x: np.round(255 * (x / 255) ** 1.4),
    ("gamma", 2.2): lambda x: 255 * (x / 255) ** 2.2,
    ("brightness", 20): lambda x: np.clip(x + 20.0, 0, 255),
    ("brightness", -45): lambda x: np.clip(x - 45.0, 0, 255),
    ("contrast", 0.4): lambda x: x * 0.4,
    ("contrast", 0.7): lambda x: np.round(x * 0.7),
    ("contrast", 1.6): lambda x: np.clip(x * 1.6, 0, 255),
}
NAMES = {"gamma": "gamma", "brightness": "b", "contrast": "factor"}


@pytest.mark.parametrize(("fault", "value"), CHANGES)
def test_named_measured_and_undone(smooth: Pair, fault: str, value: float) -> None:
    train, test = smooth
    verdict = audit(train, ImageSet(CHANGES[fault, value](test.images).astype(np.uint8)), price=False)
    assert [(f.fault, f.in_) for f in verdict.findings] == [(fault, "test")]
    assert verdict.findings[0].parameters[NAMES[fault]] == pytest.approx(value, rel=0.01)
    repaired = verdict.repaired[1].images
    assert repaired.dtype == np.uint8
    # What was clipped is lost; the rest comes back but for rounding.
    kept = test.images.astype(float) * (value if fault == "contrast" else 1) + (value if fault == "brightness" else 0)
    kept = (kept > 0) & (kept < 255) & (test.images > 40)
    assert np.abs(repaired.astype(int) - test.images)[kept].mean() < 4


@pytest.mark.parametrize(("fault", "value"), CHANGES)
def test_a_change_of_training_is_the_inverse_in_the_test_set(smooth: Pair, fault: str, value: float) -> None:
    train, test = smooth
    changed = ImageSet(CHANGES[fault, value](train.images).astype(np.uint8), train.labels)
    verdict = audit(changed, test, price=False)
    assert [(f.fault, f.in_) for f in verdict.findings] == [(fault, "test")]
    inverse = -value if fault == "brightness" else 1 / value
    assert verdict.findings[0].parameters[NAMES[fault]] == pytest.approx(inverse, rel=0.02)


def test_beside_a_turn_and_a_division(smooth: Pair) -> None:
    train, test = smooth
    darker = np.round(255 * (test.images / 255) ** 2).astype(np.uint8)
    for broken, wanted in (
        (darker.transpose(0, 2, 1), ["gamma", "transposed"]),
        ((darker / 255).astype(np.float32), ["scaled-255", "gamma"]),
        (255 - darker, ["inverted", "gamma"]),
    ):
        assert [f.fault for f in audit(train, ImageSet(broken), price=False).findings] == wanted


def test_silent_without_gaps(smooth: Pair, digits: Pair) -> None:
    train, test = smooth
    assert test.labels is not None
    for images in (test, test.select(np.isin(test.labels, (1, 7))), test.select(slice(0, 30))):
        assert audit(train, images).verdict == "clean"
    # Another distribution of the same levels is another source, not another tone.
    thick = ImageSet(np.maximum(test.images, np.roll(test.images, 1, axis=2)))
    assert not {f.fault for f in audit(train, thick).findings} & set(NAMES)


def test_levels_need_a_lattice() -> None:
    assert levels_of(np.array([[0.0, 0.5], [0.31, 1.0]]), 0.0, 0.25) is None
    counts = levels_of(np.array([[0, 3], [3, 255]]), 0, 1)
    assert counts is not None
    assert counts[[0, 3, 255]].tolist() == [1, 2, 1]
    assert tone_between(counts, counts, 255, 0, 1) is None
