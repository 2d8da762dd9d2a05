"""``tidepool ladder``: the article's story, rung by rung."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidepool.cli import options

if TYPE_CHECKING:
    from tidepool.cli.printing import Bar, Printer
    from tidepool.ladder import Line, Result

# Fits 80 columns.
_HEAD = f"{'rung':<31}{'article':>9}{'ours':>8}{'seen':>11}{'time':>9}{'weights':>11}"


@click.command()
@click.option("--quick", is_flag=True, help="Small samples and few epochs: minutes in place of an hour.")
@click.option(
    "--out", metavar="DIR", help="Folder for the outputs.  [default: runs/ladder, runs/ladder-quick with --quick]"
)
@options.seed
@options.force
@options.quiet
@options.no_cache
def ladder(quick: bool, out: str | None, seed: int, force: bool, quiet: bool, no_cache: bool) -> None:
    """Climb the article of 2016 again, rung by rung, each with its figure beside ours.

    \b
    tidepool ladder --quick --out ladder

    From a net in plain NumPy to the article's two listings, the mystery that it never solved, and our Classifier, on
    Kaggle's train rows (or MNIST's, where those are missing). Writes ladder.html, ladder.json and a file a rung;
    stopped, it goes on with the rungs that are missing when the same command is given again.
    """
    from tidepool.cli.printing import Printer
    from tidepool.ladder import Voice, climb
    from tidepool.ladder.climbing import LETTERS, finished

    folder = Path(out or ("runs/ladder-quick" if quick else "runs/ladder"))
    printer = Printer(quiet)
    teller = _Teller(printer)
    command = "tidepool " + shlex.join(sys.argv[1:])
    voice = Voice(printer.say, teller.begin, teller.tell, teller.done)
    try:
        climbed = climb(folder, quick=quick, seed=seed, force=force, cache=not no_cache, command=command, voice=voice)
    except KeyboardInterrupt:
        teller.close()
        kept = len(finished(folder))
        if kept:
            printer.say("stopped", f"{kept} of {len(LETTERS)} rungs are done and kept in {folder}")
            printer.say("next", "the same command goes on with the others" + (", without --force" if force else ""))
        else:
            printer.say("stopped", "before the first rung was done: nothing is kept")
        raise
    finally:
        teller.close()
    if climbed.new:
        printer.say("wrote", f"{folder}: ladder.html, ladder.json")
        printer.say("time", f"{climbed.facts['seconds'] / 60:.1f} minutes on the rungs")
    else:
        printer.say("done", f"{folder} is finished: nothing left to climb; --force starts afresh")
    printer.say("next", f"open {folder}/ladder.html")


class _Teller:
    """Prints the table, a line when a figure is known, and how far the present rung is."""

    def __init__(self, printer: Printer) -> None:
        self.console = printer.console
        self._headed = False
        self._bar: Bar | None = None
        self._title = ""

    def begin(self, letter: str) -> None:
        """A rung is begun: show a bar on a terminal, a line elsewhere."""
        from tidepool.cli.printing import Bar
        from tidepool.ladder.climbing import TITLES

        self._head()
        self._title = f"{letter}  {TITLES[letter]}"
        if not self.console.is_terminal:
            self._print(f"   {self._title} ...")
        self._bar = Bar(self.console, self._title)

    def tell(self, share: float, words: str) -> None:
        """The rung is ``share`` done."""
        if self._bar is not None:
            self._bar(share, 1.0, lambda rate: f"{100 * share:.0f} %, {words}")

    def done(self, result: Result, kept: bool) -> None:
        """The rung's figures are known."""
        self.close()
        self._head()
        for number, line in enumerate(result.lines):
            self._print(_row(result.letter if number == 0 else "", line) + ("  (kept)" if kept and not number else ""))

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _head(self) -> None:
        if not self._headed:
            self._headed = True
            self._print(_HEAD)
            self._print("-" * len(_HEAD))

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def _row(letter: str, line: Line) -> str:
    from tidepool.ladder.result import time_in_words

    figures = f"{line.article or '-':>9}{line.per_cent:>8}{line.seen:>11,}{time_in_words(line.seconds):>9}"
    return f"{letter:<2}{line.what:<29}{figures}{line.parameters:>11,}"
