"""What the commands print while they work: steps, the epoch table, a bar on a terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidepool.audit import Verdict
    from tidepool.images import ImageSet
    from tidepool.nets.stack import Stack
    from tidepool.training.plan import Plan
    from tidepool.training.settings import Listener


# Off a terminal a line is enough so often.
_SECONDS = 10.0


class Bar:
    """How far a task is: on a terminal a bar with the time that remains, else a plain line every ten seconds.

    title : stands before the bar.
    """

    def __init__(self, console: Console, title: str = " " * 10) -> None:
        self._console, self._title = console, title
        self._bar: Any = None
        self._started = self._said = time.monotonic()

    def __call__(self, done: float, total: float, words: Callable[[float], str]) -> None:
        """Hear that ``done`` of ``total`` is done; ``words``, told how much is done a second, says it."""
        if self._console.quiet:
            return
        now = time.monotonic()
        rate = done / max(now - self._started, 1e-9)
        if self._console.is_terminal:
            if self._bar is None:
                self._start()
            self._bar.update(self._task, completed=done, total=total, words=words(rate))
        elif done > 0 and now - self._said > _SECONDS:
            self._said = now
            left = (total - done) / rate
            self._console.print(f"{'':<11}{words(rate)}, {left:.0f} s left", markup=False)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        title, words = Column(no_wrap=True), Column(no_wrap=True, overflow="ellipsis")
        left = Column(no_wrap=True, min_width=7)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False, table_column=title),
            BarColumn(20),
            TimeRemainingColumn(table_column=left),
            TextColumn("{task.fields[words]}", markup=False, table_column=words),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task(self._title, total=None, words="")
        self._bar.start()


def say_compiling(printer: Printer) -> None:
    """Say why the first warp on a machine takes some seconds, before it does."""
    from tidepool.warp import kernel_is_cached

    if not kernel_is_cached():
        printer.say("compile", "the warp kernel, once on this machine: some seconds")


class ReadingBar:
    """Shows how far reading is once it takes over a second; what is being done is said in a line of its own."""

    def __init__(self, printer: Printer) -> None:
        self._printer, self._bar = printer, Bar(printer.console)
        self._first = self._what = ""
        self._started = time.monotonic()

    def __call__(self, done: int, total: int, what: str) -> None:
        """Hear that ``done`` of ``total`` bytes are read."""
        self._first = self._first or what
        # That files are decompressed, or waited for, is said at once: the next word may come in a minute.
        if time.monotonic() - self._started < 1 and what == self._first:
            return
        if what != self._what:
            self._what = what
            self._printer.say("read", what)
        self._bar(done, total, lambda rate: f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB, {rate / 1e6:.1f} MB/s")

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


class Printer:
    """Prints steps as they happen, or nothing with ``quiet``."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(quiet=quiet, highlight=False, soft_wrap=not sys.stdout.isatty())
        self._table: Any = None
        self._bar: Bar | None = None

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
        from tidepool.training.settings import Listener

        return Listener(self._on_plan, self._on_epoch, self._on_step)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _on_plan(self, stack: Stack, plan: Plan, number: int, count: int) -> None:
        from tidepool.nets.summary import parameters
        from tidepool.training.table import EpochTable

        convolutions = sum(name.startswith("conv") for name, _ in stack.layers)
        kind = f"{convolutions} convolutions" if convolutions else f"{len(stack.layers)} layers"
        if count > 1:
            kind = f"net {number} of {count}: {kind}"
        self.close()
        self.say(
            "train",
            f"{kind}, {parameters(stack):,} weights, about {plan.epochs:.3g} epochs of "
            f"{plan.steps_per_epoch * plan.batch_size:,} images, warps '{plan.recipe.name}'",
        )
        self._table = EpochTable(console=self.console)
        self._batch = plan.batch_size
        self._bar = Bar(self.console)

    def _on_epoch(self, row: dict[str, Any]) -> None:
        self._table(row)

    def _on_step(self, step: int, steps: int) -> None:
        if self._bar is not None:
            self._bar(step, steps, lambda rate: f"step {step:,} of {steps:,}, {rate * self._batch:,.0f} images/s")
