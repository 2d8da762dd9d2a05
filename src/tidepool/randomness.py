"""Random numbers that are pure functions of (seed, epoch, index): the same on any worker, in any order.

The generator is SplitMix64's output function (Steele, Lea & Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014) applied to a counter built from the key; each step mixes one more part of the key.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_GAMMA = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def _mix(z: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def bits(*key: int | npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]:
    """Return 64 random bits for each element of the broadcast ``key`` (integers or integer arrays)."""
    state = np.zeros(1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for part in key:
            word = np.asarray(part & _MASK if isinstance(part, int) else part).astype(np.uint64)
            state = _mix((state ^ word) + np.uint64(_GAMMA))
    return state


def uniforms(seed: int, epoch: int, index: npt.NDArray[np.integer], count: int) -> npt.NDArray[np.float64]:
    """Return float64 ``[len(index), count]`` in [0, 1): row i depends on (seed, epoch, index[i]) alone."""
    words = bits(seed, epoch, np.asarray(index)[:, None], np.arange(count)[None, :])
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def permutation(seed: int, epoch: int, count: int) -> npt.NDArray[np.int64]:
    """Return the order in which ``count`` images are visited in an epoch."""
    return np.argsort(bits(seed, epoch, np.arange(count), 0x5F), kind="stable")


def seed_for(*key: int) -> int:
    """Return one seed in 0..2**31 - 1 for ``key``, for generators that want a single number."""
    return int(bits(*key)[0] >> np.uint64(33))
