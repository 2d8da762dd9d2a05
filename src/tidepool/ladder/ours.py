"""Rung e: our Classifier, warping on the fly."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tidepool.ladder import listings
from tidepool.ladder.mistakes import FRAME
from tidepool.ladder.result import Line, Result, one_of_each, per_cent, strip
from tidepool.ladder.rows import Rows, Tell, affnist_file, padded
from tidepool.ladder.sizes import Sizes


def ours(rows: Rows, sizes: Sizes, seed: int, tell: Tell, before: Sequence[Line] = ()) -> Result:
    """Train the Classifier within its budget and score it; ``before`` are the lines of rung d to compare with."""
    from tidepool import Classifier
    from tidepool.nets.summary import parameters

    classifier = Classifier(budget=sizes.classifier_seconds, recipe="affnist", size=(FRAME, FRAME), random_state=seed)
    began = time.monotonic()
    with _clock(tell, sizes.classifier_seconds):
        classifier.fit(rows.images, rows.labels)
    seconds = time.monotonic() - began
    listings.require_whole(classifier)
    accuracy = rows.score(classifier.predict(rows.held_images))
    plan, model = classifier.plans_[0], classifier.model_
    line = Line(
        "our Classifier, 40x40",
        "",
        accuracy,
        len(rows.held_images),
        model.card["trained_on"]["images"] - model.card["trained_on"]["held_back"],
        model.card["training"]["steps"] * plan.batch_size,
        seconds,
        parameters(model.stack),
    )
    shown, tried = one_of_each(rows.labels), one_of_each(rows.held_labels)
    return Result(
        "e",
        "Our Classifier, warping on the fly",
        [line],
        [
            f"Classifier(budget={sizes.classifier_seconds:g}, recipe='affnist', size=(40, 40)): the warps are made "
            "while the batch before them trains, the stack is chosen for the time that there is, the rate falls to 0 "
            "at its end, and the weights are an average over the last steps.",
            compared(line, before),
        ],
        [
            # With the seed and the place in the training part that the Classifier itself uses only it knows the very
            # warps; these are of the same kind.
            strip(
                "Training rows, warped by affNIST's recipe",
                affnist_file(rows.images[shown], seed, 0, shown),
                rows.labels[shown],
            ),
            strip(
                "Held-back rows, padded by the model itself", padded(rows.held_images[tried]), rows.held_labels[tried]
            ),
        ],
    )


def compared(line: Line, before: Sequence[Line]) -> str:
    """Say how a line stands to the best of those before it."""
    if not before:
        return f"It reaches {per_cent(line.accuracy)} in {line.seconds:.0f} s."
    best = max(before, key=lambda other: other.accuracy)
    accuracy = (
        "better than"
        if line.accuracy > best.accuracy
        else "as good as"
        if line.accuracy == best.accuracy
        else "not better than"
    )
    share = line.seconds / best.seconds
    spent = f"in {100 * share:.0f} % of its time" if share < 1 else f"in {share:.1f} times its time"
    # A comparison of two trainings says so where one of them had less to learn from.
    unlike = (
        ""
        if line.rows == best.rows
        else f" It learnt from {line.rows:,} different rows, the listing from {best.rows:,}."
    )
    return (
        f"It reaches {per_cent(line.accuracy)} in {line.seconds:.0f} s with {line.parameters:,} parameters: {accuracy} "
        f"the nolearn listing's {per_cent(best.accuracy)}, {spent} and with "
        f"{100 * line.parameters / best.parameters:.1f} % of its parameters.{unlike}"
    )


@contextmanager
def _clock(tell: Tell, seconds: float) -> Iterator[None]:
    """Tell every second how much of a budget is used: the Classifier itself works in silence."""
    over, began = threading.Event(), time.monotonic()

    def tick() -> None:
        while not over.wait(1.0):
            spent = time.monotonic() - began
            tell(min(1.0, spent / seconds), f"{spent:.0f} of {seconds:g} s")

    thread = threading.Thread(target=tick, name="clock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
