"""Sets for the audit's tests: the embedded digits, split once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from sklearn.datasets import load_digits

from tidepool.images import ImageSet


@pytest.fixture(scope="session")
def digits() -> tuple[ImageSet, ImageSet]:
    """1,200 training and 597 test digits, 8x8, uint8 0..16."""
    data = load_digits()
    order = np.random.default_rng(3).permutation(len(data.target))
    images, labels = data.images.astype(np.uint8)[order], data.target[order]
    return ImageSet(images[:1200], labels[:1200]), ImageSet(images[1200:], labels[1200:])


@pytest.fixture(scope="session")
def framed(digits: tuple[ImageSet, ImageSet]) -> tuple[ImageSet, ImageSet]:
    """The same drawn 20 pixels high into 28x28, uint8 0..255, centred by mass as MNIST's are."""
    return tuple(ImageSet(_framed(images.images), images.labels) for images in digits)  # type: ignore[return-value]


def _framed(small: np.ndarray) -> np.ndarray:
    large = ndimage.zoom(small / 16 * 255, (1, 2.5, 2.5), order=1, grid_mode=True, mode="grid-constant")
    large = np.pad(np.rint(large.clip(0, 255)).astype(np.uint8), ((0, 0), (4, 4), (4, 4)))
    for picture in large:
        away = 13.5 - np.array(ndimage.center_of_mass(picture))
        picture[:] = np.roll(picture, np.rint(away).astype(int), (0, 1))
    return large
