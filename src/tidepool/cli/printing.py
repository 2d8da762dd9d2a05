"""What the commands print while they work: steps, the epoch table, a bar on a terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from tidepool.audit import Verdict
    from tidepool.images import ImageSet
    from tidepool.nets.stack import Stack
    from tidepool.training.fit import Listener
    from tidepool.training.plan import Plan


class Printer:
    """Prints steps as they happen, or nothing with ``quiet``."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(quiet=quiet, highlight=False, soft_wrap=not sys.stdout.isatty())
        self._table: Any = None
        self._bar: Any = None
        self._started = time.monotonic()
        self._said = self._started

    def say(self, step: str, text: str) -> None:
        """Print one step: a word in the margin, then what happened."""
        self.console.print(f"[bold]{escape(step):<10}[/bold] {escape(text)}")

    def judged(self, verdict: Verdict, train: ImageSet, test: ImageSet) -> None:
        """Print what the audit found: a line where all is well, the whole of it for a fault."""
        from tidepool.cli.verdicts import show_verdict

        if verdict.verdict in ("fault", "undecided") and not verdict.harmless:
            self.say("audit", f"{verdict.verdict}, in {verdict.seconds:.1f} s")
            show_verdict(self.console, verdict, train, test)
        else:
            self.say("audit", f"{verdict.sentence()} ({verdict.seconds:.1f} s)")

    def listener(self) -> Listener:
        """Return who hears of training."""
        from tidepool.training.fit import Listener

        return Listener(self._on_plan, self._on_epoch, self._on_step)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _on_plan(self, stack: Stack, plan: Plan) -> None:
        from tidepool.nets.summary import parameters
        from tidepool.training.table import EpochTable

        convolutions = sum(name.startswith("conv") for name, _ in stack.layers)
        kind = f"{convolutions} convolutions" if convolutions else f"{len(stack.layers)} layers"
        self.say(
            "train",
            f"{kind}, {parameters(stack):,} weights, about {plan.epochs:.3g} epochs of "
            f"{plan.steps_per_epoch * plan.batch_size:,} images, warps '{plan.recipe.name}'",
        )
        self._table = EpochTable(console=self.console)
        self._started = self._said = time.monotonic()
        self._batch = plan.batch_size
        if self.console.is_terminal and not self.console.quiet:
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            bar = Progress(
                TextColumn("          "),
                BarColumn(),
                TextColumn("{task.fields[rate]:,.0f} images/s"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self._task = bar.add_task("train", total=plan.last_step, rate=0.0)
            bar.start()
            self._bar = bar

    def _on_epoch(self, row: dict[str, Any]) -> None:
        self._table(row)

    def _on_step(self, step: int, steps: int) -> None:
        now = time.monotonic()
        rate = step * self._batch / max(now - self._started, 1e-9)
        if self._bar is not None:
            self._bar.update(self._task, completed=step, total=steps, rate=rate)
        elif now - self._said > 10:
            # Not a terminal: a plain line now and then.
            self._said = now
            left = (steps - step) * self._batch / rate
            self.console.print(f"           step {step:,} of {steps:,}, {rate:,.0f} images/s, {left:.0f} s left")
