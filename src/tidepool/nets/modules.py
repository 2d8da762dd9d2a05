"""The torch modules that torch itself lacks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


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


class Ensemble(nn.Module):
    """The mean of what several modules make of one input."""

    def __init__(self, members: dict[str, nn.Module]) -> None:
        super().__init__()
        for name, member in members.items():
            self.add_module(name, member)

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean ``[N, classes]``."""
        return torch.stack([member(x) for member in self.children()]).mean(0)


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


class MomentNorm(nn.Module):
    """Resample pictures to a standard mean and covariance of their ink; see ``layers.MomentNormLayer``.

    basis : float32 ``[H*W, 6]``; grid : float32 ``[3, h*w]``; least : variances ``[1, 2]`` of x and y; size : (h, w).
    """

    basis: Tensor
    grid: Tensor
    least: Tensor

    def __init__(self, basis: Any, grid: Any, least: Any, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        for name, value in (("basis", basis), ("grid", grid), ("least", least)):
            self.register_buffer(name, torch.from_numpy(value), persistent=False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Resample [N, C, H, W] to [N, C, h, w]. Nothing before this layer is trained: there are no gradients."""
        # Halves would put the moments a pixel off.
        with torch.autocast(x.device.type, enabled=False):
            return self._resampled(x)

    def _resampled(self, x: Tensor) -> Tensor:
        corners = x[:, :, :: x.shape[2] - 1, :: x.shape[3] - 1]
        flat = corners.flatten(2)
        ground = (flat.sum(2) - flat.amax(2) - flat.amin(2)).mul_(0.5)[:, :, None, None]
        above = x - ground
        sums = above.abs().mean(1).flatten(1) @ self.basis
        mx, my, xx, xy, yy = (sums[:, 1:] / sums[:, :1].clamp_min(1e-6)).unbind(1)
        sy = torch.maximum(yy - my * my, self.least[:, 1]).sqrt_()
        slant = (xy - mx * my) / sy
        sx = torch.maximum(xx - mx * mx - slant * slant, self.least[:, 0]).sqrt_()
        theta = torch.stack([sx, slant, mx, torch.zeros_like(mx), sy, my], dim=1).view(-1, 2, 3)
        places = (theta @ self.grid).transpose(1, 2).reshape(-1, *self.size, 2)
        sampled = functional.grid_sample(above, places, mode="bilinear", padding_mode="zeros", align_corners=True)
        return sampled + ground
