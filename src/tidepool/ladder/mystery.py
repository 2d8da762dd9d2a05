"""Rung c: the mystery. A net that is right on its validation images, and rows prepared in the wrong way."""

from __future__ import annotations

import time
import warnings

import numpy as np

from tidepool.ladder import listings
from tidepool.ladder.mistakes import FRAME, Preparation
from tidepool.ladder.result import Line, Result, Table, among, for_the_eye, one_of_each, per_cent, strip
from tidepool.ladder.rows import Floats, Rows, Tell, affnist_file, as_floats, padded
from tidepool.ladder.sizes import Sizes

# The preparations that are replayed, the right one first.
SUSPECTS: tuple[Preparation, ...] = (
    Preparation(),
    Preparation(values="not divided"),
    Preparation(place="padded 3/9/8/4"),
    Preparation(place="padded right and below", values="not divided"),
    Preparation(place="resized, order 3", values="not divided"),
    Preparation(turn="transposed"),
)
ARTICLE = 0.60
# So far from the article's 60 % still counts as about 60: it never gave the figure more exactly.
_ABOUT = 0.05
# A net that has less than this of the rightly prepared rows right has not learnt enough to be led astray.
_TRAINED = 0.8
# The article's validation files, by number; its training files were the first ones.
_VALIDATION_FILES = (28, 29, 30, 31)
_SHARE_OF_SCORING = 0.15


def mystery(rows: Rows, sizes: Sizes, seed: int, tell: Tell) -> Result:
    """Train the Keras listing at 40x40; score it on other warps, on upright rows, and on rows prepared wrongly."""
    count = min(sizes.mystery_rows, len(rows.images))
    images, labels = rows.images[:count], rows.labels[:count]
    model = listings.keras(FRAME, seed)
    training = 1 - _SHARE_OF_SCORING
    began = time.monotonic()
    model.fit(
        as_floats(padded(images)),
        labels,
        batch_size=sizes.batch,
        nb_epoch=sizes.mystery_files,
        verbose=0,
        recipe="affnist",
        callbacks=[listings.heard(tell, sizes.mystery_files, last=training)],
    )
    seconds = time.monotonic() - began
    listings.require_whole(model)

    def right(shown: Floats, truth: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
        # Values far outside those of the training give a warning: here that is the point.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return float((model.predict_classes(shown) == truth).mean())

    held = len(rows.held_images)
    some = np.arange(count)[:: max(1, count // held)][:held]
    parts = np.array_split(some, len(_VALIDATION_FILES))
    files = [affnist_file(images[part], seed, number, part) for part, number in zip(parts, _VALIDATION_FILES)]
    tell(training, "scoring")
    validation = right(as_floats(np.concatenate(files)), labels[some])
    strangers = right(as_floats(affnist_file(rows.held_images, seed, _VALIDATION_FILES[0])), rows.held_labels)
    found = []
    for number, way in enumerate(SUSPECTS, 1):
        found.append(right(way.apply(rows.held_images)[:, None], way.labels(rows.held_labels)))
        tell(training + _SHARE_OF_SCORING * number / len(SUSPECTS), f"rows {way}")
    nearest = min(range(1, len(SUSPECTS)), key=lambda i: abs(found[i] - ARTICLE))

    seen, parameters = count * sizes.mystery_files, model.count_params()

    def line(what: str, article: str, accuracy: float, n: int) -> Line:
        return Line(what, article, accuracy, n, count, seen, seconds, parameters)

    shown, tried = one_of_each(labels), one_of_each(rows.held_labels)
    # The fourth class is shown in the table: a 3 says which way it is turned, a 0 does not.
    one = rows.held_images[tried[3:4]]
    return Result(
        "c",
        "The mystery: 98.4 % on validation, 60 % on the test rows",
        [
            line("Keras 40x40: validation", "98.41", validation, len(some)),
            line("  held back, prepared rightly", "", found[0], held),
            line("  held back, prepared wrongly", "60", found[nearest], held),
        ],
        [
            "The article trained the Keras listing on affNIST and got 98.41 % on its validation images. Kaggle's test "
            "rows, padded to 40x40, gave 60 %, and it never found out why. Here the images are made by affNIST's "
            f"recipe from {rows.words}; they are not the genuine files.",
            "The validation figure proves less than it seems to. It came from files 28 to 31, which are other warps of "
            f"the same digits that were trained on. In the same way ours is {per_cent(validation)}; on warps of digits "
            f"that the net never saw it is {per_cent(strangers)}. But that is not the gap: rows that it never saw, "
            f"padded by 6 and divided by 255 as they should be, give {per_cent(found[0])}.",
            _conclusion(found, nearest, seen, sizes.batch),
            "A Tidepool model keeps its preparation inside, so that nobody can prepare test rows differently; and the "
            "command tidepool audit names such a mistake before anything is trained.",
        ],
        [
            strip(
                "Training rows, warped and divided by 255",
                as_floats(affnist_file(images[shown], seed, 0, shown))[:, 0],
                labels[shown],
            ),
            *(
                strip(
                    f"Held-back rows, {_name(way)}: accuracy {per_cent(score)}",
                    way.apply(rows.held_images)[tried],
                    rows.held_labels[tried],
                )
                for way, score in zip((SUSPECTS[0], SUSPECTS[nearest]), (found[0], found[nearest]))
            ),
        ],
        [
            Table(
                f"The same net, the same {held:,} rows, prepared in {len(SUSPECTS)} ways",
                ["how the rows were prepared", "accuracy"],
                [[_name(way), per_cent(score)] for way, score in zip(SUSPECTS, found)],
                [for_the_eye(way.apply(one))[0] for way in SUSPECTS],
            )
        ],
    )


def _name(way: Preparation) -> str:
    return "padded by 6, divided by 255, as it should be" if way == SUSPECTS[0] else str(way)


def _conclusion(found: list[float], nearest: int, seen: int, batch: int) -> str:
    if found[0] < _TRAINED:
        return (
            f"After {seen:,} images in batches of {batch} this net is not yet trained far enough to replay the "
            "mystery: as long as rows prepared rightly are often wrong, a mistake in their preparation says little. "
            "The full ladder goes on."
        )
    about = [str(way) for way, score in zip(SUSPECTS[1:], found[1:]) if abs(score - ARTICLE) <= _ABOUT]
    if about:
        return (
            f"On this net, what gives about 60 % is the preparation of the test rows: {among(about)}. The article "
            "names two cures itself: normalise the data, and pad the test rows in the right order."
        )
    return (
        f"None of the mistakes replayed here gives 60 %; the nearest is “{SUSPECTS[nearest]}” with "
        f"{per_cent(found[nearest])}. How much a mistake costs depends on how far the net was trained."
    )
