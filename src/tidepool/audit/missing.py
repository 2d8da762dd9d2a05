"""Missing values: NaN, infinities, or -1 where no value can be negative."""

from __future__ import annotations

import numpy as np

from tidepool.audit.faults import MissingValues
from tidepool.audit.scale import Scale
from tidepool.images import Array, ImageSet

_LISTED = 10


def missing_values(images: ImageSet, scale: Scale) -> MissingValues | None:
    """Return the finding for ``images``, or None where every pixel holds a value."""
    pixels = images.images
    if pixels.dtype.kind == "f":
        rows = np.flatnonzero(~np.isfinite(pixels).reshape(len(pixels), -1).all(axis=1))
        if len(rows):
            return _fault(images, scale, rows, sentinel=False)
    if pixels.dtype.kind in "if" and scale.low == -1 and _only_sentinel_below_zero(pixels):
        rows = np.flatnonzero((pixels == -1).reshape(len(pixels), -1).any(axis=1))
        return _fault(images, scale, rows, sentinel=True)
    return None


def _only_sentinel_below_zero(pixels: Array) -> bool:
    """Say whether -1 is rare and alone below zero: a range of -1..1 has much of it, and values between."""
    share = float((pixels == -1).mean())
    return 0 < share < 0.2 and not bool(((pixels < 0) & (pixels != -1)).any())


def _fault(images: ImageSet, scale: Scale, rows: Array, sentinel: bool) -> MissingValues:
    pixels = images.images
    good = pixels[np.isfinite(pixels) & (pixels != -1)] if sentinel else pixels[np.isfinite(pixels)]
    background = 0.0 if sentinel and scale.background == -1 else scale.background
    # Without the holes these may be plain bytes again.
    whole = bool(
        good.size and good.min() >= 0 and good.max() <= 255 and good.max() > 1 and np.all(good == np.round(good))
    )
    assert images.ids is not None
    named = [str(images.ids[row]) for row in rows[:_LISTED]]
    if len(rows) > _LISTED:
        named.append(f"and {len(rows) - _LISTED:,} more")
    dtype = "uint8" if whole else pixels.dtype.name
    return MissingValues(len(rows), len(images), sentinel, background, dtype, tuple(named))
