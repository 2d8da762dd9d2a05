import json

import numpy as np
import pytest
from test_kernel import dense_by_scipy

from tidepool import warp
from tidepool.errors import InputError
from tidepool.preprocessing import pad_evenly
from tidepool.warp import Affine, Elastic, Recipe

EVERY = [*warp.recipes, "affnist+elastic"]


@pytest.fixture(scope="module")
def pictures():
    images = np.zeros((300, 28, 28), np.uint8)
    rng = np.random.default_rng(0)
    images[:, 5:23, 8:20] = rng.integers(0, 256, (300, 18, 12))
    return images


@pytest.mark.parametrize("name", EVERY)
def test_what_is_drawn_depends_on_seed_epoch_and_index_alone(name, pictures):
    recipe = warp.find(name)
    asked = {"seed": 3, "epoch": 2, "size": (40, 40)}
    whole, fields = recipe.matrices(pictures, **asked), recipe.fields(pictures, **asked)
    assert whole.dtype == np.float32
    part = np.array([250, 4, 17])
    np.testing.assert_array_equal(recipe.matrices(pictures[part], **asked, index=part), whole[part])
    if fields is not None:
        np.testing.assert_array_equal(recipe.fields(pictures[part], **asked, index=part), fields[part])
    for changed in ({"seed": 4}, {"epoch": 3}):
        assert recipe.is_identity or not np.isclose(recipe.matrices(pictures, **{**asked, **changed}), whole).all()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_warp_is_matrices_fields_and_kernel_in_one_pass(name, dtype, pictures):
    recipe, images = warp.find(name), pictures.astype(dtype)
    asked = {"seed": 1, "epoch": 5, "size": (40, 36)}
    out = recipe.warp(images, **asked)
    assert out.dtype == dtype
    assert out.shape == (300, 40, 36)
    expected = warp.apply(
        pictures, recipe.matrices(pictures, **asked), (40, 36), fields=recipe.fields(pictures, **asked)
    )
    assert np.abs(out.astype(float) - expected).max() <= (0 if dtype is np.uint8 else 0.51)
    part = np.array([250, 4, 17])
    np.testing.assert_array_equal(recipe.warp(images[part], **asked, index=part), out[part])


def test_warp_is_the_same_for_any_number_of_threads():
    images = np.random.default_rng(1).integers(0, 256, (2500, 12, 12), dtype=np.uint8)
    recipe = warp.find("affnist+elastic")
    np.testing.assert_array_equal(recipe.warp(images, threads=1), recipe.warp(images, threads=3))


def test_matrices_stay_what_they_were(pictures):
    """Checkpoints and others' versions rest on this: the same draws on every machine, today and later."""
    found = warp.recipes["digits"].matrices(pictures[:1], seed=7, epoch=1, index=np.array([41]))[0]
    expected = [
        [1.0645843744277954, 0.2683444321155548, -5.024888038635254],
        [-0.10556076467037201, 0.9041047096252441, 3.1257786750793457],
    ]
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


@pytest.mark.parametrize("size", [(28, 28), (40, 40), (33, 30)])
def test_none_pads_evenly(pictures, size):
    none = warp.recipes["none"]
    expected = pad_evenly(pictures, size)
    np.testing.assert_array_equal(none.warp(pictures, size=size), expected)
    np.testing.assert_array_equal(warp.apply(pictures, none.matrices(pictures, size=size), size), expected)


def test_the_outside_is_filled(pictures):
    out = warp.recipes["shift"].warp(np.full_like(pictures, 50), size=(60, 60), fill=200)
    assert set(np.unique(out)) == {50, 200}
    np.testing.assert_array_equal(warp.recipes["none"].warp(pictures, size=(60, 60), fill=9)[:, 0], 9)


def test_affnist_draws_from_its_published_ranges(pictures):
    forward = np.linalg.inv(warp.recipes["affnist"].matrices(np.tile(pictures, (4, 1, 1)))[:, :, :2].astype(float))
    angle = np.degrees(np.arctan2(forward[:, 1, 0], forward[:, 0, 0]))
    scale_x = np.hypot(forward[:, 0, 0], forward[:, 1, 0])
    scale_y = np.linalg.det(forward) / scale_x
    shear = (forward[:, 0, 0] * forward[:, 0, 1] + forward[:, 1, 0] * forward[:, 1, 1]) / scale_x / scale_y
    for values, low, high in [(angle, -20, 20), (shear, -0.2, 0.2), (scale_x, 0.8, 1.2), (scale_y, 0.8, 1.2)]:
        assert low - 1e-4 <= values.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.max() <= high + 1e-4
        assert abs(values.mean() - (low + high) / 2) < 0.04 * (high - low)
    assert abs(np.corrcoef(scale_x, scale_y)[0, 1]) < 0.1


def test_elastic_fields_have_the_stated_strength_and_smoothness():
    images = np.zeros((400, 28, 28), np.uint8)
    recipe = Recipe("only", (Elastic(alpha=1.0, sigma=4.0),))
    fields = recipe.fields(images)
    moved = dense_by_scipy(fields, (28, 28))
    assert np.sqrt((moved**2).mean()) == pytest.approx(1.0, abs=0.05)
    assert abs(moved.mean()) < 0.05
    # A Gaussian of sigma 4 gives neighbours n apart a correlation of exp(-n^2 / 4 sigma^2).
    for axis in (2, 3):
        along = np.moveaxis(moved, axis, 0)
        assert (along[:-4] * along[4:]).mean() / (moved**2).mean() == pytest.approx(np.exp(-16 / 64), abs=0.06)
    assert abs((moved[:, 0] * moved[:, 1]).mean()) < 0.05
    double = recipe.fields(np.zeros((400, 56, 56), np.uint8))
    np.testing.assert_allclose(double, 2 * fields, rtol=1e-5)  # grows with the frame


def test_affine_parts_compose_as_the_product_of_their_matrices(pictures):
    a, b = Recipe("a", (Affine(rotation=30),)), Recipe("b", (Affine(scale=(0.5, 1.5), shift=0.1),))
    both = a + b
    assert both.name == "a+b"
    full = np.tile(np.eye(3), (300, 1, 1))
    full[:, :2] = both.matrices(pictures)
    first = np.tile(np.eye(3), (300, 1, 1))
    first[:, :2] = a.matrices(pictures)
    second = np.linalg.inv(first) @ full  # b's own inverse map: scaling and shifting, no turning
    assert np.abs(second[:, [0, 1], [1, 0]]).max() < 1e-5
    assert np.ptp(second[:, 0, 0]) > 0.5
    twice = (a + a).matrices(pictures)[:, :, :2].astype(float)
    angles = np.degrees(np.arctan2(twice[:, 0, 1], twice[:, 0, 0]))
    assert 40 < np.abs(angles).max() <= 60  # independent draws: neither always equal nor always opposite
    assert np.abs(angles).std() > 5


def test_elastic_parts_of_different_grids_add_up(pictures):
    a, b = Recipe("a", (Elastic(1.0, 6.0),)), Recipe("b", (Elastic(2.0, 3.0),))
    both, alone = (a + b).fields(pictures), (b + a).fields(pictures)
    assert both.shape == alone.shape == b.fields(pictures).shape
    assert not np.array_equal(both, alone)
    moved = dense_by_scipy(both, (28, 28))
    assert np.sqrt((moved**2).mean()) == pytest.approx(np.sqrt(1 + 4), rel=0.06)


@pytest.mark.parametrize("name", EVERY)
def test_a_recipe_survives_its_card(name):
    recipe = warp.find(name)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "x"}, "expected a name and a list of parts"),
        ({"name": "", "parts": []}, "name is ''"),
        ({"name": "x", "parts": [], "part": 1}, "no key 'part'"),
        ({"name": "x", "parts": [{"rotation": 3}]}, "expected its kind"),
        ({"name": "x", "parts": [{"kind": "afine"}]}, "did you mean 'affine'"),
        ({"name": "x", "parts": [{"kind": "affine", "angle": 1}]}, "no key 'angle'"),
        ({"name": "x", "parts": [{"kind": "affine", "rotation": 999}]}, "rotation is 999"),
    ],
)
def test_a_card_that_was_altered_is_refused(values, words):
    with pytest.raises(InputError, match=words):
        Recipe.from_dict(values)


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'affnist'"):
        warp.find("afnist")
    with pytest.raises(InputError, match="no recipe 'elastik'"):
        warp.find("affnist+elastik")
    with pytest.raises(InputError, match="no recipe ''"):
        warp.find("affnist+")


def test_what_does_not_fit_is_refused(pictures):
    gentle = warp.recipes["gentle"]
    with pytest.raises(InputError, match="expected uint8 or float32"):
        gentle.warp(pictures.astype(np.int16))
    with pytest.raises(InputError, match="numbers of shape"):
        gentle.matrices(pictures, index=np.arange(3))
    with pytest.raises(InputError, match="expected at least 1x1"):
        gentle.matrices(pictures, size=(0, 4))
    with pytest.raises(InputError, match="images have shape"):
        gentle.matrices(pictures[0])
