"""What follows a layer's sum. Named as Lasagne (rectify) and as Keras (relu) name them; one object for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tidepool.errors import StackError, did_you_mean

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Nonlinearity:
    """A function of each value (softmax: of each row).

    ``module`` names the class in ``torch.nn``; ``onnx`` the operators of the graph, with their attributes.
    """

    name: str
    module: str
    onnx: tuple[tuple[str, dict[str, Any]], ...]
    arguments: dict[str, Any] = field(default_factory=dict, hash=False)

    def to_module(self) -> torch.nn.Module:
        """Return the torch module."""
        import torch

        make: Callable[..., torch.nn.Module] = getattr(torch.nn, self.module)
        return make(**self.arguments)

    def __repr__(self) -> str:
        return self.name


linear = Nonlinearity("linear", "Identity", ())
rectify = Nonlinearity("rectify", "ReLU", (("Relu", {}),))
leaky_rectify = Nonlinearity("leaky_rectify", "LeakyReLU", (("LeakyRelu", {"alpha": 0.01}),), {"negative_slope": 0.01})
very_leaky_rectify = Nonlinearity(
    "very_leaky_rectify", "LeakyReLU", (("LeakyRelu", {"alpha": 1 / 3}),), {"negative_slope": 1 / 3}
)
elu = Nonlinearity("elu", "ELU", (("Elu", {"alpha": 1.0}),))
tanh = Nonlinearity("tanh", "Tanh", (("Tanh", {}),))
sigmoid = Nonlinearity("sigmoid", "Sigmoid", (("Sigmoid", {}),))
hard_sigmoid = Nonlinearity("hard_sigmoid", "Hardsigmoid", (("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),))
softplus = Nonlinearity("softplus", "Softplus", (("Softplus", {}),))
softsign = Nonlinearity("softsign", "Softsign", (("Softsign", {}),))
gelu = Nonlinearity("gelu", "GELU", (("Gelu", {}),))
softmax = Nonlinearity("softmax", "Softmax", (("Softmax", {"axis": -1}),), {"dim": -1})

# Keras' spellings.
relu = rectify
identity = linear

_BY_NAME: dict[str, Nonlinearity] = {
    **{name: value for name, value in globals().items() if isinstance(value, Nonlinearity)},
}


def find(value: str | Nonlinearity | None) -> Nonlinearity:
    """Return the nonlinearity meant by a name, by itself, or by None (linear); raise StackError for anything else."""
    if value is None:
        return linear
    if isinstance(value, Nonlinearity):
        return value
    if value not in _BY_NAME:
        raise StackError(f"no nonlinearity {value!r}", did_you_mean(str(value), _BY_NAME))
    return _BY_NAME[value]
