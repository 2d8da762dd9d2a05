"""Batches of raw pictures: gathered and warped into the model's frame whole, the next ones while this one trains."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch

from tidepool.images import Array, Lazy
from tidepool.preprocessing import pad_evenly
from tidepool.training.order import AHEAD, Order
from tidepool.training.plan import Plan
from tidepool.training.rows import Rows
from tidepool.warp import Recipe

# Where pages come from the disk, one thread waits while another works.
_THREADS = 2


class Batches:
    """The batches of a plan, by step: a pure function of the pictures and the plan, and of what ``order`` has learnt.

    images : ``[N, h, w]`` or ``[N, h, w, C]``, uint8 or float32, or Rows, which know the model's frame;
    fill : what lies outside them; device : where they are warped. Only a GPU gets them small and unwarped.
    """

    def __init__(self, images: Array | Lazy, plan: Plan, fill: float = 0.0, device: str = "cpu") -> None:
        self.order = Order(len(images), plan, device)
        self.images = images
        self.frame = images.frame if isinstance(images, Rows) else (int(images.shape[1]), int(images.shape[2]))
        self.plan = plan
        self.fill = fill
        self.device = device

    def make(self, step: int) -> tuple[torch.Tensor, npt.NDArray[np.int64]]:
        """Return the warped pictures of a step, in the frame, on the device, and their numbers."""
        epoch, index = self.order(step)
        asked = (self.images[index], self.plan.recipe, self.plan.seed, epoch, index, self.frame, self.fill)
        return torch.from_numpy(warped(*asked)) if self.device == "cpu" else warped_on(self.device, *asked), index

    def __call__(self, first: int) -> Iterator[tuple[torch.Tensor, npt.NDArray[np.int64]]]:
        """Yield the batches from step ``first`` on, without end; some are made ahead, on threads of their own."""
        workers = ThreadPoolExecutor(_THREADS, thread_name_prefix="warp")
        try:
            ahead = deque(workers.submit(self.make, first + i) for i in range(AHEAD))
            step = first + AHEAD
            while True:
                batch = ahead.popleft().result()
                ahead.append(workers.submit(self.make, step))
                step += 1
                yield batch
        finally:
            workers.shutdown(cancel_futures=True)


def warped(
    batch: Array,
    recipe: Recipe,
    seed: int,
    epoch: int,
    index: npt.NDArray[np.int64],
    frame: tuple[int, int],
    fill: float = 0.0,
) -> Array:
    """Return ``batch`` ``[n, h, w(, C)]`` in ``frame``, as if it had been padded evenly first and warped then.

    It is warped straight from its own frame, which is smaller (elastic fields are therefore drawn for that).
    index : the numbers of its pictures in the set.
    """
    return recipe.warp(_rimmed(batch, frame, fill), seed, epoch, index, frame, fill)


def warped_on(
    device: str,
    batch: Array,
    recipe: Recipe,
    seed: int,
    epoch: int,
    index: npt.NDArray[np.int64],
    frame: tuple[int, int],
    fill: float = 0.0,
) -> torch.Tensor:
    """Return what ``warped`` returns, within one grey level, warped on ``device``; the draws are made here."""
    from tidepool.warp.device import warp_on_device

    batch = _rimmed(batch, frame, fill)
    moved = torch.from_numpy(batch).to(device, non_blocking=True)
    if recipe.is_identity and batch.shape[1:3] == frame:
        return moved
    asked = (batch, seed, epoch, index, frame)
    fields = recipe.fields(*asked)
    drawn = None if fields is None else torch.from_numpy(fields)
    return warp_on_device(moved, torch.from_numpy(recipe.matrices(*asked, fill)), frame, fill, drawn)


def _rimmed(batch: Array, frame: tuple[int, int], fill: float) -> Array:
    height, width = batch.shape[1:3]
    return pad_evenly(batch, (height + _rim(frame[0] - height), width + _rim(frame[1] - width)), fill)


def _rim(missing: int) -> int:
    """Return by how many pixels to pad one axis before the warp, of the ``missing`` ones.

    One on each side, for the edge to fade into the background as padding makes it; and where an odd number is missing
    one more below, since only then are the centres of picture and frame the same.
    """
    return missing if missing < 3 else 2 + missing % 2
