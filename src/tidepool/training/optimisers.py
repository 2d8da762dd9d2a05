"""The update rules of ``tidepool.updates`` as torch optimisers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor, nn

from tidepool.updates import Update

Tensors: TypeAlias = list[Tensor]


class Rule(Protocol):
    """What the loop needs of an optimiser; torch's own have it too."""

    param_groups: list[dict[str, Any]]
    steps: int

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> Any:
        """Move the weights."""

    def tensors(self) -> Tensors:
        """Return what it remembers from step to step."""


class _Own:
    """A rule of ours. Making a ``torch.optim.Optimizer`` would import torch's compiler: 1.2 s for nothing."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        self.param_groups = [group for group in groups if group["params"]]
        self.steps = 0
        self.velocity = [[torch.zeros_like(p) for p in group["params"]] for group in self.param_groups]

    def tensors(self) -> Tensors:
        """Return what it remembers from step to step."""
        return [value for group in self.velocity for value in group]

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


class Momentum(_Own):
    """Gradient descent, with Polyak's momentum where that is above 0, as ``torch.optim.SGD`` computes it."""

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight once."""
        for group, velocity in zip(self.param_groups, self.velocity):
            moves = [weight.grad for weight in group["params"]]
            if group["momentum"]:
                torch._foreach_mul_(velocity, group["momentum"])
                torch._foreach_add_(velocity, moves)
                moves = velocity
            torch._foreach_add_(group["params"], moves, alpha=-group["lr"])


class Scaled(_Own):
    """The rules that scale each weight's gradient by its own history, as torch.optim's classes of these names do.

    ``rule`` : adagrad, rmsprop, adadelta or adam (decoupled weight decay).
    """

    def __init__(self, groups: list[dict[str, Any]], rule: str) -> None:
        super().__init__(groups)
        self.squares = [[torch.zeros_like(p) for p in group["params"]] for group in self.param_groups]
        self._rule: Callable[[dict[str, Any], Tensors, Tensors, Tensors], None] = getattr(self, f"_{rule}")

    def tensors(self) -> Tensors:
        """Return what it remembers from step to step."""
        return super().tensors() + [value for group in self.squares for value in group]

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight once."""
        self.steps += 1
        for group, first, squares in zip(self.param_groups, self.velocity, self.squares):
            self._rule(group, [weight.grad for weight in group["params"]], first, squares)

    def _adagrad(self, group: dict[str, Any], gradients: Tensors, _: Tensors, squares: Tensors) -> None:
        torch._foreach_addcmul_(squares, gradients, gradients)
        self._move(group, gradients, squares)

    def _rmsprop(self, group: dict[str, Any], gradients: Tensors, _: Tensors, squares: Tensors) -> None:
        _remember(squares, gradients, group["rho"])
        self._move(group, gradients, squares)

    def _adadelta(self, group: dict[str, Any], gradients: Tensors, moved: Tensors, squares: Tensors) -> None:
        _remember(squares, gradients, group["rho"])
        moves = list(torch._foreach_add(moved, group["epsilon"]))
        torch._foreach_div_(moves, torch._foreach_add(squares, group["epsilon"]))
        torch._foreach_sqrt_(moves)
        torch._foreach_mul_(moves, gradients)
        _remember(moved, moves, group["rho"])
        torch._foreach_add_(group["params"], moves, alpha=-group["lr"])

    def _adam(self, group: dict[str, Any], gradients: Tensors, mean: Tensors, squares: Tensors) -> None:
        torch._foreach_mul_(group["params"], 1 - group["lr"] * group["weight_decay"])
        torch._foreach_lerp_(mean, gradients, 1 - group["beta1"])
        _remember(squares, gradients, group["beta2"])
        scale = torch._foreach_sqrt(squares)
        torch._foreach_div_(scale, (1 - group["beta2"] ** self.steps) ** 0.5)
        torch._foreach_add_(scale, group["epsilon"])
        rate = group["lr"] / (1 - group["beta1"] ** self.steps)
        torch._foreach_addcdiv_(group["params"], mean, scale, value=-rate)

    @staticmethod
    def _move(group: dict[str, Any], gradients: Tensors, squares: Tensors) -> None:
        scale = torch._foreach_sqrt(squares)
        torch._foreach_add_(scale, group["epsilon"])
        torch._foreach_addcdiv_(group["params"], gradients, scale, value=-group["lr"])


def _remember(squares: Tensors, values: Tensors, share: float) -> None:
    torch._foreach_mul_(squares, share)
    torch._foreach_addcmul_(squares, values, values, value=1 - share)


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
    elif update.name == "nesterov_momentum":
        made.append(_nesterov(list(module.parameters()), rate, values["momentum"], values["weight_decay"]))
    elif update.name in ("sgd", "momentum"):
        group = {"params": list(module.parameters()), "lr": rate, "momentum": values.get("momentum", 0.0)}
        made.append(Momentum([group]))
    elif update.name in ("adagrad", "rmsprop", "adadelta", "adam"):
        groups = _by_decay(list(module.parameters()), values.get("weight_decay", 0.0))
        made.append(Scaled([{**values, **group, "lr": rate} for group in groups], update.name))
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
