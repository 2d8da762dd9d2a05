"""What the audit says: findings, and the verdict over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tidepool.audit.faults import Fault, MixedOrientation, SetsSwapped
from tidepool.errors import FaultFound
from tidepool.images import ImageSet

Pair = tuple[ImageSet, ImageSet]


@dataclass(frozen=True)
class Cost:
    """Accuracy (0..1) of a reference net on correct pictures with the fault replayed: as they are, and repaired."""

    accuracy_as_is: float
    accuracy_repaired: float

    def to_dict(self) -> dict[str, float]:
        """Return it for JSON."""
        return {
            "accuracy_as_is": round(self.accuracy_as_is, 4),
            "accuracy_repaired": round(self.accuracy_repaired, 4),
        }


@dataclass(frozen=True)
class Finding:
    """One fault in one set, with why it is believed and what it costs (None where labels do not allow to say)."""

    how: Fault
    in_: str
    confidence: float
    evidence: tuple[str, ...] = ()
    cost: Cost | None = None

    @property
    def fault(self) -> str:
        """The id, as in FAULTS.md."""
        return self.how.id

    @property
    def repair(self) -> str:
        """What ``--fix`` does about it."""
        return self.how.repair

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of this id."""
        return self.how.parameters

    @property
    def exact(self) -> bool:
        """Whether the repair gives back what was there before, to the bit."""
        return self.how.exact

    @property
    def harmless(self) -> bool:
        """Whether a model copes by itself."""
        return self.how.harmless

    def to_dict(self) -> dict[str, Any]:
        """Return it for ``audit --json``."""
        return {
            "fault": self.fault,
            "in": self.in_,
            "repair": self.repair,
            "parameters": self.parameters,
            "confidence": round(self.confidence, 3),
            "evidence": list(self.evidence),
            "cost": self.cost.to_dict() if self.cost else None,
            "exact": self.exact,
            "harmless": self.harmless,
        }


@dataclass(frozen=True)
class Verdict:
    """``verdict``: clean, fault, different-source or undecided; ``findings`` in the order of undoing.

    ``candidates``: the tied explanations of an undecided case. ``cost``: all findings together. ``notes``: evidence
    that belongs to no finding.
    """

    verdict: str
    findings: tuple[Finding, ...] = ()
    candidates: tuple[tuple[Finding, ...], ...] = ()
    seconds: float = 0.0
    cost: Cost | None = None
    notes: tuple[str, ...] = ()
    _sets: Callable[[], Pair] | None = field(default=None, repr=False, compare=False)

    @property
    def harmless(self) -> bool:
        """Whether every finding is harmless, so that a run may go on."""
        return self.verdict == "fault" and all(finding.harmless for finding in self.findings)

    @property
    def repairable(self) -> bool:
        """Whether ``--fix`` may go on."""
        return self.verdict != "undecided" and all(finding.how.repairable for finding in self.findings)

    @property
    def repaired(self) -> Pair:
        """The two sets after undoing each finding in turn; the sets themselves where nothing was found.

        Raises FaultFound where the audit is undecided or no repair exists.
        """
        assert self._sets is not None
        train, test = self._sets()
        if self.verdict == "undecided":
            raise FaultFound("the audit is undecided: there is no one repair", "look at .candidates and choose")
        for finding in self.findings:
            if not finding.how.repairable:
                raise FaultFound(f"{finding.fault} in {finding.in_}: {finding.repair}", "")
            if isinstance(finding.how, SetsSwapped):
                train, test = test, train
            elif (finding.in_ == "train") != finding.how.mirrored:
                train = finding.how.replay_set(train) if finding.how.mirrored else finding.how.undo_set(train)
            else:
                test = finding.how.replay_set(test) if finding.how.mirrored else finding.how.undo_set(test)
        return self._echoed(train, "test"), self._echoed(test, "train")

    def _echoed(self, images: ImageSet, in_: str) -> ImageSet:
        """Return ``images`` with the traces that repairing the set ``in_`` has left there."""
        done = [finding.how for finding in self.findings if finding.in_ == in_ and not finding.how.mirrored]
        if not any(how.echoed and not how.exact for how in done):
            return images
        # Pictures that were turned one by one are left out: turning good ones would only add errors.
        done = [how for how in done if not isinstance(how, MixedOrientation)]
        pixels = images.images
        for how in reversed(done):
            pixels = how.replay(pixels)
        for how in done:
            pixels = how.undo(pixels)
        return replace(images, images=pixels)

    def to_dict(self) -> dict[str, Any]:
        """Return the object that ``tidepool audit --json`` prints."""
        out: dict[str, Any] = {
            "verdict": self.verdict,
            "findings": [finding.to_dict() for finding in self.findings],
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }
        if self.verdict == "undecided":
            out["candidates"] = [[finding.to_dict() for finding in chain] for chain in self.candidates]
        return out

    def sentence(self) -> str:
        """Return the verdict in words that a beginner understands."""
        if self.verdict == "clean":
            return "Your test images were prepared like your training images."
        if self.verdict == "different-source":
            return (
                "Your test images come from another source than your training images "
                "(no fault of preparation explains the difference)."
            )
        if self.verdict == "undecided":
            names = " or ".join("+".join(f.fault for f in chain) or "nothing" for chain in self.candidates)
            return f"Your test images were prepared differently, but their content cannot tell how: {names}."
        return " ".join([*self._told(), *self._priced(), *self._advised()])

    def _told(self) -> list[str]:
        names = {"train": "training", "test": "test"}
        told: list[str] = []
        for in_ in ("train", "test"):
            parts = [finding.how.plain for finding in self.findings if finding.in_ == in_]
            if parts:
                told.append(f"Your {names[in_]} images {', and '.join(parts)}.")
        return told

    def _priced(self) -> list[str]:
        if self.harmless:
            return ["That is harmless: a model pads smaller frames by itself."]
        if self.cost is None:
            return []
        before, after = 100 * self.cost.accuracy_repaired, 100 * self.cost.accuracy_as_is
        if before - after < 0.5:
            return [f"Accuracy would hardly change ({before:.1f} to {after:.1f})."]
        return [f"Accuracy would fall from {before:.1f} to {after:.1f}."]

    def _advised(self) -> list[str]:
        if self.harmless:
            return []
        if not self.repairable:
            return ["No repair is possible."]
        mirrored = [finding for finding in self.findings if finding.how.mirrored]
        if not mirrored:
            traces = [f for f in self.findings if f.how.echoed and not f.exact]
            if not traces:
                return ["`--fix` undoes that."]
            other = "training" if traces[0].in_ == "test" else "test"
            return [f"`--fix` undoes that as far as it can, and gives the {other} images the traces that it leaves."]
        other = "training" if mirrored[0].in_ == "test" else "test"
        undone = "" if len(mirrored) == len(self.findings) else " and undoes the rest"
        return [f"That cannot be undone: `--fix` does the same to the {other} images{undone}."]

    def after(self, first: Finding, sets: Callable[[], Pair]) -> Verdict:
        """Return this verdict with ``first`` put before its findings, on the sets as they were given."""
        return replace(self, verdict="fault", findings=(first, *self.findings), _sets=sets)
