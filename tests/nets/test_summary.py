from __future__ import annotations

import pytest

from tidepool.nets import zoo
from tidepool.nets.layers import (
    Conv2DLayer,
    DenseLayer,
    DropoutLayer,
    InputLayer,
    MaxPool2DLayer,
    ResidualBlock,
    SqueezeExciteLayer,
)
from tidepool.nets.stack import Stack, stack_of
from tidepool.nets.summary import parameters, rows

ARTICLE = stack_of(
    [
        ("input", InputLayer((None, 1, 40, 40))),
        ("conv1", Conv2DLayer(20, 5)),
        ("pool1", MaxPool2DLayer(2)),
        ("conv2", Conv2DLayer(60, 5)),
        ("hidden3", DenseLayer(500)),
        ("dropout3", DropoutLayer(0.5)),
        ("output", DenseLayer(10, "softmax")),
    ]
)


def test_the_articles_net_by_hand() -> None:
    table = {row.name: row for row in rows(ARTICLE)}
    assert [row.shape for row in table.values()] == [
        (1, 40, 40),
        (20, 36, 36),
        (20, 18, 18),
        (60, 14, 14),
        (500,),
        (500,),
        (10,),
    ]
    # 5x5 filters see 5x5 pixels; after the pooling each step is 2 pixels wide: 5 * 2 of 5 + 4 * 2.
    assert table["conv1"].capacity == (1.0, 1.0)
    assert table["conv1"].coverage == (5 / 40, 5 / 40)
    assert table["conv2"].capacity == pytest.approx((10 / 13, 10 / 13))
    assert table["conv2"].coverage == pytest.approx((13 / 40, 13 / 40))
    assert table["pool1"].capacity is None
    assert table["hidden3"].coverage is None
    assert table["conv1"].parameters == 20 * 25 + 20
    assert table["conv2"].parameters == 60 * 20 * 25 + 60
    assert table["hidden3"].parameters == 60 * 14 * 14 * 500 + 500
    assert table["output"].parameters == 5010
    assert parameters(ARTICLE) == 520 + 30_060 + 5_880_500 + 5_010
    assert table["conv1"].macs == 20 * 36 * 36 * 25
    assert ARTICLE.macs == 648_000 + 5_880_000 + 5_880_000 + 5_000


def test_too_little_capacity_and_too_much_coverage_are_marked() -> None:
    convolutions = tuple((f"conv{i}", Conv2DLayer(4, 3, pad="same")) for i in range(10))
    table = rows(Stack(convolutions, (1, 16, 20)))
    assert table[-1].capacity == pytest.approx((3 / 21, 3 / 21))
    assert table[-1].coverage == pytest.approx((21 / 16, 21 / 20))
    text = Stack(convolutions, (1, 16, 20)).summary().splitlines()
    assert "14!/14!" in text[-2]
    assert "131!/105!" in text[-2]
    assert "!" not in text[2]


def test_each_axis_has_its_own_figures() -> None:
    row = rows(Stack((("conv", Conv2DLayer(4, (3, 5))),), (1, 12, 20)))[0]
    assert row.coverage == (3 / 12, 5 / 20)


def test_table_as_text() -> None:
    lines = ARTICLE.summary().splitlines()
    assert lines[0].split() == [
        "#", "name", "layer", "output", "parameters", "multiply-adds", "capacity", "y/x", "%", "coverage", "y/x", "%",
    ]  # fmt: skip
    assert lines[3].split() == ["1", "conv1", "Conv2D", "20x36x36", "520", "648,000", "100/100", "12/12"]
    assert lines[-1] == "5,916,090 parameters, 12,413,000 multiply-adds a picture"


@pytest.mark.parametrize(
    "stack",
    [
        zoo.small((1, 28, 28), 10),
        zoo.large((3, 64, 64), 7),
        zoo.dense((30,), 4),
        Stack((("a", ResidualBlock(8, stride=2)), ("b", SqueezeExciteLayer()), ("c", DenseLayer(3))), (4, 9, 9)),
    ],
)
def test_parameters_are_those_of_torch(stack: Stack) -> None:
    assert parameters(stack) == sum(p.numel() for p in stack.bare_module().parameters())
