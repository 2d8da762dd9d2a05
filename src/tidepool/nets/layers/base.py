"""What every layer of a stack is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tidepool.errors import StackError
from tidepool.nonlinearities import Nonlinearity

if TYPE_CHECKING:
    import torch

    from tidepool.nets.graph import Graph

Shape: TypeAlias = tuple[int, ...]
Module: TypeAlias = "torch.nn.Module"
Weights: TypeAlias = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Layer:
    """One layer of a stack.

    Shapes are those of one picture, without the batch: ``(channels, height, width)`` or ``(units,)``.
    ``output_shape`` raises StackError where the input does not fit; the stack adds the layer's name.
    """

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape that comes out when ``shape`` goes in."""
        return shape

    def modules(self, shape: Shape) -> dict[str, Module]:
        """Return the torch modules in their order, named; the one with the weights is named ''."""
        raise NotImplementedError

    def emit(self, graph: Graph, x: str, shape: Shape, weights: Weights) -> str:
        """Append this layer's operators to the ONNX ``graph`` and return the name of its output.

        ``weights`` are this layer's own, by the names of its torch modules.
        """
        raise NotImplementedError

    def macs(self, shape: Shape) -> int:
        """Return the multiply-adds for one picture."""
        return 0

    @property
    def filter_size(self) -> tuple[int, int]:
        """How far an output sees along each axis of its input (for the receptive field)."""
        return 1, 1

    @property
    def strides(self) -> tuple[int, int]:
        """By how much each axis shrinks."""
        return 1, 1

    def to_dict(self) -> dict[str, Any]:
        """Return the layer as the model's card keeps it: its kind and what differs from the defaults."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            "kind": type(self).__name__,
            **{
                f.name: value.name if isinstance(value := values[f.name], Nonlinearity) else value
                for f in fields(self)
                if values[f.name] != f.default
            },
        }


def pair(value: Any, what: str) -> tuple[int, int]:
    """Return ``value`` as two whole numbers; one number stands for both."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2 or not all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in values):
        raise StackError(f"{what} is {value!r}, expected a whole number or two of them")
    return int(values[0]), int(values[1])


def positive(value: Any, what: str) -> int:
    """Return ``value`` as a whole number above 0, or raise StackError."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise StackError(f"{what} is {value!r}, expected a whole number above 0")
    return int(value)


def planes(shape: Shape, what: str) -> tuple[int, int, int]:
    """Return ``(channels, height, width)``, or raise StackError if the input is flat."""
    if len(shape) != 3:
        raise StackError(
            f"{what} needs planes (channels, height, width), but gets a flat row of {shape[0]} values",
            "put it before the first flatten or dense layer",
        )
    return shape[0], shape[1], shape[2]


def part_of(weights: Weights, name: str) -> dict[str, npt.NDArray[Any]]:
    """Return the weights of one part of a layer or stack, by their names within it."""
    return {key[len(name) + 1 :]: value for key, value in weights.items() if key.startswith(f"{name}.")}


def set_field(layer: Layer, name: str, value: Any) -> None:
    """Set a field of a frozen layer while it is being made (values are normalised there, once)."""
    object.__setattr__(layer, name, value)
