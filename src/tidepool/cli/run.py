"""``tidepool run``: the main job."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from tidepool import clock
from tidepool.cli import options


@click.command()
@click.argument("src", default="digits")
@click.option("--test", metavar="SRC", help="Pictures to predict; labels, if it has any, only score.")
@click.option("--budget", metavar="TIME", help="Wall time for everything: 20s, 5m, 1h.  [default: 60s; digits 20s]")
@click.option("--out", metavar="DIR", help="Folder for the outputs.  [default: runs/NAME-TIME]")
@click.option("--fix", is_flag=True, help="Apply the repair that the audit names.")
@click.option("--no-audit", is_flag=True, help="Do not compare the test set with the training set.")
@options.seed
@options.shape
@options.force
@options.quiet
@options.no_cache
def run(
    src: str,
    test: str | None,
    budget: str | None,
    out: str | None,
    fix: bool,
    no_audit: bool,
    seed: int,
    shape: Any,
    force: bool,
    quiet: bool,
    no_cache: bool,
) -> None:
    """Read, audit, train, score, predict, report: the main job.

    \b
    tidepool run train.csv --test test.csv --budget 60s

    SRC holds labelled pictures; without it the embedded digits are used. A stratified part of them is held back
    to score the model by. Writes model.tidepool, submission.csv (with --test), report.html, metrics.json and
    history.jsonl. Ends with exit code 3 if the test set was prepared differently and --fix is not given.
    """
    from tidepool.cli.printing import Printer
    from tidepool.main_job import Voice
    from tidepool.main_job import run as main_job

    printer = Printer(quiet)
    try:
        result = main_job(
            src,
            test,
            budget=budget,
            out=out,
            seed=seed,
            fix=fix,
            audit=not no_audit,
            force=force,
            started=clock.process_start(),
            command="tidepool " + shlex.join(sys.argv[1:]),
            voice=Voice(printer.say, printer.judged, printer.listener),
            shape=shape,
            cache=not no_cache,
        )
    finally:
        printer.close()
    metrics = result.metrics
    if metrics["validation"] is None:
        printer.say("held back", "nothing: too few pictures of each class to score the model by")
    if metrics["train"]["epochs"] < 1:
        printer.say("note", "there was no time to learn from every picture once: a longer --budget will do better")
    options.say_score(printer, metrics["validation"], "held back", "images that it never saw")
    options.say_score(printer, metrics.get("test"), "test", "labelled test images")
    names = ["model.tidepool", "report.html", "metrics.json", "history.jsonl"]
    if result.predictions is not None:
        names.insert(1, f"submission.csv ({len(result.predictions):,} rows, verified)")
    printer.say("wrote", f"{result.folder}: {', '.join(names)}")
    spent, limit = metrics["total_seconds"], metrics["budget_seconds"]
    over = "" if spent <= limit else ": over the budget; starting, one round of training and writing take their time"
    printer.say("time", f"{spent:.1f} s of {limit:g} s{over}")
    following = f"tidepool predict {result.folder}/model.tidepool PICTURES --out predictions.csv"
    printer.say("next", f"open {result.folder}/report.html, or: {following}")
    if result.model.card["training"]["interrupted"]:
        printer.say("note", "training was stopped by Ctrl-C: the model is as good as it was by then")
        raise KeyboardInterrupt
