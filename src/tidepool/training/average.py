"""A running average of the weights (Polyak & Juditsky, 1992), which predicts better than the last ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Average:
    """An exponential average of everything in a module's state, batch statistics included."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self._live = [value for value in module.state_dict().values() if value.dtype.is_floating_point]
        self.kept = [value.clone() for value in self._live]
        self.steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take in the present weights; early on the average forgets faster, so that the first ones do not linger."""
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 9))
        torch._foreach_lerp_(self.kept, self._live, 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the average and the live weights; a second call puts them back."""
        for live, kept in zip(self._live, self.kept):
            spare: Tensor = live.clone()
            live.copy_(kept)
            kept.copy_(spare)
