"""Broken numbers: bytes read as something else, levels that were lost, pictures normalised by themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tidepool.audit import audit
from tidepool.images import ImageSet

Pair = tuple[ImageSet, ImageSet]


@pytest.fixture(scope="module")
def bright(digits: Pair) -> Pair:
    """The digits on 0..240."""
    return tuple(ImageSet(images.images * 15, images.labels) for images in digits)  # type: ignore[return-value]


def names(verdict: Any) -> list[tuple[str, str]]:
    return [(finding.fault, finding.in_) for finding in verdict.findings]


EXACT = {
    "int8-sign": lambda x: x.astype(np.int8),
    "uint8-wrapped": lambda x: ((x.astype(int) + 60) % 256).astype(np.uint8),
    "reinterpreted-bytes": lambda x: x.astype(np.float32).view(np.uint8),
}


@pytest.mark.parametrize("fault", EXACT)
def test_bytes_are_read_rightly_again(bright: Pair, fault: str) -> None:
    train, test = bright
    verdict = audit(train, ImageSet(EXACT[fault](test.images)))
    assert names(verdict) == [(fault, "test")]
    assert verdict.findings[0].exact
    np.testing.assert_array_equal(verdict.repaired[1].images, test.images)
    assert verdict.findings[0].cost is not None


def test_wrapped_says_by_how_much(bright: Pair) -> None:
    train, test = bright
    verdict = audit(train, ImageSet(((test.images.astype(int) + 60) % 256).astype(np.uint8)), price=False)
    assert verdict.findings[0].parameters == {"k": 60}


def test_sixteen_bits_in_the_wrong_order(bright: Pair) -> None:
    train, test = (images.images.astype(np.uint16) * np.uint16(201) for images in bright)
    verdict = audit(ImageSet(train, bright[0].labels), ImageSet(test.byteswap()))
    assert names(verdict) == [("byte-swapped", "test")]
    np.testing.assert_array_equal(verdict.repaired[1].images, test)


LOST = {
    "truncated-after-division": lambda x: (x / 240).astype(np.uint8),
    "binarised": lambda x: (x > 100).astype(np.uint8),
    "binarised ": lambda x: (255 * (x > 60)).astype(np.uint8),
    "quantised": lambda x: (np.round(x / 80) * 80).astype(np.uint8),
    "per-image-normalised": lambda x: x / np.sqrt((x.astype(float) ** 2).sum((1, 2), keepdims=True)),
    "per-image-normalised ": lambda x: (x - x.mean((1, 2), keepdims=True)) / x.std((1, 2), keepdims=True),
}


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("broken", ["test", "train"])
def test_what_is_lost_is_taken_from_the_other_set_too(bright: Pair, fault: str, broken: str) -> None:
    train, test = bright
    change = LOST[fault]
    if broken == "test":
        verdict = audit(train, ImageSet(change(test.images)))
        changed, wanted = 0, change(train.images)
    else:
        verdict = audit(ImageSet(change(train.images), train.labels), test)
        changed, wanted = 1, change(test.images)
    assert names(verdict) == [(fault.strip(), broken)]
    assert not verdict.findings[0].exact
    assert "cannot be undone" in verdict.sentence()
    repaired = verdict.repaired[changed].images
    assert np.abs(repaired.astype(float) - wanted).mean() < 0.05 * np.ptp(wanted)


def test_levels_and_price_of_a_loss(bright: Pair) -> None:
    train, test = bright
    verdict = audit(train, ImageSet(LOST["quantised"](test.images)))
    assert verdict.findings[0].parameters == {"levels": 4}
    verdict = audit(train, ImageSet(LOST["binarised"](test.images)))
    assert verdict.cost is not None
    assert verdict.cost.accuracy_as_is < 0.5 < 0.8 < verdict.cost.accuracy_repaired


def test_coarse_pictures_on_both_sides_are_clean(bright: Pair) -> None:
    coarse = [ImageSet(LOST["binarised"](images.images), images.labels) for images in bright]
    assert audit(*coarse).verdict == "clean"
