"""How weights are moved by gradients, named as Lasagne names them; each is a record that a model's card can keep.

``NeuralNet(update=nesterov_momentum, update_learning_rate=0.01, update_momentum=0.9)``
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Update:
    """An update rule by name with its parameters; ``tidepool.training.optimisers`` makes it run."""

    name: str
    parameters: dict[str, float] = field(default_factory=dict, hash=False)


def sgd(learning_rate: float = 0.01) -> Update:
    """Plain stochastic gradient descent."""
    return Update("sgd", {"learning_rate": learning_rate})


def momentum(learning_rate: float = 0.01, momentum: float = 0.9) -> Update:
    """Gradient descent with momentum (Polyak, 1964)."""
    return Update("momentum", {"learning_rate": learning_rate, "momentum": momentum})


def nesterov_momentum(learning_rate: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0) -> Update:
    """Nesterov's momentum, as Lasagne and torch write it (Sutskever et al., ICML 2013)."""
    values = {"learning_rate": learning_rate, "momentum": momentum, "weight_decay": weight_decay}
    return Update("nesterov_momentum", values)


def adagrad(learning_rate: float = 1.0, epsilon: float = 1e-6) -> Update:
    """AdaGrad (Duchi, Hazan & Singer, JMLR 2011)."""
    return Update("adagrad", {"learning_rate": learning_rate, "epsilon": epsilon})


def adadelta(learning_rate: float = 1.0, rho: float = 0.95, epsilon: float = 1e-6) -> Update:
    """AdaDelta (Zeiler, 2012), with Lasagne's and Keras' constants of 2016."""
    return Update("adadelta", {"learning_rate": learning_rate, "rho": rho, "epsilon": epsilon})


def rmsprop(learning_rate: float = 0.001, rho: float = 0.9, epsilon: float = 1e-6) -> Update:
    """RMSProp (Tieleman & Hinton, 2012)."""
    return Update("rmsprop", {"learning_rate": learning_rate, "rho": rho, "epsilon": epsilon})


def adam(
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.0,
) -> Update:
    """Adam (Kingma & Ba, ICLR 2015); weight decay is decoupled (Loshchilov & Hutter, ICLR 2019)."""
    values = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2}
    return Update("adam", {**values, "epsilon": epsilon, "weight_decay": weight_decay})


def momentum_matrices(
    learning_rate: float = 0.1, matrix_rate: float = 0.05, momentum: float = 0.9, weight_decay: float = 5e-4
) -> Update:
    """Muon for filters, Nesterov's momentum for the rest (Jordan et al., "Muon", 2024).

    The momentum of each filter bank is made orthogonal by Newton-Schulz steps; ``matrix_rate`` is its rate.
    """
    values = {"learning_rate": learning_rate, "matrix_rate": matrix_rate}
    return Update("momentum_matrices", {**values, "momentum": momentum, "weight_decay": weight_decay})


RULES: dict[str, Callable[..., Update]] = {
    rule.__name__: rule
    for rule in (sgd, momentum, nesterov_momentum, adagrad, adadelta, rmsprop, adam, momentum_matrices)
}


def defaults(name: str) -> dict[str, Any]:
    """Return the parameters of a rule with their default values."""
    return dict(RULES[name]().parameters)
