"""How much each rung is given: the only knobs of the ladder, with the reason for each.

The times that they stand for are those of two cores at about 2.5 GHz (AVX2) with nothing else to do: Finnegan 4.6 s for
36,000 rows in eights, tuned 1 s; the Keras listing 540 pictures/s at 28x28 and 230 at 40x40; nolearn's 3,000 and 950.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Rows (different pictures) and epochs of every rung; an epoch shows each of its rows once.

    held : rows that no rung learns from and that score all of them; rows : the most that any rung may learn from;
    batch : of the listings, pictures in a step; nolearn_batch : the same of rung d.
    """

    held: int
    rows: int
    batch: int
    finnegan_rows: int
    finnegan_epochs: int
    tuned_epochs: int
    keras_rows: int
    keras_epochs: int
    mystery_rows: int
    mystery_files: int
    example_files: int
    nolearn_batch: int
    nolearn_rows: int
    nolearn_epochs: int
    nolearn_slow_epochs: int
    classifier_seconds: float
    same_rows: int
    same_epochs: int
    defaults_rows: int
    defaults_epochs: int
    one_at_a_time: bool


# 36,000 + 6,000 are all of Kaggle's 42,000 train rows; on 6,000 rows an error rate of 1 % is known to 0.25 points.
FULL = Sizes(
    held=6_000,
    rows=36_000,
    # The article's own.
    batch=128,
    # The article ran 250 epochs; 60 take two to three minutes.
    finnegan_rows=36_000,
    finnegan_epochs=60,
    tuned_epochs=20,
    # Three minutes.
    keras_rows=36_000,
    keras_epochs=3,
    # The listing's net is slow: three files of 36,000 take eight minutes; the first net's ten take six. The article had
    # 16 files and a GPU.
    mystery_rows=36_000,
    mystery_files=3,
    example_files=10,
    # New warps in each epoch take the place of the article's ten epochs over 15 files; 25 minutes in all. A quarter of
    # nolearn's usual batch makes as many steps of so few pictures as the article had: 99.15 % where batches of 128 come
    # to 98.6. The slow epochs at the end are what a rate that falls would give.
    nolearn_batch=32,
    nolearn_rows=36_000,
    nolearn_epochs=26,
    nolearn_slow_epochs=6,
    # A fifth of what the rung before it takes.
    classifier_seconds=330.0,
    # Two epochs show any difference: weights that differ in one bit differ in all of them some steps later.
    same_rows=4_000,
    same_epochs=2,
    # Six nets are trained here, about 45 s each.
    defaults_rows=36_000,
    defaults_epochs=4,
    one_at_a_time=True,
)

# The same story in under four minutes. Rungs that need more than that to arrive show the way that they take.
QUICK = Sizes(
    held=1_500,
    rows=36_000,
    # What so few pictures teach hangs on the number of steps: an eighth of the batch makes eight times as many.
    batch=16,
    # Finnegan stays at chance for the first 100,000 pictures and more: fewer would show nothing.
    finnegan_rows=36_000,
    finnegan_epochs=8,
    tuned_epochs=6,
    keras_rows=8_000,
    keras_epochs=1,
    # Half of all the time: with less the nets could not yet tell warped digits apart.
    mystery_rows=12_000,
    mystery_files=1,
    example_files=3,
    nolearn_batch=16,
    nolearn_rows=8_000,
    nolearn_epochs=3,
    nolearn_slow_epochs=1,
    classifier_seconds=20.0,
    same_rows=1_000,
    same_epochs=2,
    defaults_rows=6_000,
    defaults_epochs=2,
    one_at_a_time=False,
)
