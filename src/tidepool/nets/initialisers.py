"""Initial weights: pure functions of (seed, layer's place), so that one stack written two ways starts the same."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from tidepool.errors import StackError, did_you_mean
from tidepool.randomness import seed_for

if TYPE_CHECKING:
    import torch

NAMES = ("glorot_uniform", "glorot_uniform_2016", "glorot_normal", "he_uniform", "he_normal", "lecun_normal", "torch")


def initialise(module: torch.nn.Module, name: str, seed: int, place: int) -> None:
    """Fill the weights of every convolution and dense layer in ``module``; biases become 0.

    glorot : Glorot & Bengio, AISTATS 2010 (Lasagne's and Keras' default); he : He et al., ICCV 2015;
    glorot_uniform_2016 : as Keras 0.3 computed it, a convolution's fan-out being its filters alone, so that they start
    two to three times as wide; lecun : LeCun et al., 1998; torch : what torch.nn does by itself, with random biases.
    """
    import torch
    from torch import nn

    if name not in NAMES:
        raise StackError(f"no initialiser {name!r}", did_you_mean(name, NAMES))
    generator = torch.Generator().manual_seed(seed_for(seed, place, 0x171))
    for part in module.modules():
        if not isinstance(part, (nn.Conv2d, nn.Linear)):
            continue
        weight = part.weight
        receptive = weight[0][0].numel()
        fan_in, fan_out = weight.shape[1] * receptive, weight.shape[0] * receptive
        if name == "glorot_uniform_2016":
            fan_out = weight.shape[0]
        kind, shape = name.split("_")[:2] if "_" in name else (name, "")
        variance = {"glorot": 2 / (fan_in + fan_out), "he": 2 / fan_in, "lecun": 1 / fan_in, "torch": 1 / (3 * fan_in)}
        spread = sqrt(variance[kind])
        with torch.no_grad():
            if shape == "normal":
                weight.normal_(0, spread, generator=generator)
            else:
                weight.uniform_(-sqrt(3) * spread, sqrt(3) * spread, generator=generator)
            if part.bias is not None:
                bound = 1 / sqrt(fan_in) if name == "torch" else 0.0
                part.bias.uniform_(-bound, bound, generator=generator)
