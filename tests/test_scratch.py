from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from tidepool.formats import read
from tidepool.scratch import Net, length_one, logistic, softmax

SIZES = (20, 9, 6, 4)


def some(rows: int = 7) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    random = np.random.default_rng(5)
    return random.normal(size=(rows, 20)), random.integers(0, 4, rows)


def net(error: str, **settings: object) -> Net:
    made = Net(SIZES, error=error, seed=3, dtype=np.float64, **settings)  # type: ignore[arg-type]
    random = np.random.default_rng(4)
    made.biases = [random.normal(size=bias.shape) for bias in made.biases]
    return made


@pytest.mark.parametrize("error", ["squared", "cross-entropy"])
def test_gradients_are_those_of_pytorch(error: str) -> None:
    rows, labels = some()
    made, targets = net(error), np.eye(4)[labels]
    by_weight, by_bias = made.backward(made.forward(rows), targets)

    weights = [torch.tensor(w, requires_grad=True) for w in made.weights]
    biases = [torch.tensor(b, requires_grad=True) for b in made.biases]
    x = torch.tensor(rows)
    for place, (weight, bias) in enumerate(zip(weights, biases)):
        x = x @ weight + bias
        x = x if place == 2 and error == "cross-entropy" else torch.sigmoid(x)
    if error == "cross-entropy":
        loss = functional.cross_entropy(x, torch.tensor(labels))
    else:
        loss = 0.5 * ((x - torch.tensor(targets)) ** 2).sum(dim=1).mean()
    loss.backward()
    assert made.loss(made.forward(rows)[-1], targets) == pytest.approx(float(loss.detach()), abs=1e-12)
    for ours, theirs in zip([*by_weight, *by_bias], [*weights, *biases]):
        assert theirs.grad is not None
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("error", ["squared", "cross-entropy"])
def test_gradients_are_those_of_finite_differences(error: str) -> None:
    rows, labels = some()
    made, targets = net(error), np.eye(4)[labels]
    gradients = made.backward(made.forward(rows), targets)
    for learnt, slopes in zip((made.weights, made.biases), gradients):
        for value, slope in zip(learnt, slopes):
            place = np.unravel_index(int(np.abs(slope).argmax()), slope.shape)
            losses = []
            for step in (1e-6, -1e-6):
                kept, value[place] = value[place], value[place] + step
                losses.append(made.loss(made.forward(rows)[-1], targets))
                value[place] = kept
            assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(slope[place], rel=1e-6)


def test_a_step_of_finnegan_is_the_article_s_own() -> None:
    """One picture, no biases: delta = (t - o) o (1 - o), each weight moves by rate times input times delta."""
    rows, labels = some(1)
    made = Net(SIZES[:1] + SIZES[-1:], error="squared", bias=False, seed=1, dtype=np.float64)
    before = made.weights[0].copy()
    out = 1 / (1 + np.exp(-rows[0] @ before))
    delta = (np.eye(4)[labels[0]] - out) * out * (1 - out)
    list(made.fit(rows, labels, epochs=1, batch_size=1, rate=0.35))
    np.testing.assert_allclose(made.weights[0], before + 0.35 * np.outer(rows[0], delta), atol=1e-14)
    assert not made.biases[0].any()


def test_a_batch_moves_by_the_sum_of_its_pictures_to_first_order() -> None:
    rows, labels = some(8)
    one, many = (Net(SIZES, error="squared", seed=1, dtype=np.float64) for _ in range(2))
    list(one.fit(rows, labels, epochs=1, batch_size=1, rate=1e-6))
    list(many.fit(rows, labels, epochs=1, batch_size=8, rate=8e-6))
    first = Net(SIZES, error="squared", seed=1, dtype=np.float64).weights[0]
    np.testing.assert_allclose(one.weights[0] - first, many.weights[0] - first, rtol=1e-4, atol=1e-13)


def test_it_learns_digits() -> None:
    digits = read("digits", cache=False)
    assert digits.labels is not None
    rows = length_one(digits.images) * np.float32(10)
    made = Net((64, 40, 20, 10), seed=0)
    losses = [
        row["loss"]
        for row in made.fit(rows[:1400], digits.labels[:1400], epochs=15, rate=0.2, momentum=0.9, decay=True)
    ]
    assert losses[-1] < 0.1 * losses[0]
    assert (made.predict(rows[1400:]) == digits.labels[1400:]).mean() > 0.9
    assert made.parameters == 64 * 40 + 40 + 40 * 20 + 20 + 20 * 10 + 10
    np.testing.assert_allclose(made.probabilities(rows[:5]).sum(axis=1), 1, atol=1e-5)


def test_the_same_seed_gives_the_same_weights_to_the_bit() -> None:
    rows, labels = some(50)
    nets = [Net(SIZES, seed=seed) for seed in (1, 1, 2)]
    for made in nets:
        list(made.fit(rows.astype(np.float32), labels, epochs=2, drop=0.1))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(nets[0].weights, nets[1].weights))
    assert nets[0].weights[0].tobytes() != nets[2].weights[0].tobytes()


def test_alike_layers_begin_with_the_same_random_numbers() -> None:
    alike, apart = (Net((8, 8, 8), alike=alike, seed=1) for alike in (True, False))
    assert np.array_equal(alike.weights[0], alike.weights[1])
    assert not np.array_equal(apart.weights[0], apart.weights[1])


def test_dropped_weights_are_a_tenth_and_the_others_are_scaled() -> None:
    made = Net((300, 200, 10), dtype=np.float64)
    dropped = made._dropped(0.1, np.random.default_rng(0))
    assert 0.09 < (dropped[0] == 0).mean() < 0.11
    kept = dropped[0] != 0
    np.testing.assert_allclose(dropped[0][kept], made.weights[0][kept] / 0.9)


def test_length_one_keeps_empty_rows() -> None:
    images = np.zeros((2, 3, 3), np.uint8)
    images[1, 0] = (3, 4, 0)
    rows = length_one(images)
    assert rows.dtype == np.float32
    assert rows[0].tolist() == [0] * 9
    assert rows[1, :2].tolist() == pytest.approx([0.6, 0.8])


def test_no_overflow() -> None:
    with np.errstate(over="raise", invalid="raise"):
        assert logistic(np.array([-1000.0, 0.0, 1000.0])).tolist() == [0.0, 0.5, 1.0]
        assert softmax(np.array([[1000.0, 0.0]])).tolist() == [[1.0, 0.0]]


def test_an_unknown_error_is_refused() -> None:
    with pytest.raises(ValueError, match="'squared'"):
        Net(SIZES, error="hinge")
