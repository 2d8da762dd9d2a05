"""Convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidepool.errors import StackError
from tidepool.nets.layers.base import Layer, Module, Shape, Weights, pair, planes, positive, set_field
from tidepool.nonlinearities import Nonlinearity, find, linear, rectify

if TYPE_CHECKING:
    from tidepool.nets.graph import Graph


@dataclass(frozen=True)
class Conv2DLayer(Layer):
    """Two-dimensional convolution (cross-correlation, as everyone computes it) and its nonlinearity.

    filter_size, stride : one number or (height, width); pad : 'valid', 'same' (the size divided by the stride,
    rounded up) or pixels; groups : channels are split into so many independent convolutions;
    initialiser : see ``tidepool.nets.initialisers``.
    """

    num_filters: int = 0
    filter_size: Any = (3, 3)
    stride: Any = (1, 1)
    pad: Any = "valid"
    nonlinearity: Any = rectify
    groups: int = 1
    bias: bool = True
    initialiser: str = "glorot_uniform"

    def __post_init__(self) -> None:
        set_field(self, "num_filters", positive(self.num_filters, "num_filters"))
        for name in ("filter_size", "stride"):
            value = pair(getattr(self, name), name)
            set_field(self, name, (positive(value[0], name), positive(value[1], name)))
        if self.pad not in ("valid", "same"):
            if isinstance(self.pad, str):
                raise StackError(f"pad is {self.pad!r}", "pad='valid', pad='same', or a number of pixels")
            set_field(self, "pad", pair(self.pad, "pad"))
        set_field(self, "nonlinearity", find(self.nonlinearity))

    @property
    def strides(self) -> tuple[int, int]:
        """By how much each axis shrinks."""
        return self.stride[0], self.stride[1]

    def padding(self, shape: Shape) -> tuple[int, int, int, int]:
        """Return the zeros added at the (top, left, bottom, right)."""
        if self.pad == "valid":
            return 0, 0, 0, 0
        if self.pad != "same":
            return (*self.pad, *self.pad)
        total = [
            max((-(-size // step) - 1) * step + kernel - size, 0)
            for size, step, kernel in zip(shape[1:], self.stride, self.filter_size)
        ]
        return total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(num_filters, h, w)``."""
        channels, height, width = planes(shape, "a convolution")
        if channels % self.groups or self.num_filters % self.groups:
            raise StackError(
                f"groups={self.groups} does not divide {channels} input channels and {self.num_filters} filters"
            )
        top, left, bottom, right = self.padding(shape)
        sizes = (height + top + bottom, width + left + right)
        if sizes[0] < self.filter_size[0] or sizes[1] < self.filter_size[1]:
            raise StackError(
                f"filters of {self.filter_size[0]}x{self.filter_size[1]} are larger than their {height}x{width} input",
                "use a smaller filter_size, pad='same', or fewer pooling layers before",
            )
        return (
            self.num_filters,
            *((size - kernel) // step + 1 for size, kernel, step in zip(sizes, self.filter_size, self.stride)),
        )

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the padding (only where it is uneven), the convolution and the nonlinearity."""
        from torch import nn

        top, left, bottom, right = self.padding(shape)
        found: dict[str, Module] = {}
        even = (top, left) == (bottom, right)
        if not even:
            found["pad"] = nn.ZeroPad2d((left, right, top, bottom))
        found[""] = nn.Conv2d(
            shape[0],
            self.num_filters,
            self.filter_size,
            self.stride,
            (top, left) if even else 0,
            groups=self.groups,
            bias=self.bias,
        )
        return with_nonlinearity(found, self.nonlinearity)

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append Conv and the nonlinearity."""
        inputs = [x, graph.constant(weights["weight"], "filters")]
        if "bias" in weights:
            inputs.append(graph.constant(weights["bias"], "bias"))
        x = graph.node(
            "Conv",
            *inputs,
            kernel_shape=list(self.filter_size),
            strides=list(self.stride),
            pads=list(self.padding(shape)),
            group=self.groups,
        )
        return emit_nonlinearity(graph, x, self.nonlinearity)

    def macs(self, shape: Shape) -> int:
        """Return the multiply-adds for one picture."""
        _, height, width = self.output_shape(shape)
        kernel: int = self.filter_size[0] * self.filter_size[1]
        return self.num_filters * height * width * kernel * shape[0] // self.groups


def with_nonlinearity(found: dict[str, Module], nonlinearity: Nonlinearity) -> dict[str, Module]:
    """Add the nonlinearity's module, if it does anything."""
    if nonlinearity != linear:
        found[nonlinearity.name] = nonlinearity.to_module()
    return found


def emit_nonlinearity(graph: Graph, x: str, nonlinearity: Nonlinearity) -> str:
    """Append the nonlinearity's operators."""
    for op, attributes in nonlinearity.onnx:
        x = graph.node(op, x, **attributes)
    return x
