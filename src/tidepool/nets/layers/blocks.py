"""Layers made of layers: the residual block, the squeeze-excite gate, the ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidepool.errors import StackError
from tidepool.nets.layers.base import Layer, Module, Shape, Weights, pair, part_of, planes, positive, set_field
from tidepool.nets.layers.convolution import Conv2DLayer
from tidepool.nets.layers.elementwise import BatchNormLayer

if TYPE_CHECKING:
    from tidepool.nets.graph import Graph
    from tidepool.nets.stack import Stack


@dataclass(frozen=True)
class ResidualBlock(Layer):
    """Two convolutions with batch normalisation, added to their input, rectified (He et al., CVPR 2016).

    Where the shape changes, the input goes through a 1x1 convolution.
    """

    num_filters: int = 0
    filter_size: Any = (3, 3)
    stride: Any = (1, 1)
    initialiser: str = "he_normal"

    def __post_init__(self) -> None:
        set_field(self, "num_filters", positive(self.num_filters, "num_filters"))
        set_field(self, "filter_size", pair(self.filter_size, "filter_size"))
        set_field(self, "stride", pair(self.stride, "stride"))

    @property
    def strides(self) -> tuple[int, int]:
        """By how much each axis shrinks."""
        return self.stride[0], self.stride[1]

    def ways(self, shape: Shape) -> dict[str, Stack]:
        """Return the two ways, ``body`` and ``shortcut``, as stacks."""
        from tidepool.nets.stack import Stack

        def conv(size: Any, stride: Any, nonlinearity: str | None) -> list[Layer]:
            return [
                Conv2DLayer(self.num_filters, size, stride, "same", None, bias=False, initialiser=self.initialiser),
                BatchNormLayer(nonlinearity=nonlinearity),
            ]

        body = conv(self.filter_size, self.stride, "rectify") + conv(self.filter_size, 1, None)
        straight = shape[0] == self.num_filters and self.stride == (1, 1)
        shortcut = [] if straight else conv(1, self.stride, None)
        return {
            name: Stack(tuple((f"{name}{i}", layer) for i, layer in enumerate(layers)), shape)
            for name, layers in (("body", body), ("shortcut", shortcut))
        }

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(num_filters, h, w)``."""
        planes(shape, "a residual block")
        return self.ways(shape)["body"].output_shape

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the block."""
        from tidepool.nets.modules import Residual

        ways = self.ways(shape)
        return {"": Residual(ways["body"].bare_module(), ways["shortcut"].bare_module())}

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append both ways, their sum and the rectification."""
        ends = [stack.emit(graph, x, part_of(weights, way)) for way, stack in self.ways(shape).items()]
        return graph.node("Relu", graph.node("Add", *ends))

    def macs(self, shape: Shape) -> int:
        """Return the multiply-adds for one picture."""
        return sum(stack.macs for stack in self.ways(shape).values())


@dataclass(frozen=True)
class SqueezeExciteLayer(Layer):
    """Scales each channel by a gate that sees the average of all channels (Hu et al., CVPR 2018)."""

    ratio: int = 4

    def hidden(self, shape: Shape) -> int:
        """Return the width of the gate's hidden layer."""
        return max(4, planes(shape, "squeeze-excite")[0] // positive(self.ratio, "ratio"))

    def output_shape(self, shape: Shape) -> Shape:
        """Return the input's shape."""
        self.hidden(shape)
        return shape

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the gate."""
        from tidepool.nets.modules import SqueezeExcite

        return {"": SqueezeExcite(shape[0], self.hidden(shape))}

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append the gate."""
        gate = graph.node("Flatten", graph.node("GlobalAveragePool", x), axis=1)
        for part, op in (("squeeze", "Relu"), ("excite", "Sigmoid")):
            matrix, bias = graph.constant(weights[f"{part}.weight"]), graph.constant(weights[f"{part}.bias"])
            gate = graph.node(op, graph.node("Gemm", gate, matrix, bias, transB=1))
        axes = graph.constant([2, 3], "axes", dtype="int64")
        return graph.node("Mul", x, graph.node("Unsqueeze", gate, axes))

    def macs(self, shape: Shape) -> int:
        """Return the multiply-adds for one picture."""
        return 2 * shape[0] * self.hidden(shape)


@dataclass(frozen=True)
class EnsembleLayer(Layer):
    """The mean of the logits of several stacks that see the same picture: the geometric mean of their probabilities.

    members : stacks of the same input shape, each with one output a class; what their last softmax would do is left to
    a softmax after this layer.
    """

    members: Any = ()

    def __post_init__(self) -> None:
        from tidepool.nets.stack import Stack

        members = tuple(one if isinstance(one, Stack) else Stack.from_dict(one) for one in self.members)
        if not members:
            raise StackError("an ensemble without members", "give at least one stack")
        set_field(self, "members", members)

    def ways(self) -> dict[str, Stack]:
        """Return the members up to their logits, by the names under which their weights are kept."""
        from tidepool.nets.stack import Stack

        return {f"member{i + 1}": Stack(one.logit_layers, one.input_shape) for i, one in enumerate(self.members)}

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(classes,)``."""
        for name, stack in self.ways().items():
            if stack.input_shape != shape:
                raise StackError(f"{name} takes {stack.input_shape}, but gets {shape}", "give all of them one frame")
            if stack.output_shape != self.members[0].output_shape:
                raise StackError(
                    f"{name} gives {stack.output_shape}, but member1 gives {self.members[0].output_shape}",
                    "end each of them with one output a class",
                )
        found: Shape = self.members[0].output_shape
        return found

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the members, side by side."""
        from tidepool.nets.modules import Ensemble

        return {"": Ensemble({name: stack.bare_module() for name, stack in self.ways().items()})}

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append every member and their mean."""
        return graph.node("Mean", *[one.emit(graph, x, part_of(weights, name)) for name, one in self.ways().items()])

    def macs(self, shape: Shape) -> int:
        """Return the multiply-adds for one picture."""
        return sum(stack.macs for stack in self.members)

    def to_dict(self) -> dict[str, Any]:
        """Return the kind and the members as the card keeps them."""
        return {"kind": type(self).__name__, "members": [stack.to_dict() for stack in self.members]}
