from __future__ import annotations

import numpy as np
import pytest
import torch

from tidepool.errors import StackError
from tidepool.nets import zoo
from tidepool.nets.faster import rearrange
from tidepool.nets.layers import (
    BatchNormLayer,
    Conv2DLayer,
    DenseLayer,
    DropoutLayer,
    InputLayer,
    MaxPool2DLayer,
    NonlinearityLayer,
    Pool2DLayer,
    ResidualBlock,
)
from tidepool.nets.stack import Stack, make_layer, stack_of
from tidepool.training.run import weights_of


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([("conv", Conv2DLayer(4, 9))], "layer 'conv' (input 1x8x8): filters of 9x9 are larger than their 8x8 input"),
        (
            [("pool1", MaxPool2DLayer(4)), ("pool2", MaxPool2DLayer(4))],
            "layer 'pool2' (input 1x2x2): windows of 4x4 are larger than their 2x2 input",
        ),
        (
            [("flat", DenseLayer(9)), ("conv", Conv2DLayer(4))],
            "layer 'conv' (input 9 values): a convolution needs planes (channels, height, width), "
            "but gets a flat row of 9 values",
        ),
        ([("a", Conv2DLayer(4)), ("a", Conv2DLayer(4))], "two layers are named 'a'"),
        (
            [("conv", Conv2DLayer(4, groups=3))],
            "layer 'conv' (input 1x8x8): groups=3 does not divide 1 input channels and 4 filters",
        ),
    ],
)
def test_wrong_stacks_are_refused_with_name_and_shapes(layers, message) -> None:
    with pytest.raises(StackError) as caught:
        Stack(tuple(layers), (1, 8, 8))
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2DLayer(), "num_filters is 0"),
        (lambda: Conv2DLayer(4, 2.5), "filter_size is 2.5"),
        (lambda: Conv2DLayer(4, 3, pad="sam"), "pad is 'sam'"),
        (lambda: Pool2DLayer(mode="min"), "mode is 'min'"),
        (lambda: Pool2DLayer(2, pad=2), "more than half"),
        (lambda: DropoutLayer(1.0), "p is 1.0"),
        (lambda: InputLayer((None, 28, 28)), "input shape is"),
        (lambda: NonlinearityLayer("relux"), "no nonlinearity"),
    ],
)
def test_wrong_values_are_refused_when_made(make, message) -> None:
    with pytest.raises(StackError, match=message):
        make()


def test_make_layer_says_what_may_have_been_meant() -> None:
    with pytest.raises(StackError, match="layer 'a': no layer 'Conv2dLayer'") as kind:
        make_layer("a", "Conv2dLayer")
    assert kind.value.hint == "did you mean 'Conv2DLayer'?"
    with pytest.raises(StackError, match="layer 'a': Conv2DLayer has no parameter 'num_filter'") as parameter:
        make_layer("a", "Conv2DLayer", num_filter=3)
    assert parameter.value.hint == "did you mean 'num_filters'?"


def test_first_layer_must_be_the_input() -> None:
    with pytest.raises(StackError, match="first layer"):
        stack_of([("dense", DenseLayer(3))])


def test_classes_must_fit() -> None:
    stack = Stack((("out", DenseLayer(9, "softmax")),), (4,))
    with pytest.raises(StackError, match="layer 'out': the stack ends in 9 values, but the labels have 10 classes"):
        stack.check_classes(10)


@pytest.mark.parametrize("name", sorted(zoo.ZOO))
def test_stacks_survive_their_card(name: str) -> None:
    shape = (16,) if name == "dense" else (1, 28, 28)
    stack = zoo.find(name)(shape, 10)
    assert Stack.from_dict(stack.to_dict()) == stack
    assert stack.output_shape == (10,)


def test_initial_weights_are_a_function_of_the_seed() -> None:
    stack = zoo.small((1, 28, 28), 10)
    first, again, other = (weights_of(stack.module(seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["conv1.weight"], other["conv1.weight"])


def test_rearranged_modules_compute_the_same_to_the_bit() -> None:
    stack = Stack(
        (
            ("conv", Conv2DLayer(6, 3)),
            ("pool", MaxPool2DLayer(2)),
            ("block", ResidualBlock(6)),
            ("act", NonlinearityLayer("sigmoid")),
            ("relu", NonlinearityLayer("rectify")),
            ("conv2", Conv2DLayer(6, 3, nonlinearity=None)),
            ("norm", BatchNormLayer(nonlinearity="rectify")),
            ("pool2", MaxPool2DLayer(2)),
            ("out", DenseLayer(3)),
        ),
        (2, 16, 16),
    )
    x = torch.randn(5, 2, 16, 16, generator=torch.Generator().manual_seed(0))
    found = []
    for change in (lambda module: module, rearrange):
        module = change(stack.module(1))
        out = module(x)
        (out**2).sum().backward()
        found.append((list(module.state_dict()), out.detach(), [p.grad for p in module.parameters()]))
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])
    assert all(torch.equal(a, b) for a, b in zip(found[0][2], found[1][2]))
    names = list(rearrange(stack.module(1))._modules)
    assert names.index("pool") < names.index("conv_rectify")
