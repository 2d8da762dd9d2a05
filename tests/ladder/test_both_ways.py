from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tidepool.images import ImageSet
from tidepool.ladder import Sizes, listings
from tidepool.ladder.both_ways import (
    KERAS,
    NOLEARN,
    ONE_AT_A_TIME,
    Trained,
    _points,
    both_ways,
    equal_to_the_bit,
    same_weights,
)
from tidepool.ladder.rows import as_floats, divide

INITIALISERS = (NOLEARN.initialiser, KERAS.initialiser)


def test_one_stack_written_both_ways_gives_the_same_weights_to_the_bit(digits: ImageSet, tiny: Sizes) -> None:
    rows = divide(digits, tiny, 0)
    images, labels = as_floats(rows.images[:150]), rows.labels[:150]
    one, other = same_weights(images, labels, epochs=2, seed=3)
    assert set(one) == {
        f"{name}.{part}" for name in ("conv1", "conv2", "hidden3", "output") for part in ("weight", "bias")
    }
    assert equal_to_the_bit(one, other)
    assert not equal_to_the_bit(one, same_weights(images, labels, epochs=2, seed=4)[0])


def test_one_bit_is_a_difference() -> None:
    weights = {"a": np.ones(3, np.float32)}
    nudged = {"a": np.nextafter(weights["a"], np.float32(2))}
    assert not equal_to_the_bit(weights, nudged)
    assert not equal_to_the_bit(weights, {"b": weights["a"]})


def test_filters_of_keras_are_wider_by_the_fan_out_that_it_counted() -> None:
    one, other = (listings.nolearn_as_keras(28, 0, "sgd", init).get_weights_by_name() for init in INITIALISERS)
    # Glorot & Bengio: 25 values in, 20 x 25 out; Keras 0.3: 25 in, 20 out.
    np.testing.assert_allclose(other["conv1.weight"], one["conv1.weight"] * np.sqrt((25 + 500) / (25 + 20)), rtol=1e-5)
    np.testing.assert_array_equal(other["output.weight"], one["output.weight"])


def test_each_way_changes_one_default() -> None:
    changed = [
        [name for name in vars(KERAS) if getattr(KERAS, name) != getattr(way, name)] for way in ONE_AT_A_TIME.values()
    ]
    assert sorted(name for names in changed for name in names) == sorted(vars(KERAS))
    assert all(len(names) == 1 for names in changed)
    for names, way in zip(changed, ONE_AT_A_TIME.values()):
        assert getattr(way, names[0]) == getattr(NOLEARN, names[0])


def test_a_difference_is_judged_by_the_rows_on_which_two_nets_disagree() -> None:
    def trained(right: list[int]) -> Trained:
        return Trained(np.array(right, dtype=bool), 1, 1.0, 1)

    assert _points(trained([1] * 90 + [0] * 10), trained([1] * 100)) == (pytest.approx(10), True)
    assert _points(trained([1] * 99 + [0]), trained([1] * 100)) == (pytest.approx(1), False)
    assert _points(trained([1, 0]), trained([1, 0])) == (0, False)


def test_one_at_a_time_gives_a_table(digits: ImageSet, tiny: Sizes) -> None:
    sizes = replace(tiny, one_at_a_time=True, defaults_rows=60, same_rows=60, same_epochs=1)
    shares: list[float] = []
    found = both_ways(divide(digits, sizes, 0), sizes, 0, lambda share, words: shares.append(share))
    assert "the same to the bit" in found.text[0]
    assert "matters most" in found.text[-1]
    assert len(found.tables[0].rows) == 6
    assert [line.rows for line in found.lines] == [60, 50]  # of each class a fifth, rounded
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
