"""Sets for the audit's tests: the embedded digits, split once."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tidepool.images import ImageSet


@pytest.fixture(scope="session")
def digits() -> tuple[ImageSet, ImageSet]:
    """1,200 training and 597 test digits, 8x8, uint8 0..16."""
    data = load_digits()
    order = np.random.default_rng(3).permutation(len(data.target))
    images, labels = data.images.astype(np.uint8)[order], data.target[order]
    return ImageSet(images[:1200], labels[:1200]), ImageSet(images[1200:], labels[1200:])
