from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform
from sklearn.datasets import load_digits

from tidepool import Classifier
from tidepool.errors import StackError
from tidepool.nets import zoo
from tidepool.nets.layers import MomentNormLayer


def posed(pictures: np.ndarray, layer: MomentNormLayer) -> np.ndarray:
    planes = torch.from_numpy(pictures.astype(np.float32))
    planes = planes[:, None] if planes.ndim == 3 else planes.permute(0, 3, 1, 2)
    return layer.modules(tuple(planes.shape[1:]))[""](planes).numpy()


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """Embedded digits, smooth and large: [N, 48, 48], 0..255."""
    small = load_digits().images[:40] * (255 / 16)
    return np.stack([affine_transform(one, np.eye(2) / 3, 3.5 - np.array([23.5, 23.5]) / 3, (48, 48)) for one in small])


def moments(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
    weights = plane / plane.sum()
    mean = np.array([(weights * x).sum(), (weights * y).sum()])
    dx, dy = x - mean[0], y - mean[1]
    xy = (weights * dx * dy).sum()
    return mean, np.array([[(weights * dx * dx).sum(), xy], [xy, (weights * dy * dy).sum()]])


def test_every_picture_gets_the_standard_moments(digits) -> None:
    for one in posed(digits, MomentNormLayer(41, reach=4.0))[:, 0]:
        mean, covariance = moments(np.maximum(one, 0))
        np.testing.assert_allclose(mean, [20, 20], atol=0.3)
        np.testing.assert_allclose(covariance, np.eye(2) * (20 / 4.0) ** 2, atol=4.0)


def test_place_scale_and_shear_make_no_difference(digits) -> None:
    layer = MomentNormLayer(28)
    before = posed(digits, layer)
    for matrix, shift in (
        (np.eye(2), (2.5, -3.0)),
        (np.diag([1.2, 0.85]), (0.0, 0.0)),
        (np.array([[1.0, 0.0], [0.2, 1.0]]), (1.0, 2.0)),
    ):
        centre = np.array([23.5, 23.5])
        moved = np.stack([affine_transform(one, matrix, centre - matrix @ (centre + shift), order=1) for one in digits])
        was, now = np.abs(moved - digits).mean(), np.abs(posed(moved, layer) - before).mean()
        assert now < was / 2


def test_dark_on_light_is_light_on_dark(digits) -> None:
    layer = MomentNormLayer(28)
    np.testing.assert_allclose(posed(255.0 - digits, layer), 255.0 - posed(digits, layer), atol=0.02)


def test_colour_channels_move_together(digits) -> None:
    colour = np.stack([digits, np.zeros_like(digits), 0.5 * digits], axis=3)
    grey = posed(digits, MomentNormLayer(28))[:, 0]
    found = posed(colour, MomentNormLayer(28))
    np.testing.assert_allclose(found[:, 0], grey, atol=0.02)
    np.testing.assert_allclose(found[:, 2], 0.5 * grey, atol=0.02)


def test_blank_pictures_stay_blank() -> None:
    assert (posed(np.full((2, 9, 9), 7.0), MomentNormLayer(12)) == 7.0).all()


@pytest.mark.parametrize("wrong", [{"size": 1}, {"size": 0}, {"reach": 0.0}, {"size": (3, 4, 5)}])
def test_impossible_layers_are_refused(wrong) -> None:
    with pytest.raises(StackError):
        MomentNormLayer(**wrong)


def test_the_zoo_stacks_name_it_first() -> None:
    stack = zoo.find("moments-small")((1, 40, 40), 10)
    assert isinstance(stack.layers[0][1], MomentNormLayer)
    assert stack.shapes[1] == (1, 28, 28)
    assert stack.layers[1:] == zoo.small((1, 28, 28), 10).layers
    with pytest.raises(StackError, match="planes"):
        zoo.find("moments-small")((64,), 10)


def test_a_model_with_it_predicts_what_it_was_scored_by() -> None:
    X, y = load_digits(return_X_y=True)
    model = Classifier(epochs=3, stack="moments-small").fit(X, y)
    assert model.validation_["accuracy"] > 0.8
    assert model.score(X, y) > 0.8
