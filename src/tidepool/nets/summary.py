"""The layer table: shapes, weights, work, and nolearn's two columns that no successor has.

Learning capacity is a filter's real size (its size in pixels of the picture) divided by its receptive field; image
coverage is the receptive field divided by the picture. After nolearn's ``PrintLayerInfo``, which follows Xudong
Cao's notes on the National Data Science Bowl (2015): below 1/6 capacity a convolution learns little, above 100 %
coverage it looks past the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from tidepool.nets.layers import Conv2DLayer, EnsembleLayer, Pool2DLayer, ResidualBlock, Shape

if TYPE_CHECKING:
    from tidepool.nets.stack import Stack

LEAST_CAPACITY = 1 / 6
MOST_COVERAGE = 1.0


@dataclass(frozen=True)
class Row:
    """One layer; capacity and coverage are (vertical, horizontal) fractions, None where it does not look around."""

    name: str
    kind: str
    shape: Shape
    parameters: int
    macs: int
    capacity: tuple[float, float] | None
    coverage: tuple[float, float] | None


def rows(stack: Stack) -> list[Row]:
    """Return a row a layer, without importing torch."""
    found = []
    field, step = [1.0, 1.0], [1.0, 1.0]
    for (name, layer), shape, out in zip(stack.layers, stack.shapes, stack.shapes[1:]):
        if isinstance(layer, EnsembleLayer):
            for way, member in layer.ways().items():
                found += [replace(row, name=f"{way}.{row.name}") for row in rows(member)]
            continue
        capacity = coverage = None
        size = (2 * layer.filter_size[0] - 1, 2 * layer.filter_size[1] - 1)  # two convolutions, one after the other
        size = size if isinstance(layer, ResidualBlock) else layer.filter_size
        if isinstance(layer, (Conv2DLayer, ResidualBlock, Pool2DLayer)) and len(stack.input_shape) == 3:
            real = [kernel * s for kernel, s in zip(size, step)]
            if not isinstance(layer, Pool2DLayer):
                field = [f + (kernel - 1) * s for f, kernel, s in zip(field, size, step)]
                capacity = (min(real[0] / field[0], 1.0), min(real[1] / field[1], 1.0))
                coverage = (field[0] / stack.input_shape[1], field[1] / stack.input_shape[2])
            step = [s * stride for s, stride in zip(step, layer.strides)]
        found.append(
            Row(name, type(layer).__name__, out, _parameters(stack, name), layer.macs(shape), capacity, coverage)
        )
    return found


def parameters(stack: Stack) -> int:
    """Return the number of weights that training changes."""
    return sum(row.parameters for row in rows(stack))


def _parameters(stack: Stack, name: str) -> int:
    from tidepool.nets.layers import BatchNormLayer, DenseLayer, SqueezeExciteLayer

    place = [n for n, _ in stack.layers].index(name)
    layer, shape = stack.layers[place][1], stack.shapes[place]
    if isinstance(layer, Conv2DLayer):
        kernel: int = layer.filter_size[0] * layer.filter_size[1]
        return layer.num_filters * (shape[0] // layer.groups * kernel + layer.bias)
    if isinstance(layer, DenseLayer):
        return layer.num_units * (prod(shape) + layer.bias)
    if isinstance(layer, BatchNormLayer):
        return 2 * shape[0]
    if isinstance(layer, SqueezeExciteLayer):
        return 2 * shape[0] * layer.hidden(shape) + shape[0] + layer.hidden(shape)
    if isinstance(layer, ResidualBlock):
        return sum(parameters(way) for way in layer.ways(shape).values())
    return 0


def summary(stack: Stack) -> str:
    """Return the table as text; ``!`` marks a capacity below 1/6 or a coverage above 100 %."""
    head = ("#", "name", "layer", "output", "parameters", "multiply-adds", "capacity y/x %", "coverage y/x %")
    table = [head]
    for number, row in enumerate(rows(stack)):
        table.append(
            (
                str(number),
                row.name,
                row.kind.removesuffix("Layer"),
                "x".join(map(str, row.shape)),
                f"{row.parameters:,}" if row.parameters else "",
                f"{row.macs:,}" if row.macs else "",
                _percent(row.capacity, lambda value: value < LEAST_CAPACITY),
                _percent(row.coverage, lambda value: value > MOST_COVERAGE),
            )
        )
    widths = [max(len(line[i]) for line in table) for i in range(len(head))]
    left = {1, 2}
    lines = [
        "  ".join(cell.ljust(w) if i in left else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths)))
        for line in table
    ]
    lines.insert(1, "  ".join("-" * w for w in widths))
    total = f"{parameters(stack):,} parameters, {stack.macs:,} multiply-adds a picture"
    return "\n".join([*(line.rstrip() for line in lines), total])


def _percent(values: tuple[float, float] | None, bad: object) -> str:
    if values is None:
        return ""
    marks = ["!" if bad(value) else "" for value in values]  # type: ignore[operator]
    return "/".join(f"{100 * value:.0f}{mark}" for value, mark in zip(values, marks))
