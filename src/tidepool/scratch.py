"""A neural net from scratch: NumPy and nothing else, to be read from top to bottom.

    from tidepool.scratch import Net, length_one
    net = Net((784, 264, 58, 10), seed=1)
    for epoch in net.fit(length_one(images), labels, epochs=5, batch_size=32, rate=0.1, momentum=0.9):
        print(epoch)
    net.predict(length_one(others))

A net is a row of layers. Each multiplies what it gets by a matrix of weights, adds a bias, and bends the sum into 0..1
by the logistic function. Learning is: push some pictures through (``forward``), ask how much each weight has to do
with the error (``backward``, the chain rule from the last layer to the first), and move every weight a little against
it (``fit``). What one picture was in 2016, one row of a batch is here; everything else is the same.

Two kinds of last layer can be chosen. "squared" is that of Finnegan, the net that the article of 2016 began with:
logistic units, and half the sum of squared differences as the error. "cross-entropy" makes probabilities by softmax,
and its error is minus the logarithm of what the right class got.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def length_one(images: Array) -> npt.NDArray[np.float32]:
    """Return pictures ``[N, ...]`` as rows float32 ``[N, D]`` of Euclidean length 1; empty ones stay 0."""
    rows: npt.NDArray[np.float32] = images.reshape(len(images), -1).astype(np.float32)
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)


def logistic(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), written by tanh, which does not overflow."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


def softmax(x: Array) -> Array:
    """Return each row of ``x`` as probabilities; the largest is taken off first, so that exp does not overflow."""
    grown = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))


class Net:
    """Layers of logistic units.

    sizes : values in, units of each layer, classes out, for example ``(784, 264, 58, 10)``;
    error : "cross-entropy" or "squared", see above; bias : whether each unit has one;
    spread : a layer's first weights are normal with deviation ``spread / sqrt(values in)``;
    alike : every layer's random numbers begin from the same seed, as Finnegan's did;
    dtype : float32 learns fast, float64 lets gradients be checked.
    ``weights[k]`` is ``[values in, units]``, ``biases[k]`` is ``[units]``.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        error: str = "cross-entropy",
        bias: bool = True,
        spread: float = 1.0,
        alike: bool = False,
        seed: int = 0,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        if error not in ("cross-entropy", "squared"):
            raise ValueError(f"error is {error!r}, expected 'cross-entropy' or 'squared'")
        self.error, self.bias, self.seed = error, bias, seed
        self.weights: list[Array] = []
        self.biases: list[Array] = []
        for place, (values, units) in enumerate(pairwise(sizes)):
            random = np.random.default_rng(seed if alike else (seed, place))
            self.weights.append(random.normal(0, spread / np.sqrt(values), (values, units)).astype(dtype))
            self.biases.append(np.zeros(units, dtype))

    @property
    def parameters(self) -> int:
        """How many numbers are learnt."""
        return sum(w.size + (b.size if self.bias else 0) for w, b in zip(self.weights, self.biases))

    def forward(self, rows: Array, weights: list[Array] | None = None) -> list[Array]:
        """Return what goes into each layer, and at the end what comes out: ``[N, D]``, ..., ``[N, K]``.

        weights : take these in place of the net's own (some of them dropped, say).
        """
        values = [rows]
        for place, (weight, bias) in enumerate(zip(weights or self.weights, self.biases)):
            sums = values[-1] @ weight + bias
            last = place == len(self.weights) - 1
            values.append(softmax(sums) if last and self.error == "cross-entropy" else logistic(sums))
        return values

    def loss(self, outputs: Array, targets: Array) -> float:
        """Return the mean error of outputs ``[N, K]`` against targets ``[N, K]`` (1 for the right class, else 0)."""
        if self.error == "squared":
            return float(0.5 * ((outputs - targets) ** 2).sum(axis=1).mean())
        return float(-np.log(np.maximum((outputs * targets).sum(axis=1), 1e-30)).mean())

    def backward(self, values: list[Array], targets: Array) -> tuple[list[Array], list[Array]]:
        """Return how the loss grows with each weight and with each bias, for what ``forward`` gave."""
        outputs = values[-1]
        # How the loss grows with each sum in the last layer. With softmax, or logistic units, all else cancels out.
        delta = (outputs - targets) / len(targets)
        if self.error == "squared":
            delta *= outputs * (1 - outputs)
        by_weight: list[Array] = []
        by_bias: list[Array] = []
        for weight, into in zip(reversed(self.weights), reversed(values[:-1])):
            by_weight.append(into.T @ delta)
            by_bias.append(delta.sum(axis=0))
            # One layer down: through the weights, then through the bend of the logistic, whose slope is v (1 - v).
            delta = (delta @ weight.T) * into * (1 - into)
        return by_weight[::-1], by_bias[::-1]

    def fit(
        self,
        rows: Array,
        labels: Array,
        *,
        epochs: int,
        batch_size: int = 32,
        rate: float = 0.1,
        momentum: float = 0.0,
        decay: bool = False,
        drop: float = 0.0,
        shuffle: bool = True,
    ) -> Iterator[dict[str, float]]:
        """Learn class numbers ``labels`` ``[N]`` from ``rows`` ``[N, D]``; yield {epoch, loss} after every epoch.

        batch_size : rows in a step, 1 is one picture at a time; rate : how far a step goes;
        momentum : how much of the last step is kept; decay : the rate falls in a straight line to 0;
        drop : share of the weights that are left out of each step's forward pass, the others scaled up.
        As in Finnegan the backward pass knows nothing of the weights that were left out.
        """
        targets = np.eye(self.weights[-1].shape[1], dtype=rows.dtype)[labels]
        speeds = [np.zeros_like(w) for w in self.weights], [np.zeros_like(b) for b in self.biases]
        steps, step = epochs * -(-len(rows) // batch_size), 0
        for epoch in range(1, epochs + 1):
            random, total = np.random.default_rng((self.seed, epoch)), 0.0
            order = random.permutation(len(rows)) if shuffle else np.arange(len(rows))
            for start in range(0, len(rows), batch_size):
                batch = order[start : start + batch_size]
                values = self.forward(rows[batch], self._dropped(drop, random) if drop else None)
                total += self.loss(values[-1], targets[batch]) * len(batch)
                now = rate * (1 - step / steps) if decay else rate
                gradients = self.backward(values, targets[batch])
                for learnt, moved, slopes in zip((self.weights, self.biases), speeds, gradients):
                    if learnt is self.biases and not self.bias:
                        continue
                    for value, speed, slope in zip(learnt, moved, slopes):
                        speed *= momentum
                        speed -= now * slope
                        value += speed
                step += 1
            yield {"epoch": epoch, "loss": total / len(rows)}

    def probabilities(self, rows: Array) -> Array:
        """Return the outputs ``[N, K]``; with "squared" they need not sum to 1."""
        return self.forward(rows)[-1]

    def predict(self, rows: Array) -> npt.NDArray[np.int64]:
        """Return the class numbers ``[N]``."""
        return np.asarray(self.probabilities(rows).argmax(axis=1), dtype=np.int64)

    def _dropped(self, share: float, random: np.random.Generator) -> list[Array]:
        # Whole numbers of 16 bits are drawn three times as fast as fractions, and 1 in 65,536 is fine enough.
        kept = [random.integers(0, 1 << 16, weight.shape, np.uint16) >= share * (1 << 16) for weight in self.weights]
        return [weight * keep / weight.dtype.type(1 - share) for weight, keep in zip(self.weights, kept)]
