"""Which of several trained nets answer together: chosen on rows that none of them learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[Any]


def choose_members(logits: Sequence[Logits], truth: npt.NDArray[np.int64]) -> list[int]:
    """Return which of the members, each with logits ``[N, K]``, to keep, in their order.

    Begins with the best one and adds, as long as the loss of the mean falls, the one that lowers it most (Caruana et
    al., "Ensemble selection from libraries of models", ICML 2004). All of them where there are no rows to choose by.
    """
    if not len(truth):
        return list(range(len(logits)))
    kept: list[int] = []
    least = np.inf
    while len(kept) < len(logits):
        others = [i for i in range(len(logits)) if i not in kept]
        losses = {i: _loss(np.mean([logits[k] for k in [*kept, i]], axis=0), truth) for i in others}
        best = min(losses, key=lambda i: losses[i])
        if losses[best] >= least:
            break
        least = losses[best]
        kept.append(best)
    return sorted(kept)


def _loss(logits: Logits, truth: npt.NDArray[np.int64]) -> float:
    """Return the negative log-likelihood at the temperature that suits these logits best.

    Otherwise a mean, which is less sure than its members, would be blamed for what the temperature sets right.
    """
    from tidepool.statistics import best_temperature, log_likelihood

    return -log_likelihood(logits / best_temperature(logits, truth), truth)
