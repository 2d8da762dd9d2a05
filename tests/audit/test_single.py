"""Single pictures: each moved about, centred by its box, or some of them turned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tidepool.audit import audit
from tidepool.images import ImageSet

Pair = tuple[ImageSet, ImageSet]


def names(verdict: Any) -> list[str]:
    return [finding.fault for finding in verdict.findings]


def moved(images: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.stack([np.roll(p, (y, x), (0, 1)) for p, y, x in zip(images, down, right, strict=True)])


def boxed(images: np.ndarray) -> np.ndarray:
    out = []
    for picture in images:
        ink = np.argwhere(picture > 0)
        away = np.rint((27 - ink.min(axis=0) - ink.max(axis=0)) / 2).astype(int)
        out.append(np.roll(picture, away, (0, 1)))
    return np.stack(out)


@pytest.mark.parametrize("reach", [2, 4])
def test_jitter_is_named_and_every_picture_put_back(framed: Pair, reach: int) -> None:
    train, test = framed
    rng = np.random.default_rng(reach)
    broken = moved(test.images, *rng.integers(-reach, reach + 1, (2, len(test))))
    verdict = audit(train, ImageSet(broken))
    assert names(verdict) == ["jittered"]
    back = verdict.repaired[1].images.astype(float)
    assert np.abs(back - test.images).mean() < 0.25 * np.abs(broken.astype(float) - test.images).mean()


def test_jitter_beside_a_transposition_and_standardised_values(framed: Pair) -> None:
    train, test = framed
    rng = np.random.default_rng(1)
    broken = moved(test.images, *rng.integers(-3, 4, (2, len(test)))).transpose(0, 2, 1)
    verdict = audit(train, ImageSet(((broken / 255 - 0.1307) / 0.3081).astype(np.float32)), price=False)
    assert sorted(names(verdict)) == ["jittered", "standardised", "transposed"]


def test_jittered_training_is_augmentation(framed: Pair) -> None:
    train, test = framed
    rng = np.random.default_rng(2)
    varied = moved(train.images, *rng.integers(-3, 4, (2, len(train))))
    assert audit(ImageSet(varied, train.labels), ImageSet(test.images), price=False).verdict == "clean"


def test_centred_by_the_box(framed: Pair) -> None:
    train, test = framed
    broken = boxed(test.images)
    verdict = audit(train, ImageSet(broken), price=False)
    assert names(verdict) == ["not-centred-by-mass"]
    same = (verdict.repaired[1].images == test.images).all(axis=(1, 2)).mean()
    assert same > 0.8 > (broken == test.images).all(axis=(1, 2)).mean()


@pytest.mark.parametrize("share", [0.12, 0.3, 0.5])
@pytest.mark.parametrize("turns", [1, 2])
def test_a_part_of_the_pictures_is_turned(framed: Pair, share: float, turns: int) -> None:
    train, test = framed
    some = np.random.default_rng(turns).random(len(test)) < share
    broken = test.images.copy()
    broken[some] = np.rot90(broken[some], turns, (1, 2))
    verdict = audit(train, ImageSet(broken))
    assert names(verdict) == ["mixed-orientation"]
    found = verdict.findings[0].parameters
    assert found["symmetry"] == f"rotated-{90 * turns}"
    assert found["share"] == pytest.approx(some.mean(), abs=0.06)
    right = (verdict.repaired[1].images == test.images).all(axis=(1, 2)).mean()
    assert right > 0.9
    assert verdict.cost is not None
    assert verdict.cost.accuracy_as_is < verdict.cost.accuracy_repaired


@pytest.mark.parametrize("classes", [(1, 7), (0, 8), (6,), (4, 9), (3, 5)])
def test_a_choice_of_classes_is_no_mixture(framed: Pair, classes: tuple[int, ...]) -> None:
    train, test = framed
    assert audit(train, test.select(np.isin(test.labels, classes)), price=False).verdict == "clean"


def test_mixed_training_is_augmentation(framed: Pair) -> None:
    train, test = framed
    varied = train.images.copy()
    varied[::3] = np.rot90(varied[::3], 2, (1, 2))
    verdict = audit(ImageSet(varied, train.labels), ImageSet(test.images), price=False)
    assert verdict.verdict in ("clean", "different-source")
