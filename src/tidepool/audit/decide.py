"""The decision: which candidate is believed, against the identity, against chance, and against its rivals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tidepool.audit.evidence import Reference
from tidepool.audit.faults import Fault, MixedOrientation, Shifted, Symmetry, Zoomed
from tidepool.audit.mixture import Orientations, mixed_orientation, orientations
from tidepool.audit.moments import distance
from tidepool.audit.search import Candidate
from tidepool.images import Array

# Tuned by benchmarks/audit_common.py on MNIST, USPS and digits over several seeds.
MARGIN = 3.0  # a repair must win by this many times the distance that chance makes ...
RATIO = 0.5  # ... and leave at most this part of the distance of the identity
CENTRED = 2.0, 0.75  # the same two for class-by-class distances, of which augmentation leaves more
SLACK = 1.3, 1.5  # a simpler candidate is preferred within this ratio, or this many times chance
TIE = 1.1, 1.0  # rivals that lie this close cannot be told apart
_FALLS = 0.5  # of the distance that a mixture must make is gone when it is undone
_FALLEN, _EXPLAINED = (0.1, 0.76, 0.9), 4.0  # parts of the distance, and times chance, that may remain
_PLAIN = 0.15  # a share below which the moments must fall the more
_MOST, _CLEARLY = 0.4, 1.5  # share of one orientation, and how many times that of the next one
_NO_WORSE = 1.2  # the distance that it may leave, beside the best one's
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
    unexplained = is_unexplained(reference, sample_size, left)
    told = [
        f"mean and spread images lie {_part(identity.distance, spread)} of the variance from training as they are, "
        f"{_part(left, spread)} after the repair (chance alone: {_part(noise, spread)})"
    ]
    others = [c for c in candidates if c.weight == chosen.weight and c is not chosen]
    second = min((c.distance for c in others), default=identity.distance)
    if won and others:
        told.append(f"the next best repair leaves {_part(second, spread)}")
    return Decision(chosen, identity, rivals, unexplained, _confidence(left, second, identity, noise), tuple(told))


def is_unexplained(reference: Reference, sample_size: int, left: float) -> bool:
    """Say whether a remaining distance is too large for chance and for the spread of the training pictures."""
    spread = float((reference.moments.weighted(reference.shares)[1] ** 2).sum())
    return left > max(UNEXPLAINED[0] * reference.noise(sample_size), UNEXPLAINED[1] * spread)


def with_orientation(decision: Decision, reference: Reference, sample: Array, seed: int) -> Decision:
    """Return ``decision`` with a mixture of orientations in place of a single one, if that explains much more.

    Where moments cannot tell single ones apart (those of another source lie far from training whatever is done), the
    orientation of most pictures is believed. sample : raw pictures of the other set ``[n, h, w(, C)]``.
    """
    if reference.centred:
        return decision
    # Whatever was taken for a change of all pictures may have been that of a part of them.
    faults = tuple(fault for fault in decision.chosen.faults if not isinstance(fault, Symmetry | Shifted | Zoomed))
    for fault in faults:
        sample = fault.undo(sample)
    counted = orientations(reference, reference.unit(sample), seed)
    if counted is None:
        return decision
    found = mixed_orientation(reference, counted, seed)
    mixed = None if found is None else _mixed(decision, reference, sample, faults, found)
    return mixed or _turned(decision, reference, sample, faults, counted)


def _turned(
    decision: Decision, reference: Reference, sample: Array, faults: tuple[Fault, ...], counted: Orientations
) -> Decision:
    """Return ``decision`` with the orientation of most pictures, where the moments are undecided about it."""
    second, most = np.sort(counted.shares)[-2:]
    if not (decision.unexplained or decision.rivals) or most < max(_MOST, _CLEARLY * second):
        return decision
    if not counted.clear[counted.shares.argmax()]:
        return decision
    symmetry = counted.commonest
    believed = [fault for fault in decision.chosen.faults if isinstance(fault, Symmetry)]
    if not decision.rivals and believed == ([] if symmetry is None else [symmetry]):
        return decision
    turned = () if symmetry is None else (symmetry,)
    left = reference.compare(reference.unit(sample if symmetry is None else symmetry.undo(sample)))
    if left > _NO_WORSE * decision.chosen.distance:
        return decision
    told = f"a net that learnt all orientations of the training images sees {most:.0%} of them so"
    chosen = Candidate((*faults, *turned), left)
    return replace(decision, chosen=chosen, rivals=(), confidence=0.85, evidence=(told, *decision.evidence))


def _mixed(
    decision: Decision,
    reference: Reference,
    sample: Array,
    faults: tuple[Fault, ...],
    found: tuple[MixedOrientation, tuple[str, ...]],
) -> Decision | None:
    """Return the decision for a mixture, or None where the moments do not bear it out."""
    noise, before = reference.noise(len(sample)), decision.chosen.distance
    fault, told = found
    left = reference.compare(reference.unit(fault.undo(sample)))
    # Skewed classes or approximate repairs may look like a mixture to the net: the moments must fall as its share says.
    if before - left < _FALLS * _distance_of_mixture(fault, reference, reference.unit(sample)):
        return None
    # What is left must be chance; without labels, whose frequencies cannot be weighed, it must besides be much less.
    most = _FALLEN[1] if fault.share < _PLAIN else _FALLEN[2]
    if left > max(_EXPLAINED * noise, _FALLEN[0] * decision.identity.distance) or left > most * before:
        return None
    if reference.net is None and (left > RATIO * before or before - left < MARGIN * noise):
        return None
    chosen = Candidate((*faults, fault), left)
    unexplained = is_unexplained(reference, len(sample), left)
    return Decision(chosen, decision.identity, (), unexplained, 0.95, (*told, *decision.evidence))


def _distance_of_mixture(fault: MixedOrientation, reference: Reference, unit: Array) -> float:
    """Return how far the mixture takes the moments of training pictures with the classes of ``unit``."""
    mean, spread = reference.moments.weighted(reference.frequencies(unit))
    second = mean**2 + spread**2
    shape = 1, *unit.shape[1:]
    turned, turned_second = (fault.symmetry.replay(each.reshape(shape)).reshape(-1) for each in (mean, second))
    mixed = (1 - fault.share) * mean + fault.share * turned
    mixed_second = (1 - fault.share) * second + fault.share * turned_second
    return distance((mean, spread), (mixed, np.sqrt(np.maximum(mixed_second - mixed**2, 0))))


def _confidence(left: float, second: float, identity: Candidate, noise: float) -> float:
    """Return 0..1: how clearly the identity and the next best lose, in units of chance and as a ratio."""
    margin = min(second, identity.distance) - left
    by_chance = 1 - np.exp(-max(margin, 0.0) / (4 * noise + 1e-12))
    by_ratio = 1 - min(1.0, left / (min(second, identity.distance) + 1e-12)) ** 2
    return float(np.clip(0.5 + 0.5 * by_chance * by_ratio, 0.0, 0.995))


def _part(distance: float, spread: float) -> str:
    share = 100 * distance / (spread or 1.0)
    return f"{share:.0f} %" if share >= 10 else f"{share:.2g} %"
