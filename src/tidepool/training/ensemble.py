"""Which of several trained nets answer together: chosen on rows that none of them learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[Any]

# Standard errors by which the loss must fall for a member to go.
_SURE = 3.0


def choose_members(logits: Sequence[Logits], truth: npt.NDArray[np.int64]) -> list[int]:
    """Return which of the members, each with logits ``[N, K]``, to keep, in their order.

    All of them, but for those without which the loss is lower by more than chance would have it: some thousand rows
    cannot tell two good nets apart, and keeping the luckier one is worse than keeping both. All of them, too, where
    there are no rows to choose by.
    """
    kept = list(range(len(logits)))
    while len(truth) and len(kept) > 1:
        together = _losses(logits, kept, truth)
        gains = {}
        for one in kept:
            better = together - _losses(logits, [i for i in kept if i != one], truth)
            gains[one] = better.mean() - _SURE * better.std() / len(truth) ** 0.5
        worst = max(gains, key=lambda i: gains[i])
        if gains[worst] <= 0:
            break
        kept.remove(worst)
    return kept


def _losses(logits: Sequence[Logits], members: list[int], truth: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the negative log-likelihood of each row ``[N]`` at the temperature that suits these members best.

    Otherwise a mean, which is less sure than its members, would be blamed for what the temperature sets right.
    """
    from scipy.special import log_softmax

    from tidepool.statistics import best_temperature

    mean: Logits = np.asarray(np.mean([logits[i] for i in members], axis=0, dtype=np.float64))
    likelihood = np.asarray(log_softmax(mean / best_temperature(mean, truth), axis=1))
    found: npt.NDArray[np.float64] = -likelihood[np.arange(len(truth)), truth]
    return found
