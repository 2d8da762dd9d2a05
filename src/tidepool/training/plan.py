"""The plan: everything that decides the weights. The same plan on one machine gives the same weights to the bit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tidepool.updates import Update, momentum_matrices
from tidepool.warp import Recipe, recipes


@dataclass(frozen=True)
class Plan:
    """How a stack is trained.

    steps : optimiser steps, of ``batch_size`` images each; steps_per_epoch : steps after which the images are
    visited in a new order (the rest of an epoch that fills no batch waits for the next epoch);
    schedule : 'triangle' (up over the first ``warmup`` share of the steps, then linearly to 0), 'constant';
    average : weight of the old in the running average of the weights, 0 for none; smoothing : label smoothing;
    shuffle : whether the order changes; keep : share of the images that a round after the first one takes; chance :
    the part of those that is drawn at random, the others are the hardest (see ``tidepool.training.order``);
    seed : of the weights, the order, the warps and the dropout;
    changes : (step, end) pairs made while training by the clock: from ``step`` on, what is left of the schedule is
    stretched or squeezed so that it is done at ``end``. They are part of the plan, so that a run can be repeated.
    """

    steps: int
    steps_per_epoch: int
    batch_size: int = 256
    update: Update = field(default_factory=momentum_matrices)
    schedule: str = "triangle"
    warmup: float = 0.2
    smoothing: float = 0.1
    average: float = 0.0
    recipe: Recipe = recipes["none"]
    shuffle: bool = True
    keep: float = 1.0
    chance: float = 0.5
    seed: int = 0
    changes: tuple[tuple[int, int], ...] = ()

    @property
    def last_step(self) -> int:
        """The step at which training ends."""
        return self.changes[-1][1] if self.changes else self.steps

    def progress(self, step: float) -> float:
        """Return the share of the schedule that is done at ``step``."""
        before, start, end = 0.0, 0, self.steps
        for change, new_end in self.changes:
            if change > step:
                break
            before += (1 - before) * (change - start) / (end - start)
            start, end = change, new_end
        return before + (1 - before) * (step - start) / (end - start)

    def rate(self, step: int) -> float:
        """Return the share of the full learning rate at ``step`` (0-based)."""
        if self.schedule == "constant":
            return 1.0
        done = self.progress(step + 0.5)
        return done / self.warmup if done < self.warmup else max(1 - done, 0.0) / (1 - self.warmup)

    @property
    def epochs(self) -> float:
        """How often each image is seen."""
        return self.last_step / self.steps_per_epoch

    def with_steps(self, steps: int) -> Plan:
        """Return the plan for another length."""
        return replace(self, steps=max(1, steps))

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as card and checkpoint keep it."""
        return {**asdict(self), "recipe": self.recipe.to_dict()}

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Plan:
        """Read a plan back."""
        recipe = Recipe.from_dict(values["recipe"])
        changes = tuple((int(start), int(end)) for start, end in values["changes"])
        update = Update(**values["update"])
        return Plan(**{**values, "update": update, "recipe": recipe, "changes": changes})
