"""Does every picture of one set lie differently in its frame: stretched to fill it, moved about, centred by its box?

Told by the spread of places and boxes, which is the same however the whole set was turned or scaled.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tidepool.audit.faults import Fault, Shifted
from tidepool.audit.faults.places import Jittered, NotCentredByMass, Recentred, centres
from tidepool.audit.faults.resampling import Stretched, box_of, edges, ink_of
from tidepool.audit.layouts import Found
from tidepool.audit.scale import Scale
from tidepool.images import Array

_SAMPLE = 600
_FEWEST = 20
_FILLED, _UNFILLED = 0.85, 0.5  # parts of the sets whose pictures touch all four sides
_FAINT, _SMALL = (0.02, 0.1), 16  # of the strongest ink; in small frames, where ink is never far from the sides, more
_RIM = 0.05  # of the frame, how far from a side faint ink may hide
_STILL = 0.6  # px: the spread of places that rounding to whole pixels leaves, with some to spare
_MOVED = 0.8  # px^2: a jitter of 2 px either way has a variance of 2, less where pictures leave the frame
_RULED = 1.5  # a rule is one that the set keeps this much better than the other set does


def single_fault(test: Array, scale: Scale, train: Array, train_scale: Scale, boxes: bool = True) -> Found | None:
    """Return what was done to each picture of ``test`` ``[n, h, w(, C)]`` by itself, and its evidence, or None.

    boxes : False where noise has left ink all over.
    """
    test, train = test[:_SAMPLE], train[:_SAMPLE]
    if min(len(test), len(train)) < _FEWEST:
        return None
    stretched = stretched_fault(test, scale, train, train_scale) if boxes else None
    return stretched or _moved(test, scale, train, train_scale)


def _boxes(images: Array, background: float) -> Array:
    ink = ink_of(images, background)
    faint = _FAINT[min(ink.shape[1:]) < _SMALL]
    found = [box_of(each, faint) for each in ink]
    return np.array([box for box in found if box is not None]).reshape(-1, 4)


def _filled(boxes: Array, frame: tuple[int, ...]) -> float:
    far = np.abs(boxes - np.array([0, frame[0], 0, frame[1]]))
    full = (far <= np.round(np.array(frame) * _RIM).repeat(2)).all(axis=1)
    return float(full.mean()) if len(full) else 0.0


def stretched_fault(test: Array, scale: Scale, train: Array, train_scale: Scale) -> Found | None:
    """Return the stretching of the pictures of ``test`` to their full frame, which those of ``train`` do not fill."""
    test, train = test[:_SAMPLE], train[:_SAMPLE]
    mine, theirs = _boxes(test, scale.background), _boxes(train, train_scale.background)
    if len(theirs) < _FEWEST:
        return None
    full, usual = _filled(mine, test.shape[1:3]), _filled(theirs, train.shape[1:3])
    if full < _FILLED or usual > _UNFILLED:
        return None
    longer = np.maximum(theirs[:, 1] - theirs[:, 0], theirs[:, 3] - theirs[:, 2])
    steepness = float(np.median([edges(ink) for ink in ink_of(train, train_scale.background)]))
    middle = (test.shape[1] - 1) / 2, (test.shape[2] - 1) / 2
    fault = Stretched(float(np.median(longer)), middle, steepness, scale.background)
    return fault, (f"in {full:.0%} of them the ink touches all four sides of the frame, in training in {usual:.0%}",)


def _moved(test: Array, scale: Scale, train: Array, train_scale: Scale) -> Found | None:
    mass, box = (centres(test, scale.background, by) for by in ("mass", "box"))
    their_mass, their_box = (centres(train, train_scale.background, by) for by in ("mass", "box"))
    mine, theirs = mass.std(axis=0), their_mass.std(axis=0)
    # Turned sets exchange rows and columns: the axes are compared as a pair.
    by_mass = theirs.max() < _STILL and mine.max() > max(_STILL, _RULED * theirs.max())
    if by_mass and box.std(axis=0).max() < _STILL < their_box.std(axis=0).max():
        told = (
            f"the middle of the box varies by {box.std(axis=0).max():.2g} px "
            f"(in training {their_box.std(axis=0).max():.2g}), "
            f"the centre of mass by {mine.max():.2g} px (in training {theirs.max():.2g})"
        )
        return NotCentredByMass("mass", _mean(mass), scale.background), (told,)
    extra = np.sort(mine) ** 2 - np.sort(theirs) ** 2
    if extra.min() < _MOVED or mine.min() < _RULED * theirs.min():
        return None
    # The steadier of the two rules is the one that training keeps.
    by, spread = ("mass", mass) if theirs.sum() <= their_box.std(axis=0).sum() else ("box", box)
    # A uniform -r..r has variance r (r + 1) / 3; where pictures leave the frame the wider axis tells it.
    reach = max(1, round((np.sqrt(1 + 12 * float(extra.max())) - 1) / 2))
    told = (
        f"their centres of mass vary by {mine[0]:.2g} px down and {mine[1]:.2g} px across, in training by "
        f"{theirs[0]:.2g} and {theirs[1]:.2g} px"
    )
    return Jittered(by, _mean(spread), scale.background, reach), (told,)


def _mean(middles: Array) -> tuple[float, float]:
    """Their own mean place: where training has its own is found afterwards, as a shift of all of them."""
    return float(middles[:, 0].mean()), float(middles[:, 1].mean())


def with_step(fault: Fault, faults: tuple[Fault, ...]) -> tuple[Fault, tuple[Fault, ...]]:
    """Return both, a shift by one pixel taken from ``faults`` and put into where ``fault`` moves its pictures.

    Their own mean place, rounded, may be a pixel off that of training.
    """
    steps = [one for one in faults if isinstance(one, Shifted) and max(abs(one.dx), abs(one.dy)) <= 1]
    if not steps or not isinstance(fault, Recentred | Stretched):
        return fault, faults
    step = steps[0]
    row, column = fault.middle
    return replace(fault, middle=(row - step.dy, column - step.dx)), tuple(one for one in faults if one is not step)
