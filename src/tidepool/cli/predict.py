"""``tidepool predict``: labels for pictures, without PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tidepool import predictions
from tidepool.cli import options

if TYPE_CHECKING:
    from tidepool.model import Effort


@click.command()
@click.argument("model")
@click.argument("src")
@click.option("--out", required=True, metavar="FILE", help="submission.csv, or a name in .jsonl, .npz or .parquet.")
@click.option("--probabilities", is_flag=True, help="Write the probability of each class too.")
@options.effort
@options.shape
@options.force
@options.quiet
@options.no_cache
def predict(
    model: str,
    src: str,
    out: str,
    probabilities: bool,
    effort: Effort,
    shape: Any,
    force: bool,
    quiet: bool,
    no_cache: bool,
) -> None:
    """Predict pictures with a saved model.

    \b
    tidepool predict digits.tidepool test.csv --out submission.csv

    The CSV has Kaggle's header ImageId,Label. The model prepares the pictures itself: give them as they are.
    """
    target = predictions.check_path(out, force)
    from tidepool.cli.printing import Printer
    from tidepool.model import load

    loaded = load(model)
    images = options.read(src, quiet, shape=shape, cache=not no_cache)
    found = loaded.predict_proba(images, effort)
    if words := loaded.unlike(images, found):
        click.echo(f"warning: these pictures {words}; `tidepool audit TRAIN {src}` says what was done", err=True)
    labels = loaded.classes[found.argmax(axis=1)]
    assert images.ids is not None
    predictions.write(
        target,
        images.ids,
        labels,
        classes=loaded.classes,
        probabilities=found if probabilities else None,
        force=force,
    )
    Printer(quiet).say("wrote", f"{target}: {len(labels):,} predictions")
