from __future__ import annotations

import numpy as np
import pytest

from tidepool.audit import audit
from tidepool.errors import FaultFound
from tidepool.images import ImageSet

Pair = tuple[ImageSet, ImageSet]


@pytest.mark.parametrize(
    ("symmetry", "turn"),
    [
        (None, lambda x: x),
        ("transposed", lambda x: x.transpose(0, 2, 1)),
        ("rotated-90", lambda x: np.rot90(x, 1, (1, 2))),
        ("rotated-270", lambda x: np.rot90(x, 3, (1, 2))),
        ("flipped-lr", lambda x: x[:, :, ::-1]),
    ],
)
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_all_are_found_and_dropped_from_training(digits: Pair, symmetry: str | None, turn, kind: type) -> None:
    train, test = (
        ImageSet(images.images.astype(kind) / kind(1 if kind is np.uint8 else 16), images.labels) for images in digits
    )
    images = test.images.copy()
    images[5:45] = turn(train.images[100:140])
    verdict = audit(train, ImageSet(images), price=False)
    assert [(f.fault, f.in_) for f in verdict.findings] == [("duplicates", "train")]
    assert verdict.findings[0].parameters == {"count": 40, "share": round(40 / 597, 4), "symmetry": symmetry}
    kept = verdict.repaired[0]
    assert len(kept) == 1160
    np.testing.assert_array_equal(kept.images, np.delete(train.images, np.arange(100, 140), axis=0))
    assert len(verdict.repaired[1]) == 597


def test_they_are_found_behind_another_fault(digits: Pair) -> None:
    train, test = digits
    images = np.concatenate([test.images[:500], train.images[:100]])
    verdict = audit(train, ImageSet((16 - images).astype(np.uint8)), price=False)
    assert [f.fault for f in verdict.findings] == ["inverted", "duplicates"]
    assert len(verdict.repaired[0]) == 1100


def test_few_and_chance_are_silent(digits: Pair) -> None:
    train, test = digits
    images = test.images.copy()
    images[:3] = train.images[:3]
    images[3:200] = 0  # blank pictures are no duplicates of each other
    assert "duplicates" not in [f.fault for f in audit(train, ImageSet(images), price=False).findings]


def test_the_same_set_twice_cannot_be_repaired(digits: Pair) -> None:
    train, _ = digits
    verdict = audit(train, train, price=False)
    assert [f.fault for f in verdict.findings] == ["duplicates"]
    assert not verdict.repairable
    with pytest.raises(FaultFound, match="would be empty"):
        _ = verdict.repaired
