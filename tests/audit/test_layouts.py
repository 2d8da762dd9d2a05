"""Broken layouts of the embedded digits, made by code of this file's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tidepool.audit import audit
from tidepool.images import ImageSet

Pair = tuple[ImageSet, ImageSet]


def flat(x: Any) -> Any:
    return x.reshape(len(x), -1)


def header(x: Any, magic: int, *sizes: int) -> Any:
    first = np.frombuffer(np.array([magic, len(x), *sizes], ">i4").tobytes(), np.uint8)
    return np.concatenate([first, x.ravel()])[: x.size].reshape(x.shape)


def swapped(x: Any) -> Any:
    return flat(x).reshape(len(x), -1, 2)[:, :, ::-1].reshape(x.shape)


def padded_flat(x: Any, before: int) -> Any:
    return np.pad(flat(x), ((0, 0), (before, 400 - x[0].size - before))).reshape(-1, 20, 20)


BROKEN = {
    "interlaced": lambda x, y: np.concatenate([x[:, ::2], x[:, 1::2]], axis=1),
    "pairs-swapped": lambda x, y: swapped(x),
    "wrong-width": lambda x, y: x.reshape(-1, 4, 16),
    "padded-before-reshape": lambda x, y: padded_flat(x, 168),
    "header-as-pixels": lambda x, y: header(x, 2051, 8, 8),
    "label-as-pixel": lambda x, y: (
        np.concatenate([y[:, None], flat(x)[:, :-1]], axis=1).astype(np.uint8).reshape(x.shape)
    ),
    "first-pixel-dropped": lambda x, y: np.concatenate([flat(x)[:, 1:], 0 * flat(x)[:, :1]], axis=1).reshape(x.shape),
    "index-as-pixel": lambda x, y: np.concatenate([np.arange(len(x))[:, None], flat(x)[:, :-1]], 1).reshape(x.shape),
}
# These lose the last pixels, which the digits do not leave empty.
LOSING = {"header-as-pixels": 16, "label-as-pixel": 1, "index-as-pixel": 1}


def names(verdict: Any) -> list[tuple[str, str]]:
    return [(finding.fault, finding.in_) for finding in verdict.findings]


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("scale", [1, 255])
def test_named_and_undone_in_the_test_set(digits: Pair, fault: str, scale: int) -> None:
    train, test = digits
    images = BROKEN[fault](test.images, test.labels)
    verdict = audit(train, ImageSet(images if scale == 1 else (images / scale).astype(np.float32)), price=False)
    assert {name for name, _ in names(verdict)} == ({fault} if scale == 1 else {fault, "scaled-255"})
    repaired = verdict.repaired[1].images
    assert repaired.dtype == np.uint8
    lost = LOSING.get(fault, 0)
    # Of a header only the last picture of the stream loses something.
    rows = slice(None) if lost == 1 else slice(0, len(repaired) - (lost > 0))
    kept = slice(None, 64 - lost) if lost == 1 else slice(None)
    np.testing.assert_array_equal(flat(repaired)[rows, kept], flat(test.images)[rows, kept])
    assert {finding.exact for finding in verdict.findings if finding.fault == fault} == {not lost}


@pytest.mark.parametrize("fault", ["interlaced", "pairs-swapped", "wrong-width", "header-as-pixels", "label-as-pixel"])
def test_named_in_the_training_set(digits: Pair, fault: str) -> None:
    train, test = digits
    verdict = audit(ImageSet(BROKEN[fault](train.images, train.labels), train.labels), test, price=False)
    assert names(verdict) == [(fault, "train")]
    assert verdict.repaired[1] is test
    assert verdict.repaired[0].images.shape == train.images.shape


def test_labels_as_pixels_beside_their_labels(digits: Pair) -> None:
    train, test = digits
    broken = ImageSet(BROKEN["label-as-pixel"](test.images, test.labels), test.labels)
    verdict = audit(train, broken, price=False)
    assert names(verdict) == [("label-as-pixel", "test")]
    assert verdict.findings[0].evidence == ("the first pixel of every picture is its label",)


def test_row_numbers_beyond_a_byte_in_the_training_set(digits: Pair) -> None:
    train, test = digits
    broken = ImageSet(BROKEN["index-as-pixel"](train.images, None), train.labels)
    assert broken.images.max() > 255
    assert names(audit(broken, test, price=False)) == [("index-as-pixel", "train")]


def test_header_of_eight_bytes_and_its_parameters(digits: Pair) -> None:
    train, test = digits
    verdict = audit(train, ImageSet(header(test.images, 2049)), price=False)
    assert names(verdict) == [("header-as-pixels", "test")]
    assert verdict.findings[0].parameters == {"bytes": 8}


def test_the_price_is_that_of_a_replay(digits: Pair) -> None:
    train, test = digits
    verdict = audit(train, ImageSet(BROKEN["interlaced"](test.images, None)))
    cost = verdict.findings[0].cost
    assert cost is not None
    assert cost.accuracy_as_is < 0.6 < 0.9 < cost.accuracy_repaired


@pytest.fixture(scope="module")
def colours() -> Pair:
    """Smooth blobs, red ones and blue ones, on a warm ground."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:12, :12]
    centre = rng.uniform(3, 9, (900, 2, 1, 1))
    blob = np.exp(-((y - centre[:, 0]) ** 2 + (x - centre[:, 1]) ** 2) / 8)
    labels = rng.integers(0, 2, 900)
    tint = np.where(labels[:, None] == 0, [200, 60, 30], [90, 60, 160])
    images = (np.array([50, 30, 5]) + blob[..., None] * tint[:, None, None]).astype(np.uint8)
    whole = ImageSet(images, labels)
    return whole.select(slice(0, 600)), whole.select(slice(600, None))


@pytest.mark.parametrize("kind", ["bgr", "planes", "mixed", "first"])
def test_channel_order(colours: Pair, kind: str) -> None:
    train, test = colours
    x = test.images
    broken = {
        "bgr": x[..., ::-1],
        "planes": np.ascontiguousarray(x.transpose(0, 3, 1, 2)).reshape(x.shape),
        "mixed": x.reshape(len(x), 3, 12, 12).transpose(0, 2, 3, 1),
        "first": x.transpose(0, 3, 1, 2),
    }[kind]
    verdict = audit(train, ImageSet(broken))
    assert names(verdict) == [("channel-order", "test")]
    np.testing.assert_array_equal(verdict.repaired[1].images, x)


def test_colours_in_order_are_clean(colours: Pair) -> None:
    assert audit(*colours).verdict == "clean"


def test_no_layout_is_accused_without_reason(digits: Pair) -> None:
    train, test = digits
    rng = np.random.default_rng(0)
    noise = ImageSet(rng.integers(0, 17, test.images.shape).astype(np.uint8))
    counted = ImageSet(np.sort(test.images, axis=0))  # the first pixel rises, but not by one
    soft = test.images.astype(float)  # soft corners take a few small values, but go with their neighbours
    soft = ImageSet(np.round((soft + np.roll(soft, 1, 1) + np.roll(soft, 1, 2) + np.roll(soft, (1, 1), (1, 2))) / 4))
    for images in (test, noise, counted, soft, test.select(slice(0, 9))):
        assert not {name for name, _ in names(audit(train, images, price=False))} & set(BROKEN)
