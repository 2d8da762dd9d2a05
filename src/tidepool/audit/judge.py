"""audit: was the test set prepared as the training set was? Values first, then labels' absence, then the search."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from tidepool.audit.conclude import Situation, conclude
from tidepool.audit.evidence import FIT, HELD, JUDGED, few, sampled
from tidepool.audit.faults import (
    Fault,
    LabelsFromOne,
    LabelsPermuted,
    Noisy,
    Rescaled,
    SetsSwapped,
    Standardised,
    TenForZero,
)
from tidepool.audit.hypotheses import value_chains
from tidepool.audit.layouts import foreign_numbers, wrong_order
from tidepool.audit.look import Looker
from tidepool.audit.missing import missing_values
from tidepool.audit.numbers import byte_fault, lossy_fault
from tidepool.audit.price import Loss
from tidepool.audit.quality import jpeg_fault, noise_fault
from tidepool.audit.scale import Scale, measure
from tidepool.audit.usable import remarks, require_frames, require_usable
from tidepool.audit.verdict import Finding, Verdict
from tidepool.errors import DataError
from tidepool.images import ImageSet

_AT_ONCE = 2  # faults of reading in one set
_RENAMED = {fault.id for fault in (LabelsFromOne, TenForZero, LabelsPermuted)}  # they say what the labels are


def audit(
    train: ImageSet | str, test: ImageSet | str, *, seed: int = 0, price: bool = True, budget: float | None = None
) -> Verdict:
    """Tell how ``test`` was prepared differently from ``train``: which faults, how to undo them, what they cost.

    train, test : sets of pictures, or anything that ``tidepool.read`` takes. Either may lack labels.
    seed : chooses the samples; the same seed gives the same verdict.
    price : replay the faults on held-back training pictures to say what they cost.
    budget : seconds; below 4 the samples shrink, and the closer look at jittered sets is left out when time is short.

    Raises DataError for empty sets, one training image, images that are all the same, different numbers of channels,
    and frames that nothing brings together.
    """
    start = time.monotonic()
    train, test = _read(train), _read(test)
    require_usable(train, test)
    if train.labels is None and test.labels is not None:
        return _swapped(train, test, seed, price, budget, start)
    verdict = _Case(train, test, seed, price, budget, start).verdict()
    notes = remarks(train, test) if not verdict.findings or verdict.findings[-1].fault not in _RENAMED else ()
    return replace(
        verdict, notes=(*notes, *verdict.notes), seconds=time.monotonic() - start, _sets=lambda: (train, test)
    )


def _read(source: ImageSet | str) -> ImageSet:
    if isinstance(source, ImageSet):
        return source
    from tidepool.formats import read

    return read(source)


def _swapped(train: ImageSet, test: ImageSet, seed: int, price: bool, budget: float | None, start: float) -> Verdict:
    rest = audit(test, train, seed=seed, price=price, budget=budget)
    evidence = [f"the first set has no labels, the second has {len(test):,}"]
    if len(train) < len(test):
        evidence.append(f"the second set is the larger one ({len(train):,} against {len(test):,} images)")
    first = Finding(SetsSwapped(), "train", 0.97 if len(train) < len(test) else 0.85, tuple(evidence))
    found = rest if rest.verdict == "fault" else replace(rest, findings=())
    return replace(found.after(first, lambda: (train, test)), seconds=time.monotonic() - start)


class _Case:
    """One audit under way: what can be told of each set by itself is undone, then the pictures are compared."""

    def __init__(
        self, train: ImageSet, test: ImageSet, seed: int, price: bool, budget: float | None, start: float
    ) -> None:
        self.train, self.test = train, test
        self.seed, self.pricing, self.budget, self.start = seed, price, budget, start
        self.findings: list[Finding] = []
        self.loss: Loss | None = None

    def late(self) -> bool:
        """Whether two thirds of the budget are gone."""
        return self.budget is not None and time.monotonic() - self.start > 0.66 * self.budget

    def verdict(self) -> Verdict:
        """Go through the evidence and decide."""
        train, test = self._readable(self.train, self.test)
        train, test = self._alike(train, test)
        train, train_scale = self._masked(train, "train")
        test, test_scale = self._masked(test, "test")
        settled = any(finding.how.settles_values for finding in self.findings)
        if test_scale.plain and not train_scale.plain and not settled:
            train, train_scale = self._plain_train(train, train_scale, test_scale)
        if not settled and not self.late():
            train, test = self._as_good(train, test, train_scale, test_scale)
        noisy = any(isinstance(finding.how, Noisy) for finding in self.findings)
        factor = 1.0 if self.budget is None else float(np.clip(self.budget / 4, 0.1, 1.0))
        looker = Looker(self.seed, factor, self.late, settled, noisy)
        look = looker.look(train, test)
        if not settled and not self.late() and (found := looker.sharper(look)):
            blurred, in_, fault, told = found
            finding = self._lost(look.train, fault, told) if in_ == "test" else Finding(fault, in_, 0.9, told)
            look = replace(blurred, findings=(finding,))
        if look.decision.unexplained and not look.varied:
            require_frames(look.train.frame, look.test.frame)
        situation = Situation(
            look.reference, look.train, look.test, look.decision, look.varied, self.pricing, self.loss
        )
        return conclude(situation, [*self.findings, *look.findings], self.late)

    def _readable(self, train: ImageSet, test: ImageSet) -> tuple[ImageSet, ImageSet]:
        """Undo what makes a set unreadable by itself: bytes taken for something else, a broken layout."""
        for _ in range(_AT_ONCE):
            for in_ in ("train", "test"):
                images, other = (train, test) if in_ == "train" else (test, train)
                found = (
                    foreign_numbers(images, other)
                    or byte_fault(images, other, self.seed)
                    or wrong_order(images, other, self.seed)
                )
                if found is None or any(one.in_ == in_ and one.fault == found[0].id for one in self.findings):
                    continue
                fault, evidence = found
                self.findings.append(Finding(fault, in_, 0.97, evidence))
                if in_ == "train":
                    train = fault.undo_set(train)
                else:
                    test = fault.undo_set(test)
        if train.channels != test.channels:
            raise DataError(
                f"training images have {train.channels} channels, test images {test.channels}",
                "bring both to the same number of channels",
            )
        return train, test

    def _alike(self, train: ImageSet, test: ImageSet) -> tuple[ImageSet, ImageSet]:
        """Do to one set what the other one has lost for good."""
        found = lossy_fault(test, train, self.seed)
        if found is not None:
            fault, evidence = found
            self.findings.append(self._lost(train, fault, evidence))
            return fault.replay_set(train), test
        found = lossy_fault(train, test, self.seed)
        if found is not None:
            fault, evidence = found
            self.findings.append(Finding(fault, "train", 0.95, evidence))
            return train, fault.replay_set(test)
        return train, test

    def _as_good(
        self, train: ImageSet, test: ImageSet, train_scale: Scale, test_scale: Scale
    ) -> tuple[ImageSet, ImageSet]:
        """Undo, or do to both, what only one set's pictures are: compressed or noisy."""
        if found := jpeg_fault(train, train_scale, test, test_scale, self.seed):
            in_, fault, told = found
            if in_ == "train":
                self.findings.append(Finding(fault, "train", 0.95, told))
                return train, fault.replay_set(few(test, JUDGED, self.seed))
            some = few(train, FIT + HELD, self.seed)
            self.findings.append(self._lost(some, fault, told))
            return fault.replay_set(some), test
        if noise := noise_fault(test, test_scale, train, train_scale, self.seed):
            self.findings.append(Finding(noise[0], "test", 0.95, noise[1]))
            return train, noise[0].undo_set(test)
        if noise := noise_fault(train, train_scale, test, test_scale, self.seed):
            # Training that is noisier is augmented: the test pictures are compared with as much noise.
            added = Noisy(noise[0].sigma / train_scale.span * test_scale.span, test_scale.low, test_scale.span)
            return train, added.replay_set(test)
        return train, test

    def _lost(self, train: ImageSet, fault: Fault, told: tuple[str, ...]) -> Finding:
        """Return the finding of what the test set lost, and remember it for the price of all."""
        self.loss = Loss(train, fault, self.seed)
        return Finding(fault, "test", 0.95, told, self.loss.cost() if self.pricing else None)

    def _masked(self, images: ImageSet, in_: str) -> tuple[ImageSet, Scale]:
        """Return the set without missing values, and its scale; a finding says what was masked."""
        sample = sampled(images, JUDGED, self.seed)
        scale = measure(images.images, sample)
        fault = missing_values(images, scale)
        if fault is None:
            return images, scale
        evidence = (f"{fault.count:,} of {fault.total:,} images: {', '.join(fault.where)}",)
        self.findings.append(Finding(fault, in_, 0.99, evidence))
        masked = fault.undo_set(images)
        return masked, measure(masked.images, sampled(masked, JUDGED, self.seed))

    def _plain_train(self, train: ImageSet, scale: Scale, test_scale: Scale) -> tuple[ImageSet, Scale]:
        """The training set itself leaves the lattice of pictures 0..255: undo and note that."""
        rescalings = [fault for chain in value_chains(test_scale, scale) for fault in chain[:1]]
        rescalings = [fault for fault in rescalings if isinstance(fault, Rescaled)]
        if not rescalings:
            return train, scale
        # The other polarity (a test set that is inverted besides) names it only where that is plainer.
        odd = [isinstance(fault, Standardised) and fault.known is None for fault in rescalings]
        fault = rescalings[odd.index(min(odd))]
        evidence = (
            f"training values lie in {scale.low:.4g}..{scale.high:.4g}, "
            f"test values are whole numbers in {test_scale.low:.4g}..{test_scale.high:.4g}",
        )
        self.findings.append(Finding(fault, "train", 0.98 if fault.exact else 0.9, evidence))
        train = fault.undo_set(train)
        return train, measure(train.images, sampled(train, JUDGED, self.seed))
