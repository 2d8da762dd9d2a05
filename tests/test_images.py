import numpy as np
import pytest

from tidepool import ImageSet
from tidepool.errors import DataError


def test_labels_are_the_values_as_read():
    images = np.zeros((3, 4, 4), np.uint8)
    assert ImageSet(images, np.array([3.0, 1.0, 3.0])).labels.dtype == np.int64
    np.testing.assert_array_equal(ImageSet(images, ["b", "a", "b"]).classes, ["a", "b"])
    np.testing.assert_array_equal(ImageSet(images, np.eye(3)).labels, [0, 1, 2])
    with pytest.raises(DataError, match=r"label 2 is 0\.5"):
        ImageSet(images, np.array([0, 0.5, 1]))


def test_images_take_one_layout():
    assert ImageSet(np.zeros((2, 1, 5, 6))).images.shape == (2, 5, 6)
    assert ImageSet(np.zeros((2, 5, 6, 1))).images.shape == (2, 5, 6)
    assert ImageSet(np.zeros((2, 5, 6, 3))).channels == 3
    assert ImageSet(np.full((2, 5, 6), 255, np.int64)).images.dtype == np.uint8
    assert ImageSet(np.full((2, 5, 6), 256, np.int64)).images.dtype == np.int64
    assert ImageSet(np.zeros((2, 5, 6), np.float64)).images.dtype == np.float64
    with pytest.raises(DataError, match=r"\(5, 6\)"):
        ImageSet(np.zeros((5, 6)))


def test_one_label_fewer_or_more_asks_the_right_question():
    images = np.zeros((3, 4, 4), np.uint8)
    with pytest.raises(DataError, match="labels 4, images 3") as error:
        ImageSet(images, np.arange(4))
    assert "was the first image eaten as a header?" in error.value.hint
    with pytest.raises(DataError, match="labels 2, images 3") as error:
        ImageSet(images, np.arange(2))
    assert "was the first label eaten as a header?" in error.value.hint


def test_select_keeps_labels_and_ids_together():
    images = ImageSet(np.arange(48, dtype=np.uint8).reshape(3, 4, 4), np.array([5, 6, 7]))
    part = images.select([2, 0])
    np.testing.assert_array_equal(part.labels, [7, 5])
    np.testing.assert_array_equal(part.ids, [3, 1])
    np.testing.assert_array_equal(part.images[1], images.images[0])


def test_groups_go_with_their_images():
    pixels = np.zeros((3, 4, 4), np.uint8)
    images = ImageSet(pixels, groups=np.array([7, 7, 9], np.int32))
    np.testing.assert_array_equal(images.select([2, 0]).groups, [9, 7])
    assert ImageSet(pixels).select([0]).groups is None
    for wrong in (np.array([1, 2]), np.array([0.5, 1, 2]), np.zeros((3, 1), int)):
        with pytest.raises(DataError, match=r"groups are .* images 3"):
            ImageSet(pixels, groups=wrong)


def test_mapped_images_are_not_copied(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(48, dtype=np.uint8).reshape(3, 4, 4))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    images = ImageSet(mapped)
    assert np.shares_memory(images.images, mapped)
    assert np.shares_memory(images.select(slice(1, 3)).images, mapped)
