"""The embedded digits made 28x28 take the place of Kaggle's rows, and every rung is made tiny."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tidepool.formats import read
from tidepool.images import ImageSet, Source
from tidepool.ladder import QUICK, Sizes

TINY = replace(
    QUICK,
    held=100,
    rows=400,
    finnegan_rows=400,
    finnegan_epochs=2,
    tuned_epochs=4,
    keras_rows=200,
    keras_epochs=1,
    mystery_rows=160,
    mystery_files=1,
    example_files=1,
    nolearn_batch=16,
    nolearn_rows=200,
    nolearn_epochs=1,
    nolearn_slow_epochs=1,
    classifier_seconds=2.0,
    same_rows=200,
    same_epochs=2,
    defaults_rows=150,
    defaults_epochs=1,
)


@pytest.fixture(scope="session")
def tiny() -> Sizes:
    """Sizes with which the whole ladder takes seconds."""
    return TINY


@pytest.fixture(scope="session")
def digits() -> ImageSet:
    """600 of scikit-learn's digits, uint8 [600, 28, 28]: 20x20 in the middle, as MNIST's are."""
    found = read("digits", cache=False).select(slice(600))
    large = np.kron(found.images[:, :, :7] * np.uint8(15), np.ones((1, 2, 2), np.uint8))
    images = np.pad(large, ((0, 0), (6, 6), (7, 7)))
    return ImageSet(images, found.labels, source=Source("digits, made larger", "memory", "0" * 64))
