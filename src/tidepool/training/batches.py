"""Batches from resident pictures: gathered and warped whole, the next one while this one trains."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import InputError
from tidepool.randomness import permutation
from tidepool.training.plan import Plan


class Batches:
    """The batches of a plan, by step: a pure function of the pictures and the plan.

    images : ``[N, H, W]`` or ``[N, H, W, C]`` in the model's frame, uint8 or float32; fill : what lies outside them.
    """

    def __init__(self, images: npt.NDArray[Any], plan: Plan, fill: float = 0.0) -> None:
        if (plan.steps_per_epoch - 1) * plan.batch_size >= len(images):
            raise InputError(
                f"{plan.steps_per_epoch} steps of {plan.batch_size} images make no epoch of {len(images)} images",
                "the plan was made for a larger set",
            )
        self.images = images
        self.plan = plan
        self.fill = fill
        self._order: tuple[int, npt.NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))

    def index(self, step: int) -> tuple[int, npt.NDArray[np.int64]]:
        """Return the epoch of a step and which pictures it takes."""
        epoch, place = divmod(step, self.plan.steps_per_epoch)
        if self._order[0] != epoch:
            count = len(self.images)
            order = permutation(self.plan.seed, epoch, count) if self.plan.shuffle else np.arange(count)
            self._order = (epoch, order)
        size = self.plan.batch_size
        return epoch, self._order[1][place * size : (place + 1) * size]

    def make(self, step: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        """Return the warped pictures of a step and their numbers."""
        epoch, index = self.index(step)
        batch = self.images[index]
        recipe = self.plan.recipe
        if recipe.is_identity:
            return batch, index
        from tidepool.warp.kernel import warp

        out = np.empty_like(batch)
        warp(batch, recipe.matrices(batch, self.plan.seed, epoch, index), out, self.fill)
        return out, index

    def __call__(self, first: int) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.int64]]]:
        """Yield the batches from step ``first`` on, without end; one is made ahead, on a thread of its own."""
        with ThreadPoolExecutor(1, thread_name_prefix="warp") as worker:
            ahead = worker.submit(self.make, first)
            step = first
            while True:
                batch = ahead.result()
                step += 1
                ahead = worker.submit(self.make, step)
                yield batch
