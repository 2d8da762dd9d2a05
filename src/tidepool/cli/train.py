"""``tidepool train``: a model from labelled pictures."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tidepool import clock
from tidepool.cli import options
from tidepool.errors import DataError, InputError
from tidepool.files import refuse_existing
from tidepool.warp import find as find_recipe

if TYPE_CHECKING:
    from tidepool.cli.printing import Printer

# Writing the model, measured at .2 s on two busy cores.
_WRITING = 0.6


@click.command()
@click.argument("src")
@click.option("--out", required=True, metavar="M.tidepool", help="Where the model goes.")
@click.option("--budget", metavar="TIME", help="Wall time for everything: 20s, 5m, 1h.  [default: 60s]")
@click.option("--epochs", type=float, metavar="N", help="Passes over the pictures, in place of a budget.")
@click.option("--stack", metavar="NAME|FILE", help="small, medium, large, dense, or a JSON file of layers.")
@click.option("--recipe", metavar="NAME", help="Warps: none, shift, gentle, digits, affnist.")
@click.option("--size", type=options.FrameType(), help="Frame to pad to, for example 40x40.")
@click.option("--plan", metavar="M.tidepool", help="Repeat that model's plan to the bit.")
@click.option("--resume", is_flag=True, help="Go on with the run that stopped; its checkpoint lies beside OUT.")
@click.option("--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@options.seed
@options.shape
@options.force
@options.quiet
@options.no_cache
def train(
    src: str,
    out: str,
    budget: str | None,
    epochs: float | None,
    stack: str | None,
    recipe: str | None,
    size: Any,
    plan: str | None,
    resume: bool,
    device: str,
    seed: int,
    shape: Any,
    force: bool,
    quiet: bool,
    no_cache: bool,
) -> None:
    """Train a model on labelled pictures and save it.

    \b
    tidepool train train.csv --out digits.tidepool --budget 5m

    A stratified part is held back to score the model by. The same plan gives the same weights to the bit.

    \b
    tidepool train 'data3/*.mat' --out affnist.tidepool --budget 30m

    Several files with more than 128 MB of pictures are decompressed once, into the folder sets of the cache
    ($TIDEPOOL_CACHE, else ~/.cache/tidepool), and trained on from there: memory does not grow with their number.
    With --no-cache they are packed in memory instead, which takes about a sixth of their size for digits, and each
    start takes longer; the weights are the same.
    """
    if sum(value is not None for value in (budget, epochs, plan)) > 1:
        raise InputError("--budget, --epochs and --plan exclude each other", "give one of them")
    if plan is not None and any(value is not None for value in (stack, recipe, size)):
        raise InputError("--plan repeats that model's stack, recipe and size", "leave --stack, --recipe and --size out")
    limit = clock.seconds(budget or 60)
    settings: dict[str, Any] = {"stack": _stack(stack), "recipe": recipe, "frame": size, "seed": seed}
    settings.update(_repeat(plan) if plan else {})
    if recipe is not None:
        find_recipe(recipe)
    if epochs is not None and not 0 < epochs < 1e6:
        raise InputError(f"--epochs {epochs:g}: expected a number of passes above 0", "for example --epochs 10")
    from tidepool.cli.printing import Printer

    target, checkpoint = Path(out), Path(f"{out}.checkpoint")
    if resume and target.exists() and not checkpoint.exists():
        Printer(quiet).say("done", f"{target} is finished: nothing to resume")
        return
    if not resume:
        refuse_existing(out, force)
        # A parent that is a file is said in plain words once the model is written.
        with contextlib.suppress(NotADirectoryError):
            checkpoint.unlink(missing_ok=True)
    from tidepool.formats import read
    from tidepool.training.fit import Settings, fit

    printer = Printer(quiet)
    bar = _ReadingBar(printer)
    try:
        images = read(src, shape=shape, cache=not no_cache, lean=no_cache, progress=bar)
    finally:
        bar.close()
    images.require_labels("training")
    settings.update(device=device, checkpoint=checkpoint)
    if epochs is not None:
        settings["epochs"] = epochs
    elif plan is None:
        settings["seconds"] = max(1.0, limit - (time.monotonic() - clock.process_start()) - _WRITING)
    printer.say("read", images.summary())
    try:
        fitted = fit(images, Settings(**settings), printer.listener())
    finally:
        printer.close()
    fitted.model.save(target)
    if fitted.interrupted:
        printer.say("wrote", f"{target}, as far as it got")
        printer.say("next", f"the same command with --resume goes on from {checkpoint}")
        raise KeyboardInterrupt
    checkpoint.unlink(missing_ok=True)
    options.say_score(printer, fitted.metrics["validation"], "held back", "images that it never saw")
    printer.say("wrote", str(target))
    printer.say("next", f"tidepool predict {target} PICTURES --out predictions.csv")


class _ReadingBar:
    """Shows how far reading is once it takes over a second: a bar on a terminal, else a plain line now and then."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._bar: Any = None
        self._what = ""
        self._started = self._said = time.monotonic()

    def __call__(self, done: int, total: int, what: str) -> None:
        """Hear that ``done`` of ``total`` bytes are read."""
        now, console = time.monotonic(), self._printer.console
        if now - self._started < 1 or console.quiet:
            return
        if what != self._what:
            self._what = what
            self._printer.say("read", what)
        if console.is_terminal:
            if self._bar is None:
                from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
                from rich.progress import TransferSpeedColumn as Speed

                columns = (TextColumn("          "), BarColumn(), DownloadColumn(), Speed(), TimeRemainingColumn())
                self._bar = Progress(*columns, console=console, transient=True)
                self._task = self._bar.add_task("read", total=total)
                self._bar.start()
            self._bar.update(self._task, completed=done, total=total)
        elif done and now - self._said > 10:
            self._said = now
            rate = done / (now - self._started)
            left = (total - done) / rate
            console.print(
                f"           {done / 1e6:,.0f} of {total / 1e6:,.0f} MB, {rate / 1e6:.1f} MB/s, {left:.0f} s left"
            )

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


def _stack(name: str | None) -> Any:
    if name is None:
        return None
    if not name.endswith(".json"):
        from tidepool.nets.zoo import find

        find(name)
        return name
    from tidepool.nets.stack import Stack

    try:
        return Stack.from_dict(json.loads(Path(name).read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror})", "check the name and the folder") from error
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise DataError(f"{name}: no stack ({error})", "see `stack` in the card that `tidepool info` reads") from error


def _repeat(plan: str) -> dict[str, Any]:
    """Return the settings under which a model was trained: its plan, stack, frame and held-back share."""
    from tidepool.model import load
    from tidepool.training.plan import Plan

    model = load(plan)
    return {
        "plan": Plan.from_dict(model.card["plan"]),
        "stack": model.stack,
        "frame": model.preprocessing.frame,
        "seed": model.card["seed"],
        "share": model.card["held_back_share"],
        "recipe": model.card["plan"]["recipe"]["name"],
        "flat": model.preprocessing.flat,
    }
