"""The sandwich's layers, under Lasagne's names and under Keras' names of 2016 and today. Both build the same records.

Lasagne's are given to ``NeuralNet(layers=[("conv1", layers.Conv2DLayer), ...], conv1_num_filters=20)``,
Keras' to ``Sequential.add(layers.Convolution2D(20, 3, 3, input_shape=(1, 40, 40)))``.
"""

from tidepool.nets.keras_layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Convolution2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    KerasLayer,
    MaxPooling2D,
)
from tidepool.nets.layers import (
    BatchNormLayer,
    Conv2DLayer,
    DenseLayer,
    DropoutLayer,
    FlattenLayer,
    GlobalPoolLayer,
    InputLayer,
    Layer,
    MaxPool2DLayer,
    NonlinearityLayer,
    Pool2DLayer,
    ResidualBlock,
    SqueezeExciteLayer,
)

__all__ = [
    "Activation",
    "AveragePooling2D",
    "BatchNormLayer",
    "BatchNormalization",
    "Conv2D",
    "Conv2DLayer",
    "Convolution2D",
    "Dense",
    "DenseLayer",
    "Dropout",
    "DropoutLayer",
    "Flatten",
    "FlattenLayer",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "GlobalPoolLayer",
    "InputLayer",
    "KerasLayer",
    "Layer",
    "MaxPool2DLayer",
    "MaxPooling2D",
    "NonlinearityLayer",
    "Pool2DLayer",
    "ResidualBlock",
    "SqueezeExciteLayer",
]
