"""Mean images as half-blocks, side by side in the terminal: the test set as it is, repaired, and the training set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tidepool.images import Array

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from tidepool.audit import Verdict
    from tidepool.images import ImageSet

_SAMPLE = 2000
_WIDEST = 28  # columns for one picture, so that three stand side by side in 80 or more


def draw_means(console: Console, verdict: Verdict, train: ImageSet, test: ImageSet) -> None:
    """Print three mean images; two where nothing can be repaired."""
    from rich.table import Table

    pictures = {"test, as it is": test}
    if verdict.repairable:
        pictures["test, repaired"] = verdict.repaired[1]
        pictures["training"] = verdict.repaired[0]
    else:
        pictures["training"] = train
    wide = min(_WIDEST, (console.width - 2 * len(pictures)) // len(pictures))
    table = Table.grid(padding=(0, 2))
    table.add_row(*pictures)
    table.add_row(*(half_blocks(mean_picture(images.images), wide) for images in pictures.values()))
    console.print(table)


def mean_picture(images: Array) -> Array:
    """Return the mean of ``images`` ``[N, H, W(, C)]`` as ``[H, W]`` stretched to 0..1."""
    mean = np.nan_to_num(images[:_SAMPLE].astype(np.float64)).mean(axis=0)
    if mean.ndim == 3:
        mean = mean.mean(axis=2)
    low, high = mean.min(), mean.max()
    stretched: Array = (mean - low) / ((high - low) or 1.0)
    return stretched


def half_blocks(picture: Array, wide: int) -> Text:
    """Return ``picture`` ``[H, W]`` in 0..1 as text, two pixels a character; narrower than ``wide`` columns."""
    from rich.text import Text

    step = max(1, -(-picture.shape[1] // wide))
    small = picture[::step, ::step]
    if len(small) % 2:
        small = np.vstack([small, small[-1:]])
    grey = np.round(255 * small).astype(int)
    text = Text()
    for upper, lower in zip(grey[::2], grey[1::2]):
        for top, bottom in zip(upper.tolist(), lower.tolist()):
            text.append("\u2580", style=f"rgb({top},{top},{top}) on rgb({bottom},{bottom},{bottom})")
        text.append("\n")
    return text
