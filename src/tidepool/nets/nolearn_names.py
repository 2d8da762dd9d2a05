"""A NeuralNet's keyword names, ``layername_parameter`` and ``update_parameter``, read into a stack and an update."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tidepool import updates
from tidepool.errors import InputError, StackError, did_you_mean
from tidepool.nets.layers import KINDS, InputLayer, Layer
from tidepool.nets.stack import Stack, make_layer, stack_of
from tidepool.updates import Update

__all__ = ["Names", "handlers_of", "number", "whole"]

# What a layer cannot do without; everything else has a default.
_REQUIRED = {"InputLayer": "shape", "Conv2DLayer": "num_filters", "DenseLayer": "num_units"}
_REQUIRED["ResidualBlock"] = "num_filters"
# nolearn's parameters that have no counterpart, and what to do instead.
_ELSEWHERE = {
    "batch_iterator_train": "give batch_size=128 and shuffle=True instead",
    "batch_iterator_test": "prediction chooses its own batches",
    "eval_size": "give train_split=TrainSplit(eval_size=0.2) instead",
    "objective_loss_function": "the loss is cross-entropy",
    "use_label_encoder": "labels of any kind are always taken as they are",
}


@dataclass(frozen=True)
class Names:
    """What a NeuralNet was given by name, and what it means.

    layers, update, initialiser : as NeuralNet takes them.
    parameters : those addressed to a layer or to the update.
    settings : returns the names of NeuralNet's own parameters, for did-you-mean.
    """

    layers: Any
    update: Any
    initialiser: str
    parameters: Mapping[str, Any]
    settings: Callable[[], Iterable[str]]

    def check(self) -> None:
        """Raise for a name that belongs to nothing, and for an update that cannot be made."""
        names = [name for name, _, _ in self._described()]
        if "update" in names:
            raise StackError("a layer is named 'update', which is taken", "give the layer another name")
        for key in self.parameters:
            self._check_name(key, names)
        self.made_update()

    def is_complete(self) -> bool:
        """Say whether every layer has what it cannot do without."""
        return all(_REQUIRED.get(kind) in (None, *parameters) for _, kind, parameters in self._described())

    def stack(self) -> Stack:
        """Return the stack; StackError if a layer lacks something."""
        made: list[tuple[str, Layer]] = []
        for name, kind, parameters in self._described():
            required = _REQUIRED.get(kind)
            if required and required not in parameters:
                raise StackError(f"layer '{name}': {kind} needs {required}", f"give {name}_{required}=...")
            if "initialiser" in KINDS[kind].__dataclass_fields__:
                parameters = {"initialiser": self.initialiser, **parameters}
            made.append(make_layer(name, kind, **parameters))
        if any(isinstance(layer, InputLayer) for _, layer in made[1:]):
            raise StackError("only the first layer may be an InputLayer")
        return stack_of(made)

    def made_update(self) -> Update:
        """Return the update rule with its parameters."""
        values = dict(self.update.parameters) if isinstance(self.update, Update) else {}
        for key, value in self.parameters.items():
            if key.startswith("update_"):
                values[key.removeprefix("update_")] = number(key, value, 0.0)
        made = self._rule()(**values)
        if not isinstance(made, Update):
            raise InputError(f"update is {self.update!r}", "give a rule of tidepool.updates")
        return made

    def _check_name(self, key: str, names: list[str]) -> None:
        if key.startswith("update_"):
            rules = self._rule_parameters()
            if key.removeprefix("update_") not in rules:
                rule = getattr(self.update, "__name__", self.update)
                raise InputError(
                    f"the update {rule} has no parameter '{key.removeprefix('update_')}'",
                    did_you_mean(key, [f"update_{name}" for name in rules]),
                )
            return
        owner = _owner(key, names)
        kinds = {name: kind for name, kind, _ in self._described()}
        if owner is None:
            known = {f"{name}_{field}" for name, kind in kinds.items() for field in KINDS[kind].__dataclass_fields__}
            hint = _ELSEWHERE.get(key) or did_you_mean(key, known | set(self.settings()))
            raise InputError(f"NeuralNet has no parameter '{key}', and no layer of that name", hint)
        parameter, fields = key[len(owner) + 1 :], KINDS[kinds[owner]].__dataclass_fields__
        if parameter not in fields:
            hint = did_you_mean(key, [f"{owner}_{field}" for field in fields])
            raise StackError(f"layer '{owner}': {kinds[owner]} has no parameter '{parameter}'", hint)

    def _described(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return each layer's name, kind and parameters."""
        if isinstance(self.layers, str) or not isinstance(self.layers, Sequence) or not len(self.layers):
            raise StackError(f"layers is {self.layers!r}", "give a list of (name, class)")
        found: list[tuple[str, str, dict[str, Any]]] = []
        for place, entry in enumerate(self.layers):
            if not isinstance(entry, (tuple, list)) or len(entry) != 2:
                raise StackError(f"layers[{place}] is {entry!r}", "give (name, class) or (class, {parameter: value})")
            if isinstance(entry[1], Mapping):
                kind, parameters = _kind(entry[0], place), dict(entry[1])
                name = str(parameters.pop("name", f"{kind.removesuffix('Layer').lower()}{place}"))
            else:
                name, kind, parameters = str(entry[0]), _kind(entry[1], place), {}
            found.append((name, kind, parameters))
        names = [name for name, _, _ in found]
        for key, value in self.parameters.items():
            owner = None if key.startswith("update_") else _owner(key, names)
            if owner is not None:
                found[names.index(owner)][2][key[len(owner) + 1 :]] = value
        return found

    def _rule(self) -> Callable[..., Update]:
        if isinstance(self.update, str):
            if self.update not in updates.RULES:
                raise InputError(f"no update '{self.update}'", did_you_mean(self.update, updates.RULES))
            return updates.RULES[self.update]
        if isinstance(self.update, Update):
            return updates.RULES[self.update.name]
        if not callable(self.update):
            raise InputError(f"update is {self.update!r}", "give a rule of tidepool.updates")
        rule: Callable[..., Update] = self.update
        return rule

    def _rule_parameters(self) -> list[str]:
        return list(inspect.signature(self._rule()).parameters)


def _owner(key: str, names: list[str]) -> str | None:
    """Return the layer that a parameter belongs to: the longest name that it begins with."""
    owners = [name for name in names if key.startswith(name + "_")]
    return max(owners, key=len) if owners else None


def _kind(kind: Any, place: int) -> str:
    shown = str(getattr(kind, "__name__", repr(kind)))
    if isinstance(kind, type) and KINDS.get(shown) is kind:
        return shown
    near = did_you_mean(shown if shown in KINDS else f"{shown}Layer", KINDS)
    raise StackError(f"layers[{place}]: {shown} is no layer of tidepool.layers under Lasagne's names", near)


def handlers_of(event: str, value: Any) -> list[Callable[..., None]]:
    """Return what is to be called at an event; InputError if it cannot be."""
    handlers = [] if value is None else [value] if callable(value) else list(value)
    for handler in handlers:
        if not callable(handler):
            raise InputError(f"{event}: {handler!r} cannot be called", "give functions f(net, train_history)")
    return handlers


def whole(name: str, value: Any) -> int:
    """Return a whole number above 0, or raise InputError."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise InputError(f"{name} is {value!r}, expected a whole number above 0")
    return int(value)


def number(name: str, value: Any, least: float) -> float:
    """Return a finite number from ``least`` on, or raise InputError."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not least <= value < np.inf:
        raise InputError(f"{name} is {value!r}, expected a number from {least:g} on")
    return float(value)
