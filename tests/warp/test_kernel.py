import numpy as np
import pytest
from scipy import ndimage

from tidepool import warp
from tidepool.errors import InputError
from tidepool.warp.kernel import farthest
from tidepool.warp.kernel import warp as kernel


def dense_by_scipy(fields, size):
    """Cubic B-spline fields [N, 2, h, w] by scipy's own splines, from coefficients that it does not filter again."""
    places = np.stack(
        np.meshgrid(
            *[1 + np.arange(side) * (count - 3) / (side - 1) for count, side in zip(fields.shape[2:], size)],
            indexing="ij",
        )
    )
    return np.array(
        [
            [ndimage.map_coordinates(plane.astype(float), places, order=3, prefilter=False) for plane in field]
            for field in fields
        ]
    )


def by_scipy(image, matrix, size, bend=None):
    m = matrix.astype(float)
    y, x = np.mgrid[: size[0], : size[1]]
    u, v = (m[i, 1] * y + m[i, 2] + m[i, 0] * x for i in range(2))
    if bend is not None:
        u, v = u + bend[0], v + bend[1]
    planes = image[..., None] if image.ndim == 2 else image
    out = [
        ndimage.map_coordinates(planes[..., c].astype(float), [v, u], order=1, mode="constant", cval=0)
        for c in range(planes.shape[-1])
    ]
    return np.stack(out, axis=-1).reshape(*size, *image.shape[2:])


def random_matrices(count, frame, size, seed=0):
    rng = np.random.default_rng(seed)
    m = np.zeros((count, 2, 3), np.float32)
    m[:, :, :2] = rng.normal(0, 0.3, (count, 2, 2)) + np.eye(2)
    centre, target = (np.array([(s[1] - 1) / 2, (s[0] - 1) / 2]) for s in (frame, size))
    m[:, :, 2] = centre - m[:, :, :2] @ target + rng.uniform(-4, 4, (count, 2))
    m[0] = [[1, 0, 0], [0, 1, 0]]
    m[1] = [[0, 0, 3], [0, 0, 4]]  # every pixel from one place
    m[2] = [[1, 0, 500], [0, 1, 0]]  # nothing inside
    m[3] = [[0, 1, 0], [1, 0, 0]]  # turned over: the edges fall exactly on pixels
    m[4] = [[-1, 0, frame[1] - 1], [0, -1, frame[0] - 1]]
    m[5] = [[40, 0, -55], [0, 0.01, 1]]  # steps that leap over the whole picture
    m[6] = [[-1e-7, 0, 0], [1e-9, 1, -1e-7]]  # grazes the edge
    return m


FRAMES = [((28, 28), (40, 40)), ((8, 8), (8, 8)), ((9, 17), (8, 21)), ((128, 128), (128, 128)), ((12, 20, 3), (40, 33))]


@pytest.mark.parametrize(("shape", "size"), [*FRAMES, ((128, 96, 3), (128, 128)), ((1, 1), (5, 5)), ((1, 7), (6, 1))])
def test_agrees_with_scipy_within_one_grey_level_on_every_pixel(shape, size):
    count = 60 if max(shape) < 100 else 20
    images = np.random.default_rng(1).integers(0, 256, (count, *shape), dtype=np.uint8)
    matrices = random_matrices(count, shape, size)
    out = warp.apply(images, matrices, size)
    assert out.shape == (count, *size, *shape[2:])
    for image, matrix, found in zip(images, matrices, out):
        assert np.abs(by_scipy(image, matrix, size) - found).max() <= 1


@pytest.mark.parametrize(("shape", "size"), FRAMES)
def test_elastic_fields_agree_with_scipy_within_one_grey_level_on_every_pixel(shape, size):
    rng = np.random.default_rng(4)
    images = rng.integers(0, 256, (20, *shape), dtype=np.uint8)
    matrices = random_matrices(20, shape, size)
    fields = rng.normal(0, 2, (20, 2, 6, 8)).astype(np.float32)
    fields[7] = 0
    bends = dense_by_scipy(fields, size)
    out = warp.apply(images, matrices, size, fields=fields)
    for image, matrix, bend, found in zip(images, matrices, bends, out):
        assert np.abs(by_scipy(image, matrix, size, bend) - found).max() <= 1
    straight = warp.apply(images[7:8], matrices[7:8], size)[0]
    assert np.abs(out[7].astype(int) - straight).max() <= 1
    np.testing.assert_allclose(farthest(fields, size), np.abs(bends).max(axis=(2, 3)), atol=1e-9)


def test_identity_changes_nothing_and_threads_change_nothing():
    images = np.random.default_rng(2).integers(0, 256, (700, 11, 13), dtype=np.uint8)
    same = np.tile(np.array([[1, 0, 0], [0, 1, 0]], np.float32), (700, 1, 1))
    np.testing.assert_array_equal(warp.apply(images, same), images)
    matrices = random_matrices(700, (11, 13), (11, 13))
    np.testing.assert_array_equal(warp.apply(images, matrices, threads=1), warp.apply(images, matrices, threads=3))


@pytest.mark.parametrize("shape", [(10, 12), (10, 12, 3)])
def test_floats_keep_their_values_and_the_outside_is_filled(shape):
    images = np.random.default_rng(3).random((40, *shape), dtype=np.float32)
    matrices = random_matrices(40, shape, (14, 15))
    fields = np.random.default_rng(4).normal(0, 1, (40, 2, 5, 5)).astype(np.float32)
    bends = dense_by_scipy(fields, (14, 15))
    out, bent = np.empty((2, 40, 14, 15, *shape[2:]), np.float32)
    kernel(images, matrices, out, 0.0)
    kernel(images, matrices, bent, 0.0, fields)
    for i in range(40):
        np.testing.assert_allclose(out[i], by_scipy(images[i], matrices[i], (14, 15)), atol=2e-5)
        np.testing.assert_allclose(bent[i], by_scipy(images[i], matrices[i], (14, 15), bends[i]), atol=2e-5)
    filled = np.empty_like(out)
    kernel(images, matrices, filled, 7.0)
    assert (filled[2] == 7).all()
    assert set(np.unique(filled - out)) == {0.0, 7.0}


@pytest.mark.parametrize("frame", [(4, 4), (4, 1), (2, 1), (2, 5)])
def test_the_last_column_is_blended_with_the_row_below(frame):
    images = np.full((1, *frame), 200, np.uint8)
    half_a_row_down = np.array([[[1, 0, 0], [0, 1, 0.5]]])
    found = warp.apply(images, half_a_row_down)[0]
    assert (found[:-1] == 200).all()
    assert (found[-1] == 0).all()  # outside


def test_bytes_are_filled_outside_too():
    images = np.full((1, 4, 4), 9, np.uint8)
    out = np.empty((1, 4, 6), np.uint8)
    kernel(images, np.array([[[1, 0, -1], [0, 1, 0]]], np.float32), out, 200.0)
    np.testing.assert_array_equal(out[0], np.tile([200, 9, 9, 9, 9, 200], (4, 1)))


def test_read_only_and_strided_pictures_are_taken():
    whole = np.random.default_rng(5).integers(0, 256, (20, 9, 9), dtype=np.uint8)
    whole.flags.writeable = False
    same = np.tile(np.array([[1, 0, 0], [0, 1, 0]], np.float32), (10, 1, 1))
    np.testing.assert_array_equal(warp.apply(whole[::2], same), whole[::2])


def test_what_does_not_fit_is_refused():
    images, matrices = np.zeros((2, 4, 4), np.uint8), np.zeros((2, 2, 3))
    with pytest.raises(InputError, match="expected uint8"):
        warp.apply(np.zeros((2, 4, 4)), matrices)
    with pytest.raises(InputError, match=r"expected \(2, 2, 3\)"):
        warp.apply(images, matrices[:1])
    matrices[1, 0, 2] = np.nan
    with pytest.raises(InputError, match=r"matrix 1 .* holds NaN"):
        warp.apply(images, matrices)
    matrices[1, 0, 2] = 1e300  # infinite as float32
    with pytest.raises(InputError, match=r"matrix 1 .* infinite"):
        warp.apply(images, matrices)
    with pytest.raises(InputError, match="matrices are complex128, expected numbers"):
        warp.apply(images, np.zeros((2, 2, 3), complex))
    with pytest.raises(InputError, match="size is 0x4"):
        warp.apply(images, np.zeros((2, 2, 3)), (0, 4))
    for shape in ((1, 2, 4, 4), (2, 2, 4, 3), (2, 2, 16), (2, 2, 4, 4, 4)):
        with pytest.raises(InputError, match="fields have shape"):
            warp.apply(images, np.zeros((2, 2, 3)), fields=np.zeros(shape, np.float32))
