import numpy as np
import pytest

from tidepool import warp
from tidepool.errors import InputError


@pytest.fixture(scope="module")
def pictures():
    images = np.zeros((300, 28, 28), np.uint8)
    rng = np.random.default_rng(0)
    images[:, 5:23, 8:20] = rng.integers(0, 256, (300, 18, 12))
    return images


@pytest.mark.parametrize("name", list(warp.recipes))
def test_a_matrix_depends_on_seed_epoch_and_index_alone(name, pictures):
    recipe = warp.recipes[name]
    whole = recipe.matrices(pictures, seed=3, epoch=2)
    assert whole.dtype == np.float32
    part = np.array([250, 4, 17])
    np.testing.assert_array_equal(recipe.matrices(pictures[part], 3, 2, index=part), whole[part])
    if not recipe.is_identity:
        assert not np.array_equal(recipe.matrices(pictures, seed=3, epoch=3), whole)


def test_none_is_the_identity(pictures):
    np.testing.assert_array_equal(warp.apply(pictures, warp.recipes["none"].matrices(pictures)), pictures)


def test_affnist_keeps_the_ink_inside_and_uses_the_whole_room(pictures):
    matrices = warp.recipes["affnist"].matrices(pictures, size=(40, 40))
    out = warp.apply(pictures, matrices, (40, 40))
    edge = out.copy()
    edge[:, 1:-1, 1:-1] = 0
    assert edge.max() <= 64  # a bilinear fringe may touch the outermost pixels, ink itself may not leave
    # What went in comes out: the ink's mass grows with the scales and is not cut off.
    scale = 1 / np.abs(np.linalg.det(matrices[:, :, :2].astype(float)))
    ratio = out.sum((1, 2)) / (pictures.sum((1, 2)) * scale)
    np.testing.assert_allclose(ratio, 1, atol=0.06)
    centres = np.array([np.argwhere(o).mean(0) for o in out])
    assert np.ptp(centres[:, 0]) > 10
    assert np.ptp(centres[:, 1]) > 10


def test_affnist_draws_from_its_published_ranges(pictures):
    inverse = np.linalg.inv(warp.recipes["affnist"].matrices(pictures)[:, :, :2].astype(float))
    angle = np.degrees(np.arctan2(inverse[:, 1, 0], inverse[:, 0, 0]))
    assert 18 < np.abs(angle).max() <= 20.001
    scale_x = np.hypot(inverse[:, 0, 0], inverse[:, 1, 0])
    assert 0.8 <= scale_x.min() < 0.82
    assert 1.18 < scale_x.max() <= 1.2001


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'affnist'"):
        warp.find("afnist")
