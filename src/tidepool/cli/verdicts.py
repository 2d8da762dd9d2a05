"""What ``audit`` and ``run`` print of a verdict: the sentence, the evidence, the mean images."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from tidepool.audit import Verdict
    from tidepool.images import ImageSet


def show_verdict(console: Console, verdict: Verdict, train: ImageSet, test: ImageSet) -> None:
    """Print the sentence, the evidence and, on a terminal wide enough, the mean images before and after."""
    from tidepool.cli.means import draw_means

    colour = {"clean": "green", "different-source": "yellow"}.get(verdict.verdict, "red")
    if verdict.verdict == "fault" and verdict.harmless:
        colour = "yellow"
    console.print(verdict.sentence(), style=f"bold {colour}", markup=False)
    for finding in verdict.findings:
        console.print(f"  {finding.fault} in {finding.in_} (confidence {finding.confidence:.2f})", markup=False)
        console.print(f"    repair: {finding.repair}{'' if finding.exact else ' (not exact)'}", markup=False)
        for line in finding.evidence:
            console.print(f"    {line}", markup=False)
        if finding.cost is not None and len(verdict.findings) > 1:
            as_is, repaired = 100 * finding.cost.accuracy_as_is, 100 * finding.cost.accuracy_repaired
            console.print(f"    alone it costs: {repaired:.1f} to {as_is:.1f}", markup=False)
    said = {line for finding in verdict.findings for line in finding.evidence}
    for line in verdict.notes:
        if line not in said:
            console.print(f"  {line}", markup=False)
    if sys.stdout.isatty() and console.width >= 60 and verdict.verdict == "fault":
        draw_means(console, verdict, train, test)
