"""The audit on real MNIST, USPS and affNIST-like pictures; skipped where $TIDEPOOL_DATA is not set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tidepool.audit import audit
from tidepool.formats import read
from tidepool.images import ImageSet

DATA = os.environ.get("TIDEPOOL_DATA", "")
pytestmark = pytest.mark.skipif(not (DATA and Path(DATA, "mnist").is_dir()), reason="$TIDEPOOL_DATA is not set")


@pytest.fixture(scope="module")
def mnist() -> tuple[ImageSet, ImageSet]:
    return read("mnist").select(slice(0, 3000)), read("mnist:test").select(slice(0, 1500))


@pytest.fixture(scope="module")
def usps() -> ImageSet:
    return read(str(Path(DATA, "usps", "usps_train.npz"))).select(slice(0, 1500))


def names(verdict: Any) -> list[str]:
    return [finding.fault for finding in verdict.findings]


def test_the_article_s_pair_of_mistakes(mnist: tuple[ImageSet, ImageSet]) -> None:
    train, test = mnist
    broken = np.pad(test.images, ((0, 0), (3, 9), (8, 4))) / 255
    verdict = audit(train, ImageSet(broken))
    assert names(verdict) == ["scaled-255", "padded-one-side"]
    assert verdict.findings[1].parameters == {"top": 3, "bottom": 9, "left": 8, "right": 4}
    np.testing.assert_array_equal(verdict.repaired[1].images, test.images)


def test_three_at_once(mnist: tuple[ImageSet, ImageSet]) -> None:
    train, test = mnist
    broken = ((255 - test.images.transpose(0, 2, 1)) / 255 - 0.1307) / 0.3081
    verdict = audit(train, ImageSet(broken.astype(np.float32)))
    assert names(verdict) == ["standardised", "inverted", "transposed"]
    np.testing.assert_array_equal(verdict.repaired[1].images, test.images)


def test_clean(mnist: tuple[ImageSet, ImageSet]) -> None:
    train, test = mnist
    assert audit(train, test).verdict == "clean"
    assert audit(train, test.select(np.isin(test.labels, (1, 7)))).verdict == "clean"


def test_another_source_is_not_a_fault(mnist: tuple[ImageSet, ImageSet], usps: ImageSet) -> None:
    train, _ = mnist
    assert audit(train, usps).verdict == "different-source"
    fitted = [np.asarray(Image.fromarray(x).resize((20, 20), Image.Resampling.BILINEAR)) for x in usps.images]
    assert audit(train, ImageSet(np.pad(fitted, ((0, 0), (4, 4), (4, 4))))).verdict == "different-source"


@pytest.mark.parametrize("fault", ["transposed", "inverted"])
def test_a_fault_of_another_source_is_named(mnist: tuple[ImageSet, ImageSet], usps: ImageSet, fault: str) -> None:
    fitted = [np.asarray(Image.fromarray(x).resize((20, 20), Image.Resampling.BILINEAR)) for x in usps.images]
    framed = np.pad(fitted, ((0, 0), (4, 4), (4, 4)))
    change = {"transposed": framed.transpose(0, 2, 1), "inverted": 255 - framed}
    assert fault in names(audit(mnist[0], ImageSet(change[fault]), price=False))


def test_augmented_training_is_clean_and_faults_beside_it_are_found(mnist: tuple[ImageSet, ImageSet]) -> None:
    train, test = read(str(Path(DATA, "affnist", "sample_train.mat"))), mnist[1]
    even = np.pad(test.images, ((0, 0), (6, 6), (6, 6)))
    assert audit(train, ImageSet(even)).verdict == "clean"
    turned = ImageSet(np.pad(test.images, ((0, 0), (0, 12), (0, 12))).transpose(0, 2, 1))
    assert names(audit(train, turned, price=False)) == ["transposed", "shifted"]
