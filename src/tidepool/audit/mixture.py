"""Is a part of the pictures turned? A net that learnt all orientations of the training pictures counts them.

How often it takes one orientation for another is known from held-back pictures; undoing that confusion gives the shares
(Lipton et al. 2018, "Detecting and correcting for label shift with black box predictors"). Labels make it surer: 1s are
taken for turned ones more often than 7s, so that the held-back pictures are weighed by the classes of the others.
"""

from __future__ import annotations

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


def mixed_orientation(reference: Reference, unit: Array, seed: int) -> tuple[MixedOrientation, tuple[str, ...]] | None:
    """Return the orientation that a part of ``unit`` images ``[n, h, w(, C)]`` has, and its evidence, or None."""
    known = reference.images
    if len(known) < _FEWEST or len(unit) < _FEWEST_JUDGED:
        return None
    square = known.shape[1] == known.shape[2]
    symmetries = [s for s in SYMMETRIES if square or s.replay(known[:1]).shape == known[:1].shape]
    half = min(_LEARNT, len(known) // 2)
    learnt, held = known[:half], known[half : 2 * half]
    net = ReferenceNet(_all_ways(learnt, symmetries), np.arange(len(symmetries) + 1).repeat(half), seed, _FEATURES)
    ways = len(symmetries) + 1
    judged = unit[:_JUDGED]
    weights = _as_in(reference, judged)[half : 2 * half]
    if weights.sum() == 0:
        return None
    weights = weights / weights.sum()
    read = [net.predict_index(held if s is None else s.replay(held)) for s in (None, *symmetries)]
    confusion = np.stack([np.bincount(one, weights, minlength=ways) for one in read], axis=1)
    if confusion[0, 0] < _KNOWN:
        return None
    shares = _shares(confusion, np.bincount(net.predict_index(judged), minlength=ways) / len(judged))
    best = 1 + int(shares[1:].argmax())
    share = float(shares[best])
    rng = np.random.default_rng(seed)
    chance = []
    for _ in range(_DRAWS):
        drawn = read[0][rng.choice(half, len(judged), p=weights)]
        chance.append(_shares(confusion, np.bincount(drawn, minlength=ways) / len(drawn))[1:].max())
    # The confusion itself is known from so many pictures only.
    spread = float(np.std(chance)) * np.sqrt(1 + len(judged) / half)
    if share < max(_OWED, float(np.mean(chance)) + _CERTAIN * spread) or shares[0] < _OWED:
        return None
    symmetry = symmetries[best - 1]
    count = len(known)
    both = ReferenceNet(np.concatenate([known, symmetry.replay(known)]), np.arange(2).repeat(count), seed)
    scale = reference.scale
    fault = MixedOrientation(symmetry, share, scale.low, scale.span, both)
    told = (
        f"a net that learnt all orientations of the training images sees {share:.0%} of these as `{symmetry.id}` "
        f"(in training, by chance, at most {max(chance):.1%})"
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
