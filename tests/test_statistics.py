import numpy as np
import pytest

from tidepool.statistics import best_temperature, calibration_error, score, wilson


def test_wilson_against_published_values():
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    for successes, n, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)]:
        assert wilson(successes, n) == pytest.approx((low, high), abs=1e-4)


def test_calibration_error_of_honest_and_boastful_answers():
    honest = np.tile([[0.75, 0.25]], (400, 1))
    truth = np.repeat([0, 0, 0, 1], 100)
    assert calibration_error(honest, truth) == pytest.approx(0, abs=1e-9)
    assert calibration_error(np.tile([[1.0, 0.0]], (400, 1)), truth) == pytest.approx(0.25)


def test_score_counts_unknown_labels_as_errors():
    probabilities = np.eye(3)[[0, 1, 2, 2]]
    found = score(probabilities, np.array([0, 1, 2, 9]), np.arange(3))
    assert (found["accuracy"], found["n"], found["errors"]) == (0.75, 4, 1)
    assert found["per_class"]["9"] == {"accuracy": 0.0, "n": 1}


def test_temperature_makes_answers_as_sure_as_they_are_right():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 5))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = (rng.random((4000, 1)) > p.cumsum(1)).sum(1)
    assert best_temperature(logits, truth) == pytest.approx(1, abs=0.06)
    assert best_temperature(3 * logits, truth) == pytest.approx(3, rel=0.06)
    assert best_temperature(logits[:50], truth[:50]) == 1
