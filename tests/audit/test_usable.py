"""What nothing can be told from is said in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tidepool.audit import audit
from tidepool.errors import DataError
from tidepool.images import ImageSet

Pair = tuple[ImageSet, ImageSet]


def constant(images: ImageSet, value: int) -> ImageSet:
    return ImageSet(np.full_like(images.images, value), images.labels)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a, b: (a.select(slice(0, 0)), b), "training set holds no images"),
        (lambda a, b: (a, b.select(slice(0, 0))), "test set holds no images"),
        (lambda a, b: (a.select(slice(0, 1)), b), "training set holds one image"),
        (lambda a, b: (constant(a, 0), b), "training images are the same .every pixel is 0"),
        (lambda a, b: (a, constant(b, 7)), "test images are the same .every pixel is 7"),
        (lambda a, b: (a, ImageSet(np.repeat(b.images[:1], 40, axis=0))), "one picture again and again"),
        (lambda a, b: (a, ImageSet(b.images[:, :1, :1])), "1x1: these are no pictures"),
        (lambda a, b: (a, ImageSet(np.tile(b.images, (1, 1, 6)))), "8x8, test images 8x48: neither padding"),
    ],
)
def test_sets_that_tell_nothing(digits: Pair, change: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        audit(*change(*digits), price=False)


def test_one_test_image_is_judged_with_a_remark(digits: Pair) -> None:
    train, test = digits
    verdict = audit(train, test.select(slice(0, 1)), price=False)
    assert verdict.verdict == "clean"
    assert "one test image can only show gross differences" in verdict.notes[0]


def test_labels_that_cannot_be_matched_are_named(digits: Pair) -> None:
    train, test = digits
    assert test.labels is not None
    words = np.where(test.labels % 2 == 0, "even", "odd")
    verdict = audit(train, ImageSet(test.images, words), price=False)
    assert (
        verdict.notes[0] == "the labels cannot be matched: the test set has even, odd, training has 0, 1, 2, 3, 4, ..."
    )
    assert verdict.to_dict()["notes"][0] == verdict.notes[0]
    some = np.where(test.labels > 7, test.labels + 50, test.labels)
    verdict = audit(train, ImageSet(test.images, some), price=False)
    assert "labels of the test set that training does not know: 58, 59" in verdict.notes
