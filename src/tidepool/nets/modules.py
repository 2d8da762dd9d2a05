"""The torch modules that torch itself lacks."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GlobalPool(nn.Module):
    """The maximum or the average of each plane: [N, C, H, W] to [N, C]."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """Reduce the two last axes."""
        return torch.amax(x, dim=(2, 3)) if self.mode == "max" else torch.mean(x, dim=(2, 3))


class Residual(nn.Module):
    """``relu(body(x) + shortcut(x))``."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Add the two ways."""
        y: Tensor = self.body(x) + self.shortcut(x)
        return y.relu_()


class SqueezeExcite(nn.Module):
    """Each channel is scaled by a gate that sees the average of all channels (Hu et al., CVPR 2018)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, hidden)
        self.excite = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Scale the channels of [N, C, H, W]."""
        gate = self.excite(self.squeeze(x.mean(dim=(2, 3))).relu()).sigmoid()
        scaled: Tensor = x * gate[:, :, None, None]
        return scaled
