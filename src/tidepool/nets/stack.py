"""A stack: named layers whose shapes are checked before anything is trained, whichever way they were written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tidepool.errors import StackError, did_you_mean
from tidepool.nets.layers import (
    KINDS,
    Conv2DLayer,
    DenseLayer,
    EnsembleLayer,
    InputLayer,
    Layer,
    Module,
    NonlinearityLayer,
    Shape,
)
from tidepool.nets.layers.base import Weights, part_of
from tidepool.nets.layers.elementwise import BatchNormLayer
from tidepool.nonlinearities import linear, softmax

if TYPE_CHECKING:
    import torch

    from tidepool.nets.graph import Graph


@dataclass(frozen=True)
class Stack:
    """Layers in order, for pictures of ``input_shape`` = (channels, height, width) or (values,).

    Making one checks it: StackError names the layer, the shapes and what to do.
    """

    layers: tuple[tuple[str, Layer], ...]
    input_shape: Shape

    def __post_init__(self) -> None:
        names = [name for name, _ in self.layers]
        for name in names:
            if names.count(name) > 1:
                raise StackError(f"two layers are named '{name}'", "give each layer a name of its own")
        _ = self.shapes

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """What goes into each layer, and at the end what comes out."""
        shapes = [self.input_shape]
        for name, layer in self.layers:
            try:
                shape = layer.output_shape(shapes[-1])
            except StackError as error:
                raise StackError(f"layer '{name}' (input {_text(shapes[-1])}): {error.message}", error.hint) from None
            shapes.append(shape)
        return tuple(shapes)

    @property
    def output_shape(self) -> Shape:
        """What comes out."""
        return self.shapes[-1]

    @property
    def macs(self) -> int:
        """Multiply-adds for one picture."""
        return sum(layer.macs(shape) for (_, layer), shape in zip(self.layers, self.shapes))

    def check_classes(self, count: int) -> None:
        """Raise StackError unless the last layer has one output a class."""
        if self.output_shape != (count,):
            name = self.layers[-1][0] if self.layers else "input"
            raise StackError(
                f"layer '{name}': the stack ends in {_text(self.output_shape)}, but the labels have {count} classes",
                f"end with a dense layer of {count} units and softmax",
            )

    @cached_property
    def logit_layers(self) -> tuple[tuple[str, Layer], ...]:
        """The layers up to the logits: the loss takes those, it is exact where softmax saturates."""
        if not self.layers:
            return ()
        name, last = self.layers[-1]
        if isinstance(last, NonlinearityLayer) and last.nonlinearity == softmax:
            return self.layers[:-1]
        if isinstance(last, (DenseLayer, Conv2DLayer)) and last.nonlinearity == softmax:
            values = {field: getattr(last, field) for field in last.__dataclass_fields__}
            return (*self.layers[:-1], (name, type(last)(**{**values, "nonlinearity": linear})))
        return self.layers

    def module(self, seed: int = 0) -> torch.nn.Sequential:
        """Return the torch module that gives logits, its weights a pure function of the stack and ``seed``."""
        import torch

        from tidepool.nets.initialisers import initialise

        with torch.random.fork_rng(devices=[]):  # the caller's random state stays as it was
            module = Stack(self.logit_layers, self.input_shape).bare_module()
        place = 0
        for name, layer in self.layers:
            if name in module._modules and any(True for _ in module.get_submodule(name).parameters()):
                # The place counts layers with weights: a dropout or a flatten written apart changes nothing.
                initialise(module.get_submodule(name), getattr(layer, "initialiser", "glorot_uniform"), seed, place)
                place += 1
        return module

    def bare_module(self) -> torch.nn.Sequential:
        """Return all layers as one module, with torch's own initial weights; a layer's weights bear its name."""
        from collections import OrderedDict

        from torch import nn

        parts: OrderedDict[str, Module] = OrderedDict()
        for (name, layer), shape in zip(self.layers, self.shapes):
            for suffix, module in layer.modules(shape).items():
                parts[f"{name}_{suffix}" if suffix else name] = module
        return nn.Sequential(parts)

    def emit(self, graph: Graph, x: str, weights: Weights) -> str:
        """Append every layer to the ONNX graph; batch normalisation is folded into a linear layer before it."""
        layers = list(zip(self.layers, self.shapes))
        skip = False
        for i, ((name, layer), shape) in enumerate(layers):
            if skip:
                skip = False
                continue
            own = part_of(weights, name)
            following = layers[i + 1] if i + 1 < len(layers) else None
            if following and isinstance(following[0][1], BatchNormLayer) and _foldable(layer):
                (norm_name, norm), _ = following
                scale, shift = norm.scale_and_shift(part_of(weights, norm_name))  # type: ignore[attr-defined]
                own["weight"] = own["weight"] * scale.reshape(-1, *(1,) * (own["weight"].ndim - 1))
                own["bias"] = own.get("bias", 0.0) * scale + shift
                x = layer.emit(graph, x, shape, own)
                for op, attributes in norm.nonlinearity.onnx:  # type: ignore[attr-defined]
                    x = graph.node(op, x, **attributes)
                skip = True
            else:
                x = layer.emit(graph, x, shape, own)
        return x

    @property
    def members(self) -> tuple[Stack, ...]:
        """The stacks of an ensemble, or this one alone."""
        first = self.layers[0][1] if self.layers else None
        found: tuple[Stack, ...] = first.members if isinstance(first, EnsembleLayer) else (self,)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the stack as the model's card keeps it."""
        return {
            "input_shape": list(self.input_shape),
            "layers": [{"name": name, **layer.to_dict()} for name, layer in self.layers],
        }

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Stack:
        """Read a stack back from its card; raise StackError for an unknown layer or parameter."""
        return Stack(
            tuple(make_layer(**layer) for layer in values["layers"]), tuple(int(v) for v in values["input_shape"])
        )

    def summary(self) -> str:
        """Return the layer table as text; see ``tidepool.nets.summary``."""
        from tidepool.nets.summary import summary

        return summary(self)


def ensemble(members: Sequence[Stack]) -> Stack:
    """Return one stack that gives the mean of what ``members`` say; a single member is given back as it is."""
    if len(members) == 1:
        return members[0]
    layers = ("ensemble", EnsembleLayer(tuple(members))), ("output", NonlinearityLayer("softmax"))
    return Stack(layers, members[0].input_shape)


def make_layer(name: str, kind: str, **parameters: Any) -> tuple[str, Layer]:
    """Return a named layer; raise StackError for an unknown kind or parameter, with the nearest known one."""
    if kind not in KINDS:
        raise StackError(f"layer '{name}': no layer {kind!r}", did_you_mean(kind, KINDS))
    known = KINDS[kind].__dataclass_fields__
    for parameter in parameters:
        if parameter not in known:
            raise StackError(f"layer '{name}': {kind} has no parameter '{parameter}'", did_you_mean(parameter, known))
    try:
        return name, KINDS[kind](**parameters)
    except StackError as error:
        raise StackError(f"layer '{name}': {error.message}", error.hint) from None


def stack_of(layers: list[tuple[str, Layer]]) -> Stack:
    """Return the stack of layers whose first is an InputLayer."""
    if not layers or not isinstance(layers[0][1], InputLayer):
        raise StackError("the first layer must be an InputLayer", "begin with ('input', InputLayer) and input_shape")
    return Stack(tuple(layers), layers[0][1].one)


def _foldable(layer: Layer) -> bool:
    return isinstance(layer, (Conv2DLayer, DenseLayer)) and layer.nonlinearity == linear


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape)) if len(shape) > 1 else f"{shape[0]} values"
