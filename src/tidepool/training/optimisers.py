"""The update rules of ``tidepool.updates`` as torch optimisers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from tidepool.updates import Update


class Rule(Protocol):
    """What the loop needs of an optimiser; torch's own have it too."""

    param_groups: list[dict[str, Any]]

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> Any:
        """Move the weights."""


class _Own:
    """A rule of ours. Making a ``torch.optim.Optimizer`` would import torch's compiler: 1.2 s for nothing."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        self.param_groups = [group for group in groups if group["params"]]
        self.velocity = [[torch.zeros_like(p) for p in group["params"]] for group in self.param_groups]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for group in self.param_groups:
            for weight in group["params"]:
                weight.grad = None


class Nesterov(_Own):
    """Momentum that looks ahead (Sutskever et al., ICML 2013), as ``torch.optim.SGD(nesterov=True)`` computes it."""

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight once, all of them in one call an operation."""
        for group, velocity in zip(self.param_groups, self.velocity):
            weights, momentum = group["params"], group["momentum"]
            gradients = [weight.grad for weight in weights]
            if momentum and weights[0].device.type in ("cpu", "cuda"):
                # One walk through memory instead of six. Autograd lays a gradient out like its weight, as this needs.
                torch._fused_sgd_(
                    weights,
                    gradients,
                    velocity,
                    weight_decay=group["weight_decay"],
                    momentum=momentum,
                    lr=group["lr"],
                    dampening=0.0,
                    nesterov=True,
                    maximize=False,
                    is_first_step=False,
                )
                continue
            if group["weight_decay"]:
                gradients = list(torch._foreach_add(gradients, weights, alpha=group["weight_decay"]))
            torch._foreach_mul_(velocity, momentum)
            torch._foreach_add_(velocity, gradients)
            torch._foreach_add_(weights, torch._foreach_add(gradients, velocity, alpha=momentum), alpha=-group["lr"])


class Muon(_Own):
    """Momentum made orthogonal, for filter banks (Jordan et al., "Muon", 2024), with each bank kept at constant norm.

    A bank ``[filters, inputs, h, w]`` is one matrix ``[filters, inputs * h * w]``. Keeping its norm at the square
    root of the number of filters (Jordan, airbench94_muon) makes weight decay needless: batch normalisation follows.
    """

    iterations = 3

    @torch.no_grad()
    def step(self) -> None:
        """Move every filter bank once."""
        for group, velocities in zip(self.param_groups, self.velocity):
            for weight, velocity in zip(group["params"], velocities):
                velocity.mul_(group["momentum"]).add_(weight.grad)
                direction = weight.grad.add(velocity, alpha=group["momentum"])
                matrix = orthogonal(direction.reshape(len(weight), -1), self.iterations)
                weight.mul_(len(weight) ** 0.5 / weight.norm())
                weight.add_(matrix.reshape(weight.shape), alpha=-group["lr"])


def orthogonal(matrix: Tensor, iterations: int) -> Tensor:
    """Push all singular values of ``[m, n]`` towards 1 by the quintic Newton-Schulz iteration."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


def optimisers(module: nn.Module, update: Update) -> list[Rule]:
    """Return the optimisers that carry out ``update``; each group keeps its full rate under ``full_lr``."""
    values = update.parameters
    rate = values["learning_rate"]
    made: list[Rule] = []
    if update.name == "momentum_matrices":
        banks = [p for p in module.parameters() if p.ndim == 4 and p.shape[1] * p.shape[2] * p.shape[3] >= 32]
        rest = [p for p in module.parameters() if not any(p is bank for bank in banks)]
        if banks:
            made.append(Muon([{"params": banks, "lr": values["matrix_rate"], "momentum": values["momentum"]}]))
        made.append(_nesterov(rest, rate, values["momentum"], values["weight_decay"]))
    elif update.name in ("sgd", "momentum"):
        made.append(torch.optim.SGD(module.parameters(), lr=rate, momentum=values.get("momentum", 0.0)))
    elif update.name == "nesterov_momentum":
        made.append(_nesterov(list(module.parameters()), rate, values["momentum"], values["weight_decay"]))
    elif update.name == "adagrad":
        made.append(torch.optim.Adagrad(module.parameters(), lr=rate, eps=values["epsilon"]))
    elif update.name == "adadelta":
        made.append(torch.optim.Adadelta(module.parameters(), lr=rate, rho=values["rho"], eps=values["epsilon"]))
    elif update.name == "rmsprop":
        made.append(torch.optim.RMSprop(module.parameters(), lr=rate, alpha=values["rho"], eps=values["epsilon"]))
    elif update.name == "adam":
        betas = (values["beta1"], values["beta2"])
        groups = _by_decay(list(module.parameters()), values["weight_decay"])
        made.append(torch.optim.AdamW(groups, lr=rate, betas=betas, eps=values["epsilon"]))
    else:
        raise AssertionError(f"no optimiser for {update.name}")
    for optimiser in made:
        for group in optimiser.param_groups:
            group["full_lr"] = group["lr"]
    return made


def _nesterov(parameters: Sequence[Tensor], rate: float, momentum: float, decay: float) -> Rule:
    return Nesterov([{**group, "lr": rate, "momentum": momentum} for group in _by_decay(parameters, decay)])


def _by_decay(parameters: Sequence[Tensor], decay: float) -> list[dict[str, Any]]:
    # Biases and the scales of batch normalisation are not decayed: that would only work against their purpose.
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
