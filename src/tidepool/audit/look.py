"""The comparison of the pictures themselves: how each lies in its frame, then how all of them were prepared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tidepool.audit.decide import MARGIN, RATIO, Decision, decide, with_orientation
from tidepool.audit.evidence import FIT, HELD, JUDGED, Reference, centred, few, prepare, sampled
from tidepool.audit.faults import Blurred, Fault, Inverted, NotCentredByMass, Resized, Stretched, Zoomed
from tidepool.audit.hypotheses import inversion_total, value_chains
from tidepool.audit.placing import off_middle
from tidepool.audit.quality import best_width, blur_fault
from tidepool.audit.scale import Scale, measure
from tidepool.audit.search import search
from tidepool.audit.single import single_fault, stretched_fault, with_step
from tidepool.audit.traits import more_varied, traits
from tidepool.audit.verdict import Finding
from tidepool.images import Array, ImageSet

_WORTH = 0.8  # of the distance that a rough repair of single pictures may leave

Chains = list[tuple[Fault, ...]]


@dataclass(frozen=True)
class Look:
    """What a comparison came to; ``findings`` are about single pictures.

    train, test : as they were compared; varied : the training pictures vary more, as augmented ones do.
    """

    train: ImageSet
    test: ImageSet
    reference: Reference
    decision: Decision
    varied: bool
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Looker:
    """How to look: with which ``seed``, at which part of the usual samples, and whether time is short (``late``).

    settled : both sets hold the same kind of values already; noisy : noise was taken from the test pictures.
    """

    seed: int
    factor: float
    late: Callable[[], bool]
    settled: bool = False
    noisy: bool = False

    def look(self, train: ImageSet, test: ImageSet) -> Look:
        """Compare the pictures themselves: how each lies, then how all of them were prepared."""
        train_scale, test_scale = self._scale(train), self._scale(test)
        reference = prepare(train, train_scale, np.random.default_rng(self.seed), self.seed, self.factor)
        sample = sampled(test, int(JUDGED * self.factor), self.seed)
        if self.settled:
            # Both hold the same kind of values by now; only black and white may still be exchanged.
            chains: Chains = [(), (Inverted(inversion_total(train_scale, test_scale)),)]
        else:
            chains = value_chains(train_scale, test_scale)
        ours = sampled(train, JUDGED, self.seed)
        single = single_fault(sample, test_scale, ours, train_scale, boxes=not self.noisy)
        plain = self._decided(train, test, reference, sample, chains)
        if single is None:
            return self._shrunk(plain, chains, sample)
        fault, told = single
        look = self._decided(train, test, reference, fault.undo(sample), chains, single=fault)
        if not _worth(fault, plain.decision, look.decision):
            return plain
        fault, faults = with_step(fault, look.decision.chosen.faults)
        chosen = replace(look.decision.chosen, faults=faults)
        return replace(
            look,
            test=replace(test, images=fault.undo(test.images)),
            decision=replace(look.decision, chosen=chosen),
            findings=(Finding(fault, "test", 0.9, told),),
        )

    def _shrunk(self, look: Look, chains: Chains, sample: Array) -> Look:
        """Return ``look``, or what it becomes when training pictures that fill their frame are made smaller."""
        train_scale, test_scale = self._scale(look.train), self._scale(look.test)
        filled = stretched_fault(look.train.images, train_scale, look.test.images, test_scale)
        if filled is None:
            return look
        fault, told = filled
        train = replace(look.train, images=fault.undo(look.train.images))
        reference = prepare(train, train_scale, np.random.default_rng(self.seed), self.seed, self.factor)
        found = self._decided(train, look.test, reference, sample, chains, single=fault)
        if not _worth(fault, look.decision, found.decision):
            return look
        return replace(found, findings=(Finding(fault, "train", 0.9, told),))

    def _decided(
        self,
        train: ImageSet,
        test: ImageSet,
        reference: Reference,
        sample: Array,
        chains: Chains,
        single: Fault | None = None,
    ) -> Look:
        """Search and decide; ``single`` was undone in each picture, roughly: that may look like mixed orientation."""
        zooms = not isinstance(single, Stretched)
        decision = decide(reference, len(sample), search(reference, sample, chains, zooms))
        middle = None if self.late() else centred(reference, np.random.default_rng(self.seed), self.seed)
        if middle is not None:
            # Jitter blurs the mean image until it tells nothing: move every picture to the middle, look again.
            decision = decide(middle, len(sample), search(middle, sample, chains, zooms))
        elif single is None and not self.late():
            decision = with_orientation(decision, reference, sample, self.seed)
        varied = decision.unexplained and _train_varies_more(reference, sample, decision)
        if varied or middle is not None:
            decision = off_middle(decision, reference, sample)
        return Look(train, test, reference, decision, varied or middle is not None)

    def sharper(self, look: Look) -> tuple[Look, str, Blurred, tuple[str, ...]] | None:
        """Look again with the sharper set blurred; None unless that explains the difference much better.

        Returns that look, which set is blurred, the fault and its evidence.
        """
        before = look.decision.chosen.distance
        count = min(len(look.test), JUDGED)
        if look.varied or look.findings or before < 2 * look.reference.noise(count):
            return None
        train_scale, test_scale = self._scale(look.train), self._scale(look.test)
        if found := blur_fault(look.test, test_scale, look.train, train_scale, self.seed):
            in_ = "test"
        elif found := blur_fault(look.train, train_scale, look.test, test_scale, self.seed):
            in_ = "train"
        else:
            return None
        blurred = self._blurred(look, found[0], in_)
        if blurred.decision.unexplained or blurred.decision.chosen.weight:
            # The softness of edges tells the width roughly; the moments tell it better.
            sample = sampled(look.test, JUDGED, self.seed)
            width = best_width(look.reference, blurred.decision, sample, found[0].sigma, in_ == "test")
            found = Blurred(width), found[1]
            blurred = self._blurred(look, found[0], in_)
        left = blurred.decision.chosen.distance
        # Resampling softens by itself: size and blur together claim too much.
        resampled = any(isinstance(fault, Resized | Zoomed) for fault in blurred.decision.chosen.faults)
        if resampled or blurred.decision.unexplained or blurred.findings:
            return None
        if left > RATIO * before or before - left < MARGIN * look.reference.noise(count):
            return None
        return blurred, in_, *found

    def _blurred(self, look: Look, fault: Blurred, in_: str) -> Look:
        """Look again with the other set blurred as ``in_`` is."""
        train, test = look.train, look.test
        if in_ == "test":
            train = fault.replay_set(few(train, FIT + HELD, self.seed))
        else:
            test = fault.replay_set(few(test, JUDGED, self.seed))
        return self.look(train, test)

    def _scale(self, images: ImageSet) -> Scale:
        return measure(images.images, sampled(images, JUDGED, self.seed))


def _worth(fault: Fault, before: Decision, after: Decision) -> bool:
    """Say whether what was done to single pictures explains enough of the difference."""
    if not after.unexplained:
        return True
    # That every picture touches all four sides is evidence by itself: no zoom of all of them need be beaten.
    usual = before.identity if isinstance(fault, Stretched) else before.chosen
    return not isinstance(fault, NotCentredByMass) and after.chosen.distance < _WORTH * usual.distance


def _train_varies_more(reference: Reference, sample: Array, decision: Decision) -> bool:
    """Compare place, size and slant of the pictures after undoing what is believed."""
    for fault in decision.chosen.faults:
        sample = fault.undo(sample)
    background = reference.background
    return more_varied(traits(reference.images, background), traits(reference.unit(sample), background))
