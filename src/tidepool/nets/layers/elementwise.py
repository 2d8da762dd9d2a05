"""Layers that keep the shape: nonlinearity, dropout, batch normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tidepool.errors import StackError
from tidepool.nets.layers.base import Layer, Module, Shape, Weights, set_field
from tidepool.nets.layers.convolution import emit_nonlinearity, with_nonlinearity
from tidepool.nonlinearities import find, rectify

if TYPE_CHECKING:
    from tidepool.nets.graph import Graph


@dataclass(frozen=True)
class NonlinearityLayer(Layer):
    """A nonlinearity of its own."""

    nonlinearity: Any = rectify

    def __post_init__(self) -> None:
        set_field(self, "nonlinearity", find(self.nonlinearity))

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the nonlinearity."""
        return with_nonlinearity({}, self.nonlinearity)

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append the nonlinearity's operators."""
        return emit_nonlinearity(graph, x, self.nonlinearity)


@dataclass(frozen=True)
class DropoutLayer(Layer):
    """Each value is 0 with probability ``p`` in training and the rest is scaled up (Srivastava et al., JMLR 2014)."""

    p: float = 0.5

    def __post_init__(self) -> None:
        if not isinstance(self.p, (int, float)) or not 0 <= self.p < 1:
            raise StackError(f"p is {self.p!r}, expected a probability from 0 to below 1")

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the dropout."""
        from torch import nn

        return {"": nn.Dropout(self.p)}

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Nothing happens in prediction."""
        return x


@dataclass(frozen=True)
class BatchNormLayer(Layer):
    """Each channel to mean 0 and deviation 1 over the batch, then scaled and shifted (Ioffe & Szegedy, 2015).

    alpha : weight of a new batch in the running statistics; the nonlinearity follows.
    """

    alpha: float = 0.1
    epsilon: float = 1e-5
    nonlinearity: Any = None

    def __post_init__(self) -> None:
        set_field(self, "nonlinearity", find(self.nonlinearity))

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the normalisation and the nonlinearity."""
        from torch import nn

        kind = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
        return with_nonlinearity({"": kind(shape[0], eps=self.epsilon, momentum=self.alpha)}, self.nonlinearity)

    def scale_and_shift(self, weights: Weights) -> tuple[Any, Any]:
        """Return what it comes to in prediction: ``x * scale + shift``, float64 ``[channels]`` each."""
        scale = weights["weight"].astype(np.float64) / np.sqrt(weights["running_var"].astype(np.float64) + self.epsilon)
        return scale, weights["bias"] - weights["running_mean"] * scale

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append one multiplication and one addition (the stack folds them into a convolution before, if it can)."""
        ones = (1,) * (len(shape) - 1)
        scale, shift = (value.reshape(-1, *ones) for value in self.scale_and_shift(weights))
        x = graph.node("Mul", x, graph.constant(scale, "scale"))
        x = graph.node("Add", x, graph.constant(shift, "shift"))
        return emit_nonlinearity(graph, x, self.nonlinearity)
