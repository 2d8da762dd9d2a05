"""Rung d: the nolearn listing on affNIST-style images, prepared rightly."""

from __future__ import annotations

import time

from tidepool.ladder import listings
from tidepool.ladder.mistakes import FRAME
from tidepool.ladder.result import Line, Result, counted, one_of_each, per_cent, strip
from tidepool.ladder.rows import Rows, Tell, affnist_file, as_floats, padded
from tidepool.ladder.sizes import Sizes

ARTICLE = 0.9922
SLOW = 0.001


def everything_right(rows: Rows, sizes: Sizes, seed: int, tell: Tell) -> Result:
    """Train the listing at 40x40, new warps in every epoch; then some epochs at a tenth of its rate."""
    count = min(sizes.nolearn_rows, len(rows.images))
    labels, held = rows.labels[:count], as_floats(padded(rows.held_images))
    epochs, slow = sizes.nolearn_epochs, sizes.nolearn_slow_epochs
    # No part is held back by nolearn itself: our own held-back rows do that.
    net = listings.nolearn(FRAME, seed, sizes.nolearn_batch, max_epochs=epochs, recipe="affnist", train_split=None)
    net.set_params(on_epoch_finished=listings.heard(tell, epochs + slow))
    learnt = as_floats(padded(rows.images[:count]))

    began = time.monotonic()
    net.fit(learnt, labels)
    seconds = time.monotonic() - began
    listings.require_whole(net)
    accuracy = rows.score(net.predict(held))

    began = time.monotonic()
    net.set_params(update_learning_rate=SLOW)
    net.partial_fit(learnt, labels, epochs=slow)
    slow_seconds = seconds + time.monotonic() - began
    listings.require_whole(net)
    better = rows.score(net.predict(held))

    parameters = sum(value.size for value in net.get_all_params_values().values())
    first = Line("nolearn listing, 40x40", "99.22", accuracy, len(held), count, count * epochs, seconds, parameters)
    second = Line(
        f"  then {counted(slow, 'epoch')} at {SLOW:g}",
        "99.22",
        better,
        len(held),
        count,
        count * (epochs + slow),
        slow_seconds,
        parameters,
    )
    best = max(accuracy, better)
    verdict = "at or above" if round(best, 4) >= ARTICLE else "below"
    more = f"{slow} more {'epoch' if slow == 1 else 'epochs'}"
    shown, tried = one_of_each(labels), one_of_each(rows.held_labels)
    return Result(
        "d",
        "The nolearn listing with everything right",
        [first, second],
        [
            "Two convolutions of 5x5, a dense layer of 500 and dropout, trained on warped digits: turned, sheared, "
            f"scaled and moved about in 40x40 by affNIST's recipe from {rows.words}. They are not the genuine "
            "files. File k is epoch k, so no warp comes twice. The rows that score it stand upright in the middle of "
            "40x40, divided by 255 like those that it learnt from.",
            f"Batches of {sizes.nolearn_batch}, where nolearn's are of 128: the article saw several times as many "
            "pictures, and it is the steps that teach.",
            f"The listing alone reaches {per_cent(accuracy)}. Its rate stays at 0.01 to the end; {more} at "
            f"a tenth of that let it settle: {per_cent(better)}, {verdict} the article's 99.22 %."
            if best == better
            else f"The listing alone reaches {per_cent(accuracy)}, {verdict} the article's 99.22 %; {more} at "
            f"a tenth of its rate give {per_cent(better)}.",
            "The article had some help that it did not know of: 24,015 of Kaggle's 28,000 test rows are MNIST training "
            "images, and affNIST's files are warps of just those. Most of what it was scored by it had seen, warped. "
            "The rows held back here were never seen in any form.",
        ],
        [
            strip(
                "Training rows, warped by affNIST's recipe and divided by 255",
                as_floats(affnist_file(rows.images[:count][shown], seed, 0, shown))[:, 0],
                labels[shown],
            ),
            strip("Held-back rows, padded by 6 and divided by 255", held[tried, 0], rows.held_labels[tried]),
        ],
    )
