"""``tidepool info``: what a file, a model or a named data set holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from tidepool.cli import options
from tidepool.cli.convert import size

if TYPE_CHECKING:
    from tidepool.images import ImageSet

_SHOWN = 20


@click.command()
@click.argument("src", metavar="PATH|NAME")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@size
@options.shape
@options.quiet
@options.no_cache
def info(src: str, as_json: bool, size: Any, shape: Any, quiet: bool, no_cache: bool) -> None:
    """Say what a file, a model or a named data set holds.

    \b
    tidepool info train.csv.gz

    Pictures: how many, their frame, type and range of values, the classes with their counts, the sha256 of the source.
    A .tidepool file: what it was trained on, how, and how well.

    \b
    tidepool info digits.tidepool
    tidepool info mnist --json
    """
    if src.endswith(".tidepool"):
        from tidepool.model import load

        model = load(src)
        text = json.dumps(model.card, indent=2, default=str) if as_json else model.describe()
    else:
        facts = facts_of(options.read(src, quiet or as_json, shape=shape, size=size, cache=not no_cache), src)
        text = json.dumps(facts, indent=2) if as_json else describe(facts)
    if not quiet or as_json:
        click.echo(text)


def facts_of(images: ImageSet, name: str) -> dict[str, Any]:
    """Return what there is to say about a set, ready for JSON."""
    import numpy as np

    from tidepool import catalog

    pixels = images.images
    finite = pixels[np.isfinite(pixels)] if pixels.dtype.kind == "f" else pixels
    facts: dict[str, Any] = {
        "source": images.source.path or name,
        "format": images.source.format,
        "sha256": images.source.sha256,
        "images": len(images),
        "frame": list(images.frame),
        "channels": images.channels,
        "dtype": str(pixels.dtype),
        "min": finite.min().item() if finite.size else None,
        "max": finite.max().item() if finite.size else None,
        "not_finite": int(pixels.size - finite.size),
        "classes": None,
    }
    if images.labels is not None:
        values, counts = np.unique(images.labels, return_counts=True)
        facts["classes"] = {str(value): int(count) for value, count in zip(values, counts)}
    entry = catalog.ENTRIES.get(name)
    if entry is not None and facts["source"].startswith(name):
        facts |= {"description": entry.description, "licence": entry.licence, "origin": entry.origin}
    return facts


def describe(facts: dict[str, Any]) -> str:
    """Return the facts as text, one a line."""
    frame = "x".join(map(str, facts["frame"])) + ("" if facts["channels"] == 1 else f", {facts['channels']} channels")
    lines = [f"{word:<12}{facts[word]}" for word in ("source", "description", "licence", "origin") if word in facts]
    lines += [
        f"{'format':<12}{facts['format']}",
        f"{'pictures':<12}{facts['images']:,} of {frame}",
        f"{'values':<12}{facts['min']} to {facts['max']} ({facts['dtype']})",
    ]
    if facts["not_finite"]:
        lines.append(f"{'':<12}{facts['not_finite']:,} of them are not finite (NaN or infinite)")
    classes = facts["classes"]
    if classes is None:
        lines.append(f"{'classes':<12}no labels")
    else:
        lines.append(f"{'classes':<12}{len(classes)}")
        width = max(len(name) for name in classes)
        most = max(classes.values())
        for name, count in list(classes.items())[:_SHOWN]:
            lines.append(f"{'':<12}{name:>{min(width, 40)}}  {count:>9,}  {'▪' * max(1, round(24 * count / most))}")
        if len(classes) > _SHOWN:
            lines.append(f"{'':<12}... and {len(classes) - _SHOWN} more")
    lines.append(f"{'sha256':<12}{facts['sha256']}")
    return "\n".join(lines)
