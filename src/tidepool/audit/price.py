"""The price of a fault: replay it on held-back training pictures and let the reference net read them.

Confidence on the faulty pictures themselves misjudges the price by 39 points on average; a replay by less than one.
"""

from __future__ import annotations

from collections.abc import Sequence

from tidepool.audit.evidence import Reference
from tidepool.audit.faults import Fault
from tidepool.audit.faults.frames import even, place
from tidepool.audit.verdict import Cost
from tidepool.images import Array

_SKILLED = 0.5


def price(reference: Reference, faults: Sequence[Fault]) -> Cost | None:
    """Return the cost of ``faults`` (in the order of undoing) together; None without labels."""
    if reference.net is None or reference.held is None or reference.raw_held is None:
        return None
    index = reference.held[1]
    if not len(index):
        return None
    faulty = reference.raw_held
    for fault in reversed(faults):
        faulty = fault.replay(faulty)
    repaired = faulty
    for fault in faults:
        repaired = fault.undo(repaired)

    def accuracy(images: Array) -> float:
        fitted = place(images, reference.frame, *even(images.shape[1:3], reference.frame), _corner(images))
        assert reference.net is not None
        return float((reference.net.predict_index(reference.unit(fitted)) == index).mean())

    cost = Cost(accuracy(faulty), accuracy(repaired))
    # A net that cannot read the correct pictures (strongly warped ones, say) cannot price either.
    return cost if cost.accuracy_repaired >= _SKILLED else None


def _corner(images: Array) -> float:
    """A frame is filled up with what its corner holds, as a careful user would."""
    return float(images[:, 0, 0].min())
