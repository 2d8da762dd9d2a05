"""Which changes of value could have led from one scale to another: chains of faults, in the order of undoing."""

from __future__ import annotations

import numpy as np

from tidepool.audit.faults import (
    Fault,
    Inverted,
    RangeMinus1To1,
    Rescaled,
    Scaled255,
    ScaledOther,
    ScaledTwice,
    Standardised,
    Target,
)
from tidepool.audit.scale import Scale

# torchvision's and Keras' examples; grey is the mean over the three channels.
KNOWN = {
    "MNIST": (0.1307, 0.3081),
    "Fashion-MNIST": (0.2860, 0.3530),
    "USPS": (0.2469, 0.2989),
    "ImageNet (grey)": (0.449, 0.226),
    "ImageNet (red)": (0.485, 0.229),
    "ImageNet (green)": (0.456, 0.224),
    "ImageNet (blue)": (0.406, 0.225),
    "CIFAR-10": (0.4734, 0.2516),
}
_KNOWN_FACTORS = (255.0, 1 / 255, 255.0**2, 1 / 255**2, 256.0, 257.0, 16.0, 1 / 16, 2 / 255)


def value_chains(reference: Scale, other: Scale) -> list[tuple[Fault, ...]]:
    """Return the chains that bring ``other`` to ``reference``: as it is, then with black and white exchanged.

    The empty chain says that the values agree already.
    """
    found = scale_factor(reference, other)
    if found is None:
        total = inversion_total(reference, other)
        # An inverted background lies at the other end; where it does not, nobody need try.
        far = abs(total - other.background - reference.background) > 0.25 * reference.span
        return [()] if far else [(), (Inverted(total),)]
    factor, lattice = found
    target = Target.of(reference)
    upright = name_affine(factor, other.background - factor * reference.background, reference, other, target, lattice)
    # An inverted set has its background where the reference has its strongest ink.
    totals = [reference.low + reference.high]
    if reference.plain and totals[0] != 255:
        totals.append(255.0)
    inverted: list[tuple[Fault, ...]] = []
    for total in totals:
        offset = other.background - factor * (total - reference.background)
        fault = name_affine(factor, offset, reference, other, target, lattice)
        inverted.append((fault, Inverted(total)))
    # The plainest name wins: an odd total makes an inverted x/255 look standardised.
    inverted.sort(key=lambda chain: isinstance(chain[0], Standardised) and chain[0].known is None)
    return [(upright,), inverted[0]]


def inversion_total(reference: Scale, other: Scale) -> float:
    """Return the number from which values were taken when black and white were exchanged on one scale."""
    ends = [reference.low + reference.high, 255.0 if reference.plain else 1.0]
    wanted = reference.background + other.background
    best = min(ends, key=lambda total: abs(total - wanted))
    # The two backgrounds state it directly; believe them where they are close to a round total.
    return wanted if abs(best - wanted) <= 0.05 * max(reference.span, 1e-9) else best


def scale_factor(reference: Scale, other: Scale) -> tuple[float, bool] | None:
    """Return by which factor ``other`` was scaled and whether its lattice says so exactly; None for the same scale."""
    if not reference.ink or not other.ink:
        return None
    by_range = other.ink / reference.ink
    factor, lattice = by_range, False
    if reference.step and other.step:
        by_step = other.step / reference.step
        # Few levels make the step too large: believe it only where the range agrees.
        if 0.6 < by_step / by_range < 1.6:
            factor, lattice = by_step, True
    tolerance = 2e-3 if lattice else 0.15
    for known in (1.0, *_KNOWN_FACTORS):
        if abs(factor / known - 1) < tolerance:
            factor = known
            break
    if lattice and other.step == reference.step:
        factor = 1.0
    if other.dtype == "uint8" and reference.dtype == "uint8":
        # Whole numbers beside whole numbers: that is contrast or another source, not another scale.
        return None
    same_offset = other.low >= reference.low - 0.02 * reference.span
    if not lattice and 0.5 < factor < 2 and same_offset:
        return None
    if factor == 1.0 and same_offset:
        return None
    return factor, lattice


def name_affine(
    factor: float, offset: float, reference: Scale, other: Scale, target: Target, lattice: bool
) -> Rescaled:
    """Return the fault that ``v = factor * x + offset`` is called, ``x`` on the reference's scale."""
    unit = factor * (reference.step or reference.span / 255)
    base = (factor, offset, target, other.dtype, lattice)
    if abs(offset) < 0.5 * unit or (not lattice and abs(offset) < 0.02 * factor * reference.span):
        base = (factor, 0.0, target, other.dtype, lattice)
        if _near(factor, 1 / 255) or _near(factor, 255):
            return Scaled255(*base)
        if _near(factor, 1 / 255**2) or _near(factor, 255**2):
            return ScaledTwice(*base)
        return ScaledOther(*base)
    fulls = _full_values(reference)
    loose = 1 if lattice else 4
    for full in fulls:
        if abs(factor * full - 2) < 0.01 * loose and abs(offset + 1) < 0.005 * loose:
            return RangeMinus1To1(2 / full, -1.0, target, other.dtype, lattice)
    for full in fulls:
        std, mean = 1 / (factor * full), -offset / (factor * full)
        for name, (known_mean, known_std) in KNOWN.items():
            if abs(mean - known_mean) < 6e-4 * loose and abs(std - known_std) < 6e-4 * loose:
                return Standardised(*base, mean=known_mean, std=known_std, known=name)
    full = fulls[0]
    return Standardised(*base, mean=-offset / (factor * full), std=1 / (factor * full))


def _full_values(reference: Scale) -> list[float]:
    """Return what may have been called 1 before standardising: 255, the reference's maximum, or 1."""
    fulls = [255.0] if reference.plain and reference.high > 1 else []
    for full in (reference.high, 1.0):
        if full > 0 and full not in fulls:
            fulls.append(float(full))
    return fulls


def _near(value: float, wanted: float) -> bool:
    return bool(np.isclose(value, wanted, rtol=1e-3, atol=0))
