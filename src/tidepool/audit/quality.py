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

from tidepool.audit.evidence import sample_rows
from tidepool.audit.faults.quality import Blurred, Jpeg, Noisy, compressed
from tidepool.audit.faults.resampling import ink_of
from tidepool.audit.layouts import Found
from tidepool.audit.scale import Scale
from tidepool.images import Array, ImageSet

_COMPRESSED, _SAMPLE = 48, 400  # pictures
_QUALITIES = (4, 60, 3)  # first, last, step of the coarse look
_UNCHANGED = 0.9  # compressed ones change less than this part when compressed again, even gently
_DIP = 0.75  # and at their own quality this much less than at others
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


def jpeg_fault(images: ImageSet, scale: Scale, other: ImageSet, other_scale: Scale, seed: int) -> Found | None:
    """Return the compression of ``images`` (on the scale of ``other``, which shows none), and its evidence."""
    levels = [round(each.span / each.step) if each.step else 0 for each in (scale, other_scale)]
    if not all(100 < level <= 255 for level in levels):
        return None
    mine, theirs = (
        np.rint(sampled(one, each, _COMPRESSED, seed) * 255).clip(0, 255).astype(np.uint8)
        for one, each in ((images, scale), (other, other_scale))
    )
    first, last, step = _QUALITIES
    if _ratio(mine, theirs, [last])[0] > _UNCHANGED:
        return None
    coarse = list(range(first, last, step))
    ratio = _ratio(mine, theirs, coarse)
    best = coarse[int(ratio.argmin())]
    near = [q for q in range(best - step + 1, best + step) if q not in coarse and q > 1]
    fine = _ratio(mine, theirs, near)
    quality = near[int(fine.argmin())] if fine.min() < ratio.min() else best
    depth = float(min(fine.min(), ratio.min()) / np.median(ratio))
    if depth > _DIP:
        return None
    told = f"a second JPEG compression of quality {quality} changes them {1 - depth:.0%} less than of other qualities"
    return Jpeg(quality, other_scale.low, other_scale.span), (told,)


def _ratio(mine: Array, theirs: Array, qualities: list[int]) -> Array:
    """Return by how much compression changes ``mine`` over the same of ``theirs``, ``[Q]``.

    How much a set changes at all depends on what it shows; the dip at its own quality does not (Farid 2009, "Exposing
    digital forgeries from JPEG ghosts").
    """
    changes = [[np.abs(compressed(x, q).astype(np.int16) - x).mean() for q in qualities] for x in (mine, theirs)]
    ratio: Array = np.array(changes[0]) / np.maximum(changes[1], 1e-6)
    return ratio


def noise_fault(images: ImageSet, scale: Scale, other: ImageSet, other_scale: Scale, seed: int) -> Found | None:
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


def blur_fault(images: ImageSet, scale: Scale, other: ImageSet, other_scale: Scale, seed: int) -> Found | None:
    """Return by how much ``other`` must be blurred to have edges like those of ``images``, or None."""
    mine, theirs = sampled(images, scale, _SAMPLE, seed), sampled(other, other_scale, _SAMPLE, seed)
    theirs_ground = (other_scale.background - other_scale.low) / other_scale.span
    wanted = sharpness(mine, (scale.background - scale.low) / scale.span)

    def blurred(sigma: float) -> float:
        return sharpness(Blurred(sigma).replay(theirs) if sigma else theirs, theirs_ground)

    sigma = _answer(lambda s: -blurred(s), _BLURS, -wanted)
    if sigma is None or sigma < _OWED_BLUR:
        return None
    return Blurred(round(sigma, 2)), (
        f"their edges are as soft as those of training pictures blurred by {sigma:.2g} px",
    )


def sharpness(unit: Array, background: float) -> float:
    """Return the squared steps between neighbours over the squared ink, the mean of the pictures."""
    ink = ink_of(unit, background)
    steps = (np.diff(ink, axis=1) ** 2).sum(axis=(1, 2)) + (np.diff(ink, axis=2) ** 2).sum(axis=(1, 2))
    return float((steps / ((ink**2).sum(axis=(1, 2)) + 1e-9)).mean())


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
