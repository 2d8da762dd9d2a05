"""What training is asked, who hears of it, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tidepool.nets.stack import Stack
from tidepool.training.plan import Plan
from tidepool.training.regime import Regime

if TYPE_CHECKING:
    from tidepool.images import ImageSet
    from tidepool.model import Model


@dataclass(frozen=True)
class Settings:
    """What may be chosen; None means: chosen for the limit.

    seconds : wall time for everything here and for predicting ``predict_after`` more pictures, or epochs : passes
    over the training rows, for each member; stack : a name of the zoo, or a Stack (of an ensemble, each member is
    trained); recipe : a name; regime : how a net is trained, its recipe included; frame : (height, width) to pad to;
    share : held back; plans : one a member, to be repeated to the bit; flat : rows, not pictures;
    checkpoint : where the state is saved now and then; what is saved there already is gone on from.
    """

    seconds: float | None = None
    predict_after: int = 0
    epochs: float | None = None
    stack: str | Stack | None = None
    recipe: str | None = None
    regime: Regime | None = None
    frame: tuple[int, int] | None = None
    share: float | None = None
    seed: int = 0
    device: str = "auto"
    plans: tuple[Plan, ...] = ()
    flat: bool = False
    checkpoint: Path | None = None

    def identity(self, images: ImageSet, share: float) -> dict[str, Any]:
        """Return what must be equal for a stopped run to be gone on with."""
        return {
            "images": len(images),
            "sha256": images.source.sha256,
            "seconds": None if self.seconds is None else "a budget",
            "epochs": self.epochs,
            "stack": self.stack.to_dict() if isinstance(self.stack, Stack) else self.stack,
            "recipe": self.recipe,
            "regime": self.regime.to_dict() if self.regime else None,
            "frame": self.frame,
            "share": share,
            "seed": self.seed,
        }


@dataclass
class Listener:
    """Who wants to hear of it.

    on_plan : before a member is trained: its stack, its plan, which it is (from 1) and of how many;
    on_epoch : an epoch's row; on_step : the step that is done and the last one.
    """

    on_plan: Callable[[Stack, Plan, int, int], None] | None = None
    on_epoch: Callable[[dict[str, Any]], None] | None = None
    on_step: Callable[[int, int], None] | None = None


@dataclass
class Fitted:
    """A trained model, how it came about, and what it says of the held-back rows (``held``: their row numbers).

    stack : of the whole model; plans : one a member that was kept, as carried out; history : a row an epoch.
    """

    model: Model
    stack: Stack
    plans: tuple[Plan, ...]
    history: list[dict[str, Any]]
    held: npt.NDArray[np.int64]
    held_probabilities: npt.NDArray[np.float32]
    metrics: dict[str, Any] = field(default_factory=dict)
    interrupted: bool = False
