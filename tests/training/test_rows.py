import warnings

import numpy as np
import pytest

from tidepool.errors import DataError
from tidepool.formats.packed import Packed
from tidepool.images import ImageSet
from tidepool.training.rows import Rows, require_finite

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 6, 5)).astype(np.uint8)
INDEX = np.array([3, 8, 9, 20, 41])


def packed():
    found = Packed((6, 5), IMAGES.dtype)
    found.append(IMAGES)
    return found


@pytest.mark.parametrize("images", [IMAGES, packed()], ids=["array", "packed"])
def test_rows_are_those_of_the_set(images):
    rows = Rows(images, INDEX, (8, 8))
    assert (rows.shape, rows.ndim, len(rows), rows.frame) == ((5, 6, 5), 3, 5, (8, 8))
    np.testing.assert_array_equal(rows[np.array([4, 0, 0])], IMAGES[[41, 3, 3]])
    np.testing.assert_array_equal(rows[1:3], IMAGES[[8, 9]])
    assert Rows(images, INDEX).frame == (6, 5)


@pytest.mark.parametrize("dtype", [np.float64, np.uint16, np.float32])
def test_other_types_become_float32_as_they_are_gathered(dtype):
    rows = Rows(IMAGES.astype(dtype) * dtype(3), INDEX)
    assert rows.dtype == rows[:2].dtype == np.float32
    np.testing.assert_array_equal(rows[:2], IMAGES[INDEX[:2]].astype(np.float32) * 3)


def test_what_is_gathered_may_be_written_to(tmp_path):
    np.save(tmp_path / "a.npy", IMAGES)
    rows = Rows(np.load(tmp_path / "a.npy", mmap_mode="r"), INDEX)
    assert rows[:].flags.writeable  # else torch would warn


def test_values_that_are_not_finite_are_found(monkeypatch):
    monkeypatch.setattr("tidepool.training.rows._BLOCK", 7)
    require_finite(ImageSet(images=IMAGES))
    images = IMAGES.astype(np.float64)
    require_finite(ImageSet(images=images))
    images[17, 2, 2], images[40, 0, 0] = np.nan, 1e300
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match=rf"2 of {len(images)} pictures hold NaN or infinite values \(first: 18\)"):
            require_finite(ImageSet(images=images))
