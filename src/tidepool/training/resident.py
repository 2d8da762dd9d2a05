"""A training set that lies on a GPU whole, as the file had it: a step uploads some numbers, never a picture."""

from __future__ import annotations

import math

import numpy as np
import torch

from tidepool.images import Array, Lazy
from tidepool.training.rows import Rows

_BLOCK = 8192  # pictures uploaded at a time
# The rest is for the net, its gradients and what the warps need.
_SHARE_OF_MEMORY = 0.4


class Resident:
    """Pictures ``[N, h, w]`` or ``[N, h, w, C]``, uint8 or float32, on ``device``.

    host : the same pictures where they came from; frame : (height, width) that batches of them are brought to.
    """

    def __init__(self, images: Array | Lazy, device: str) -> None:
        self.host = images
        self.shape = images.shape
        self.frame = frame_of(images)
        kind = torch.uint8 if images.dtype == np.uint8 else torch.float32
        self.pictures = torch.empty(images.shape, dtype=kind, device=device)
        for start in range(0, len(images), _BLOCK):
            block = np.ascontiguousarray(images[start : start + _BLOCK])
            self.pictures[start : start + _BLOCK] = torch.from_numpy(block).to(device, kind)

    def __len__(self) -> int:
        return len(self.host)


def resident(images: Array | Lazy | Resident, device: str) -> Array | Lazy | Resident:
    """Return the pictures on ``device``, or as they are where that is the CPU or has too little room."""
    if device == "cpu" or isinstance(images, Resident):
        return images
    size = math.prod(images.shape) * (1 if images.dtype == np.uint8 else 4)
    return Resident(images, device) if size <= _SHARE_OF_MEMORY * _free(device) else images


def frame_of(images: Array | Lazy | Resident) -> tuple[int, int]:
    """Return the frame that batches of ``images`` are brought to: their own, unless they know another."""
    if isinstance(images, (Rows, Resident)):
        return images.frame
    return int(images.shape[1]), int(images.shape[2])


def _free(device: str) -> float:
    kind = torch.device(device).type
    if kind == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    if kind == "mps":
        return float(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return math.inf  # the same memory as the pictures lie in
