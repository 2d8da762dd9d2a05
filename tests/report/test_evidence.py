"""The strips of pictures that the audit judged by."""

from __future__ import annotations

import numpy as np

from tidepool.images import ImageSet
from tidepool.report.evidence import strips


def test_a_strip_is_mean_spread_and_examples_of_each_set_that_differs() -> None:
    rng = np.random.default_rng(0)
    train = ImageSet(rng.integers(0, 256, (50, 9, 7)).astype(np.uint8))
    test = ImageSet((train.images / 255).astype(np.float32))
    repaired = ImageSet(train.images)
    found = strips((train, test), (train, repaired))
    assert [strip.name for strip in found] == ["Training", "Test, as it is", "Test, repaired"]
    assert all(strip.pictures.shape == (8, 9, 7) for strip in found)
    np.testing.assert_array_equal(found[0].pictures, found[2].pictures)
    mean = train.images.mean(axis=0)
    wanted = np.rint((mean - mean.min()) * (255 / (mean.max() - mean.min())))
    np.testing.assert_allclose(found[0].pictures[0], wanted, atol=1)
    shown = found[1].shown()
    assert [text for _, text in shown][:3] == [
        "Test, as it is: mean",
        "Test, as it is: spread",
        "Test, as it is: example 1",
    ]
    assert all(uri.startswith("data:image/png;base64,") for uri, _ in shown)


def test_small_coloured_and_unfinished_sets_are_shown() -> None:
    colour = np.zeros((2, 5, 5, 3), np.float32)
    colour[0, 0, 0] = np.nan
    train, test = ImageSet(colour + 1), ImageSet(colour)
    found = strips((train, test), (ImageSet(colour), test))
    assert [strip.name for strip in found] == ["Training", "Test, as it is", "Training, repaired"]
    assert all(len(strip.shown()) == 4 for strip in found)
