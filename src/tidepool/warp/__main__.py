"""A contact sheet of every recipe, on the embedded digits: ``python -m tidepool.warp [SHEET.png]``.

Without a path it is drawn in the terminal. Each row is one recipe: the same digits, each warped anew.
"""

from __future__ import annotations

import sys

import numpy as np

from tidepool import catalog
from tidepool.cli import fail
from tidepool.cli.show import draw, to_uint8, write_sheet
from tidepool.errors import InputError, TidepoolError
from tidepool.images import Array
from tidepool.warp import apply, recipes

_SIDE = 24  # the embedded digits are of 8x8: enlarged, so that the warps can be seen


def sheet(across: int) -> tuple[Array, list[str]]:
    """Return uint8 ``[recipes * across, 24, 24]``, the same digits by each recipe in turn, and the recipes' names."""
    digits = catalog.read("digits").images[:across]
    step = 10 / _SIDE  # a rim of an eighth around the 8 pixels, into which the ink may move
    start = (7 - step * (_SIDE - 1)) / 2
    enlarge = np.array([[step, 0, start], [0, step, start]])
    large = apply(to_uint8(digits), np.tile(enlarge, (across, 1, 1)), (_SIDE, _SIDE))
    rows = [recipe.warp(large, seed=0, epoch=number) for number, recipe in enumerate(recipes.values())]
    return np.concatenate(rows), [name for name in recipes for _ in range(across)]


def main(arguments: list[str]) -> None:
    """Draw the sheet in the terminal, or write it to the path given."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        raise InputError(
            f"found {' '.join(arguments)}, expected one path or nothing", "python -m tidepool.warp sheet.png"
        )
    if arguments:
        if not arguments[0].lower().endswith(".png"):
            raise InputError(f"{arguments[0]}: the sheet is written as PNG", "give a name that ends in .png")
        # As many across as there are recipes: write_sheet draws a square.
        pixels, names = sheet(len(recipes))
        write_sheet(pixels, np.array(names), arguments[0])
        print(f"wrote {arguments[0]}: {len(recipes)} recipes")
        return
    from rich.console import Console

    console = Console(highlight=False)
    across = max(1, (console.width + 1) // (_SIDE + 1))
    pixels, names = sheet(across)
    for start in range(0, len(pixels), across):
        console.print(names[start])
        draw(pixels[start : start + across], None, console)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except TidepoolError as error:
        sys.exit(fail(error.message, error.hint, error.exit_code))
