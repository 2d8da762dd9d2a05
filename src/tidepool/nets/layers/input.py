"""The first layer: the shape of one picture."""

from __future__ import annotations

from dataclasses import dataclass

from tidepool.errors import StackError
from tidepool.nets.layers.base import Layer, Module, Shape, Weights, positive, set_field


@dataclass(frozen=True)
class InputLayer(Layer):
    """The shape of what comes in: ``(None, channels, height, width)`` or ``(None, values)``; None is the batch."""

    shape: tuple[int | None, ...] = ()

    def __post_init__(self) -> None:
        shape = tuple(self.shape)
        if len(shape) not in (2, 4) or any(size is None for size in shape[1:]):
            raise StackError(
                f"input shape is {self.shape!r}, expected (None, channels, height, width) or (None, values)",
                "for grey 28x28 pictures give (None, 1, 28, 28)",
            )
        set_field(self, "shape", (None, *(positive(size, "a size of the input shape") for size in shape[1:])))

    @property
    def one(self) -> Shape:
        """The shape of one picture."""
        return tuple(size for size in self.shape[1:] if size is not None)

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Nothing is computed."""
        return {}

    def emit(self, graph: object, x: str, shape: Shape, weights: Weights) -> str:
        """Nothing is computed."""
        return x
