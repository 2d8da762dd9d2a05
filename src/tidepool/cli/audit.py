"""tidepool audit: how was the test set prepared differently, what does it cost, and how is it undone?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidepool.cli import options

if TYPE_CHECKING:
    from tidepool.audit import Verdict
    from tidepool.images import ImageSet

_EPILOG = """\b
Exit codes: 0 clean or different-source, 3 fault or undecided, 0 after --fix.
"""


@click.command(epilog=_EPILOG)
@click.argument("train", metavar="TRAIN")
@click.argument("test", metavar="TEST")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--fix", metavar="REPAIRED", help="Undo what is found and write the changed set there (by suffix).")
@click.option("--no-price", is_flag=True, help="Do not work out what a fault costs.")
@options.force
@options.quiet
@options.no_cache
@options.shape
@options.seed
@click.pass_context
def audit(
    ctx: click.Context,
    train: str,
    test: str,
    as_json: bool,
    fix: str | None,
    no_price: bool,
    force: bool,
    quiet: bool,
    no_cache: bool,
    shape: tuple[int, int] | None,
    seed: int,
) -> None:
    """Tell how TEST was prepared differently from TRAIN.

    \b
    tidepool audit train.csv test.csv --fix repaired.npz

    Names the fault (transposed, inverted, scaled, padded on one side, ...), shows the evidence, says how much
    accuracy it would cost, and with --fix undoes it. Neither set needs labels.
    """
    from tidepool.audit import audit as judge
    from tidepool.files import refuse_existing

    if fix is not None:
        refuse_existing(fix, force)
    silent = quiet or as_json
    first, second = (options.read(source, silent, shape=shape, cache=not no_cache) for source in (train, test))
    verdict = judge(first, second, seed=seed, price=not no_price)
    written = _fix(verdict, first, second, fix, force) if fix is not None else []
    if as_json:
        click.echo(json.dumps(verdict.to_dict(), ensure_ascii=False))
    elif not quiet:
        _show(verdict, first, second, written, (train, test))
    if verdict.verdict in ("fault", "undecided") and not (written or (fix is not None and not verdict.findings)):
        ctx.exit(3)
    if verdict.verdict == "undecided":
        ctx.exit(3)


def _fix(verdict: Verdict, train: ImageSet, test: ImageSet, path: str, force: bool) -> list[tuple[str, str]]:
    """Write the changed set, or both if both changed; return (which set, where) for each."""
    from tidepool.formats import write

    if verdict.verdict != "fault" or not verdict.repairable:
        return []
    repaired_train, repaired_test = verdict.repaired
    test_changed = repaired_test is not test
    written = []
    if test_changed:
        write(repaired_test, path, force=force)
        written.append(("test", path))
    if repaired_train is not train:
        target = _beside(path, "train") if test_changed else path
        write(repaired_train, target, force=force)
        written.append(("training", target))
    return written


def _beside(path: str, word: str) -> str:
    """Return ``path`` with ``word`` before its suffixes: repaired.npz, repaired-train.npz."""
    target = Path(path)
    stem, dot, suffix = target.name.partition(".")
    return str(target.with_name(f"{stem}-{word}{dot}{suffix}"))


def _show(
    verdict: Verdict, train: ImageSet, test: ImageSet, written: list[tuple[str, str]], names: tuple[str, str]
) -> None:
    """Print the verdict and the next command."""
    from rich.console import Console

    from tidepool.cli.verdicts import show_verdict

    console = Console(highlight=False, soft_wrap=True)
    show_verdict(console, verdict, train, test)
    console.print(_next(verdict, written, names), markup=False)


def _next(verdict: Verdict, written: list[tuple[str, str]], names: tuple[str, str]) -> str:
    """Return the one next command to try."""
    train, test = names
    if written:
        places = dict(written)
        for which, where in written:
            click.echo(f"  wrote the repaired {which} set: {where}")
        return f"Next: tidepool run {places.get('training', train)} --test {places.get('test', test)}"
    if verdict.verdict == "fault" and not verdict.harmless:
        if verdict.repairable:
            return f"Next: tidepool audit {train} {test} --fix repaired.npz"
        return f"Next: tidepool show {test}"
    if verdict.verdict == "undecided":
        return f"Next: tidepool show {test}"
    return f"Next: tidepool run {train} --test {test}"
