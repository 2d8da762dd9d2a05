"""Keras' optimisers by Keras' names: each gives the record of ``tidepool.updates`` that it stands for.

The constants are Keras' of 2016 where they changed since (adadelta: learning rate 1). ``lr`` may also be written
``learning_rate``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tidepool import updates
from tidepool.errors import InputError, did_you_mean
from tidepool.nets.spelling import spelled
from tidepool.updates import Update

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "RMSprop", "find"]


@spelled
def SGD(lr: float = 0.01, momentum: float = 0.0, decay: float = 0.0, nesterov: bool = False) -> Update:
    """Gradient descent, plain, with momentum, or with Nesterov's."""
    if decay:
        raise InputError(f"SGD: decay={decay} is not supported", "leave decay out: the rate stays constant here")
    if not momentum:
        return updates.sgd(lr)
    return updates.nesterov_momentum(lr, momentum) if nesterov else updates.momentum(lr, momentum)


@spelled
def Adam(lr: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> Update:
    """Adam (Kingma & Ba, ICLR 2015)."""
    return updates.adam(lr, beta_1, beta_2, epsilon)


@spelled
def RMSprop(lr: float = 0.001, rho: float = 0.9, epsilon: float = 1e-6) -> Update:
    """RMSProp (Tieleman & Hinton, 2012)."""
    return updates.rmsprop(lr, rho, epsilon)


@spelled
def Adagrad(lr: float = 0.01, epsilon: float = 1e-6) -> Update:
    """AdaGrad (Duchi, Hazan & Singer, JMLR 2011)."""
    return updates.adagrad(lr, epsilon)


@spelled
def Adadelta(lr: float = 1.0, rho: float = 0.95, epsilon: float = 1e-6) -> Update:
    """AdaDelta (Zeiler, 2012); the learning rate is that of 2016."""
    return updates.adadelta(lr, rho, epsilon)


_BY_NAME: dict[str, Callable[..., Update]] = {
    made.__name__.lower(): made for made in (SGD, Adam, RMSprop, Adagrad, Adadelta)
}


def find(value: Any) -> Update:
    """Return the update meant by Keras' name, by a record, or by a function of ``tidepool.updates``."""
    if isinstance(value, Update):
        return value
    if isinstance(value, str):
        if value.lower() not in _BY_NAME:
            raise InputError(f"no optimizer '{value}'", did_you_mean(value.lower(), _BY_NAME))
        return _BY_NAME[value.lower()]()
    made = value() if callable(value) else None
    if isinstance(made, Update):
        return made
    raise InputError(f"optimizer is {value!r}", "give a name ('adadelta'), or SGD(lr=0.01) of tidepool.optimizers")
