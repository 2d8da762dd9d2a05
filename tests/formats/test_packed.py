import numpy as np
import pytest

from tidepool.formats.packed import Packed

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("frame", [(7, 9), (5, 6, 3)])
def test_what_is_packed_comes_back(dtype: type, frame: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidepool.formats.packed._CHUNK", 16)
    images = (RNG.random((75, *frame)) * 255).astype(dtype)
    packed = Packed(frame, np.dtype(dtype))
    for part in np.split(images, [1, 20, 52]):
        packed.append(part)
    assert (packed.shape, packed.ndim, len(packed)) == (images.shape, images.ndim, 75)
    slices = (slice(10, 60), slice(None, None, 7), slice(70, None), slice(5, 5))
    for index in ([74, 0, 33, 33], RNG.permutation(75), np.arange(0), *slices):
        found = packed[index]
        assert found.dtype == dtype
        assert found.flags.writeable
        np.testing.assert_array_equal(found, images[index])


def test_digits_take_a_fraction_of_their_size() -> None:
    images = np.zeros((2000, 40, 40), np.uint8)
    images[:, 12:26, 16:24] = RNG.integers(0, 256, (2000, 14, 8))
    packed = Packed((40, 40), images.dtype)
    packed.append(images)
    assert packed.nbytes < images.nbytes / 6


def test_it_is_indexed_as_an_array_is() -> None:
    images = RNG.integers(0, 256, (30, 4, 5)).astype(np.uint8)
    packed = Packed((4, 5), images.dtype)
    packed.append(images)
    for index in ([-1, 0, -30], images[:, 0, 0] > 128, np.zeros(30, bool), []):
        np.testing.assert_array_equal(packed[index], images[index])
    for wrong in ([30], [-31], np.ones(29, bool), [0.5], 3, None):
        with pytest.raises(IndexError):
            packed[wrong]  # type: ignore[index]


def test_it_becomes_an_array_where_one_is_asked_for():
    pictures = np.random.default_rng(0).integers(0, 256, (7, 3, 4)).astype(np.uint8)
    packed = Packed((3, 4), np.dtype(np.uint8))
    packed.append(pictures)
    np.testing.assert_array_equal(np.asarray(packed), pictures)
    assert np.asarray(packed, dtype=np.float32).dtype == np.float32
