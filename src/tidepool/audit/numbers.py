"""Are the numbers of one set broken? Wrong types, bytes that ran over, lost levels, pictures normalised by themselves.

Like the layout, this is told before the two sets are compared: a wrong reading of bytes is rough where the right one is
smooth, and what lost its levels has fewer of them than any other set of pictures.
"""

from __future__ import annotations

import numpy as np

from tidepool.audit.evidence import sample_rows
from tidepool.audit.faults.base import Fault
from tidepool.audit.faults.bytes import ByteSwapped, Int8Sign, ReinterpretedBytes, Uint8Wrapped
from tidepool.audit.faults.levels import Binarised, PerImageNormalised, Quantised, Stepped, TruncatedAfterDivision
from tidepool.audit.layouts import Found, common, roughness
from tidepool.images import Array, ImageSet

_SAMPLE = 400
_SMOOTHER, _SHARE = 0.85, 0.8
_DARK = 200  # a highest value below which running over shows by the range alone
_FEW, _MANY = 8, 12  # levels of a set that lost them, and of one that did not
_REASONABLE = 1e-7, 1e7  # pixels outside of this are bytes taken for floats


def byte_fault(images: ImageSet, other: ImageSet, seed: int) -> Found | None:
    """Return the wrong reading of bytes in ``images`` and its evidence, or None."""
    pixels = images.images
    sample = pixels[np.sort(sample_rows(len(images), _SAMPLE, np.random.default_rng(seed + 3)))]
    if pixels.dtype == np.uint8:
        return _reinterpreted(sample, other.frame) or _wrapped(sample, other)
    if not np.isfinite(sample).all() or np.any(sample != np.round(sample)):
        return None
    low, high = float(pixels.min()), float(pixels.max())
    if -128 <= low < 0 and high <= 127:
        return _smoother(sample, Int8Sign(pixels.dtype.name), f"whole numbers from {low:g} to {high:g}")
    if pixels.dtype.kind in "ui" and low >= 0 and 255 < high <= 65535:
        return _smoother(sample, ByteSwapped(), f"whole numbers up to {high:g}")
    return None


def _reinterpreted(sample: Array, frame: tuple[int, int]) -> Found | None:
    ratio = sample.shape[1] * sample.shape[2] / (frame[0] * frame[1])
    kinds = {4.0: ("<f4", ">f4"), 8.0: ("<f8", ">f8")}.get(ratio, ())
    for kind in kinds:
        fault = ReinterpretedBytes(frame, (sample.shape[1], sample.shape[2]), kind)
        with np.errstate(invalid="ignore"):  # what is no float is found out below
            values = fault.undo(sample)
            sizes = np.abs(values[values != 0].astype(np.float64))
        if sizes.size and np.isfinite(sizes).all() and _REASONABLE[0] < sizes.min() and sizes.max() < _REASONABLE[1]:
            return fault, (f"read as {kind} every number is a reasonable one ({values.min():g} to {values.max():g})",)
    return None


def _wrapped(sample: Array, other: ImageSet) -> Found | None:
    if other.images.dtype != np.uint8:
        return None
    k = round(common(_border(sample)) - common(_border(other.images[: len(sample)]))) % 256
    if not k:
        return None
    top = int(other.images.max())
    if top < _DARK and int(sample.max()) > top >= int(Uint8Wrapped(k).undo(sample).max()):
        told = f"the background is {k} higher, modulo 256; without that all values lie in 0..{top}, as in the other set"
        return Uint8Wrapped(k), (told,)
    return _smoother(sample, Uint8Wrapped(k), f"the background is {k} higher, modulo 256")


def _smoother(sample: Array, fault: Fault, told: str) -> Found | None:
    """Return ``fault`` where undoing it brings neighbours together."""
    before, after = roughness(sample.astype(np.float64)), roughness(fault.undo(sample).astype(np.float64))
    ratio, share = float(after.mean() / (before.mean() + 1e-12)), float((after < before).mean())
    if ratio > _SMOOTHER or share < _SHARE:
        return None
    return fault, (told, f"neighbouring pixels differ by {1 - ratio:.0%} less after it, in {share:.0%} of the pictures")


def lossy_fault(images: ImageSet, other: ImageSet, seed: int) -> Found | None:
    """Return what ``images`` lost and ``other`` did not, and its evidence, or None."""
    rows = np.sort(sample_rows(len(images), _SAMPLE, np.random.default_rng(seed + 4)))
    sample = images.images[rows]
    theirs = other.images[np.sort(sample_rows(len(other), _SAMPLE, np.random.default_rng(seed + 4)))]
    if len(sample) < 2 or not (np.isfinite(sample).all() and np.isfinite(theirs).all()):
        return None
    return _normalised(sample, theirs) or _stepped(images, sample, theirs)


def _normalised(sample: Array, theirs: Array) -> Found | None:
    if sample.dtype.kind != "f" or len(sample) < 5:
        return None
    mine, others = _measures(sample), _measures(theirs)
    dtype = sample.dtype.name
    if _constant(mine["norm"], 1.0) and not _constant(others["norm"], 1.0):
        return PerImageNormalised("l2", dtype), ("every picture has the same length (L2 norm) of 1",)
    if _constant(mine["std"], 1.0) and np.abs(mine["mean"]).max() < 1e-3 and not _constant(others["std"], 1.0):
        return PerImageNormalised("standard", dtype), ("every picture has mean 0 and standard deviation 1",)
    return None


def _measures(sample: Array) -> dict[str, Array]:
    rows = sample.reshape(len(sample), -1).astype(np.float64)
    rows = rows[rows.std(axis=1) > 0]
    return {"norm": np.sqrt((rows**2).sum(axis=1)), "mean": rows.mean(axis=1), "std": rows.std(axis=1)}


def _constant(values: Array, wanted: float) -> bool:
    return bool(len(values) and np.abs(values - wanted).max() < 2e-3)


def _stepped(images: ImageSet, sample: Array, theirs: Array) -> Found | None:
    """Compare the number of grey levels; where on the other set's scale the cuts lie follows from the counts."""
    levels = np.unique(sample)
    their_levels = np.unique(theirs)
    if not 2 <= len(levels) <= _FEW or len(their_levels) < _MANY:
        return None
    step = float(np.diff(their_levels).min())
    if (
        len(levels) > 2
        and np.diff(levels).max() < 1.5 * step
        and levels[-1] - levels[0] < 0.75 * (their_levels[-1] - their_levels[0])
    ):
        return None  # neighbouring levels of the same scale: less contrast, nothing was rounded away
    # Counted from the background, so that a rim that was added or cut off does not matter.
    mine_ground, their_ground = common(_border(sample)), common(_border(theirs))
    upside = (mine_ground > levels.mean()) != (their_ground > (their_levels[0] + their_levels[-1]) / 2)
    amounts = np.array([(sample == level).sum() for level in levels]) / len(sample)
    if upside:
        amounts = amounts[::-1]
    ordered = np.sort(theirs.reshape(-1))
    per = len(ordered) / len(theirs)
    if their_ground <= (their_levels[0] + their_levels[-1]) / 2:  # ink is high: count down from the top
        above = np.cumsum(amounts[::-1])[::-1][1:]
        places = 1 - above / per
    else:
        places = np.cumsum(amounts)[:-1] / per
    cuts = ordered[np.clip((places * len(ordered)).astype(int) - 1, 0, len(ordered) - 1)]
    edges = tuple(float(value) for value in np.maximum.accumulate(cuts))
    given = tuple(float(level) for level in levels)
    dtype = images.images.dtype.name
    told = (
        f"{len(levels)} grey levels only ({', '.join(f'{v:.4g}' for v in given)}), {len(their_levels)} in the other set"
    )
    if len(levels) > 2:
        return Quantised(given, edges, dtype), (told,)
    kind: type[Stepped] = Binarised
    top = float(their_levels[-1])
    share = float((theirs == top).mean())
    # Truncation after a division leaves the maximum alone.
    if given == (0.0, 1.0) and not upside and top > 1 and (edges[0] >= 0.99 * top or amounts[1] / per < 1.5 * share):
        kind, edges = TruncatedAfterDivision, (float(their_levels[-2]),)
    return kind(given, edges, dtype), (told,)


def _border(sample: Array) -> Array:
    return np.concatenate(
        [side.reshape(-1) for side in (sample[:, 0], sample[:, -1], sample[:, :, 0], sample[:, :, -1])]
    )
