"""Off the middle: jittered training pictures blur the mean image, but their mean place is still the frame's middle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tidepool.audit.decide import Decision
from tidepool.audit.evidence import Reference
from tidepool.audit.faults import Fault, FrameSize, PaddedOneSide, Shifted
from tidepool.audit.faults.frames import even
from tidepool.audit.traits import traits
from tidepool.images import Array

_OWED = 2  # pixels; less is no fault


def off_middle(decision: Decision, reference: Reference, sample: Array) -> Decision:
    """Return ``decision`` with a shift added if the test pictures' mean place is off that of training.

    Only for training sets that vary more than the test set; the others show a shift in their mean images.
    """
    faults = decision.chosen.faults
    if any(isinstance(fault, Shifted | PaddedOneSide) for fault in faults):
        return decision
    pictures = sample
    for fault in faults:
        pictures = fault.undo(pictures)
    train = traits(reference.images, reference.background)[:, :2]
    test = traits(reference.unit(pictures), reference.background)[:, :2]
    if len(test) < 20:
        return decision
    moved = np.round(test.mean(axis=0) - train.mean(axis=0)).astype(int)
    doubt = np.sqrt(train.var(axis=0) / len(train) + test.var(axis=0) / len(test))
    if np.abs(moved).max() < _OWED or (np.abs(moved) < 5 * doubt)[np.abs(moved).argmax()]:
        return decision
    dy, dx = int(moved[0]), int(moved[1])
    changed = _moved(faults, dx, dy, reference)
    if changed is None:
        return decision
    told = (
        f"the middle of the ink lies {dx:+d} px across and {dy:+d} px down from where training has it on average",
        *decision.evidence,
    )
    # The training pictures reach there too: a likely fault, not a certain one.
    confidence = min(0.9, max(decision.confidence, 0.8))
    chosen = replace(decision.chosen, faults=changed)
    return replace(decision, chosen=chosen, rivals=(), evidence=told, confidence=confidence)


def _moved(faults: tuple[Fault, ...], dx: int, dy: int, reference: Reference) -> tuple[Fault, ...] | None:
    """Return ``faults`` with the shift added, as uneven padding where the test frame is the larger one."""
    frames = [fault for fault in faults if isinstance(fault, FrameSize)]
    if not frames:
        return (*faults, Shifted(dx, dy, reference.scale.background))
    frame = frames[0]
    spare = frame.found[0] - frame.reference[0], frame.found[1] - frame.reference[1]
    if min(spare) < 0 or len(faults) > faults.index(frame) + 1:
        return None  # smaller pictures are in the middle because the audit put them there
    top, left = even(frame.reference, frame.found)
    top, left = top + dy, left + dx
    if not (0 <= top <= spare[0] and 0 <= left <= spare[1]):
        return None
    padded = PaddedOneSide(top, spare[0] - top, left, spare[1] - left, frame.background)
    return tuple(padded if fault is frame else fault for fault in faults)
