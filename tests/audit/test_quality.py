"""Quality: compressed, blurred, noisy."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tidepool.audit import audit
from tidepool.audit.faults.quality import compressed
from tidepool.images import ImageSet

Pair = tuple[ImageSet, ImageSet]


def named(verdict: Any) -> list[tuple[str, str]]:
    return [(finding.fault, finding.in_) for finding in verdict.findings]


def jpeg(images: np.ndarray, quality: int) -> np.ndarray:
    out = []
    for picture in images:
        file = BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        out.append(np.asarray(Image.open(file)))
    return np.stack(out)


def blur(images: np.ndarray, sigma: float) -> np.ndarray:
    return np.rint(ndimage.gaussian_filter(images.astype(float), (0, sigma, sigma))).astype(np.uint8)


def noisy(images: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, sigma, images.shape)
    return np.rint((images + noise).clip(0, 255)).astype(np.uint8)


@pytest.mark.parametrize("shape", [(28, 28), (9, 14), (8, 8, 3), (20, 17, 3)])
def test_compression_is_that_of_one_file_a_picture(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, *shape)).astype(np.uint8)
    np.testing.assert_array_equal(compressed(images, 18), jpeg(images, 18))


@pytest.mark.parametrize("quality", [10, 22, 30])
def test_compression_is_named_with_its_quality_and_done_to_training(framed: Pair, quality: int) -> None:
    train, test = framed
    broken = ImageSet(jpeg(test.images, quality))
    verdict = audit(train, broken)
    assert named(verdict) == [("jpeg", "test")]
    assert verdict.findings[0].parameters["quality"] == pytest.approx(quality, abs=3)
    repaired_train, repaired_test = verdict.repaired
    np.testing.assert_array_equal(repaired_test.images, broken.images)
    assert (repaired_train.images != train.images).any()
    assert audit(repaired_train, repaired_test, price=False).verdict == "clean"


def test_compressed_training_has_it_done_to_the_test_set(framed: Pair) -> None:
    train, test = framed
    verdict = audit(ImageSet(jpeg(train.images, 20), train.labels), test, price=False)
    assert named(verdict) == [("jpeg", "train")]
    assert (verdict.repaired[1].images != test.images).any()


def test_compressed_alike_is_clean(framed: Pair) -> None:
    train, test = (ImageSet(jpeg(images.images, 25), images.labels) for images in framed)
    assert audit(train, test, price=False).verdict == "clean"


@pytest.mark.parametrize("sigma", [1.0, 1.6])
@pytest.mark.parametrize("in_", ["test", "train"])
def test_blur_is_named_with_its_width(framed: Pair, sigma: float, in_: str) -> None:
    train, test = framed
    if in_ == "test":
        test = ImageSet(blur(test.images, sigma))
    else:
        train = ImageSet(blur(train.images, sigma), train.labels)
    verdict = audit(train, test)
    assert named(verdict) == [("blurred", in_)]
    assert verdict.findings[0].parameters["sigma"] == pytest.approx(sigma, abs=0.25)
    if in_ == "test":
        assert verdict.cost is not None
    assert audit(*verdict.repaired, price=False).verdict == "clean"


def test_blur_beside_a_transposition(framed: Pair) -> None:
    train, test = framed
    verdict = audit(train, ImageSet(blur(test.images, 1.2).transpose(0, 2, 1)), price=False)
    assert sorted(name for name, _ in named(verdict)) == ["blurred", "transposed"]


@pytest.mark.parametrize("sigma", [20, 45])
def test_noise_is_named_with_its_strength(framed: Pair, sigma: float) -> None:
    train, test = framed
    verdict = audit(train, ImageSet(noisy(test.images, sigma)))
    assert named(verdict) == [("noisy", "test")]
    assert verdict.findings[0].parameters["sigma"] == pytest.approx(sigma, rel=0.25)
    assert verdict.cost is not None


def test_noisy_training_is_augmentation(framed: Pair) -> None:
    train, test = framed
    assert audit(ImageSet(noisy(train.images, 25), train.labels), test, price=False).verdict == "clean"
