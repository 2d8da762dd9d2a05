"""Evidence: what both sets look like on one scale, sampled by the seed, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from tidepool.audit.moments import ClassMoments, class_distance, distance, mean_and_spread, null_distance
from tidepool.audit.reference import ReferenceNet
from tidepool.audit.scale import Scale
from tidepool.audit.traits import recentre
from tidepool.images import Array, ImageSet

FIT, HELD, JUDGED, COUNTED, MEASURED = 4000, 6000, 2500, 1500, 5500
"""Images to fit the reference net on, to hold back for the price; of the other set for moments, and for class
frequencies; of training for moments."""
_JITTERED = 0.85  # moving jittered pictures to the middle takes away more than the rest of their variance
_FITTED = 0.73  # of few images
_FEWEST = 40  # labelled images below which a reference net only guesses


@dataclass
class Reference:
    """The training set as the yardstick: a sample on 0..1, its class moments, a net, and the null.

    ``images`` float32 ``[N, H, W(, C)]``, ``index`` ``[N]`` into the classes (all 0 without labels).
    """

    scale: Scale
    frame: tuple[int, int]
    images: Array
    index: Array
    moments: ClassMoments
    null: float
    net: ReferenceNet | None
    held: tuple[Array, Array] | None
    raw_held: Array | None
    raw_fit: Array | None = None
    shares: Array = field(default_factory=lambda: np.ones(1))
    centred: bool = False
    names: Array | None = None

    @property
    def background(self) -> float:
        """The background on the 0..1 scale."""
        return (self.scale.background - self.scale.low) / self.scale.span

    def unit(self, images: Array) -> Array:
        """Bring ``images`` of the training scale to 0..1 float32; not-finite values become the background."""
        values: Array = images.astype(np.float32)
        values -= np.float32(self.scale.low)
        values /= np.float32(self.scale.span)
        bad = ~np.isfinite(values)
        values[bad] = self.background
        return values

    def frequencies(self, images: Array, counted: int = COUNTED) -> Array:
        """Return the class frequencies ``[K]`` that the net sees in unit ``images``; the training's own without one."""
        if self.net is None:
            return self.shares
        found = np.bincount(self.net.predict_index(images[:counted]), minlength=len(self.shares))
        shares: Array = found / max(found.sum(), 1)
        return shares

    def compare(self, images: Array, counted: int = COUNTED, seen: Array | None = None) -> float:
        """Return the distance of unit ``images`` from training, reweighted by the classes found in them.

        seen : ``[P]`` bool, the pixels that a shift has left inside the frame; what it pushed out says nothing.

        The centred yardstick compares class by class: augmentation has blurred the whole, not each class.
        """
        if self.centred and self.net is not None:
            return class_distance(self.moments, images, self.net.predict_index(images))
        wanted = self.moments.weighted(self.frequencies(images, counted))
        found = mean_and_spread(images)
        if seen is None or seen.all():
            return distance(wanted, found)
        # As if the lost part differed as much as the part that is left.
        share = float((wanted[1][seen] ** 2).sum() / ((wanted[1] ** 2).sum() + 1e-12))
        inside = distance((wanted[0][seen], wanted[1][seen]), (found[0][seen], found[1][seen]))
        return inside / max(share, 0.05)

    def noise(self, count: int) -> float:
        """Return the distance that chance alone makes between ``count`` images and this training sample."""
        # A class has a K-th of the images, and (measured on MNIST) four tenths of the null's worst-case variance.
        parts = max(1.0, 0.4 * len(self.shares)) if self.centred else 1.0
        return self.null * parts * (1 / max(count, 1) + 1 / max(len(self.images), 1)) / 2


def fitted(count: int) -> int:
    """Return how many of ``count`` sampled images the reference net is fitted on; the rest are held back."""
    return min(FIT, round(_FITTED * count))


def sample_rows(count: int, wanted: int, rng: np.random.Generator) -> Array:
    """Return at most ``wanted`` distinct rows out of ``count``, in random order."""
    rows: Array = rng.permutation(count)[:wanted]
    return rows


def sampled(images: ImageSet, wanted: int, seed: int) -> Array:
    """Return at most ``wanted`` pictures in random order, the same ones for the same seed."""
    chosen: Array = images.images[sample_rows(len(images), wanted, np.random.default_rng(seed + 1))]
    return chosen


def few(images: ImageSet, wanted: int, seed: int) -> ImageSet:
    """Return a smaller set of at most ``wanted`` pictures with their labels, in their order."""
    return images.select(np.sort(sample_rows(len(images), wanted, np.random.default_rng(seed))))


def centred(reference: Reference, rng: np.random.Generator, seed: int) -> Reference | None:
    """Return the same yardstick with each picture moved to the middle; None where training is not jittered."""
    unit = recentre(reference.images, reference.background)
    if unit.var(axis=0).sum() > _JITTERED * reference.images.var(axis=0).sum():
        return None
    classes = len(reference.shares)
    moments = ClassMoments.of(unit, reference.index, classes)
    fit = 0 if reference.net is None else reference.net.count
    net = reference.net and ReferenceNet(unit[:fit], reference.index[:fit], seed)
    null = null_distance(unit, reference.index, classes, rng)
    return replace(reference, images=unit, moments=moments, null=null, net=net, centred=True)


def prepare(train: ImageSet, scale: Scale, rng: np.random.Generator, seed: int, factor: float = 1.0) -> Reference:
    """Measure the training set; ``factor`` below 1 shrinks the samples (for a budget)."""
    rows = sample_rows(len(train), int((FIT + HELD) * factor), rng)
    # All that are left beside the fitted ones tell the price; the moments need fewer.
    most = int(MEASURED * factor)
    chosen = train.images[rows]
    bare = Reference(scale, train.frame, chosen, rows, _EMPTY, 0.0, None, None, None)
    unit = bare.unit(chosen[:most])
    if train.labels is None:
        index = np.zeros(len(unit), dtype=np.int64)
        moments = ClassMoments.of(unit, index, 1)
        return Reference(scale, train.frame, unit, index, moments, null_distance(unit, index, 1, rng), None, None, None)
    classes, every = np.unique(train.labels[rows], return_inverse=True)
    index = every[:most]
    moments = ClassMoments.of(unit, index, len(classes))
    null = null_distance(unit, index, len(classes), rng)
    shares = np.bincount(index, minlength=len(classes)) / max(len(index), 1)
    net, held, raw = None, None, None
    if len(rows) >= _FEWEST and len(classes) > 1:
        fit = fitted(len(rows))
        net = ReferenceNet(unit[:fit], index[:fit], seed)
        # The net must know an index for every class, also for one that only the held-back part has.
        if len(net.classes) == len(classes):
            held, raw = (bare.unit(chosen[fit:]), every[fit:]), chosen[fit:]
        else:
            net = None
    return Reference(
        scale,
        train.frame,
        unit,
        index,
        moments,
        null,
        net,
        held,
        raw,
        chosen[: len(rows) - len(raw)] if raw is not None else None,
        shares,
        names=classes,
    )


_EMPTY = ClassMoments(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1))
