"""Honest figures: intervals and calibration."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the Wilson score interval (95 % by default) of a share (Wilson, JASA 1927), as fractions."""
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def calibration_error(probabilities: npt.NDArray[Any], truth: npt.NDArray[np.int64], bins: int = 15) -> float:
    """Return the expected calibration error of ``[N, K]`` probabilities over equal bins (Guo et al., ICML 2017)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for b in range(bins):
        inside = place == b
        if inside.any():
            error += inside.mean() * abs(float(confidence[inside].mean()) - float(right[inside].mean()))
    return error


def best_temperature(logits: npt.NDArray[Any], truth: npt.NDArray[np.int64]) -> float:
    """Return the temperature by which logits ``[N, K]`` must be divided to be as sure as they are right.

    The one of least negative log-likelihood on ``truth`` ``[N]`` (Guo et al., ICML 2017), among 97 from 1/8 to 8; 1
    for fewer than 100 rows, which could not tell.
    """
    if len(truth) < 100:
        return 1.0
    candidates = 2.0 ** np.linspace(-3, 3, 97)
    return float(candidates[int(np.argmax([log_likelihood(logits / t, truth) for t in candidates]))])


def log_likelihood(logits: npt.NDArray[Any], truth: npt.NDArray[np.int64]) -> float:
    """Return the mean log-likelihood of ``truth`` ``[N]`` under the softmax of logits ``[N, K]``."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    right = shifted[np.arange(len(truth)), truth]
    return float((right - np.log(np.exp(shifted).sum(axis=1))).mean())


def score(probabilities: npt.NDArray[Any], truth: npt.NDArray[Any], classes: npt.NDArray[Any]) -> dict[str, Any]:
    """Return what ``evaluate --json`` prints: accuracy, n, errors, per_class, calibration_error.

    ``truth`` holds labels ``[N]``; a label that is no class of the model counts as an error.
    """
    predicted = classes[probabilities.argmax(axis=1)].astype(str)
    wanted = truth.astype(str)
    right = predicted == wanted
    place = {str(name): k for k, name in enumerate(classes)}
    index = np.array([place.get(name, -1) for name in wanted])
    per_class = {
        str(name): {"accuracy": float(right[wanted == name].mean()), "n": int((wanted == name).sum())}
        for name in np.unique(wanted)
    }
    return {
        "accuracy": float(right.mean()),
        "n": len(truth),
        "errors": int((~right).sum()),
        "per_class": per_class,
        "calibration_error": calibration_error(probabilities, index),
    }
