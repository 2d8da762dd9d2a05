import numpy as np
import pytest
from scipy import ndimage, stats

from tidepool import warp
from tidepool.errors import InputError
from tidepool.warp import Affine, Recipe
from tidepool.warp.ink import extremes

AFFNIST = warp.recipes["affnist"]
ROOM = 12  # pixels around the frame in which ink that was cut off would show


@pytest.fixture(scope="module")
def scribbles():
    """Strokes of all shapes, bright up to the edge of their ink, uint8 [2000, 28, 28]; the rim is empty."""
    rng = np.random.default_rng(0)
    noise = ndimage.gaussian_filter(rng.normal(size=(2000, 28, 28)), (0, 2.5, 2.5))
    images = np.where(noise > np.quantile(noise, 0.85, axis=(1, 2), keepdims=True), 255, 0).astype(np.uint8)
    for i, (top, left, height, width) in enumerate(rng.integers([1, 1, 3, 3], [10, 10, 18, 18], (2000, 4))):
        box = np.zeros((28, 28), bool)
        box[top : top + height, left : left + width] = True
        images[i][~box] = 0
    images[:3] = 0
    images[1, 14, 3] = 1  # one faint pixel
    images[2, 1:27, 1:27] = 255
    return images


def on_a_larger_frame(image, matrix, bend=None):
    """The warp [40 + 2 ROOM, 40 + 2 ROOM] by scipy alone, around the frame too; bend goes on as at its edge."""
    m = matrix.astype(float)
    y, x = np.mgrid[-ROOM : 40 + ROOM, -ROOM : 40 + ROOM]
    u, v = (m[i, 0] * x + m[i, 1] * y + m[i, 2] for i in range(2))
    if bend is not None:
        u, v = (at + np.pad(d, ROOM, mode="edge") for at, d in zip((u, v), bend))
    return ndimage.map_coordinates(image.astype(float), [v, u], order=1, mode="constant")


def room_left(image, matrix, size):
    """Pixels between the ink and the frame's left, top, right, bottom, by the corners of every ink pixel's spread."""
    forward = np.linalg.inv(matrix[:, :2].astype(float))
    centres = (np.argwhere(image)[:, ::-1] - matrix[:, 2]) @ forward.T
    spread = np.concatenate([centres + forward @ [dx, dy] for dx in (-1, 1) for dy in (-1, 1)])
    end = np.array([size[1], size[0]])
    low = np.minimum(centres.min(axis=0), spread.min(axis=0) + 1)
    high = np.minimum(end - 1 - centres.max(axis=0), end - spread.max(axis=0))
    return np.concatenate([low, high])


def test_affnist_cuts_no_ink_off_and_shifts_evenly_over_all_room(scribbles):
    room = []
    for epoch in range(2):
        matrices = AFFNIST.matrices(scribbles, seed=5, epoch=epoch, size=(40, 40))
        for image, matrix in zip(scribbles, matrices):
            large = on_a_larger_frame(image, matrix)
            assert large.sum() - large[ROOM:-ROOM, ROOM:-ROOM].sum() <= 0.05  # of pixels of 255: float32's rounding
            if image.any():
                room.append(room_left(image, matrix, (40, 40)))
    assert len(AFFNIST.shrunk(scribbles, seed=5, size=(40, 40))) == 0
    room = np.array(room)
    assert room.min() > 0
    for axis in range(2):
        share = room[:, axis] / (room[:, axis] + room[:, axis + 2])
        assert stats.kstest(share, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(room[:, 0] - room[:, 2], room[:, 1] - room[:, 3])[0, 1]) < 0.06


def test_elastic_ink_stays_inside_too(scribbles):
    from test_kernel import dense_by_scipy

    recipe, some = warp.find("affnist+elastic"), scribbles[:300]
    bends = dense_by_scipy(recipe.fields(some, size=(40, 40)), (40, 40))
    for image, matrix, bend in zip(some, recipe.matrices(some, size=(40, 40)), bends):
        large = on_a_larger_frame(image, matrix, bend)
        assert large.sum() - large[ROOM:-ROOM, ROOM:-ROOM].sum() <= 0.05


def test_ink_that_fits_at_no_shift_is_shrunk_until_it_fits_exactly(scribbles):
    images = scribbles[:200].copy()
    images[50:60] = 255
    index = np.arange(1000, 1200)
    asked = {"seed": 2, "epoch": 9, "index": index, "size": (28, 28)}
    shrunk = AFFNIST.shrunk(images, **asked)
    assert np.isin(np.arange(50, 60), shrunk).sum() >= 5
    assert len(shrunk) < 50
    assert shrunk.dtype == np.int64
    matrices = AFFNIST.matrices(images, **asked)
    wide = AFFNIST.matrices(images, **{**asked, "size": (200, 200)})
    factors = np.sqrt(np.abs(np.linalg.det(wide[:, :, :2]) / np.linalg.det(matrices[:, :, :2])))
    np.testing.assert_array_equal(np.flatnonzero(factors < 0.9999), shrunk)
    evenly = matrices[:, :, :2] * factors[:, None, None]
    np.testing.assert_allclose(evenly, wide[:, :, :2], rtol=1e-5, atol=1e-7)
    for i in shrunk:
        m = matrices[i].astype(float)
        y, x = np.mgrid[-ROOM : 28 + ROOM, -ROOM : 28 + ROOM]
        at = [m[1, 0] * x + m[1, 1] * y + m[1, 2], m[0, 0] * x + m[0, 1] * y + m[0, 2]]
        large = ndimage.map_coordinates(images[i].astype(float), at, order=1, mode="constant")
        assert large.sum() - large[ROOM:-ROOM, ROOM:-ROOM].sum() <= 0.05
        room = room_left(images[i], matrices[i], (28, 28))
        assert room.min() > 0
        assert min(room[0] + room[2], room[1] + room[3]) < 1e-3  # exactly: there is none left along one axis


def test_without_inside_nothing_is_shrunk(scribbles):
    full = np.full((5, 28, 28), 255, np.uint8)
    assert len(warp.recipes["digits"].shrunk(full, size=(20, 20))) == 0
    assert len(AFFNIST.shrunk(scribbles[:1], size=(4, 4))) == 0  # a blank picture fits everywhere


def test_a_frame_without_room_is_refused_by_the_pictures_numbers():
    images = np.zeros((4, 28, 28), np.uint8)
    images[[1, 3], 5:20, 5:20] = 9
    with pytest.raises(InputError, match=r"1x1 is too small for the ink of 2 pictures \(counted from 0: 1, 3\)"):
        AFFNIST.matrices(images, size=(1, 1))


def test_ink_that_fits_exactly_is_left_as_it_is():
    full = np.full((20, 12, 12), 7, np.uint8)
    inside = Recipe("inside", (Affine(inside=True),))
    assert len(inside.shrunk(full)) == 0
    np.testing.assert_array_equal(inside.warp(full), full)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_extremes_are_those_of_all_ink_pixels(scribbles, dtype):
    maps = np.random.default_rng(3).normal(size=(100, 2, 2))
    colour = np.zeros((100, 28, 28, 3), dtype)
    colour[..., 2] = scribbles[:100]
    for images in (scribbles[:100].astype(dtype), colour):
        found = extremes(images, maps)
        assert found[0].tolist() == [np.inf, np.inf, -np.inf, -np.inf]
        for n in np.flatnonzero(scribbles[:100].any(axis=(1, 2))):
            points = (np.argwhere(scribbles[n])[:, ::-1] - 13.5) @ maps[n].T
            np.testing.assert_allclose(found[n], [*points.min(axis=0), *points.max(axis=0)], atol=1e-12)


def test_ink_is_what_differs_from_the_ground(scribbles):
    dark = scribbles[1:500]
    light = 255 - dark
    asked = {"seed": 3, "epoch": 1, "size": (40, 40)}
    np.testing.assert_array_equal(AFFNIST.matrices(light, **asked, fill=255), AFFNIST.matrices(dark, **asked))
    np.testing.assert_array_equal(AFFNIST.shrunk(light, **asked, fill=255), AFFNIST.shrunk(dark, **asked))
    found = AFFNIST.warp(light, **asked, fill=255).astype(int)
    assert np.abs(255 - found - AFFNIST.warp(dark, **asked)).max() <= 1
