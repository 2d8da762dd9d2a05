import numpy as np
import pytest

from tidepool.warp.splines import basis, regrid


@pytest.mark.parametrize(("coefficients", "pixels"), [(4, 28), (7, 28), (9, 40), (12, 5), (5, 1)])
def test_weights_are_a_partition_of_one_and_reproduce_straight_lines(coefficients, pixels):
    weights = basis(coefficients, pixels)
    assert weights.shape == (coefficients, pixels)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    line = np.arange(coefficients) - 1.0
    np.testing.assert_allclose(line @ weights, np.linspace(0, coefficients - 3, max(pixels, 1)), atol=1e-12)


def test_a_coarse_field_is_kept_on_a_grid_twice_as_fine():
    coarse = np.random.default_rng(0).normal(size=(3, 2, 5, 6))
    fine = regrid(coarse, (7, 9), (40, 36))
    before = basis(5, 40).T @ coarse @ basis(6, 36)
    after = basis(7, 40).T @ fine @ basis(9, 36)
    np.testing.assert_allclose(after, before, atol=1e-9)  # cells halve exactly, so nothing is lost
