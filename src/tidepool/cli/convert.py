"""``tidepool convert``: a set of pictures in another format."""

from __future__ import annotations

from typing import Any

import click

from tidepool.cli import options

size = click.option(
    "--size", type=options.FrameType(), help="Resize the pictures of a folder to this frame (they may differ in size)."
)


@click.command()
@click.argument("src")
@click.argument("dst")
@size
@options.shape
@options.force
@options.quiet
@options.no_cache
def convert(src: str, dst: str, size: Any, shape: Any, force: bool, quiet: bool, no_cache: bool) -> None:
    """Write a set of pictures in another format.

    \b
    tidepool convert train.csv.gz train-images-idx3-ubyte.gz

    The format goes by the suffix of DST: .csv, .csv.gz, .csv.zip, *-images-idx3-ubyte(.gz) with its labels file beside
    it, .mat (affNIST's layout), .npz, .npy, .parquet; no suffix: a folder of PNG files, one sub-folder a class.
    Pixels are written as they were read.

    \b
    tidepool convert photos/ photos.npz --size 32x32
    """
    from pathlib import Path

    from tidepool.files import refuse_existing
    from tidepool.formats import write
    from tidepool.formats.registry import format_for

    # Said before a minute of reading, not after it.
    format_for(Path(dst))
    refuse_existing(dst, force)
    images = options.read(src, quiet, shape=shape, size=size, cache=not no_cache)
    write(images, dst, force=force)
    if not quiet:
        labels = "without labels" if images.classes is None else f"{len(images.classes)} classes"
        height, width = images.frame
        click.echo(f"wrote {dst}: {len(images):,} pictures of {height}x{width}, {labels}")
