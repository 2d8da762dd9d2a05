"""Dense layers, and flattening."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from tidepool.nets.layers.base import Layer, Module, Shape, Weights, positive, set_field
from tidepool.nets.layers.convolution import emit_nonlinearity, with_nonlinearity
from tidepool.nonlinearities import find, rectify

if TYPE_CHECKING:
    from tidepool.nets.graph import Graph


@dataclass(frozen=True)
class FlattenLayer(Layer):
    """Planes to one row, channels outermost."""

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(channels * height * width,)``."""
        return (prod(shape),)

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the flattening."""
        from torch import nn

        return {"": nn.Flatten()}

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append Flatten."""
        return graph.node("Flatten", x, axis=1)


@dataclass(frozen=True)
class DenseLayer(Layer):
    """Every value with every unit, and the nonlinearity. Planes are flattened first, as Lasagne does it."""

    num_units: int = 0
    nonlinearity: Any = rectify
    bias: bool = True
    initialiser: str = "glorot_uniform"

    def __post_init__(self) -> None:
        set_field(self, "num_units", positive(self.num_units, "num_units"))
        set_field(self, "nonlinearity", find(self.nonlinearity))

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(num_units,)``."""
        return (self.num_units,)

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the flattening (where it is needed), the weights and the nonlinearity."""
        from torch import nn

        found: dict[str, Module] = {"flatten": nn.Flatten()} if len(shape) > 1 else {}
        found[""] = nn.Linear(prod(shape), self.num_units, bias=self.bias)
        return with_nonlinearity(found, self.nonlinearity)

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append Flatten, Gemm and the nonlinearity."""
        if len(shape) > 1:
            x = graph.node("Flatten", x, axis=1)
        inputs = [x, graph.constant(weights["weight"], "weights")]
        if "bias" in weights:
            inputs.append(graph.constant(weights["bias"], "bias"))
        return emit_nonlinearity(graph, graph.node("Gemm", *inputs, transB=1), self.nonlinearity)

    def macs(self, shape: Shape) -> int:
        """Return the multiply-adds for one picture."""
        return prod(shape) * self.num_units
