"""A model keeps what it saw, and says when pictures were prepared otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tidepool as tp
from tidepool.seen import difference, summary


@pytest.fixture(scope="module")
def digits() -> tuple[Any, Any]:
    whole = tp.read("digits")
    order = np.random.default_rng(0).permutation(len(whole))
    return whole.select(order[:1200]), whole.select(order[1200:])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x.transpose(0, 2, 1), "look transposed"),
        (lambda x: 16 - x, "look inverted"),
        (lambda x: x[:, ::-1, ::-1], "turned by 180 degrees"),
        (lambda x: np.rot90(x, 1, (1, 2)), "turned by 90 degrees counter-clockwise"),
        (lambda x: np.rot90(x, 3, (1, 2)), "turned by 90 degrees clockwise"),
        (lambda x: np.roll(x, 2, axis=1), "look unlike"),
        (lambda x: x / 16.0, "have values 0..1, those of the training 0..16"),
    ],
)
def test_other_preparation_is_put_into_words(digits: Any, change: Any, said: str) -> None:
    train, test = digits
    seen = summary(train.images, train.labels, 10)
    found = difference(seen, np.ascontiguousarray(change(test.images)), test.labels)
    assert found is not None
    assert said in found


@pytest.mark.parametrize("classes", [range(10), (1, 7), (0,), (6, 9), (3,)])
def test_the_same_preparation_is_silent_whatever_the_classes(digits: Any, classes: Any) -> None:
    train, test = digits
    seen = summary(train.images, train.labels, 10)
    some = test.select(np.isin(test.labels, list(classes)))
    assert difference(seen, some.images, some.labels) is None
    assert difference(seen, some.images[:5], some.labels[:5]) is None


def test_colours_and_frames_that_the_grid_does_not_divide(digits: Any) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 200, (80, 29, 31, 3)).astype(np.uint8)
    images[:, :9] = 250
    seen = summary(images, np.arange(80) % 2, 2)
    assert difference(seen, images, np.arange(80) % 2) is None
    found = difference(seen, images[:, ::-1], np.arange(80) % 2)
    assert found is not None
    assert "mirrored top to bottom" in found
