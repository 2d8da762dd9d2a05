"""Is a part of the pictures turned? A net that learnt all orientations of the training pictures counts them.

How often it takes one orientation for another is known from held-back pictures; undoing that confusion gives the shares
(Lipton et al. 2018, "Detecting and correcting for label shift with black box predictors"). Labels make it surer: 1s are
taken for turned ones more often than 7s, so that the held-back pictures are weighed by the classes of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from tidepool.audit.evidence import Reference
from tidepool.audit.faults import SYMMETRIES, Symmetry
from tidepool.audit.faults.places import MixedOrientation
from tidepool.audit.reference import ReferenceNet
from tidepool.images import Array

_LEARNT, _JUDGED, _FEATURES = 500, 1000, 500  # pictures of each orientation; of the other set; units
_FEWEST, _FEWEST_JUDGED = 200, 60
_KNOWN = 0.35  # of the upright pictures the net must know for upright; one in eight is chance
_OWED = 0.08  # share
_CERTAIN = 5.0  # standard deviations of what chance gives in a set without any
_DRAWS = 20
_CLEAR = 1.5


@dataclass(frozen=True)
class Orientations:
    """Which share of the pictures has which orientation: ``symmetries`` (None: upright) and ``shares``, alike in order.

    clear : whether the net takes training pictures of that orientation for it far more often than for any other;
    chance : the largest share of turned pictures that a set without any seemed to have; owed : what is more than that.
    """

    symmetries: tuple[Symmetry | None, ...]
    shares: Array
    clear: Array
    chance: float
    owed: float

    @property
    def commonest(self) -> Symmetry | None:
        """The orientation of most pictures."""
        return self.symmetries[int(self.shares.argmax())]


def orientations(reference: Reference, unit: Array, seed: int) -> Orientations | None:
    """Count the orientations of ``unit`` images ``[n, h, w(, C)]``; None where training pictures do not tell them."""
    known = reference.images
    if len(known) < _FEWEST or len(unit) < _FEWEST_JUDGED:
        return None
    square = known.shape[1] == known.shape[2]
    turns = [s for s in SYMMETRIES if square or s.replay(known[:1]).shape == known[:1].shape]
    ways = len(turns) + 1
    half = min(_LEARNT, len(known) // 2)
    learnt, held = known[:half], known[half : 2 * half]
    net = ReferenceNet(_all_ways(learnt, turns), np.arange(ways).repeat(half), seed, _FEATURES)
    judged = unit[:_JUDGED]
    weights = _as_in(reference, judged)[half : 2 * half]
    if weights.sum() == 0:
        return None
    weights = weights / weights.sum()
    read = [net.predict_index(held if s is None else s.replay(held)) for s in (None, *turns)]
    confusion = np.stack([np.bincount(one, weights, minlength=ways) for one in read], axis=1)
    if confusion[0, 0] < _KNOWN:
        return None
    shares = _shares(confusion, np.bincount(net.predict_index(judged), minlength=ways) / len(judged))
    rng = np.random.default_rng(seed)
    chance = []
    for _ in range(_DRAWS):
        drawn = read[0][rng.choice(half, len(judged), p=weights)]
        chance.append(_shares(confusion, np.bincount(drawn, minlength=ways) / len(drawn))[1:].max())
    # The confusion itself is known from so many pictures only.
    spread = float(np.std(chance)) * np.sqrt(1 + len(judged) / half)
    owed = max(_OWED, float(np.mean(chance)) + _CERTAIN * spread)
    others = (confusion - np.diag(np.diag(confusion))).max(axis=0)
    clear = np.diag(confusion) > _CLEAR * others
    return Orientations((None, *turns), shares, clear, float(max(chance)), owed)


def mixed_orientation(
    reference: Reference, found: Orientations, seed: int
) -> tuple[MixedOrientation, tuple[str, ...]] | None:
    """Return the orientation that a part of the pictures has, and its evidence, or None."""
    best = 1 + int(found.shares[1:].argmax())
    share, symmetry = float(found.shares[best]), found.symmetries[best]
    if symmetry is None or share < found.owed or found.shares[0] < _OWED:
        return None
    known, scale = reference.images, reference.scale
    both = ReferenceNet(np.concatenate([known, symmetry.replay(known)]), np.arange(2).repeat(len(known)), seed)
    fault = MixedOrientation(symmetry, share, scale.low, scale.span, both)
    told = (
        f"a net that learnt all orientations of the training images sees {share:.0%} of these as `{symmetry.id}` "
        f"(in training, by chance, at most {found.chance:.1%})"
    )
    return fault, (told,)


def _all_ways(images: Array, symmetries: list[Symmetry]) -> Array:
    return np.concatenate([images, *(symmetry.replay(images) for symmetry in symmetries)])


def _as_in(reference: Reference, unit: Array) -> Array:
    """Return weights of the training pictures ``[N]`` that give them the class frequencies of ``unit``."""
    if reference.net is None:
        return np.ones(len(reference.images))
    found = reference.frequencies(unit, _JUDGED) / np.maximum(reference.shares, 1e-9)
    weights: Array = found[reference.index]
    return weights


def _shares(confusion: Array, seen: Array) -> Array:
    """Return the non-negative shares whose confusion is closest to what was ``seen``."""
    found, _ = nnls(confusion, seen)
    shares: Array = found / (found.sum() or 1.0)
    return shares
