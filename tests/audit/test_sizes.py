"""Sizes: drawn too small or too large, resized, stretched; done here by scipy, never by the audit's own replay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from tidepool.audit import audit
from tidepool.audit.faults.resampling import Resized, Stretched, zoomed
from tidepool.audit.reference import ReferenceNet
from tidepool.images import ImageSet

Pair = tuple[ImageSet, ImageSet]


def names(verdict: Any) -> list[str]:
    return [finding.fault for finding in verdict.findings]


def zoom(images: np.ndarray, factor: float) -> np.ndarray:
    middle = (np.array(images.shape[1:]) - 1) / 2
    back = np.eye(2) / factor
    made = [ndimage.affine_transform(p.astype(float), back, middle - back @ middle, order=1) for p in images]
    return np.rint(np.clip(made, 0, 255)).astype(np.uint8)


def stretch(images: np.ndarray) -> np.ndarray:
    out = np.zeros_like(images)
    for picture, target in zip(images, out, strict=True):
        rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
        box = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(float)
        factors = np.array(images.shape[1:]) / box.shape
        target[:] = np.rint(ndimage.zoom(box, factors, order=1, grid_mode=True, mode="nearest").clip(0, 255))
    return out


@pytest.mark.parametrize("factor", [0.6, 0.84, 1.16, 1.3])
def test_a_zoom_is_named_with_its_factor_and_undone(framed: Pair, factor: float) -> None:
    train, test = framed
    verdict = audit(train, ImageSet(zoom(test.images, factor)))
    assert names(verdict) == ["too-small" if factor < 1 else "too-large"]
    finding = verdict.findings[0]
    assert finding.in_ == "test"
    assert not finding.exact
    assert finding.parameters["factor"] == pytest.approx(factor, rel=0.06)
    before = np.abs(zoom(test.images, factor).astype(float) - test.images).mean()
    after = np.abs(verdict.repaired[1].images.astype(float) - test.images).mean()
    assert after < 0.55 * before


def test_a_zoom_of_training_is_reported_as_its_inverse_on_the_test_set(framed: Pair) -> None:
    train, test = framed
    verdict = audit(ImageSet(zoom(train.images, 1.25), train.labels), ImageSet(test.images), price=False)
    assert [(f.fault, f.in_) for f in verdict.findings] == [("too-small", "test")]
    assert verdict.findings[0].parameters["factor"] == pytest.approx(0.8, rel=0.06)


def test_a_zoom_beside_a_transposition_and_other_values(framed: Pair) -> None:
    train, test = framed
    broken = zoom(test.images, 0.7).transpose(0, 2, 1) / 255
    assert names(audit(train, ImageSet(broken), price=False)) == ["scaled-255", "too-small", "transposed"]


@pytest.mark.parametrize("side", [20, 42])
def test_resized_is_told_from_padded(framed: Pair, side: int) -> None:
    train, test = framed
    made = ndimage.zoom(test.images.astype(float), (1, side / 28, side / 28), order=1, grid_mode=True, mode="nearest")
    verdict = audit(train, ImageSet(np.rint(made.clip(0, 255)).astype(np.uint8)))
    assert names(verdict) == ["resized"]
    assert verdict.findings[0].parameters == {"from": [28, 28], "to": [side, side]}
    assert verdict.repaired[1].images.shape == test.images.shape
    padded = audit(train, ImageSet(np.pad(test.images, ((0, 0), (7, 7), (7, 7)))))
    assert names(padded) == ["frame-size"]
    assert padded.harmless


@pytest.mark.parametrize("in_", ["test", "train"])
def test_stretched_pictures_are_named_and_fitted_again(framed: Pair, in_: str) -> None:
    train, test = framed
    if in_ == "test":
        verdict = audit(train, ImageSet(stretch(test.images)))
    else:
        verdict = audit(ImageSet(stretch(train.images), train.labels), ImageSet(test.images))
    assert [(f.fault, f.in_) for f in verdict.findings] == [("stretched", in_)]
    if in_ == "test":
        before = np.abs(stretch(test.images).astype(float) - test.images).mean()
        after = np.abs(verdict.repaired[1].images.astype(float) - test.images).mean()
        assert after < 0.6 * before


def test_training_gets_the_traces_that_the_repair_leaves(framed: Pair) -> None:
    train, test = framed
    assert train.labels is not None
    assert test.labels is not None
    verdict = audit(train, ImageSet(255 - stretch(test.images)))
    assert names(verdict) == ["stretched", "inverted"]
    assert "gives the training images the traces" in verdict.sentence()
    both, repaired = verdict.repaired
    assert both.images.dtype == train.images.dtype
    np.testing.assert_array_equal(both.labels, train.labels)
    read = [ReferenceNet(x.images / np.float32(255), train.labels) for x in (train, both)]
    alone, together = (net.accuracy(repaired.images / np.float32(255), test.labels) for net in read)
    assert together > max(alone + 0.1, 0.9)


def test_an_exact_repair_leaves_training_alone(framed: Pair) -> None:
    train, test = framed
    verdict = audit(train, ImageSet(test.images[:, ::-1, ::-1] / 255), price=False)
    assert verdict.repaired[0] is train


def test_resampling_keeps_type_colour_and_background() -> None:
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (3, 9, 12)).astype(np.uint8)
    colour = np.stack([grey, grey // 2, 255 - grey], axis=3)
    for fault in (zoomed(0.8, 0.0), zoomed(1.2, 0.0), Resized((9, 12), (18, 24)), Stretched(8, (4, 5.5))):
        alone, together = fault.replay(grey), fault.replay(colour)
        assert together.dtype == np.uint8
        assert together.shape == (*alone.shape, 3)
        if not isinstance(fault, Stretched):  # the box of colour pictures is that of all channels
            np.testing.assert_array_equal(together[..., 0], alone)
    assert (zoomed(0.5, 200.0).replay(np.full((1, 8, 8), 200, np.uint8)) == 200).all()
    np.testing.assert_array_equal(Resized((9, 12), (9, 12)).undo(grey), grey)
