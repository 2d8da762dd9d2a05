"""Is the layout of one set broken? Told from that set alone, but for the frame and the channels of the other one.

Foreign numbers in the first pixel and headers show themselves exactly. Shuffled rows, bytes and channels show in the
roughness: neighbours in a picture are alike, and only the right order brings them together. So it is known at once
which of the two sets is the broken one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tidepool.audit.evidence import sample_rows
from tidepool.audit.faults.base import Fault
from tidepool.audit.faults.layout import (
    ChannelOrder,
    HeaderAsPixels,
    IndexAsPixel,
    Interlaced,
    LabelAsPixel,
    PaddedBeforeReshape,
    PairsSwapped,
    WrongWidth,
    flat,
)
from tidepool.images import Array, ImageSet

_SAMPLE = 400  # pictures whose roughness is measured
_SMOOTHER = 0.85  # the right order leaves at most this part of the roughness ...
_SHARE = 0.8  # ... and makes at least this share of the pictures smoother
_BY_FRAME = 0.93, 0.65  # the same two where an odd frame of as many pixels speaks already
_FEWEST = 10  # rows in which a counting first column is no accident
_TOGETHER = 0.3  # correlation of the first two pixels above which the first is one, too
_MAGIC = {16: (0, 0, 8, 3), 8: (0, 0, 8, 1)}

Found = tuple[Fault, tuple[str, ...]]


def foreign_numbers(images: ImageSet, other: ImageSet) -> Found | None:
    """Return what in ``images`` is no pixel at all (a header, labels, row numbers), and the evidence, or None.

    Channels on the wrong axis are told here too. other : the set beside it, of which only frame, channels and the first
    and last pixels are looked at.
    """
    found = _channels_first(images, other)
    if found is not None or images.channels != other.channels:
        return found
    return _header(images, other) or _foreign_pixel(images, other)


def wrong_order(images: ImageSet, other: ImageSet, seed: int) -> Found | None:
    """Return in which wrong order the pixels of ``images`` stand, and the evidence, or None."""
    return None if images.channels != other.channels else _reordered(images, other, seed)


def _channels_first(images: ImageSet, other: ImageSet) -> Found | None:
    shape = images.images.shape
    if len(shape) != 4 or images.channels == other.channels or shape[1] != other.channels or shape[1] > 4:
        return None
    return ChannelOrder("first"), (f"the shape is {list(shape)}: {shape[1]} channels stand on the second axis",)


def _header(images: ImageSet, other: ImageSet) -> Found | None:
    """Look for IDX's magic number in front; also where the values were scaled since."""
    first = flat(images.images[:1])[0][:16].astype(np.float64)
    if len(first) < 16:
        return None
    background = common(images.images[:200])
    theirs = other.images[:2000].reshape(len(other.images[:2000]), -1)
    for count, magic in _MAGIC.items():
        unit = (first[2] - background) / magic[2]
        if not np.isfinite(unit) or unit == 0:
            continue
        header = (first[:count] - background) / unit
        whole = np.round(header)
        if np.abs(header - whole).max() > 0.02 or tuple(whole[:4]) != magic:
            continue
        sizes = [int(value) for value in whole.reshape(-1, 4) @ (256 ** np.arange(3, -1, -1))]
        if count == 16 and tuple(sizes[2:]) != images.frame:
            continue
        told = f"the first {count} numbers are the header of an IDX file ({' '.join(f'{v:g}' for v in whole)})"
        lossless = bool((theirs[:, -count:] == theirs[0, -1]).all())
        return HeaderAsPixels(count, background, tuple(first[:count].tolist()), lossless), (told,)
    return None


def _foreign_pixel(images: ImageSet, other: ImageSet) -> Found | None:
    pixels = images.images
    first = pixels.reshape(len(pixels), -1)[:, 0].astype(np.float64)
    if len(first) < _FEWEST or not np.isfinite(first).all() or np.ptp(first) == 0 or pixels[0].size < 2:
        return None
    background = common(pixels[:500])
    # What the last pixel was can only be guessed from the other set.
    last = other.images.reshape(len(other.images), -1)[:, -1]
    lossless = bool((last == last[0]).all())
    rest = pixels.reshape(len(pixels), -1)[:, 1:]
    dtype = pixels.dtype.name
    if pixels.dtype.kind in "ui" and rest.min() >= 0 and rest.max() <= 255:
        dtype = "uint8"
    steps = np.diff(first)
    step = float(np.median(steps))
    # Bytes begin again at 256.
    turns = np.abs(steps - step) > 1e-3 * abs(step)
    if step and turns.sum() <= len(first) // 250 + 1 and np.isclose(steps[turns], -255 * step, rtol=1e-3).all():
        told = f"the first pixel rises by {step:.5g} from each picture to the next"
        return IndexAsPixel(background, float(first[0]), step, dtype, lossless), (told,)
    levels = np.unique(first)
    if images.labels is not None and 2 <= len(levels) <= 1000:
        classes, index = np.unique(images.labels, return_inverse=True)
        each = np.array([first[index == k].mean() for k in range(len(classes))])
        rises = np.diff(each)
        if len(classes) > 1 and np.abs(first - each[index]).max() <= 1e-6 * np.ptp(first) and (rises > 0).all():
            told = "the first pixel of every picture is its label"
            return LabelAsPixel(background, float(each[0]), float(rises.min()), dtype, lossless), (told,)
    # A corner goes with its neighbour, a label does not.
    beside = rest[:, 0].astype(np.float64)
    if beside.std() > 0 and abs(np.corrcoef(first, beside)[0, 1]) > _TOGETHER:
        return None
    return _unlabelled_labels(first, other, background, dtype, lossless)


def _unlabelled_labels(first: Array, other: ImageSet, background: float, dtype: str, lossless: bool) -> Found | None:
    """Labels as first pixels where no labels came with them: as many evenly spaced numbers as there are classes."""
    theirs = other.images.reshape(len(other.images), -1)[:, 0]
    classes = None if other.labels is None else len(np.unique(other.labels))
    levels = np.unique(first)
    gaps = np.diff(levels)
    even, span = _evenly(levels)
    if not even or classes is None or not 2 <= span + 1 <= classes or len(levels) < min(3, classes):
        return None
    # Labels are about equally frequent; a corner that is no label is mostly background, or has more values.
    shares = np.bincount(np.searchsorted(levels, first)) / len(first)
    if shares.max() > 0.5 or _evenly_few(theirs, classes):
        return None
    told = f"the first pixel takes {len(levels)} evenly spaced values, {classes} classes are known"
    return LabelAsPixel(background, float(levels[0]), float(gaps.min()), dtype, lossless), (told,)


def _evenly(levels: Array) -> tuple[bool, int]:
    """Say whether sorted ``levels`` lie on a lattice of their smallest gap, and how many gaps they span."""
    gaps = np.diff(levels)
    if not len(gaps):
        return False, 0
    places = gaps / gaps.min()
    return bool(np.abs(places - np.round(places)).max() < 0.01), round(float(np.ptp(levels)) / float(gaps.min()))


def _evenly_few(corner: Array, classes: int) -> bool:
    levels = np.unique(corner)
    even, span = _evenly(levels)
    return even and len(levels) >= min(3, classes) and span + 1 <= classes


def _reordered(images: ImageSet, other: ImageSet, seed: int) -> Found | None:
    """Try every order of rows, bytes and channels, and the other set's frame; the smoothest is believed."""
    rows = np.sort(sample_rows(len(images), _SAMPLE, np.random.default_rng(seed + 2)))
    sample = images.images[rows]
    sample = np.where(np.isfinite(sample), sample, 0).astype(np.float32)
    as_is = roughness(sample)
    best: tuple[float, Fault, str] | None = None
    for fault in _orders(images, other, sample):
        smooth = roughness(fault.undo(sample))
        ratio = float(smooth.mean() / (as_is.mean() + 1e-12))
        share = float((smooth < as_is).mean())
        most, least = _BY_FRAME if isinstance(fault, WrongWidth) else (_SMOOTHER, _SHARE)
        if ratio < most and share >= least and (best is None or ratio < best[0]):
            told = f"neighbouring pixels differ by {1 - ratio:.0%} less after it, in {share:.0%} of the pictures"
            best = ratio, fault, told
    return None if best is None else (best[1], (best[2],))


def _orders(images: ImageSet, other: ImageSet, sample: Array) -> Iterator[Fault]:
    background = common(sample)
    frame, wanted = images.frame, other.frame
    if min(frame) >= 4:
        yield Interlaced()
        yield PairsSwapped()
    if images.channels == 3:
        yield ChannelOrder("planes")
        yield ChannelOrder("mixed")
    if frame == wanted:
        return
    spare = frame[0] * frame[1] - wanted[0] * wanted[1]
    # Cut to whole rows, or filled up to them.
    if abs(spare) < max(frame[1], wanted[1]) and frame[1] != wanted[1]:
        yield WrongWidth(wanted, frame, background)
    if spare > 0:
        different: Array = flat(sample - np.float32(background)).reshape(len(sample), frame[0] * frame[1], -1)
        empty = np.logical_not(different.any(axis=(0, 2)))
        for before in sorted({0, spare // 2, spare - spare // 2, spare}):
            padded = PaddedBeforeReshape(wanted, frame, before, background)
            if empty[:before].all() and empty[len(empty) - (spare - before) :].all():
                yield padded


def roughness(images: Array) -> Array:
    """Return for each of ``images`` ``[N, H, W(, C)]`` how much neighbours differ, as a part of all variation."""
    values = images[..., None] if images.ndim == 3 else images
    down = (np.diff(values, axis=1) ** 2).mean(axis=(1, 2, 3))
    across = (np.diff(values, axis=2) ** 2).mean(axis=(1, 2, 3))
    found: Array = (down + across) / (values.var(axis=(1, 2, 3)) + 1e-12)
    return found


def common(pixels: Array) -> float:
    """Return the most frequent value."""
    values, counts = np.unique(pixels[np.isfinite(pixels)], return_counts=True)
    return float(values[counts.argmax()]) if len(values) else 0.0
