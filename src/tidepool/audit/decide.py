"""The decision: which candidate is believed, against the identity, against chance, and against its rivals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidepool.audit.evidence import Reference
from tidepool.audit.search import Candidate

# Tuned by benchmarks/audit_common.py on MNIST, USPS and digits over several seeds.
MARGIN = 3.0  # a repair must win by this many times the distance that chance makes ...
RATIO = 0.5  # ... and leave at most this part of the distance of the identity
CENTRED = 2.0, 0.75  # the same two for class-by-class distances, of which augmentation leaves more
SLACK = 1.3, 1.5  # a simpler candidate is preferred within this ratio, or this many times chance
TIE = 1.1, 1.0  # rivals that lie this close cannot be told apart
UNEXPLAINED = 8.0, 0.06  # what remains is another source above this many times chance and this part of all variance


@dataclass(frozen=True)
class Decision:
    """``chosen`` is believed; ``rivals`` explain the pictures as well; ``unexplained``: a large distance remains."""

    chosen: Candidate
    identity: Candidate
    rivals: tuple[Candidate, ...]
    unexplained: bool
    confidence: float
    evidence: tuple[str, ...]

    @property
    def claims(self) -> bool:
        """Whether anything but values or even frames is claimed to be wrong."""
        return self.chosen.weight > 0


def decide(reference: Reference, sample_size: int, candidates: list[Candidate]) -> Decision:
    """Choose among ``candidates`` (best first) for ``sample_size`` judged images."""
    noise = reference.noise(sample_size)
    spread = float((reference.moments.weighted(reference.shares)[1] ** 2).sum())
    identity = min((c for c in candidates if not c.weight), key=lambda c: c.distance)
    best = candidates[0]
    margin, ratio = CENTRED if reference.centred else (MARGIN, RATIO)
    won = identity.distance - best.distance > margin * noise and best.distance < ratio * identity.distance
    chosen = identity
    rivals: tuple[Candidate, ...] = ()
    if won:
        near = max(SLACK[0] * best.distance, best.distance + SLACK[1] * noise)
        near = min(near, ratio * identity.distance)
        simple = [c for c in candidates if c.distance <= near]
        least = min(c.weight for c in simple)
        chosen = next(c for c in simple if c.weight == least)
        close = max(TIE[0] * chosen.distance, chosen.distance + TIE[1] * noise)
        rivals = tuple(c for c in simple if c.weight == least and c is not chosen and c.distance <= close)
    left = chosen.distance
    unexplained = left > max(UNEXPLAINED[0] * noise, UNEXPLAINED[1] * spread)
    told = [
        f"mean and spread images lie {_part(identity.distance, spread)} of the variance from training as they are, "
        f"{_part(left, spread)} after the repair (chance alone: {_part(noise, spread)})"
    ]
    others = [c for c in candidates if c.weight == chosen.weight and c is not chosen]
    second = min((c.distance for c in others), default=identity.distance)
    if won and others:
        told.append(f"the next best repair leaves {_part(second, spread)}")
    return Decision(chosen, identity, rivals, unexplained, _confidence(left, second, identity, noise), tuple(told))


def _confidence(left: float, second: float, identity: Candidate, noise: float) -> float:
    """Return 0..1: how clearly the identity and the next best lose, in units of chance and as a ratio."""
    margin = min(second, identity.distance) - left
    by_chance = 1 - np.exp(-max(margin, 0.0) / (4 * noise + 1e-12))
    by_ratio = 1 - min(1.0, left / (min(second, identity.distance) + 1e-12)) ** 2
    return float(np.clip(0.5 + 0.5 * by_chance * by_ratio, 0.0, 0.995))


def _part(distance: float, spread: float) -> str:
    share = 100 * distance / (spread or 1.0)
    return f"{share:.0f} %" if share >= 10 else f"{share:.2g} %"
