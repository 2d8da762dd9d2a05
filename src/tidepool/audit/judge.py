"""audit: was the test set prepared as the training set was? Values first, then labels' absence, then the search."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from tidepool.audit.conclude import Situation, conclude
from tidepool.audit.decide import MARGIN, RATIO, Decision, decide, with_mixture
from tidepool.audit.evidence import FIT, HELD, JUDGED, Reference, centred, prepare, sample_rows
from tidepool.audit.faults import (
    Blurred,
    Fault,
    Inverted,
    LabelsFromOne,
    LabelsPermuted,
    Noisy,
    NotCentredByMass,
    Rescaled,
    Resized,
    SetsSwapped,
    Standardised,
    Stretched,
    TenForZero,
    Zoomed,
)
from tidepool.audit.hypotheses import inversion_total, value_chains
from tidepool.audit.layouts import foreign_numbers, wrong_order
from tidepool.audit.missing import missing_values
from tidepool.audit.numbers import byte_fault, lossy_fault
from tidepool.audit.placing import off_middle
from tidepool.audit.price import Loss
from tidepool.audit.quality import best_width, blur_fault, jpeg_fault, noise_fault
from tidepool.audit.scale import Scale, measure
from tidepool.audit.search import search
from tidepool.audit.single import single_fault, stretched_fault, with_step
from tidepool.audit.traits import more_varied, traits
from tidepool.audit.usable import remarks, require_frames, require_usable
from tidepool.audit.verdict import Finding, Verdict
from tidepool.errors import DataError
from tidepool.images import Array, ImageSet

_AT_ONCE = 2  # faults of reading in one set
_WORTH = 0.8  # of the distance that a rough repair of single pictures may leave
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


@dataclass(frozen=True)
class Look:
    """What a comparison of the pictures themselves came to; ``findings`` are about single pictures and sharpness.

    varied : the training pictures vary more, as augmented ones do.
    """

    train: ImageSet
    test: ImageSet
    reference: Reference
    decision: Decision
    varied: bool
    findings: tuple[Finding, ...] = ()


class _Case:
    """One audit under way."""

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
            test_scale = measure(test.images, self._sample(test, JUDGED))
        look = self._look(train, test, train_scale, test_scale, settled)
        if not settled and not self.late():
            look = self._sharp(look, train_scale, test_scale)
        if look.decision.unexplained and not look.varied:
            require_frames(look.train.frame, look.test.frame)
        situation = Situation(
            look.reference, look.train, look.test, look.decision, look.varied, self.pricing, self.loss
        )
        return conclude(situation, [*self.findings, *look.findings], self.late)

    def _look(self, train: ImageSet, test: ImageSet, train_scale: Scale, test_scale: Scale, settled: bool) -> Look:
        """Compare the pictures themselves: how each lies, then how all of them were prepared."""
        factor = 1.0 if self.budget is None else float(np.clip(self.budget / 4, 0.1, 1.0))
        reference = prepare(train, train_scale, np.random.default_rng(self.seed), self.seed, factor)
        sample = self._sample(test, int(JUDGED * factor))
        if settled:
            # Both hold the same kind of values by now; only black and white may still be exchanged.
            chains: list[tuple[Fault, ...]] = [(), (Inverted(inversion_total(train_scale, test_scale)),)]
        else:
            chains = value_chains(train_scale, test_scale)
        noisy = any(isinstance(finding.how, Noisy) for finding in self.findings)
        single = single_fault(sample, test_scale, self._sample(train, JUDGED), train_scale, not noisy)
        plain = self._decided(train, test, reference, sample, chains)
        if single is None:
            return self._shrunk(plain, chains, sample, train_scale, test_scale)
        fault, told = single
        look = self._decided(train, test, reference, fault.undo(sample), chains, single=fault)
        if not self._worth(fault, plain.decision, look.decision):
            return plain
        fault, faults = with_step(fault, look.decision.chosen.faults)
        chosen = replace(look.decision.chosen, faults=faults)
        return replace(
            look,
            test=replace(test, images=fault.undo(test.images)),
            decision=replace(look.decision, chosen=chosen),
            findings=(Finding(fault, "test", 0.9, told),),
        )

    def _shrunk(
        self, look: Look, chains: list[tuple[Fault, ...]], sample: Array, train_scale: Scale, test_scale: Scale
    ) -> Look:
        """Return ``look``, or what it becomes when training pictures that fill their frame are made smaller."""
        filled = stretched_fault(look.train.images, train_scale, look.test.images, test_scale)
        if filled is None:
            return look
        fault, told = filled
        train = replace(look.train, images=fault.undo(look.train.images))
        reference = prepare(train, train_scale, np.random.default_rng(self.seed), self.seed)
        found = self._decided(train, look.test, reference, sample, chains, single=fault)
        if not self._worth(fault, look.decision, found.decision):
            return look
        return replace(found, findings=(Finding(fault, "train", 0.9, told),))

    def _worth(self, fault: Fault, before: Decision, after: Decision) -> bool:
        """Say whether what was done to single pictures explains enough of the difference."""
        if not after.unexplained:
            return True
        # That every picture touches all four sides is evidence by itself: no zoom of all of them need be beaten.
        usual = before.identity if isinstance(fault, Stretched) else before.chosen
        return not isinstance(fault, NotCentredByMass) and after.chosen.distance < _WORTH * usual.distance

    def _decided(
        self,
        train: ImageSet,
        test: ImageSet,
        reference: Reference,
        sample: Array,
        chains: list[tuple[Fault, ...]],
        single: Fault | None = None,
    ) -> Look:
        """Search and decide; ``single`` was undone in each picture, roughly: that may look like mixed orientation."""
        guessed = any(isinstance(one, Stretched) for one in (single, *(finding.how for finding in self.findings)))
        decision = decide(reference, len(sample), search(reference, sample, chains, not guessed))
        middle = None if self.late() else centred(reference, np.random.default_rng(self.seed), self.seed)
        if middle is not None:
            # Jitter blurs the mean image until it tells nothing: move every picture to the middle, look again.
            decision = decide(middle, len(sample), search(middle, sample, chains, not guessed))
        elif single is None and not self.late():
            decision = with_mixture(decision, reference, sample, self.seed)
        varied = decision.unexplained and self._train_varies_more(reference, sample, decision)
        if varied or middle is not None:
            decision = off_middle(decision, reference, sample)
        return Look(train, test, reference, decision, varied or middle is not None)

    def _as_good(
        self, train: ImageSet, test: ImageSet, train_scale: Scale, test_scale: Scale
    ) -> tuple[ImageSet, ImageSet]:
        """Undo or do to both what only one set's pictures are: compressed, noisy, stretched (in training)."""
        if found := jpeg_fault(train, train_scale, test, test_scale, self.seed):
            in_, fault, told = found
            if in_ == "train":
                self.findings.append(Finding(fault, "train", 0.95, told))
                return train, fault.replay_set(self._few(test, JUDGED))
            few = self._few(train, FIT + HELD)
            self.findings.append(self._lost(few, fault, told))
            return fault.replay_set(few), test
        if noise := noise_fault(test, test_scale, train, train_scale, self.seed):
            self.findings.append(Finding(noise[0], "test", 0.95, noise[1]))
            return train, noise[0].undo_set(test)
        if noise := noise_fault(train, train_scale, test, test_scale, self.seed):
            # Training that is noisier is augmented: the test pictures are compared with as much noise.
            added = Noisy(noise[0].sigma / train_scale.span * test_scale.span, test_scale.low, test_scale.span)
            return train, added.replay_set(test)
        return train, test

    def _sharp(self, look: Look, train_scale: Scale, test_scale: Scale) -> Look:
        """Look again with the sharper set blurred; keep that if it explains the difference much better."""
        before = look.decision.chosen.distance
        count = min(len(look.test), JUDGED)
        if look.varied or look.findings or before < 2 * look.reference.noise(count):
            return look
        if found := blur_fault(look.test, test_scale, look.train, train_scale, self.seed):
            in_ = "test"
        elif found := blur_fault(look.train, train_scale, look.test, test_scale, self.seed):
            in_ = "train"
        else:
            return look
        blurred = self._blurred(look, found[0], in_)
        if blurred.decision.unexplained or blurred.decision.chosen.weight:
            # The softness of edges tells the width roughly; the moments tell it better.
            sample = self._sample(look.test, JUDGED)
            width = best_width(look.reference, blurred.decision, sample, found[0].sigma, in_ == "test")
            found = Blurred(width), found[1]
            blurred = self._blurred(look, found[0], in_)
        left = blurred.decision.chosen.distance
        # Resampling softens by itself: size and blur together claim too much.
        resampled = any(isinstance(fault, Resized | Zoomed) for fault in blurred.decision.chosen.faults)
        if resampled or blurred.decision.unexplained or blurred.findings:
            return look
        if left > RATIO * before or before - left < MARGIN * look.reference.noise(count):
            return look
        lost = in_ == "test"
        finding = self._lost(look.train, *found) if lost else Finding(found[0], in_, 0.9, found[1])
        return replace(blurred, findings=(finding, *blurred.findings))

    def _blurred(self, look: Look, fault: Blurred, in_: str) -> Look:
        """Look again with the other set blurred as ``in_`` is."""
        train, test = look.train, look.test
        if in_ == "test":
            train = fault.replay_set(self._few(train, FIT + HELD))
        else:
            test = fault.replay_set(self._few(test, JUDGED))
        return self._look(train, test, *self._scales(train, test), False)

    def _lost(self, train: ImageSet, fault: Fault, told: tuple[str, ...]) -> Finding:
        """Return the finding of what the test set lost, and remember it for the price of all."""
        self.loss = Loss(train, fault, self.seed)
        return Finding(fault, "test", 0.95, told, self.loss.cost() if self.pricing else None)

    def _scales(self, train: ImageSet, test: ImageSet) -> tuple[Scale, Scale]:
        return measure(train.images, self._sample(train, JUDGED)), measure(test.images, self._sample(test, JUDGED))

    def _few(self, images: ImageSet, wanted: int) -> ImageSet:
        """Return a sample that is large enough for all that follows."""
        return images.select(np.sort(sample_rows(len(images), wanted, np.random.default_rng(self.seed))))

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

    def _masked(self, images: ImageSet, in_: str) -> tuple[ImageSet, Scale]:
        """Return the set without missing values, and its scale; a finding says what was masked."""
        sample = self._sample(images, JUDGED)
        scale = measure(images.images, sample)
        fault = missing_values(images, scale)
        if fault is None:
            return images, scale
        evidence = (f"{fault.count:,} of {fault.total:,} images: {', '.join(fault.where)}",)
        self.findings.append(Finding(fault, in_, 0.99, evidence))
        masked = fault.undo_set(images)
        return masked, measure(masked.images, self._sample(masked, JUDGED))

    def _sample(self, images: ImageSet, wanted: int) -> Array:
        chosen: Array = images.images[sample_rows(len(images), wanted, np.random.default_rng(self.seed + 1))]
        return chosen

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
        return train, measure(train.images, self._sample(train, JUDGED))

    def _train_varies_more(self, reference: Reference, sample: Array, decision: Decision) -> bool:
        """Compare place, size and slant of the pictures after undoing what is believed."""
        for fault in decision.chosen.faults:
            sample = fault.undo(sample)
        background = reference.background
        return more_varied(traits(reference.images, background), traits(reference.unit(sample), background))
