"""Keras' parameter names of 2016 and of today, taken alike; a misspelt one is an error that names the nearest."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tidepool.errors import InputError, did_you_mean

P = ParamSpec("P")
R = TypeVar("R")

_ALIKE = (
    {"nb_filter", "filters"},
    {"border_mode", "padding"},
    {"subsample", "strides"},
    {"init", "kernel_initializer"},
    {"bias", "use_bias"},
    {"dim_ordering", "data_format"},
    {"output_dim", "units"},
    {"p", "rate"},
    {"lr", "learning_rate"},
    {"nb_epoch", "epochs"},
)


def spelled(make: Callable[P, R]) -> Callable[P, R]:
    """Let ``make`` take its keywords in either spelling; InputError for unknown, doubled or missing ones."""
    signature = inspect.signature(make)

    @functools.wraps(make)
    def checked(*args: P.args, **options: P.kwargs) -> R:
        known = list(signature.parameters)
        translated: dict[str, object] = {}
        for name, value in options.items():
            alike = next((names for names in _ALIKE if name in names), {name})
            own = name if name in known else next((other for other in alike if other in known), None)
            if own is None or own == "self":
                raise InputError(
                    f"{make.__name__} has no parameter '{name}'", did_you_mean(name, set(known) - {"self"})
                )
            if own in translated:
                raise InputError(f"{make.__name__}: '{name}' is given twice", "two names of one thing: give one")
            translated[own] = value
        try:
            bound = signature.bind(*args, **translated)
        except TypeError as error:
            raise InputError(f"{make.__name__}: {error}", "its parameters: " + ", ".join(known)) from None
        return make(*bound.args, **bound.kwargs)

    return checked
