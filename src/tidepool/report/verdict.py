"""The audit's verdict, as JSON, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SETS = {"train": "training", "test": "test"}


@dataclass(frozen=True)
class Said:
    """``mood`` (good, warn, bad, none), the ``sentence``, and one line a finding."""

    mood: str
    sentence: str
    findings: list[str]


def in_words(audit: Mapping[str, Any] | None) -> Said:
    """Return what ``audit`` (None: there was none) says, for a reader who never heard of audits.

    ``audit["repaired"]``, beside what ``audit --json`` prints, says that the findings were undone before training.
    """
    verdict = None if audit is None else audit.get("verdict")
    if audit is None or verdict is None:
        return Said("none", "Not audited: there was no test set to compare with, or the audit was switched off.", [])
    findings = _findings(audit.get("findings", []))
    if verdict == "clean":
        return Said("good", "The test images were prepared like the training images.", findings)
    if verdict == "different-source":
        text = "The test images come from another source than the training images; expect a lower accuracy on them."
        return Said("warn", text, findings)
    if verdict == "undecided":
        ties = [" + ".join(str(f.get("fault")) for f in chain) or "nothing" for chain in audit.get("candidates", [])]
        text = "The two sets were prepared differently, but their content cannot tell how"
        return Said("bad", f"{text}: {' or '.join(ties)}." if ties else f"{text}.", findings)
    found = audit.get("findings", [])
    named = ", ".join(f"{f.get('fault')} (in the {_SETS.get(f.get('in', ''), '?')} set)" for f in found)
    if found and all(f.get("harmless") for f in found):
        return Said("warn", f"Found {named}: harmless, a model pads smaller frames by itself.", findings)
    if audit.get("repaired"):
        return Said("warn", f"The two sets were not prepared alike; repaired before training: {named}.", findings)
    return Said("bad", f"The two sets were not prepared alike: {named}.", findings)


def _findings(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each; evidence that several share is said once."""
    said: set[str] = set()
    lines = []
    for each in found:
        evidence = [line for line in each.get("evidence", []) if line not in said]
        said.update(evidence)
        lines.append(_finding(each) + "".join(f" {line[:1].upper()}{line[1:]}." for line in evidence))
    return lines


def _finding(found: Mapping[str, Any]) -> str:
    parameters = ", ".join(f"{key} {value}" for key, value in (found.get("parameters") or {}).items())
    text = f"{found.get('fault')} in the {_SETS.get(found.get('in', ''), '?')} set"
    text += f" ({parameters})" if parameters else ""
    if isinstance(found.get("confidence"), int | float):
        text += f", {100 * found['confidence']:.0f} % sure"
    if found.get("repair"):
        text += f"; repair: {found['repair']}" + (" (exact)" if found.get("exact") else "")
    if cost := found.get("cost"):
        as_is, repaired = 100 * cost["accuracy_as_is"], 100 * cost["accuracy_repaired"]
        text += f"; a reference net scores {as_is:.1f} % as it is, {repaired:.1f} % repaired"
    return f"{text}."
