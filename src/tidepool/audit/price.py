"""The price of a fault: replay it on held-back training pictures and let the reference net read them.

Confidence on the faulty pictures themselves misjudges the price by 39 points on average; a replay by less than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidepool.audit.evidence import FIT, HELD, Reference, fitted, sample_rows
from tidepool.audit.faults import ChannelOrder, Fault
from tidepool.audit.faults.frames import even, place
from tidepool.audit.reference import ReferenceNet
from tidepool.audit.scale import finite_range
from tidepool.audit.verdict import Cost
from tidepool.images import Array, ImageSet

_SKILLED = 0.5


def price(reference: Reference, faults: Sequence[Fault]) -> Cost | None:
    """Return the cost of ``faults`` (in the order of undoing) together; None without labels."""
    if reference.net is None or reference.held is None or reference.raw_held is None:
        return None
    index = reference.held[1]
    if not len(index):
        return None
    faulty = reference.raw_held
    if any(isinstance(fault, ChannelOrder) and fault.kind == "first" for fault in faults):
        return None  # nothing reads such pictures at all
    faulty = _replayed(faulty, faults)
    repaired = _undone(faulty, faults)
    net = reference.net
    if reference.raw_fit is not None and any(fault.echoed and not fault.exact for fault in faults):
        # ``--fix`` gives the training images the traces that the repair leaves.
        traced = _undone(_replayed(reference.raw_fit, faults), faults)
        net = ReferenceNet(reference.unit(traced), reference.index[: len(traced)], net.seed)

    def accuracy(net: ReferenceNet, images: Array) -> float:
        framed = place(images, reference.frame, *even(images.shape[1:3], reference.frame), _corner(images))
        return float((net.predict_index(reference.unit(framed)) == index).mean())

    cost = Cost(accuracy(reference.net, faulty), accuracy(net, repaired))
    # A net that cannot read the correct pictures (strongly warped ones, say) cannot price either.
    return cost if cost.accuracy_repaired >= _SKILLED else None


def _replayed(images: Array, faults: Sequence[Fault]) -> Array:
    """Return correct ``images`` with ``faults`` (in the order of undoing) done to them."""
    for fault in reversed(faults):
        images = fault.replay(images)
    return images


def _undone(images: Array, faults: Sequence[Fault]) -> Array:
    for fault in faults:
        images = fault.undo(images)
    return images


@dataclass(frozen=True)
class Loss:
    """A fault that cannot be undone, so that training was made to lose the same: ``train`` as it was before."""

    train: ImageSet
    fault: Fault
    seed: int

    def cost(self, others: Sequence[Fault] = ()) -> Cost | None:
        """Return what it costs, together with ``others`` of the damaged pictures; None without labels.

        As it is, a net that learnt from correct pictures reads damaged ones; repaired, it has learnt from damaged ones
        too, and the others are undone.
        """
        if self.train.labels is None:
            return None
        rows = sample_rows(len(self.train), FIT + HELD, np.random.default_rng(self.seed))
        labels = self.train.labels[rows]
        fit = fitted(len(rows))
        if len(np.unique(labels[:fit])) < 2 or fit == len(rows):
            return None
        whole, low, high = self.train.images[rows], *finite_range(self.train.images)
        damaged = self.fault.replay(whole)
        faulty = _replayed(damaged[fit:], others)
        repaired = _undone(faulty, others)
        framed = place(faulty, self.train.frame, *even(faulty.shape[1:3], self.train.frame), _corner(faulty))
        usual = ReferenceNet(_unit(whole[:fit], low, high), labels[:fit], self.seed)
        # The damaged pictures have a scale of their own.
        scale = float(np.abs(damaged).max()) or 1.0
        taught = ReferenceNet(_unit(damaged[:fit], 0.0, scale), labels[:fit], self.seed)
        after = taught.accuracy(_unit(repaired, 0.0, scale), labels[fit:])
        as_is = usual.accuracy(_unit(framed, low, high), labels[fit:])
        return Cost(as_is, after) if after >= _SKILLED else None


def _unit(images: Array, low: float, high: float) -> Array:
    unit: Array = ((images.astype(np.float64) - low) / ((high - low) or 1.0)).astype(np.float32)
    return unit


def _corner(images: Array) -> float:
    """A frame is filled up with what its corner holds, as a careful user would."""
    return float(images[:, 0, 0].min())
