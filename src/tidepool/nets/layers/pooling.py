"""Pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidepool.errors import StackError
from tidepool.nets.layers.base import Layer, Module, Shape, Weights, pair, planes, positive, set_field

if TYPE_CHECKING:
    from tidepool.nets.graph import Graph


@dataclass(frozen=True)
class Pool2DLayer(Layer):
    """The maximum or the average of each window.

    pool_size : one number or (height, width); stride : default pool_size; pad : pixels, at most half a window;
    ignore_border : whether a window that does not fit wholly at the right and lower edge is left out;
    mode : 'max' or 'average' (padding counted out).
    """

    pool_size: Any = (2, 2)
    stride: Any = None
    pad: Any = (0, 0)
    ignore_border: bool = True
    mode: str = "max"

    def __post_init__(self) -> None:
        if self.mode not in ("max", "average"):
            raise StackError(f"mode is {self.mode!r}", "mode='max' or mode='average'")
        size = pair(self.pool_size, "pool_size")
        set_field(self, "pool_size", (positive(size[0], "pool_size"), positive(size[1], "pool_size")))
        step = size if self.stride is None else pair(self.stride, "stride")
        set_field(self, "stride", (positive(step[0], "stride"), positive(step[1], "stride")))
        set_field(self, "pad", pair(self.pad, "pad"))
        if self.pad[0] * 2 > size[0] or self.pad[1] * 2 > size[1]:
            raise StackError(f"pad {self.pad} is more than half of pool_size {size}")

    @property
    def filter_size(self) -> tuple[int, int]:
        """How far an output sees."""
        return self.pool_size[0], self.pool_size[1]

    @property
    def strides(self) -> tuple[int, int]:
        """By how much each axis shrinks."""
        return self.stride[0], self.stride[1]

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(channels, h, w)``."""
        channels, height, width = planes(shape, "pooling")
        sizes = []
        for size, kernel, step, pad in zip((height, width), self.pool_size, self.stride, self.pad):
            room = size + 2 * pad - kernel
            if room < 0:
                raise StackError(
                    f"windows of {self.pool_size[0]}x{self.pool_size[1]} are larger than their {height}x{width} input",
                    "leave this pooling out, or pool less before it",
                )
            out = room // step + 1
            # A last window may start inside the picture, not in the padding after it.
            if not self.ignore_border and room % step and out * step < size + pad:
                out += 1
            sizes.append(out)
        return channels, sizes[0], sizes[1]

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the pooling."""
        from torch import nn

        ceil = not self.ignore_border
        if self.mode == "max":
            return {"": nn.MaxPool2d(self.pool_size, self.stride, self.pad, ceil_mode=ceil)}
        return {"": nn.AvgPool2d(self.pool_size, self.stride, self.pad, ceil_mode=ceil, count_include_pad=False)}

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append MaxPool or AveragePool."""
        return graph.node(
            "MaxPool" if self.mode == "max" else "AveragePool",
            x,
            kernel_shape=list(self.pool_size),
            strides=list(self.stride),
            pads=[*self.pad, *self.pad],
            ceil_mode=int(not self.ignore_border),
        )


@dataclass(frozen=True)
class MaxPool2DLayer(Pool2DLayer):
    """The maximum of each window."""


@dataclass(frozen=True)
class GlobalPoolLayer(Layer):
    """The maximum or the average of each whole plane."""

    mode: str = "average"

    def __post_init__(self) -> None:
        if self.mode not in ("max", "average"):
            raise StackError(f"mode is {self.mode!r}", "mode='max' or mode='average'")

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(channels,)``."""
        return (planes(shape, "global pooling")[0],)

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the pooling."""
        from tidepool.nets.modules import GlobalPool

        return {"": GlobalPool(self.mode)}

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append the reduction."""
        x = graph.node("GlobalMaxPool" if self.mode == "max" else "GlobalAveragePool", x)
        return graph.node("Flatten", x, axis=1)
