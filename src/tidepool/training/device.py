"""Which device trains."""

from __future__ import annotations

import torch

from tidepool.errors import InputError, OutsideError


def pick_device(device: str) -> str:
    """Return the device meant by 'auto', 'cpu', 'cuda' or 'mps'; raise OutsideError if it is not there."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.partition(":")[0] == "cuda" and not torch.cuda.is_available():
        raise OutsideError("no CUDA device is to be had", "use --device auto, or install a CUDA build of PyTorch")
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"no device '{device}'", "auto, cpu, cuda or mps") from error
    return device
