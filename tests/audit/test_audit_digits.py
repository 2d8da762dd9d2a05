"""Faults injected into the embedded digits by code of this file's own, never by the fault's replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tidepool
from tidepool.audit import audit
from tidepool.errors import DataError, FaultFound
from tidepool.images import ImageSet

Pair = tuple[ImageSet, ImageSet]
GEOMETRY: dict[str, Callable[[Any], Any]] = {
    "transposed": lambda x: x.transpose(0, 2, 1),
    "flipped-lr": lambda x: x[:, :, ::-1],
    "flipped-ud": lambda x: x[:, ::-1],
    "rotated-90": lambda x: x.transpose(0, 2, 1)[:, ::-1],
    "rotated-180": lambda x: x[:, ::-1, ::-1],
    "rotated-270": lambda x: x.transpose(0, 2, 1)[:, :, ::-1],
    "anti-transposed": lambda x: x[:, ::-1, ::-1].transpose(0, 2, 1),
    "inverted": lambda x: 16 - x,
}
VALUES: dict[str, Callable[[Any], Any]] = {
    "scaled-255": lambda x: (x / 255).astype(np.float32),
    "scaled-twice": lambda x: x / 255 / 255,
    "range-minus1-1": lambda x: (2 * (x / 255) - 1).astype(np.float32),
    "standardised": lambda x: ((x / 16 - 0.1307) / 0.3081).astype(np.float32),
    "scaled-other": lambda x: (x / 16).astype(np.float32),
}


def names(verdict: Any) -> list[str]:
    return [finding.fault for finding in verdict.findings]


@pytest.mark.parametrize("fault", [*GEOMETRY, *VALUES])
def test_fault_is_named_and_undone_to_the_bit(digits: Pair, fault: str) -> None:
    train, test = digits
    broken = ImageSet({**GEOMETRY, **VALUES}[fault](test.images))
    verdict = audit(train, broken)
    assert verdict.verdict == "fault"
    assert names(verdict) == [fault]
    assert verdict.findings[0].in_ == "test"
    assert verdict.findings[0].exact
    assert verdict.repaired[0] is train
    assert verdict.repaired[1].images.dtype == np.uint8
    np.testing.assert_array_equal(verdict.repaired[1].images, test.images)


def test_pairs_are_both_named_in_the_order_of_undoing(digits: Pair) -> None:
    train, test = digits
    for geometry in ("transposed", "rotated-180", "inverted"):
        for value in ("scaled-255", "standardised"):
            verdict = audit(train, ImageSet(VALUES[value](GEOMETRY[geometry](test.images))), price=False)
            assert names(verdict) == [value, geometry]
            np.testing.assert_array_equal(verdict.repaired[1].images, test.images)


def test_padding_on_one_side_says_how_much(digits: Pair) -> None:
    train, test = digits
    broken = np.pad(test.images, ((0, 0), (1, 5), (2, 4)))
    verdict = audit(train, ImageSet(broken))
    assert names(verdict) == ["padded-one-side"]
    assert verdict.findings[0].parameters == {"top": 1, "bottom": 5, "left": 2, "right": 4}
    np.testing.assert_array_equal(verdict.repaired[1].images, test.images)


def test_padding_of_the_training_set_is_found_there(digits: Pair) -> None:
    train, test = digits
    broken = ImageSet(np.pad(train.images, ((0, 0), (0, 6), (0, 4))), train.labels)
    verdict = audit(broken, test)
    assert [(f.fault, f.in_) for f in verdict.findings] == [("padded-one-side", "train")]
    np.testing.assert_array_equal(verdict.repaired[0].images, train.images)


def test_even_padding_is_harmless(digits: Pair) -> None:
    train, test = digits
    verdict = audit(train, ImageSet(np.pad(test.images, ((0, 0), (2, 2), (3, 3)))))
    assert names(verdict) == ["frame-size"]
    assert verdict.harmless
    assert verdict.to_dict()["findings"][0]["parameters"] == {"from": [8, 8], "to": [12, 14]}


def test_shift_in_an_equal_frame(digits: Pair) -> None:
    train, test = digits
    wide = ImageSet(np.pad(train.images, ((0, 0), (4, 4), (4, 4))), train.labels)
    moved = np.pad(test.images, ((0, 0), (6, 2), (1, 7)))
    verdict = audit(wide, ImageSet(moved))
    assert names(verdict) == ["shifted"]
    assert verdict.findings[0].parameters == {"dx": -3, "dy": 2}
    np.testing.assert_array_equal(verdict.repaired[1].images, np.pad(test.images, ((0, 0), (4, 4), (4, 4))))


def test_training_values_off_the_lattice_are_found_in_training(digits: Pair) -> None:
    train, test = digits
    verdict = audit(ImageSet(VALUES["scaled-255"](train.images), train.labels), test)
    assert [(f.fault, f.in_) for f in verdict.findings] == [("scaled-255", "train")]
    np.testing.assert_array_equal(verdict.repaired[0].images, train.images)


@pytest.mark.parametrize("seed", range(3))
def test_must_stay_silent(digits: Pair, seed: int) -> None:
    train, test = digits
    rng = np.random.default_rng(seed)
    assert test.labels is not None
    few_wrong = test.labels.copy()
    few_wrong[:10] = rng.integers(0, 10, 10)
    quiet = {
        "halves": test,
        "unlabelled": ImageSet(test.images),
        "skewed": test.select(np.isin(test.labels, (1, 7))),
        "thirty": test.select(rng.permutation(len(test))[:30]),
        "one": test.select([seed]),
        "wrong labels": ImageSet(test.images, few_wrong),
        "as floats": ImageSet(test.images.astype(np.float64)),
    }
    for name, images in quiet.items():
        assert audit(train, images, seed=seed).verdict == "clean", name


def test_unlabelled_training(digits: Pair) -> None:
    train, test = ImageSet(digits[0].images), ImageSet(digits[1].images)
    assert audit(train, test).verdict == "clean"
    verdict = audit(train, ImageSet(test.images.transpose(0, 2, 1)))
    assert names(verdict) == ["transposed"]
    assert verdict.findings[0].cost is None


def test_labels(digits: Pair) -> None:
    train, test = digits
    assert test.labels is not None
    for fault, labels in {
        "labels-from-one": test.labels + 1,
        "ten-for-zero": np.where(test.labels == 0, 10, test.labels),
        "labels-permuted": (test.labels + 1) % 10,
        "labels-off-by-rows": np.roll(test.labels, 4),
    }.items():
        verdict = audit(train, ImageSet(test.images, labels))
        assert names(verdict) == [fault]
        np.testing.assert_array_equal(verdict.repaired[1].labels, test.labels)
    verdict = audit(train, ImageSet(test.images, np.random.default_rng(0).permutation(test.labels)))
    assert names(verdict) == ["labels-shuffled"]
    with pytest.raises(FaultFound):
        _ = verdict.repaired


def test_sets_swapped(digits: Pair) -> None:
    train, test = digits
    verdict = audit(ImageSet(test.images), train)
    assert names(verdict) == ["sets-swapped"]
    assert verdict.repaired[0] is train


def test_missing_values(digits: Pair) -> None:
    train, test = digits
    holes = test.images.astype(np.float32)
    holes[4, 0, 0], holes[7, 7, 0] = np.nan, np.inf
    verdict = audit(train, ImageSet(holes))
    assert names(verdict) == ["missing-values"]
    assert "images 5, 8" in verdict.findings[0].repair
    assert verdict.repaired[1].images.dtype == np.uint8
    holes[:100, 0, 0] = np.nan
    with pytest.raises(FaultFound):
        _ = audit(train, ImageSet(holes)).repaired


def test_content_that_cannot_tell_is_undecided() -> None:
    """Left-right symmetric pictures, turned: a quarter turn either way gives statistically the same."""
    rng = np.random.default_rng(0)
    base = np.linspace(200, 20, 12)[:, None] * np.hanning(12)[None]
    images = np.clip(base * rng.uniform(0.8, 1.2, (900, 1, 1)), 0, 255).astype(np.uint8)
    images = np.maximum(images, images[:, :, ::-1])
    labels = rng.integers(0, 2, 900)
    verdict = audit(ImageSet(images[:600], labels[:600]), ImageSet(images[600:].transpose(0, 2, 1)))
    assert verdict.verdict == "undecided"
    tied = {tuple(f.fault for f in chain) for chain in verdict.candidates}
    assert ("transposed",) in tied
    assert len(verdict.to_dict()["candidates"]) > 1


def test_costs_sentence_and_json(digits: Pair) -> None:
    train, test = digits
    verdict = audit(train, ImageSet(test.images.transpose(0, 2, 1)))
    cost = verdict.findings[0].cost
    assert cost is not None
    assert cost.accuracy_repaired > 0.85
    assert cost.accuracy_as_is < 0.5
    assert verdict.sentence().startswith("Your test images are stored column by column (transposed). Accuracy would")
    found = verdict.to_dict()["findings"][0]
    assert set(found) >= {"fault", "in", "repair", "parameters", "confidence", "evidence", "cost", "exact"}
    assert audit(train, test, seed=1).to_dict()["findings"] == []


def test_same_seed_same_verdict_and_tp_audit(digits: Pair) -> None:
    train, test = digits
    broken = ImageSet(test.images[:, ::-1])
    one, two = tidepool.audit(train, broken, seed=5), tidepool.audit(train, broken, seed=5)
    assert {**one.to_dict(), "seconds": 0} == {**two.to_dict(), "seconds": 0}
    assert audit(train, broken, budget=0.5).verdict == "fault"


def test_errors(digits: Pair) -> None:
    train, test = digits
    with pytest.raises(DataError, match="channels"):
        audit(train, ImageSet(np.stack([test.images] * 3, axis=3)))
    with pytest.raises(DataError, match="no images"):
        audit(train, ImageSet(np.zeros((0, 8, 8), np.uint8)))
