"""The sandwich's vocabulary: one frozen record a layer; each knows its output shape, its module and its operators."""

from tidepool.nets.layers.base import Layer, Module, Shape
from tidepool.nets.layers.blocks import EnsembleLayer, ResidualBlock, SqueezeExciteLayer
from tidepool.nets.layers.convolution import Conv2DLayer
from tidepool.nets.layers.dense import DenseLayer, FlattenLayer
from tidepool.nets.layers.elementwise import BatchNormLayer, DropoutLayer, NonlinearityLayer
from tidepool.nets.layers.input import InputLayer
from tidepool.nets.layers.moments import MomentNormLayer
from tidepool.nets.layers.pooling import GlobalPoolLayer, MaxPool2DLayer, Pool2DLayer

KINDS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (
        InputLayer,
        Conv2DLayer,
        MaxPool2DLayer,
        Pool2DLayer,
        GlobalPoolLayer,
        DenseLayer,
        FlattenLayer,
        DropoutLayer,
        BatchNormLayer,
        NonlinearityLayer,
        MomentNormLayer,
        ResidualBlock,
        SqueezeExciteLayer,
        EnsembleLayer,
    )
}

__all__ = [
    "BatchNormLayer",
    "Conv2DLayer",
    "DenseLayer",
    "DropoutLayer",
    "EnsembleLayer",
    "FlattenLayer",
    "GlobalPoolLayer",
    "InputLayer",
    "KINDS",
    "Layer",
    "MaxPool2DLayer",
    "Module",
    "MomentNormLayer",
    "NonlinearityLayer",
    "Pool2DLayer",
    "ResidualBlock",
    "Shape",
    "SqueezeExciteLayer",
]
