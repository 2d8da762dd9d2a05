"""``tidepool tune``: search for a better net than the default one, and train it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tidepool import clock
from tidepool.cli import options
from tidepool.errors import InputError

if TYPE_CHECKING:
    from tidepool.tuning import Tried

_WRITING = 0.6


@click.command()
@click.argument("src")
@click.option("--out", required=True, metavar="M.tidepool", help="Where the model goes.")
@click.option("--budget", metavar="TIME", default="10m", show_default=True, help="Wall time for everything: 5m, 2h.")
@click.option("--jobs", type=click.IntRange(1, 256), default=1, metavar="N", help="Processes.  [default: 1]")
@click.option("--resume", is_flag=True, help="Go on with the search that stopped; its journal lies beside OUT.")
@click.option("--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--worker", type=float, hidden=True, help="Search for so many seconds of a whole, for another process.")
@options.seed
@options.shape
@options.force
@options.quiet
@options.no_cache
def tune(
    src: str,
    out: str,
    budget: str,
    jobs: int,
    resume: bool,
    device: str,
    worker: float | None,
    seed: int,
    shape: Any,
    force: bool,
    quiet: bool,
    no_cache: bool,
) -> None:
    """Search for a better net, warps and pace than the defaults, then train what was found.

    \b
    tidepool tune train.csv --out tuned.tidepool --budget 1h

    Short trainings are scored on rows that are held back, and noted in OUT.journal. The best one is set beside the
    defaults on other rows, and used only if it wins there. Needs the extra: pip install 'masked-tidepool[tune]'.
    """
    from tidepool.cli.printing import Printer

    target, journal = Path(out), Path(f"{out}.journal")
    printer = Printer(quiet or worker is not None)
    if worker is None and not options.begin(target, journal, resume, force, printer):
        return
    limit = clock.seconds(budget)
    if limit < 20:
        raise InputError(f"--budget {budget}: too short to search", "give at least 20s")
    images = options.read(src, quiet, shape=shape, cache=not no_cache)
    printer.say("read", images.summary())

    from tidepool.tuning import Search

    search = Search(images, limit if worker is None else worker, journal, seed, device, jobs)
    if worker is not None:
        search.run()
        return
    others = [_start(src, out, limit, jobs, device, seed, shape, no_cache) for _ in range(jobs - 1)]

    def heard(tried: Tried) -> None:
        printer.say("trial", f"{tried.number:>4}  loss {tried.loss:.4f}, best so far {tried.best:.4f}")

    try:
        search.run(heard)
        for other in others:
            other.wait()
    except KeyboardInterrupt:
        printer.say("next", f"the same command with --resume goes on from {journal}")
        raise
    finally:
        for other in others:
            other.terminate()
    best = search.check()
    printer.say("found", ", ".join(f"{name} {value:.3g}" for name, value in best.values.items()))
    verdict = "used" if best.better else "not better: the defaults are used"
    printer.say("check", f"loss {best.loss:.4f} on other rows, the defaults {best.usual_loss:.4f}: {verdict}")

    from tidepool.training.fit import fit

    left = limit - (time.monotonic() - clock.process_start()) - _WRITING
    try:
        fitted = fit(images, search.settings(best, max(1.0, left)), printer.listener())
    finally:
        printer.close()
    fitted.model.card["tuned"] = best.values if best.better else None
    fitted.model.save(target)
    if fitted.interrupted:
        printer.say("wrote", f"{target}, as far as it got")
        raise KeyboardInterrupt
    journal.unlink(missing_ok=True)
    options.say_trained(printer, fitted.metrics, target)


def _start(
    src: str, out: str, seconds: float, jobs: int, device: str, seed: int, shape: Any, no_cache: bool
) -> subprocess.Popen[bytes]:
    """Start another process that takes trials from the same journal."""
    command = [sys.executable, "-m", "tidepool", "tune", src, "--out", out, "--jobs", str(jobs), "--device", device]
    command += ["--seed", str(seed), "--worker", str(seconds), "--quiet"]
    command += ["--shape", f"{shape[0]}x{shape[1]}"] if shape else []
    command += ["--no-cache"] if no_cache else []
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)
