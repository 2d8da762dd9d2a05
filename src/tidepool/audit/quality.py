"""Is one set of lower quality than the other: compressed, blurred or noisy? Told by doing the same to the other set.

Each is a hypothesis with one number (quality, sigma), which is found by the measure that answers to it: how much a
second compression changes, how steep neighbouring pixels are, how restless the flat parts are. The search has the last
word on blur: it must find blurred training pictures closer to the test pictures than sharp ones.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy import ndimage

from tidepool.audit.decide import Decision
from tidepool.audit.evidence import Reference, sample_rows
from tidepool.audit.faults import Resized, Shifted, Tone, Zoomed
from tidepool.audit.faults.quality import Blurred, Jpeg, Noisy, compressed
from tidepool.audit.faults.resampling import ink_of
from tidepool.audit.moments import distance, mean_and_spread
from tidepool.audit.scale import Scale
from tidepool.audit.traits import sharpness
from tidepool.images import Array, ImageSet

_COMPRESSED, _SAMPLE = 30, 400  # pictures
_QUALITIES = range(4, 61)
_SETTLED, _DIP = 0.5, 0.8  # at its own quality a set changes this much less than a moved one, and than at others
_ROUNDED = 0.5  # grey levels; what a second compression of the same quality may change by rounding alone
_OWED_NOISE, _OWED_BLUR = 14 / 255, 0.65  # milder ones are left alone
_NOISES = np.array([0, 5, 10, 14, 20, 28, 38, 50, 65, 85, 110]) / 255
_CALM = 0.6  # of the pixels
_EVEN, _BROKEN = (
    0.5,
    0.75,
)  # clipping leaves half of a noisy background where it was: half of the neighbours of such pixels
_BLURS = np.array([0, 0.3, 0.45, 0.6, 0.8, 1.0, 1.25, 1.6, 2.0, 2.6])


def sampled(images: ImageSet, scale: Scale, count: int, seed: int) -> Array:
    """Return ``count`` pictures on 0..1 float32, at most 0..1."""
    rows = np.sort(sample_rows(len(images), count, np.random.default_rng(seed + 5)))
    unit: Array = (images.images[rows].astype(np.float32) - np.float32(scale.low)) / np.float32(scale.span)
    return unit


def jpeg_fault(
    train: ImageSet, train_scale: Scale, test: ImageSet, test_scale: Scale, seed: int
) -> tuple[str, Jpeg, tuple[str, ...]] | None:
    """Return which set ('train' or 'test') shows compression, what is to be done to the other, and the evidence."""
    found = [_quality(each, scale, seed) for each, scale in ((train, train_scale), (test, test_scale))]
    if (found[0] is None) == (found[1] is None):
        return None
    in_ = "train" if found[0] else "test"
    quality, change = found[0] or found[1] or (0, 0.0)
    scale = test_scale if in_ == "train" else train_scale
    told = (
        f"a second JPEG compression of quality {quality} changes them only {change:.0%} as much as when they are moved "
        "by some pixels first"
    )
    return in_, Jpeg(quality, scale.low, scale.span), (told,)


def _quality(images: ImageSet, scale: Scale, seed: int) -> tuple[int, float] | None:
    """Return at which quality pictures were compressed, and how little a second time changes them; None if never.

    A second compression of the same quality finds all done, unless the blocks of 8x8 lie elsewhere: pictures moved by a
    few pixels tell what it does to others like them (after Farid 2009, "Exposing digital forgeries from JPEG ghosts").
    """
    if not scale.step or not 100 < round(scale.span / scale.step) <= 255:
        return None
    pictures = np.rint(sampled(images, scale, _COMPRESSED, seed) * 255).clip(0, 255).astype(np.uint8)
    for each in (pictures, pictures.swapaxes(1, 2)):  # the tables are not symmetric
        ratio = _changes(np.ascontiguousarray(each)) / _changes(np.roll(each, (3, 5), (1, 2)))
        best = int(ratio.argmin())
        if ratio[best] < _SETTLED and ratio[best] < _DIP * np.median(ratio):
            return _QUALITIES[best], float(ratio[best])
    return None


def _changes(pictures: Array) -> Array:
    """Return how much compression of each quality changes uint8 pictures ``[n, h, w(, 3)]``, in grey levels."""
    changes = [np.abs(compressed(pictures, quality).astype(np.int16) - pictures).mean() for quality in _QUALITIES]
    return np.maximum(changes, _ROUNDED)


def noise_fault(
    images: ImageSet, scale: Scale, other: ImageSet, other_scale: Scale, seed: int
) -> tuple[Noisy, tuple[str, ...]] | None:
    """Return the noise that ``images`` have more than ``other``, and its evidence, or None."""
    mine, theirs = sampled(images, scale, _SAMPLE, seed), sampled(other, other_scale, _SAMPLE, seed)
    noise = np.random.default_rng(seed).standard_normal(theirs.shape, dtype=np.float32)
    if _is_light(scale) != _is_light(other_scale):
        theirs = 1 - theirs  # clipping halves the noise of a background that lies at the end of the scale
    even = _together(theirs)
    if even > _EVEN and _together(mine) > _BROKEN * even:
        return None  # noise leaves no even background
    wanted = _restless(mine)
    sigma = _answer(lambda s: _restless((theirs + np.float32(s) * noise).clip(0, 1)), _NOISES, wanted)
    if sigma is None or sigma < _OWED_NOISE:
        return None
    told = f"even the flat parts of each picture vary as by noise of {sigma:.0%} of the scale"
    return Noisy(sigma * scale.span, scale.low, scale.span), (told,)


def _together(unit: Array) -> float:
    """Return the share of pixels next to one of the most frequent value that have it too."""
    values, counts = np.unique(unit, return_counts=True)
    ground = unit == values[counts.argmax()]
    return float((ground[:, :, 1:] & ground[:, :, :-1]).sum() / max(ground[:, :, :-1].sum(), 1))


def _is_light(scale: Scale) -> bool:
    return scale.background - scale.low > scale.span / 2


def _restless(unit: Array) -> float:
    """Return how far pixels lie from the median of their neighbours, in the calmer part of each picture."""
    apart = np.abs(unit - ndimage.median_filter(unit, size=(1, 3, 3, *(1,) * (unit.ndim - 3))))
    calm = np.sort(apart.reshape(len(apart), -1), axis=1)
    return float(calm[:, : int(_CALM * calm.shape[1])].mean())


def blur_fault(
    images: ImageSet, scale: Scale, other: ImageSet, other_scale: Scale, seed: int
) -> tuple[Blurred, tuple[str, ...]] | None:
    """Return by how much ``other`` must be blurred to have edges like those of ``images``, or None."""
    mine, theirs = sampled(images, scale, _SAMPLE, seed), sampled(other, other_scale, _SAMPLE, seed)
    theirs_ground = (other_scale.background - other_scale.low) / other_scale.span
    wanted = _sharp(mine, (scale.background - scale.low) / scale.span)

    levels = round(scale.span / scale.step) if scale.step else 0

    def blurred(sigma: float) -> float:
        made = Blurred(sigma).replay(theirs) if sigma else theirs
        # Few grey levels make steps of their own.
        return _sharp(np.rint(made * levels) / levels if levels else made, theirs_ground)

    sigma = _answer(lambda s: -blurred(s), _BLURS, -wanted)
    if sigma is None or sigma < _OWED_BLUR:
        return None
    return Blurred(round(sigma, 2)), (
        f"their edges are as soft as those of training pictures blurred by {sigma:.2g} px",
    )


def best_width(reference: Reference, decision: Decision, sample: Array, sigma: float, in_test: bool) -> float:
    """Return the width, near ``sigma``, of the blur that brings the moments of both sets closest.

    in_test : whether it is the test set that is blurred; sample : raw pictures of it; decision : whose values and
    orientation are undone first.
    """
    for fault in decision.chosen.faults:
        if not isinstance(fault, Tone | Zoomed | Resized | Shifted):
            sample = fault.undo(sample)
    unit = reference.unit(sample)
    if unit.shape[1:] != reference.images.shape[1:]:
        return sigma
    frequencies = reference.frequencies(unit)
    if in_test:
        chances = (frequencies / np.maximum(reference.shares, 1e-9))[reference.index]
        rows = np.random.default_rng(0).choice(len(chances), _SAMPLE, p=chances / chances.sum())
        sharp, wanted = reference.images[rows], mean_and_spread(unit)
    else:
        sharp, wanted = unit, reference.moments.weighted(frequencies)
    widths = sigma * np.array([0.75, 0.82, 0.9, 1.0, 1.1, 1.22, 1.35])
    apart = [distance(mean_and_spread(Blurred(width).replay(sharp)), wanted) for width in widths]
    return round(float(widths[int(np.argmin(apart))]), 2)


def _sharp(unit: Array, background: float) -> float:
    return float(sharpness(ink_of(unit, background)).mean())


def _answer(measure: Callable[[float], float], grid: Array, wanted: float) -> float | None:
    """Return where a rising ``measure`` reaches ``wanted``, between the points of the grid; None below its start."""
    before = measure(float(grid[0]))
    if wanted <= before:
        return None
    for low, high in pairwise(grid):
        value = measure(float(high))
        if value >= wanted:
            return float(low + (high - low) * (wanted - before) / max(value - before, 1e-12))
        before = value
    return float(grid[-1])
