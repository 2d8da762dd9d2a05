"""The regime: how a net is trained, whatever it is and however long."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tidepool.training.plan import Plan
from tidepool.updates import Update, momentum_matrices
from tidepool.warp import Recipe, recipes


@dataclass(frozen=True)
class Regime:
    """What a plan has besides its length; the fields are those of Plan.

    batch_size : images a step, at most a sixteenth of the set.
    """

    recipe: Recipe = recipes["gentle"]
    update: Update = field(default_factory=lambda: momentum_matrices(0.1, 0.04, weight_decay=2e-3))
    batch_size: int = 256
    smoothing: float = 0.1
    average: float = 0.98
    warmup: float = 0.2
    keep: float = 0.3
    chance: float = 0.5

    def plan(self, images: int, seed: int) -> Plan:
        """Return the plan of one step for a set of so many images."""
        batch = min(self.batch_size, max(8, images // 16), images)
        return Plan(
            steps=1,
            steps_per_epoch=max(1, images // batch),
            batch_size=batch,
            update=self.update,
            warmup=self.warmup,
            smoothing=self.smoothing,
            average=self.average,
            keep=self.keep,
            chance=self.chance,
            recipe=self.recipe,
            seed=seed,
        )

    def with_recipe(self, recipe: Recipe) -> Regime:
        """Return the same regime with other warps."""
        return replace(self, recipe=recipe)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {**asdict(self), "recipe": self.recipe.to_dict()}
