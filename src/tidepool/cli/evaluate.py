"""``tidepool evaluate``: the score of a model on labelled pictures."""

from __future__ import annotations

import json
from typing import Any

import click

from tidepool.cli import options


@click.command()
@click.argument("model")
@click.argument("src")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@options.shape
@options.quiet
@options.no_cache
def evaluate(model: str, src: str, as_json: bool, shape: Any, quiet: bool, no_cache: bool) -> None:
    """Score a saved model on labelled pictures.

    \b
    tidepool evaluate digits.tidepool mnist:test
    """
    from tidepool.cli.printing import Printer
    from tidepool.formats import read
    from tidepool.model import load
    from tidepool.statistics import score

    loaded = load(model)
    images = read(src, shape=shape, cache=not no_cache)
    truth = images.require_labels("evaluate")
    found = score(loaded.predict_proba(images), truth, loaded.classes)
    if as_json:
        click.echo(json.dumps(found))
        return
    printer = Printer(quiet)
    options.say_score(printer, found, "accuracy", "images")
    printer.say("errors", f"{found['errors']:,}")
    printer.say("calibration", f"expected error {found['calibration_error']:.4f}")
    for name, part in found["per_class"].items():
        printer.say(f"  {name}", f"{100 * part['accuracy']:.2f} % of {part['n']:,}")
