"""Moment normalisation: every picture is brought to a standard place, size and slant before the net looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import StackError
from tidepool.nets.layers.base import Layer, Module, Shape, Weights, pair, planes, positive, set_field

if TYPE_CHECKING:
    from tidepool.nets.graph import Graph

Array = npt.NDArray[Any]

# Square pixels below which a spread is not taken seriously: a stroke of one pixel has about a twelfth.
LEAST_VARIANCE = 0.1


@dataclass(frozen=True)
class MomentNormLayer(Layer):
    """Resample each picture so that its ink has a standard mean and covariance (Casey, IBM J. Res. Dev. 14, 1970).

    The mean goes to the centre; shear and the scale of each axis are undone by the triangular root of the covariance:
    of any affine warp only a rotation is left. Ink is how far a pixel lies from the ground, the median of the
    picture's four corners (a channel), so that dark on light and light on dark are treated alike.

    size : (height, width) of the result; reach : standard deviations of the ink from the centre to the edge.
    No weights; bilinear. For pictures of one thing on an even ground.
    """

    size: Any = (28, 28)
    reach: float = 3.0

    def __post_init__(self) -> None:
        size = pair(self.size, "size")
        set_field(self, "size", (positive(size[0], "size"), positive(size[1], "size")))
        if min(self.size) < 2 or not 0 < self.reach < 100:
            raise StackError(f"size {self.size}, reach {self.reach}", "size at least 2x2, reach about 3")

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(channels, *size)``."""
        channels, height, width = planes(shape, "moment normalisation")
        if min(height, width) < 2:
            raise StackError(f"pictures of {height}x{width} have no moments", "leave this layer out")
        return channels, self.size[0], self.size[1]

    def macs(self, shape: Shape) -> int:
        """Return the multiply-adds: six moments of each pixel, four neighbours of each result."""
        channels, height, width = shape
        return int(6 * height * width + (4 * channels + 6) * self.size[0] * self.size[1])

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the resampling."""
        from tidepool.nets.modules import MomentNorm

        return {"": MomentNorm(*self._constants(shape), self.size)}

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append the operators; the same steps as ``modules.MomentNorm``."""
        basis, grid, least = (graph.constant(value, "moments") for value in self._constants(shape))
        _, height, width = shape
        corners = graph.node("Gather", x, graph.constant([0, height - 1], "rows", np.int64), axis=2)
        corners = graph.node("Gather", corners, graph.constant([0, width - 1], "columns", np.int64), axis=3)
        axes = graph.constant([2, 3], "axes", np.int64)
        ground = graph.node("ReduceSum", corners, axes)
        for extreme in ("ReduceMax", "ReduceMin"):
            ground = graph.node("Sub", ground, graph.node(extreme, corners, axes))
        ground = graph.node("Mul", ground, graph.constant(0.5, "half"))
        above = graph.node("Sub", x, ground)
        one = graph.constant([1], "one", np.int64)
        ink = graph.node("Flatten", graph.node("ReduceMean", graph.node("Abs", above), one), axis=1)
        sums = graph.node("MatMul", ink, basis)

        def column(of: str, first: int, last: int) -> str:
            ends = (graph.constant([value], "end", np.int64) for value in (first, last))
            return graph.node("Slice", of, *ends, one)

        total = graph.node("Max", column(sums, 0, 1), graph.constant(1e-6, "least"))
        means = graph.node("Div", column(sums, 1, 6), total)
        mx, my, xx, xy, yy = (column(means, i, i + 1) for i in range(5))
        xx = graph.node("Sub", xx, graph.node("Mul", mx, mx))
        xy = graph.node("Sub", xy, graph.node("Mul", mx, my))
        yy = graph.node("Sub", yy, graph.node("Mul", my, my))
        sy = graph.node("Sqrt", graph.node("Max", yy, column(least, 1, 2)))
        slant = graph.node("Div", xy, sy)
        rest = graph.node("Sub", xx, graph.node("Mul", slant, slant))
        sx = graph.node("Sqrt", graph.node("Max", rest, column(least, 0, 1)))
        none = graph.node("Mul", mx, graph.constant(0.0, "zero"))
        theta = graph.node("Concat", sx, slant, mx, none, sy, my, axis=1)
        theta = graph.node("Reshape", theta, graph.constant([-1, 2, 3], "shape", np.int64))
        places = graph.node("Transpose", graph.node("MatMul", theta, grid), perm=[0, 2, 1])
        places = graph.node("Reshape", places, graph.constant([-1, *self.size, 2], "shape", np.int64))
        sampled = graph.node("GridSample", above, places, mode="linear", padding_mode="zeros", align_corners=1)
        return graph.node("Add", sampled, ground)

    def _constants(self, shape: Shape) -> tuple[Array, Array, Array]:
        """Return the monomials of each pixel ``[H*W, 6]``, the result's coordinates ``[3, h*w]``, least variances.

        Coordinates are counted from the centre, half a frame is 1, as the samplers of torch and ONNX count.
        """
        _, height, width = shape
        y, x = _coordinates((height, width))
        v, u = _coordinates(self.size)
        basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
        grid = np.stack([u * self.reach, v * self.reach, np.ones_like(u)])
        least = [[LEAST_VARIANCE * (2 / (side - 1)) ** 2 for side in (width, height)]]
        return basis.astype(np.float32), grid.astype(np.float32), np.array(least, dtype=np.float32)


def _coordinates(size: tuple[int, int]) -> list[Array]:
    """Return y and x of every pixel, row by row, from -1 to 1."""
    rows, columns = (np.linspace(-1.0, 1.0, side) for side in size)
    return [values.ravel() for values in np.meshgrid(rows, columns, indexing="ij")]
