"""Options that several commands share, spelt once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tidepool.errors import InputError
from tidepool.files import refuse_existing, require_writable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tidepool.cli.printing import Printer, ReadingBar
    from tidepool.images import ImageSet


def parse_frame(text: str | None, option: str) -> tuple[int, int] | None:
    """Turn ``28x28`` into ``(28, 28)`` (height, width); raise InputError for anything else."""
    if text is None:
        return None
    height, _, width = text.lower().partition("x")
    if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise InputError(f"{option} {text}: expected HEIGHTxWIDTH in pixels", f"for example {option} 28x28")
    return int(height), int(width)


class FrameType(click.ParamType[tuple[int, int]]):
    """A frame as ``HxW``."""

    name = "HxW"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """Return what the help calls a value (click would write HXW)."""
        return self.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Parse ``28x28``."""
        if isinstance(value, tuple):
            return value
        frame = parse_frame(str(value), param.opts[0] if param else "frame")
        assert frame is not None
        return frame


force = click.option("--force", is_flag=True, help="Overwrite what exists.")
quiet = click.option("--quiet", is_flag=True, help="Print only errors.")
no_cache = click.option("--no-cache", is_flag=True, help="Neither read nor write the cache of parsed files.")
shape = click.option("--shape", type=FrameType(), help="Height x width of flat rows (CSV), where it is not square.")
seed = click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, metavar="N", help="Random seed.  [default: 0]"
)


def effort(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--fast`` and ``--accurate``, which arrive as ``effort``: 'fast', 'accurate' or, with neither, 'usual'."""
    fast = click.option("--fast", "effort", flag_value="fast", help="One net of an ensemble, one look at each picture.")
    accurate = click.option(
        "--accurate",
        "effort",
        flag_value="accurate",
        default="usual",
        help="A second look at unsure pictures, moved by a pixel, also where that was not seen to pay.",
    )
    return fast(accurate(command))


def read(source: str, quiet: bool, **options: Any) -> ImageSet:
    """Read ``source`` as ``tidepool.formats.read`` does, and show how far it is once that takes over a second."""
    from tidepool.formats import read

    bar: ReadingBar | None = None

    def progress(done: int, total: int, what: str) -> None:
        nonlocal bar
        if bar is None:
            # Only sets of several files tell how far they are: the others need no terminal library.
            from tidepool.cli.printing import Printer, ReadingBar

            bar = ReadingBar(Printer(quiet))
        bar(done, total, what)

    try:
        return read(source, progress=progress, **options)
    finally:
        if bar is not None:
            bar.close()


def begin(target: Path, beside: Path, resume: bool, force: bool, printer: Printer) -> bool:
    """Say whether there is work to do for ``target``, whose unfinished state lies at ``beside``.

    Raises InputError where something stands there and neither is given, OutsideError where it could not be written:
    before the minutes of work, not after them. A fresh start forgets the state.
    """
    if resume and target.exists() and not beside.exists():
        printer.say("done", f"{target} is finished: nothing to resume")
        return False
    if not resume:
        refuse_existing(target, force)
    require_writable(target)
    if not resume:
        beside.unlink(missing_ok=True)
    return True


def say_trained(printer: Printer, metrics: dict[str, Any], target: Path) -> None:
    """Print how good a model is, where it is, and what can be done with it."""
    say_score(printer, metrics["validation"], "held back", "images that it never saw")
    printer.say("wrote", str(target))
    printer.say("next", f"tidepool predict {target} PICTURES --out predictions.csv")


def say_score(printer: Printer, score: dict[str, Any] | None, step: str, of_what: str) -> None:
    """Print an accuracy with its 95 % interval, if there is one."""
    if score is None or not score["n"]:
        return
    from tidepool.statistics import wilson

    low, high = wilson(round(score["accuracy"] * score["n"]), score["n"])
    accuracy = f"{100 * score['accuracy']:.2f} % of {score['n']:,} {of_what}"
    printer.say(step, f"{accuracy} (95 % interval {100 * low:.2f} to {100 * high:.2f})")
