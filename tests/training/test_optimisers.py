from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from tidepool import updates
from tidepool.training.optimisers import optimisers
from tidepool.training.run import ready
from tidepool.updates import Update

THEIRS: list[tuple[Update, Callable[..., torch.optim.Optimizer], dict]] = [
    (updates.sgd(0.1), torch.optim.SGD, {"lr": 0.1}),
    (updates.momentum(0.1, 0.8), torch.optim.SGD, {"lr": 0.1, "momentum": 0.8}),
    (updates.nesterov_momentum(0.1, 0.8), torch.optim.SGD, {"lr": 0.1, "momentum": 0.8, "nesterov": True}),
    (updates.nesterov_momentum(0.1, 0.0), torch.optim.SGD, {"lr": 0.1}),
    (updates.adagrad(0.1), torch.optim.Adagrad, {"lr": 0.1, "eps": 1e-6}),
    (updates.rmsprop(0.01), torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.9, "eps": 1e-6}),
    (updates.adadelta(), torch.optim.Adadelta, {"lr": 1.0, "rho": 0.95, "eps": 1e-6}),
    (updates.adam(0.01), torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.0}),
]


def net() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(2, 6, 3), nn.ReLU(), nn.Conv2d(6, 6, 3), nn.Flatten(), nn.Linear(96, 3))


def losses(module: nn.Module, rules: list) -> list[float]:
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(12):
        x = torch.randn(16, 2, 8, 8, generator=generator).contiguous(memory_format=torch.channels_last)
        y = torch.randint(0, 3, (16,), generator=generator)
        loss = functional.cross_entropy(module(x), y)
        for rule in rules:
            rule.zero_grad()
        loss.backward()
        for rule in rules:
            rule.step()
        found.append(float(loss.detach()))
    return found


@pytest.mark.parametrize(("update", "theirs", "options"), THEIRS, ids=lambda v: v.name if isinstance(v, Update) else "")
def test_every_rule_moves_as_torchs_own(update: Update, theirs, options) -> None:
    ours, other = ready(net(), "cpu"), net().to(memory_format=torch.channels_last)
    found = losses(ours, optimisers(ours, update))
    expected = losses(other, [theirs(other.parameters(), **options)])
    assert found == pytest.approx(expected, rel=2e-3)
    for mine, their in zip(ours.parameters(), other.parameters()):
        torch.testing.assert_close(mine, their, atol=2e-3, rtol=1e-2)


def test_decay_spares_biases() -> None:
    module = net()
    groups = optimisers(module, updates.nesterov_momentum(weight_decay=0.1))[0].param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert all(parameter.ndim == 1 for parameter in groups[1]["params"])
