"""Scale: on which values a set of pictures lives: range, background, lattice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidepool.images import Array

_LATTICE_IMAGES = 500  # enough to meet every grey level, few enough to sort in a tenth of a second
_MOST_LEVELS = 4096


@dataclass(frozen=True)
class Scale:
    """The values of one set; all in the set's own units.

    low, high : smallest and largest finite value of the whole set.
    background : the most frequent value on the border of the frame.
    ink : how far the strongest ink (99.9 % quantile) lies from the background.
    step : distance of neighbouring grey levels, or None where values are continuous.
    dtype : numpy's name of the number type.
    """

    low: float
    high: float
    background: float
    ink: float
    step: float | None
    dtype: str

    @property
    def plain(self) -> bool:
        """Whether these are whole numbers from 0 to 255, as pictures are stored."""
        return self.step is not None and self.step >= 1 and self.step % 1 == 0 and self.low >= 0 and self.high <= 255

    @property
    def span(self) -> float:
        """The width of the range, never 0."""
        return (self.high - self.low) or 1.0


def measure(images: Array, sample: Array) -> Scale:
    """Return the scale of ``images`` ``[N, H, W(, C)]``; ``sample`` is a part of it for the costlier counts.

    Values that are not finite are left out.
    """
    low, high = finite_range(images)
    values = sample.astype(np.float64)
    border = np.concatenate(
        [values[:, 0].ravel(), values[:, -1].ravel(), values[:, :, 0].ravel(), values[:, :, -1].ravel()]
    )
    border = border[np.isfinite(border)]
    levels, counts = np.unique(border, return_counts=True)
    background = float(levels[counts.argmax()]) if len(levels) else 0.0
    finite = values[np.isfinite(values)]
    ink = float(np.quantile(np.abs(finite - background), 0.999)) if finite.size else 0.0
    step = lattice_step(sample[:_LATTICE_IMAGES])
    if step is None and images.dtype.kind in "ui":
        step = 1.0  # whole numbers lie on their own lattice, however uneven their gaps
    return Scale(low, high, background, ink, step, images.dtype.name)


def finite_range(images: Array) -> tuple[float, float]:
    """Return the smallest and the largest finite value, (0, 0) where there is none."""
    if not images.size:
        return 0.0, 0.0
    low, high = float(images.min()), float(images.max())
    if np.isfinite(low) and np.isfinite(high):
        return low, high
    finite = images[np.isfinite(images)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def lattice_step(images: Array) -> float | None:
    """Return the distance of neighbouring grey levels, or None where the values lie on no lattice."""
    values = np.unique(images[np.isfinite(images)].astype(np.float64))
    if not 2 <= len(values) <= _MOST_LEVELS:
        return None
    gaps = np.diff(values)
    # Floats that stand for one level may differ in their last bits.
    gaps = gaps[gaps > 1e-5 * (values[-1] - values[0])]
    step = float(gaps.min())
    places = (values - values[0]) / step
    if np.abs(places - np.round(places)).max() > 0.1:
        return None
    # The smallest gap carries the rounding of one value; the whole range carries it a few hundred times less.
    return float((values[-1] - values[0]) / np.round(places[-1]))
