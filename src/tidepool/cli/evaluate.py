"""``tidepool evaluate``: the score of a model on labelled pictures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from tidepool.cli import options
from tidepool.errors import DataError

if TYPE_CHECKING:
    from tidepool.images import ImageSet
    from tidepool.model import Effort, Model


@click.command()
@click.argument("model")
@click.argument("src")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@options.effort
@options.shape
@options.quiet
@options.no_cache
def evaluate(model: str, src: str, as_json: bool, effort: Effort, shape: Any, quiet: bool, no_cache: bool) -> None:
    """Score a saved model on labelled pictures.

    \b
    tidepool evaluate digits.tidepool mnist:test
    """
    from tidepool.cli.printing import Printer
    from tidepool.model import load
    from tidepool.statistics import score

    loaded = load(model)
    images = options.read(src, quiet or as_json, shape=shape, cache=not no_cache)
    truth = images.require_labels("evaluate")
    _same_names(loaded, images)
    probabilities = loaded.predict_proba(images, effort)
    if words := loaded.unlike(images, probabilities):
        click.echo(f"warning: these pictures {words}; `tidepool audit TRAIN {src}` says what was done", err=True)
    found = score(probabilities, truth, loaded.classes)
    if as_json:
        click.echo(json.dumps(found))
        return
    printer = Printer(quiet)
    options.say_score(printer, found, "accuracy", "images")
    printer.say("errors", f"{found['errors']:,}")
    printer.say("calibration", f"expected error {found['calibration_error']:.4f}")
    for name, part in found["per_class"].items():
        printer.say(f"  {name}", f"{100 * part['accuracy']:.2f} % of {part['n']:,}")
    if images.source.sha256 and images.source.sha256 == loaded.card.get("trained_on", {}).get("sha256"):
        printer.say(
            "note", "the model was trained on these very pictures: trust the held-back score of `tidepool info`"
        )


def _same_names(model: Model, images: ImageSet) -> None:
    """Raise DataError if no label of the pictures is a class of the model: the score would say nothing."""
    known, given = ([str(name) for name in names] for names in (model.classes, images.require_labels("evaluate")))
    if not set(known) & set(given):
        first, other = (", ".join(sorted(set(names))[:5]) for names in (given, known))
        raise DataError(
            f"{images.source.path}: no label is a class of the model (labels: {first}; classes: {other})",
            "name the labels as the training set did",
        )
