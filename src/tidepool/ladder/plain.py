"""Rung b: the Keras listing on Kaggle's rows as they are."""

from __future__ import annotations

import time

from tidepool.ladder import listings
from tidepool.ladder.mistakes import SIDE
from tidepool.ladder.result import Line, Result, counted, one_of_each, per_cent, strip
from tidepool.ladder.rows import Rows, Tell, as_floats
from tidepool.ladder.sizes import Sizes

ARTICLE = 0.97


def plain(rows: Rows, sizes: Sizes, seed: int, tell: Tell) -> Result:
    """Train the listing at 28x28 and score it."""
    count = min(sizes.keras_rows, len(rows.images))
    learnt, labels, held = as_floats(rows.images[:count]), rows.labels[:count], as_floats(rows.held_images)
    model = listings.keras(SIDE, seed)
    began = time.monotonic()
    told = [listings.heard(tell, sizes.keras_epochs)]
    model.fit(learnt, labels, batch_size=sizes.batch, nb_epoch=sizes.keras_epochs, verbose=0, callbacks=told)
    seconds = time.monotonic() - began
    listings.require_whole(model)
    accuracy = rows.score(model.predict_classes(held))
    line = Line(
        "Keras listing, 28x28",
        "97",
        accuracy,
        len(held),
        count,
        count * sizes.keras_epochs,
        seconds,
        model.count_params(),
    )
    epochs = counted(sizes.keras_epochs, "epoch")
    shown, tried = one_of_each(labels), one_of_each(rows.held_labels)
    return Result(
        "b",
        "The Keras listing on the rows as they are",
        [line],
        [
            "Convolutions look for the same small pattern everywhere in the picture, so that a stroke need not be "
            "learnt anew for every place. The article's listing has three of them, of 3x3, and took it straight to "
            "97 % on Kaggle.",
            f"Ours reaches {per_cent(accuracy)}, {compared(accuracy)}, after {epochs} of {count:,} rows in "
            f"batches of {sizes.batch}. The rows that score it are a part of {rows.words} that was held back; Kaggle's "
            "test rows have no labels to score by.",
        ],
        [
            strip("Training rows, divided by 255", learnt[shown, 0], labels[shown]),
            strip("Held-back rows", held[tried, 0], rows.held_labels[tried]),
        ],
    )


def compared(accuracy: float) -> str:
    """Say how an accuracy stands to the article's figure, which is given in whole per cents."""
    rounded = round(accuracy, 2)
    if rounded == ARTICLE:
        return "as the article's did"
    return f"{'above' if rounded > ARTICLE else 'below'} the article's figure"
