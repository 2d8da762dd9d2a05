import numpy as np
import pytest
from scipy import ndimage

from tidepool import warp
from tidepool.errors import InputError
from tidepool.warp.kernel import warp as kernel


def by_scipy(image, matrix, size):
    m = matrix.astype(float)
    planes = image[..., None] if image.ndim == 2 else image
    out = [
        ndimage.affine_transform(
            planes[..., c].astype(float), m[::-1, 1::-1], offset=m[::-1, 2], output_shape=size, order=1
        )
        for c in range(planes.shape[-1])
    ]
    return np.stack(out, axis=-1).reshape(*size, *image.shape[2:])


def random_matrices(count, seed=0):
    rng = np.random.default_rng(seed)
    m = np.zeros((count, 2, 3), np.float32)
    m[:, :, :2] = rng.normal(0, 0.3, (count, 2, 2)) + np.eye(2)
    m[:, :, 2] = rng.uniform(-8, 6, (count, 2))
    return m


@pytest.mark.parametrize("shape", [(28, 28), (9, 17), (12, 20, 3)])
@pytest.mark.parametrize("size", [(40, 40), (8, 21)])
def test_agrees_with_scipy_within_one_grey_level(shape, size):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (60, *shape), dtype=np.uint8)
    matrices = random_matrices(60)
    matrices[0, :, :] = [[1, 0, 0], [0, 1, 0]]
    matrices[1, :, :] = [[0, 0, 3], [0, 0, 4]]
    matrices[2, :, :] = [[1, 0, 500], [0, 1, 0]]
    out = warp.apply(images, matrices, size)
    for image, matrix, found in zip(images, matrices, out):
        assert np.abs(by_scipy(image, matrix, size) - found).max() <= 1


def test_identity_changes_nothing_and_threads_change_nothing():
    images = np.random.default_rng(2).integers(0, 256, (700, 11, 13), dtype=np.uint8)
    same = np.tile(np.array([[1, 0, 0], [0, 1, 0]], np.float32), (700, 1, 1))
    np.testing.assert_array_equal(warp.apply(images, same), images)
    matrices = random_matrices(700)
    np.testing.assert_array_equal(warp.apply(images, matrices, threads=1), warp.apply(images, matrices, threads=3))


def test_floats_keep_their_values_and_the_outside_is_filled():
    images = np.random.default_rng(3).random((5, 10, 10), dtype=np.float32)
    half = np.tile(np.array([[1, 0, 0.5], [0, 1, 20]], np.float32), (5, 1, 1))
    out = np.empty_like(images)
    kernel(images, half, out, fill=7.0)
    assert (out == 7).all()
    half[:, 1, 2] = 0
    kernel(images, half, out, fill=7.0)
    np.testing.assert_allclose(out[:, :, :9], (images[:, :, :9] + images[:, :, 1:]) / 2, rtol=1e-5)
    assert (out[:, :, 9] == 7).all()


def test_wrong_shapes_are_refused():
    with pytest.raises(InputError, match="expected uint8"):
        warp.apply(np.zeros((2, 4, 4)), np.zeros((2, 2, 3)))
    with pytest.raises(InputError, match=r"expected \(2, 2, 3\)"):
        warp.apply(np.zeros((2, 4, 4), np.uint8), np.zeros((1, 2, 3)))
