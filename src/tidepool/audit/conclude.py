"""From a decision to a verdict: findings in the order of undoing, each with its evidence and its price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tidepool.audit.decide import Decision
from tidepool.audit.duplicates import duplicates
from tidepool.audit.evidence import Reference
from tidepool.audit.faults import Fault, LabelsFromOne, PaddedOneSide, Rescaled, Symmetry, TenForZero
from tidepool.audit.label_check import label_fault
from tidepool.audit.price import Loss, price
from tidepool.audit.search import Candidate
from tidepool.audit.verdict import Cost, Finding, Verdict
from tidepool.images import ImageSet

_READ = 1500  # consecutive pictures whose labels are compared with the net's reading


@dataclass(frozen=True)
class Situation:
    """What is known when the search is over.

    train, test : the sets after undoing what was found before the search; varied : as in traits; loss : what
    training was made to lose because the test set had lost it.
    """

    reference: Reference
    train: ImageSet
    test: ImageSet
    decision: Decision
    varied: bool
    pricing: bool
    loss: Loss | None = None


def conclude(situation: Situation, before: list[Finding], late: Callable[[], bool] = lambda: False) -> Verdict:
    """Return the verdict; ``before`` are findings made before the search; ``late`` says that time is short."""
    decision, reference = situation.decision, situation.reference
    foreign = decision.unexplained and not situation.varied
    before = [_priced(finding, situation) for finding in before]
    findings = before + _found(decision.chosen, situation, foreign)
    notes = decision.evidence
    if decision.rivals:
        ties = tuple(
            tuple(before + _found(candidate, situation, foreign)) for candidate in (decision.chosen, *decision.rivals)
        )
        return Verdict("undecided", (), ties, notes=notes)
    # Pictures that have lost much are soon alike by chance.
    lost = any(finding.how.mirrored for finding in before)
    shared = None if late() or lost else duplicates(situation.train, _repaired(situation))
    source = foreign and all(finding.harmless for finding in findings)
    if source:
        # Another source brings its own frame; naming that a fault of preparation would mislead.
        findings = []
    labels = None if source else _labels(situation, foreign)
    if labels is not None:
        findings.append(labels)
    if shared is not None:
        findings.append(Finding(shared[0], "train", 0.99, shared[1]))
    if not findings:
        return Verdict("different-source" if source else "clean", notes=notes)
    priced = [f for f in findings if f.in_ == "test" and f is not labels and not f.how.mirrored]
    cost = None
    if situation.pricing and situation.loss is not None:
        cost = situation.loss.cost([f.how for f in priced])
    elif len(priced) == 1:
        cost = priced[0].cost
    elif situation.pricing and priced:
        cost = price(reference, [f.how for f in priced])
    cost = cost or (labels.cost if labels else None)
    return Verdict("fault", tuple(findings), cost=cost, notes=notes)


def _priced(finding: Finding, situation: Situation) -> Finding:
    if finding.cost is not None or finding.how.mirrored or finding.in_ == "train" or not situation.pricing:
        return finding
    return replace(finding, cost=price(situation.reference, [finding.how]))


def _repaired(situation: Situation) -> ImageSet:
    """Return the whole test set after undoing what is believed."""
    test = situation.test
    for fault in situation.decision.chosen.faults:
        test = fault.undo_set(test)
    return test


def _found(candidate: Candidate, situation: Situation, foreign: bool) -> list[Finding]:
    decision = situation.decision
    findings = []
    for fault in candidate.faults:
        confidence, evidence, in_ = decision.confidence, decision.evidence, "test"
        if isinstance(fault, Rescaled):
            confidence = 0.98 if fault.exact else 0.85
            evidence = (
                f"values fit the training set's after v = {fault.factor:.5g} x + {fault.offset:.5g}"
                + (", level for level" if fault.exact else ""),
            )
        elif fault.harmless:
            confidence = 0.95
        if foreign:
            confidence *= 0.8
        if isinstance(fault, PaddedOneSide) and min(fault.parameters.values()) < 0:
            fault, in_ = _padding_of_training(fault, candidate, situation), "train"
        findings.append(Finding(fault, in_, confidence, evidence, _cost(fault, in_, situation)))
    # What was done to the training set is undone first: the rest is seen against it.
    return sorted(findings, key=lambda finding: finding.in_ == "test")


def _cost(fault: Fault, in_: str, situation: Situation) -> Cost | None:
    if not situation.pricing or in_ == "train":
        return None
    return price(situation.reference, [fault])


def _padding_of_training(fault: PaddedOneSide, candidate: Candidate, situation: Situation) -> PaddedOneSide:
    """Turn 'the test picture must be padded so' into 'the training pictures were padded so'.

    The numbers are in the orientation of the test pictures; a symmetry that is undone after them turns them too.
    """
    mark = np.zeros((1, *situation.test.frame), dtype=np.uint8) + 1
    mark = PaddedOneSide(fault.top, fault.bottom, fault.left, fault.right).undo(mark)
    for later in candidate.faults:
        if isinstance(later, Symmetry):
            mark = later.undo(mark)
    rows, columns = np.flatnonzero(mark[0].any(axis=1)), np.flatnonzero(mark[0].any(axis=0))
    height, width = mark.shape[1:]
    return PaddedOneSide(
        int(rows[0]),
        int(height - 1 - rows[-1]),
        int(columns[0]),
        int(width - 1 - columns[-1]),
        situation.reference.scale.background,
    )


def _labels(situation: Situation, foreign: bool) -> Finding | None:
    """Compare the net's reading of consecutive repaired test pictures with their labels."""
    reference, test = situation.reference, situation.test
    if test.labels is None or reference.net is None or reference.held is None or reference.names is None:
        return None
    pictures = test.images[:_READ]
    for fault in situation.decision.chosen.faults:
        pictures = fault.undo(pictures)
    read = reference.names[reference.net.predict_index(reference.unit(pictures))]
    skill = float((reference.net.predict_index(reference.held[0]) == reference.held[1]).mean())
    labels = test.labels[:_READ]
    found = label_fault(reference.names, read, labels, skill)
    if found is None:
        return None
    fault, evidence = found
    # Another source is read badly; only the set of labels itself speaks there.
    if foreign and not isinstance(fault, LabelsFromOne | TenForZero):
        return None
    cost = Cost(float((read == labels).mean()), float((read == fault.undo_labels(labels)).mean()))
    return Finding(fault, "test", 0.95, tuple(evidence), cost if situation.pricing else None)
