import numpy as np
import pytest

from tidepool.errors import InputError
from tidepool.randomness import uniforms
from tidepool.warp.parts import Affine, Elastic


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"rotation": 181}, "affine: rotation is 181, expected a number from 0 to 180 degrees"),
        ({"rotation": -1}, "rotation is -1"),
        ({"rotation": True}, "rotation is True"),
        ({"rotation": float("nan")}, "rotation is nan"),
        ({"shear": "0.1"}, "shear is '0.1', expected a number from 0 to 1"),
        ({"scale": (1.1, 0.9)}, "the lower one first"),
        ({"scale": (0, 1)}, "expected two numbers from 0.1 to 10"),
        ({"scale": 1.1}, "scale is 1.1"),
        ({"scale": ("a", "b")}, "scale is"),
        ({"shift": 1.5}, "shift is 1.5"),
        ({"inside": 1}, "inside is 1, expected true or false"),
    ],
)
def test_an_affine_value_out_of_range_is_refused(values, text):
    with pytest.raises(InputError) as error:
        Affine(**values)
    assert text in str(error.value)


@pytest.mark.parametrize("values", [{"alpha": 11}, {"alpha": -0.1}, {"sigma": 0.5}, {"sigma": None}])
def test_an_elastic_value_out_of_range_is_refused(values):
    with pytest.raises(InputError, match=f"elastic: {next(iter(values))} is"):
        Elastic(**values)


def test_numbers_become_plain_floats():
    part = Affine(rotation=np.float32(20), scale=[1, 2])
    assert type(part.rotation) is float
    assert part.scale == (1.0, 2.0)


def test_linear_maps_are_rotate_shear_scale_about_the_centre():
    part = Affine(rotation=180, shear=1, scale=(0.5, 2))
    u = uniforms(0, 0, np.arange(500), 6)
    angle, shear, across, down = np.pi * (2 * u[:, 0] - 1), 2 * u[:, 1] - 1, 0.5 + 1.5 * u[:, 2], 0.5 + 1.5 * u[:, 3]
    for i, found in enumerate(part.linear(u)):
        turn = [[np.cos(angle[i]), -np.sin(angle[i])], [np.sin(angle[i]), np.cos(angle[i])]]
        wanted = np.array(turn) @ [[1, shear[i]], [0, 1]] @ np.diag([across[i], down[i]])
        np.testing.assert_allclose(found, wanted, atol=1e-13)
