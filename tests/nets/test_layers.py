from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from tidepool import layers as public
from tidepool import nonlinearities
from tidepool.errors import InputError, StackError
from tidepool.nets import keras_layers
from tidepool.nets.graph import Graph
from tidepool.nets.layers import (
    BatchNormLayer,
    Conv2DLayer,
    DenseLayer,
    DropoutLayer,
    EnsembleLayer,
    FlattenLayer,
    GlobalPoolLayer,
    Layer,
    MaxPool2DLayer,
    MomentNormLayer,
    NonlinearityLayer,
    Pool2DLayer,
    ResidualBlock,
    Shape,
    SqueezeExciteLayer,
)
from tidepool.nets.stack import Stack
from tidepool.nets.summary import parameters
from tidepool.nonlinearities import Nonlinearity
from tidepool.training.run import weights_of

NONLINEARITIES = sorted({v.name for v in vars(nonlinearities).values() if isinstance(v, Nonlinearity)})
PLANES: Shape = (6, 11, 9)
MEMBERS = (
    Stack((("conv", Conv2DLayer(4, 3)), ("output", DenseLayer(5, "softmax"))), PLANES),
    Stack((("pool", MaxPool2DLayer(2)), ("norm", BatchNormLayer()), ("output", DenseLayer(5, "softmax"))), PLANES),
)

CASES: list[tuple[Layer, Shape, Shape]] = [
    (Conv2DLayer(4, 3), PLANES, (4, 9, 7)),
    (Conv2DLayer(4, (3, 5)), PLANES, (4, 9, 5)),
    (Conv2DLayer(4, 3, pad="same"), PLANES, (4, 11, 9)),
    (Conv2DLayer(4, 4, pad="same"), PLANES, (4, 11, 9)),
    (Conv2DLayer(4, (2, 3), 2, "same"), PLANES, (4, 6, 5)),
    (Conv2DLayer(4, 4, (2, 3), "same"), PLANES, (4, 6, 3)),
    (Conv2DLayer(4, 3, 2, pad=(1, 2)), PLANES, (4, 6, 6)),
    (Conv2DLayer(4, 1, 3, "same"), PLANES, (4, 4, 3)),
    (Conv2DLayer(4, 3, groups=2), PLANES, (4, 9, 7)),
    (Conv2DLayer(6, 3, groups=6, bias=False), PLANES, (6, 9, 7)),
    (MaxPool2DLayer(2), PLANES, (6, 5, 4)),
    (MaxPool2DLayer(2, ignore_border=False), PLANES, (6, 6, 5)),
    (MaxPool2DLayer(3, 2, pad=1), PLANES, (6, 6, 5)),
    (MaxPool2DLayer((3, 2), (1, 2)), PLANES, (6, 9, 4)),
    (Pool2DLayer(2, mode="average"), PLANES, (6, 5, 4)),
    (Pool2DLayer(2, mode="average", ignore_border=False), PLANES, (6, 6, 5)),
    (Pool2DLayer(3, 2, pad=1, mode="average"), PLANES, (6, 6, 5)),
    (Pool2DLayer(3, 2, pad=1, mode="average", ignore_border=False), (2, 10, 8), (2, 6, 5)),
    (Pool2DLayer(3, 3, mode="average", ignore_border=False), (2, 10, 8), (2, 4, 3)),
    (GlobalPoolLayer("max"), PLANES, (6,)),
    (GlobalPoolLayer("average"), PLANES, (6,)),
    (MomentNormLayer((8, 7)), PLANES, (6, 8, 7)),
    (MomentNormLayer(12, reach=3.0), (1, 9, 14), (1, 12, 12)),
    (DenseLayer(5), PLANES, (5,)),
    (DenseLayer(5, bias=False), (7,), (5,)),
    (FlattenLayer(), PLANES, (594,)),
    (DropoutLayer(0.5), PLANES, PLANES),
    (BatchNormLayer(), PLANES, PLANES),
    (BatchNormLayer(nonlinearity="rectify", epsilon=1e-3), (7,), (7,)),
    (ResidualBlock(6), PLANES, PLANES),
    (ResidualBlock(8, stride=2), PLANES, (8, 6, 5)),
    (ResidualBlock(6, 4), PLANES, PLANES),
    (SqueezeExciteLayer(), PLANES, PLANES),
    (EnsembleLayer(MEMBERS), PLANES, (5,)),
    *((NonlinearityLayer(name), PLANES, PLANES) for name in NONLINEARITIES),
    *((DenseLayer(5, name), (7,), (5,)) for name in NONLINEARITIES),
]


def run_both(stack: Stack, count: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return what torch and what ONNX Runtime compute of the same random input, batch statistics not at rest."""
    module = stack.bare_module()
    generator = torch.Generator().manual_seed(1)
    for name, value in module.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2.0, generator=generator)
        elif value.dtype.is_floating_point:
            value.uniform_(-0.5, 0.5, generator=generator)
    x = torch.randn(count, *stack.input_shape, generator=generator)
    expected = module.eval()(x).detach().numpy()
    graph = Graph()
    output = stack.emit(graph, "images", weights_of(module))
    model = graph.build("images", np.dtype("float32"), ["N", *stack.input_shape], output, "")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return expected, session.run(None, {"images": x.numpy()})[0]


@pytest.mark.parametrize(("layer", "shape", "out"), CASES, ids=lambda v: repr(v) if isinstance(v, Layer) else "")
def test_shapes_and_onnx_agree_with_torch(layer: Layer, shape: Shape, out: Shape) -> None:
    stack = Stack((("it", layer),), shape)
    assert stack.output_shape == out
    expected, found = run_both(stack)
    assert expected.shape[1:] == out
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)
    trained = sum(p.numel() for p in stack.bare_module().parameters() if p.requires_grad)
    assert parameters(stack) == trained


def test_batch_norm_is_folded() -> None:
    stack = Stack(
        (
            ("conv", Conv2DLayer(4, 3, nonlinearity=None, bias=False)),
            ("norm", BatchNormLayer(nonlinearity="rectify")),
            ("dense", DenseLayer(5, None)),
            ("norm2", BatchNormLayer()),
        ),
        PLANES,
    )
    expected, found = run_both(stack)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("made", "kind", "parameters"),
    [
        (public.Convolution2D(4, 3, 5, border_mode="same", subsample=(2, 1)), Conv2DLayer, (4, (3, 5), (2, 1), "same")),
        (public.Conv2D(4, (3, 5), strides=(2, 1), padding="same"), Conv2DLayer, (4, (3, 5), (2, 1), "same")),
        (public.Convolution2D(4, (3, 5), strides=(2, 1), padding="same"), Conv2DLayer, (4, (3, 5), (2, 1), "same")),
        (public.Convolution2D(4, 3, 3, border_mode="full"), Conv2DLayer, (4, (3, 3), (1, 1), (2, 2))),
    ],
)
def test_keras_convolutions_are_the_same_records(made, kind, parameters) -> None:
    assert made.layer("x", (1, 20, 20)) == kind(*parameters, nonlinearity=None)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (public.Dense(5, activation="relu"), DenseLayer(5, "rectify")),
        (public.Dense(units=5, use_bias=False), DenseLayer(5, None, bias=False)),
        (public.Dropout(rate=0.25), DropoutLayer(0.25)),
        (public.Dropout(0.25), DropoutLayer(0.25)),
        (public.Activation("softmax"), NonlinearityLayer("softmax")),
        (public.Flatten(), FlattenLayer()),
        (public.BatchNormalization(momentum=0.75, epsilon=1e-4), BatchNormLayer(0.25, 1e-4)),
        (public.GlobalAveragePooling2D(), GlobalPoolLayer("average")),
        (public.GlobalMaxPooling2D(), GlobalPoolLayer("max")),
    ],
)
def test_keras_names_translate(made, expected) -> None:
    shape = (7,) if isinstance(expected, DenseLayer) else PLANES
    assert made.layer("x", shape) == expected


@pytest.mark.parametrize("make", [public.MaxPooling2D, public.AveragePooling2D])
@pytest.mark.parametrize(("size", "step"), [(2, 2), (3, 2), (3, 1), (2, 3), (4, 3)])
@pytest.mark.parametrize("frame", [(11, 9), (10, 8), (7, 12)])
def test_keras_same_pooling_halves_rounded_up(make, size, step, frame) -> None:
    layer = make(size, strides=step, padding="same").layer("x", (2, *frame))
    stack = Stack((("x", layer),), (2, *frame))
    assert stack.output_shape == (2, -(-frame[0] // step), -(-frame[1] // step))
    expected, found = run_both(stack)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (lambda: public.Conv2D(4, 3, paddin="same"), "no parameter 'paddin'", "padding"),
        (lambda: public.Convolution2D(4, 3, 3, padding="same", border_mode="same"), "given twice", ""),
        (lambda: public.Dense(), "missing a required argument", "output_dim"),
        (lambda: public.Conv2D(0, 3), "above 0", ""),
        (lambda: public.Activation("relo"), "no nonlinearity 'relo'", "relu"),
        (lambda: public.Conv2D(4, 3, padding="sane"), "border_mode is 'sane'", "same"),
        (lambda: public.MaxPooling2D(padding="full"), "border_mode is 'full'", "same"),
        (lambda: public.Dropout(1.5), "p is 1.5", ""),
    ],
)
def test_wrong_keras_layers_are_refused_at_once(make, message, hint) -> None:
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert hint in caught.value.hint


def test_even_same_pooling_without_stride_is_refused() -> None:
    with pytest.raises(StackError, match="even pool_size"):
        public.MaxPooling2D(2, strides=1, padding="same").layer("x", PLANES)


@pytest.mark.parametrize(
    ("shape", "data_format", "found"),
    [
        ((1, 40, 40), None, (1, 40, 40)),
        ((40, 40, 1), None, (1, 40, 40)),
        ((32, 30, 3), None, (3, 32, 30)),
        ((3, 32, 30), None, (3, 32, 30)),
        ((3, 32, 3), None, (3, 32, 3)),
        ((3, 32, 3), "channels_last", (3, 3, 32)),
        ((1, 28, 28), "th", (1, 28, 28)),
        ((28, 28, 4), "tf", (4, 28, 28)),
        ((28, 20), None, (1, 28, 20)),
        ((784,), None, (784,)),
    ],
)
def test_input_shapes(shape, data_format, found) -> None:
    assert keras_layers.channels_first(shape, data_format) == found


def test_public_names() -> None:
    for name in public.__all__:
        assert hasattr(public, name)
