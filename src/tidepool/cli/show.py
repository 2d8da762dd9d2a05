"""``tidepool show``: a sheet of pictures, in the terminal or as a PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tidepool.cli import options

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from tidepool.images import Array, ImageSet
    from tidepool.warp.recipes import Recipe

RAMP = " .:-=+*#%@"


@click.command()
@click.argument("src")
@click.option("--out", metavar="SHEET.png", help="Write the sheet here instead of drawing it in the terminal.")
@click.option(
    "--count",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="How many pictures.  [default: 20, or 100 with --out; with --recipe 3, or 12 with --out]",
)
@click.option("--recipe", metavar="NAME", help="Show what a recipe (affnist, digits, a+b, FILE.toml) makes of them.")
@click.option(
    "--size",
    type=options.FrameType(),
    help="Resize the pictures of a folder to this frame; with --recipe: the frame of the versions.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    metavar="N",
    help="Random seed of the versions, with --recipe.  [default: 0]",
)
@options.shape
@options.force
@options.quiet
@options.no_cache
def show(
    src: str,
    out: str | None,
    count: int | None,
    recipe: str | None,
    size: Any,
    seed: int | None,
    shape: Any,
    force: bool,
    quiet: bool,
    no_cache: bool,
) -> None:
    """Draw a sheet of pictures, in the terminal or as a PNG.

    \b
    tidepool show mnist --out sheet.png

    The pictures are taken evenly from the whole set, with their labels below them. With --recipe each row shows an
    original on the left and its versions beside it, the same that `tidepool augment` writes into 1.mat, 2.mat, ...

    \b
    tidepool show mnist --recipe affnist --out versions.png
    """
    import numpy as np
    from rich.console import Console

    from tidepool.errors import InputError
    from tidepool.files import refuse_existing
    from tidepool.warp import find

    if seed is not None and recipe is None:
        raise InputError("--seed draws the versions of a --recipe", "give a recipe: --recipe affnist")
    found = None if recipe is None else find(recipe)
    if out is not None:
        refuse_existing(_checked(out), force)
    images = options.read(src, quiet, shape=shape, size=None if recipe else size, cache=not no_cache)
    wanted = min(len(images), count or ((100 if out else 20) if found is None else (12 if out else 3)))
    index = np.linspace(0, len(images) - 1, wanted).round().astype(int)
    chosen = images.select(index)
    console = Console(highlight=False)
    pixels, labels, columns = chosen.images, chosen.labels, None
    if found is not None:
        from tidepool.augmentation import Order

        size = Order(found, 1, size).frame(images)
        columns = 1 + (8 if out else _beside(size[1], console.width))
        pixels, labels = versions(images, found, size, columns, seed or 0, index), None
    # Enough pictures to know the levels of the whole set.
    several = images.images[np.linspace(0, len(images) - 1, min(len(images), 4096)).astype(int)]
    pixels = to_uint8(pixels, several)
    if out is None:
        if not quiet:
            draw(pixels, labels, console, columns)
        return
    write_sheet(pixels, labels, out, columns)
    if not quiet:
        what = "pictures" if columns is None else f"pictures, {columns - 1} versions of each"
        click.echo(f"wrote {out}: {wanted:,} of {len(images):,} {what}")


def versions(images: ImageSet, recipe: Recipe, size: tuple[int, int], columns: int, seed: int, index: Array) -> Array:
    """Return rows of ``columns`` pictures, one after the other: an original in the frame, then its versions 1, 2, ...

    ``index``: places of the originals in ``images``, from which their versions are drawn.
    """
    import numpy as np

    from tidepool.augmentation import ground_of, warpable
    from tidepool.preprocessing import pad_evenly

    originals, ground = warpable(images.images[index]), ground_of(images)
    shown = [pad_evenly(originals, size, ground)]
    shown += [recipe.warp(originals, seed, version, index, size, ground) for version in range(1, columns)]
    return np.stack(shown, axis=1).reshape(-1, *shown[0].shape[1:])


def _beside(width: int, room: int) -> int:
    """Return how many versions are drawn beside an original in a terminal: up to 8, or 3 that shrink to fit."""
    full = (room + 1) // (width + 1) - 1
    return min(8, full) if full >= 3 else max(0, min(3, (room + 1) // 2 - 1))


def to_uint8(pixels: Array, whole: Array | None = None) -> Array:
    """Return pictures as uint8 for the eye: values from 0 (or the least) to the largest of ``whole`` fill 0..255."""
    import numpy as np

    whole = pixels if whole is None else whole
    finite = whole[np.isfinite(whole)] if whole.dtype.kind == "f" else whole
    low, high = (min(0.0, float(finite.min())), float(finite.max())) if finite.size else (0.0, 1.0)
    if pixels.dtype == np.uint8 and high > 127:
        return pixels
    scaled = (np.nan_to_num(pixels.astype(np.float64)) - low) / (high - low or 1.0)
    return np.asarray(np.clip(scaled * 255, 0, 255).round().astype(np.uint8))


def write_sheet(pixels: Array, labels: Array | None, out: str, columns: int | None = None) -> None:
    """Write the contact sheet as a PNG: small frames are enlarged by whole numbers, so that each pixel stays sharp.

    labels : what is written below the pictures; columns : pictures a row, of which the first stands apart (default:
    as many as make the sheet about square).
    """
    from math import ceil, sqrt

    from PIL import Image, ImageDraw

    from tidepool.files import whole

    height, width = pixels.shape[1:3]
    times = max(1, (56 if columns is None else 80) // max(height, width))
    across = columns or ceil(sqrt(len(pixels)))
    caption = 0 if labels is None else 14
    apart = 0 if columns is None else 8
    cell_width, cell_height = width * times + 8, height * times + 8 + caption
    sheet = Image.new("RGB", (across * cell_width + apart, ceil(len(pixels) / across) * cell_height), "white")
    pen = ImageDraw.Draw(sheet)
    for i, one in enumerate(pixels):
        left, top = (i % across) * cell_width + 4, (i // across) * cell_height + 4
        left += apart if i % across else 0
        picture = Image.fromarray(
            one[..., :3] if one.ndim == 3 and one.shape[2] >= 3 else one.reshape(height, width, -1)[..., 0]
        )
        sheet.paste(picture.resize((width * times, height * times), Image.Resampling.NEAREST), (left, top))
        if labels is not None:
            pen.text((left, top + height * times + 1), _shortened(str(labels[i]), width * times // 6), fill="black")
    if apart:
        middle = cell_width + apart // 2
        pen.line([(middle, 4), (middle, sheet.height - 5)], fill="gray", width=2)
    with whole(out) as temporary:
        sheet.save(temporary, "PNG")


def draw(pixels: Array, labels: Array | None, console: Console, columns: int | None = None) -> None:
    """Print the pictures side by side, as many as the width holds; two rows of pixels are one row of half blocks.

    columns : pictures a row, of which the first stands apart; they shrink to fit.
    """
    from rich.text import Text

    pixels = _fitted(pixels, console.width if columns is None else max(1, (console.width + 1) // columns - 1))
    width = pixels.shape[2]
    across = columns or max(1, (console.width + 1) // (width + 1))
    coloured = console.color_system is not None and not console.no_color
    for start in range(0, len(pixels), across):
        part = pixels[start : start + across]
        lines = [_blocks(one) if coloured else _letters(one) for one in part]
        for row in zip(*lines):
            line = Text(" ").join(row)
            if columns and columns > 1:
                line = Text("│").join([row[0], Text(" ").join(row[1:])])
            console.print(line, no_wrap=True, overflow="crop", soft_wrap=True)
        if labels is not None:
            texts = [f"{_shortened(str(label), width):<{width}}" for label in labels[start : start + across]]
            console.print(Text(" ".join(texts).rstrip()), no_wrap=True, overflow="crop", soft_wrap=True)
        elif columns and start + across < len(pixels):
            console.print()


def _fitted(pixels: Array, width: int) -> Array:
    """Return pictures no wider than ``width`` columns, shrunk by averaging over areas."""
    import numpy as np
    from PIL import Image

    if pixels.shape[2] <= width:
        return pixels
    height = max(2, round(pixels.shape[1] * width / pixels.shape[2]))
    shrunk = [Image.fromarray(one).resize((width, height), Image.Resampling.BOX) for one in pixels]
    return np.stack([np.asarray(one) for one in shrunk])


def _blocks(picture: Array) -> list[Text]:
    """Return one picture as lines of upper half blocks: the upper pixel is the ink, the lower one the paper."""
    from rich.color import Color
    from rich.style import Style
    from rich.text import Text

    def colour(pixel: Any) -> Color:
        values = [int(v) for v in pixel]
        return Color.from_rgb(*(values[:3] if len(values) >= 3 else values[:1] * 3))

    rows = _even(picture.reshape(*picture.shape[:2], -1))
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2]):
        line = Text()
        for above, below in zip(upper, lower):
            line.append("▀", Style(color=colour(above), bgcolor=colour(below)))
        lines.append(line)
    return lines


def _letters(picture: Array) -> list[Text]:
    """Return one picture as lines of letters, darker to lighter, for terminals without colour."""
    from rich.text import Text

    rows = _even(picture.reshape(*picture.shape[:2], -1)).mean(axis=2)
    pairs = (rows[::2] + rows[1::2]) / 2
    return [Text("".join(RAMP[int(value * (len(RAMP) - 1) / 255 + 0.5)] for value in line)) for line in pairs]


def _even(rows: Array) -> Array:
    import numpy as np

    return rows if len(rows) % 2 == 0 else np.concatenate([rows, np.zeros_like(rows[:1])])


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(1, width - 1)] + "…"


def _checked(out: str) -> str:
    from tidepool.errors import InputError

    if not out.lower().endswith(".png"):
        raise InputError(f"{out}: the sheet is written as PNG", "give a name that ends in .png")
    return out
