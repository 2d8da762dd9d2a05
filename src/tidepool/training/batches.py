"""Batches of raw pictures: gathered and warped into the model's frame whole, the next ones while this one trains."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch

from tidepool.images import Array, Lazy
from tidepool.preprocessing import pad_evenly
from tidepool.training.order import AHEAD, Order
from tidepool.training.plan import Plan
from tidepool.training.resident import Resident, frame_of, resident
from tidepool.warp import Recipe

# Where pages come from the disk, one thread waits while another works.
_THREADS = 2


class Batches:
    """The batches of a plan, by step: a pure function of the pictures and the plan, and of what ``order`` has learnt.

    images : ``[N, h, w]`` or ``[N, h, w, C]``, uint8 or float32, or Rows, which know the model's frame;
    fill : what lies outside them; device : where they are warped, and lie whole where there is room (``resident``).
    """

    def __init__(self, images: Array | Lazy | Resident, plan: Plan, fill: float = 0.0, device: str = "cpu") -> None:
        self.order = Order(len(images), plan, device)
        self.images = resident(images, device)
        self.frame = frame_of(images)
        self.plan = plan
        self.fill = fill
        self.device = device

    def make(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the warped pictures of a step, in the frame, and their numbers ``[n]``, both on the device."""
        epoch, index = self.order(step)
        drawn = self.plan.recipe, self.plan.seed, epoch, index, self.frame, self.fill
        if isinstance(self.images, Resident):
            numbers = torch.from_numpy(index).to(self.device, non_blocking=True)
            # Only where the ink decides how far it is moved do the draws look at the pictures.
            host = self.images.host[index] if self.plan.recipe.places_anywhere else None
            return warped_on(self.images.pictures[numbers], host, *drawn), numbers
        batch = self.images[index]
        if self.device == "cpu":
            return torch.from_numpy(warped(batch, *drawn)), torch.from_numpy(index)
        moved = torch.from_numpy(batch).to(self.device, non_blocking=True)
        return warped_on(moved, batch, *drawn), torch.from_numpy(index).to(self.device, non_blocking=True)

    def __call__(self, first: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
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
    return recipe.warp(pad_evenly(batch, _rimmed(batch.shape[1:3], frame), fill), seed, epoch, index, frame, fill)


def warped_on(
    pictures: torch.Tensor,
    host: Array | None,
    recipe: Recipe,
    seed: int,
    epoch: int,
    index: npt.NDArray[np.int64],
    frame: tuple[int, int],
    fill: float = 0.0,
) -> torch.Tensor:
    """Return what ``warped`` returns, within one grey level, of pictures on a device, warped there; drawn here.

    host : the same pictures, where the recipe looks at the ink (``places_anywhere``).
    """
    from tidepool.warp.device import pad_on_device, warp_on_device

    rimmed = _rimmed(pictures.shape[1:3], frame)
    pictures = pad_on_device(pictures, rimmed, fill)
    if recipe.is_identity and rimmed == frame:
        return pictures
    # Draws that do not look at the ink need the shape alone: one byte stands for all the pictures.
    seen = np.broadcast_to(np.uint8(0), (len(index), *rimmed)) if host is None else pad_evenly(host, rimmed, fill)
    asked = (seen, seed, epoch, index, frame)
    fields = recipe.fields(*asked)
    drawn = None if fields is None else torch.from_numpy(fields)
    return warp_on_device(pictures, torch.from_numpy(recipe.matrices(*asked, fill)), frame, fill, drawn)


def _rimmed(own: Sequence[int], frame: tuple[int, int]) -> tuple[int, int]:
    """Return the frame to pad pictures of the frame ``own`` to before the warp."""
    return own[0] + _rim(frame[0] - own[0]), own[1] + _rim(frame[1] - own[1])


def _rim(missing: int) -> int:
    """Return by how many pixels to pad one axis before the warp, of the ``missing`` ones.

    One on each side, for the edge to fade into the background as padding makes it; and where an odd number is missing
    one more below, since only then are the centres of picture and frame the same.
    """
    return missing if missing < 3 else 2 + missing % 2
