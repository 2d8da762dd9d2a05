"""``tidepool export``: the ONNX graph of a model."""

from __future__ import annotations

import click

from tidepool.cli import options
from tidepool.files import refuse_existing, whole


@click.command()
@click.argument("model")
@click.argument("onnx")
@options.force
@options.quiet
def export(model: str, onnx: str, force: bool, quiet: bool) -> None:
    """Write a model's ONNX graph, which takes raw pictures.

    \b
    tidepool export digits.tidepool digits.onnx

    Input `images`: [N, height, width] (or [N, height, width, channels]) as the files have them; output
    `probabilities`: [N, classes]. Scaling and padding are inside the graph.
    """
    from tidepool.cli.printing import Printer
    from tidepool.model import load

    target = refuse_existing(onnx, force)
    loaded = load(model)
    with whole(target) as temporary:
        temporary.write_bytes(loaded.onnx)
    Printer(quiet).say("wrote", f"{target}: classes in order {', '.join(map(str, loaded.classes))}")
