"""Pictures, labels and a limit in; a trained, scored model out. What ``run``, ``train`` and ``Classifier`` share."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool._version import __version__
from tidepool.errors import DataError
from tidepool.images import ImageSet
from tidepool.model import Model
from tidepool.nets import zoo
from tidepool.nets.stack import Stack
from tidepool.nets.summary import parameters
from tidepool.preprocessing import Preprocessing, pad_evenly
from tidepool.seen import sampled, summary
from tidepool.statistics import best_temperature
from tidepool.training.plan import Plan
from tidepool.training.rows import Rows, first_not_finite
from tidepool.training.split import default_share, hold_back, hold_back_originals
from tidepool.updates import momentum_matrices
from tidepool.warp import find as find_recipe

Array = npt.NDArray[Any]

_BATCH = 256
_BLOCK = 4096  # pictures predicted at a time
# What the loop needs beside its steps: validation, closing; and the error of a short probe.
_MARGIN = 0.98


@dataclass(frozen=True)
class Settings:
    """What may be chosen; None means: chosen for the limit.

    seconds : wall time for everything here and for predicting ``predict_after`` more pictures, or epochs : passes
    over the training rows; stack : a name of the zoo or a Stack; recipe : a name;
    frame : (height, width) to pad to; share : held back; plan : to be repeated to the bit; flat : rows, not pictures;
    checkpoint : where the state is saved now and then; what is saved there already is gone on from.
    """

    seconds: float | None = None
    predict_after: int = 0
    epochs: float | None = None
    stack: str | Stack | None = None
    recipe: str | None = None
    frame: tuple[int, int] | None = None
    share: float | None = None
    seed: int = 0
    device: str = "auto"
    plan: Plan | None = None
    flat: bool = False
    checkpoint: Path | None = None


@dataclass
class Listener:
    """Who wants to hear of it."""

    on_plan: Callable[[Stack, Plan], None] | None = None
    on_epoch: Callable[[dict[str, Any]], None] | None = None
    on_step: Callable[[int, int], None] | None = None


@dataclass
class Fitted:
    """A trained model, how it came about, and what it says of the held-back rows (``held``: their row numbers)."""

    model: Model
    stack: Stack
    plan: Plan
    history: list[dict[str, Any]]
    held: npt.NDArray[np.int64]
    held_probabilities: npt.NDArray[np.float32]
    metrics: dict[str, Any] = field(default_factory=dict)
    interrupted: bool = False


def fit(images: ImageSet, settings: Settings, listener: Listener | None = None, groups: Array | None = None) -> Fitted:
    """Train on ``images`` and score on a part that is held back.

    groups : ``[N]``; rows of one group are never on both sides. Without it versions of one original are kept on one
    side, if the set knows its originals. The images may be mapped from the disk or Lazy: they are never copied.
    Raises DataError without labels or with one class only.
    """
    start = time.monotonic()
    listener = listener or Listener()
    labels = images.require_classes("training")
    classes, targets = np.unique(labels, return_inverse=True)
    targets = targets.astype(np.int64)
    if groups is None and images.groups is not None:
        share, rows, held = hold_back_originals(targets, settings.share, settings.seed, images.groups)
    else:
        share = default_share(len(images)) if settings.share is None else settings.share
        rows, held = hold_back(targets, share, settings.seed, groups)

    from tidepool.training import choose, loop
    from tidepool.training.checkpoint import Checkpoint
    from tidepool.training.device import pick_device
    from tidepool.training.run import Task, load_weights, predict

    device = pick_device(settings.device)
    _require_finite(images)
    pictures = images.images
    preprocessing = Preprocessing.fit(Rows(pictures, rows), settings.frame, settings.flat)
    pad_evenly(pictures[:1], preprocessing.frame)  # raises where the frame is too small
    seen, scored = (Rows(pictures, index, preprocessing.frame) for index in (rows, held))
    batch = min(_BATCH, max(8, len(rows) // 16), len(rows))
    recipe = find_recipe("none" if settings.flat else settings.recipe or "gentle")
    draft = Plan(
        steps=1,
        steps_per_epoch=max(1, len(rows) // batch),
        batch_size=batch,
        update=momentum_matrices(),
        average=0.98,
        recipe=recipe,
        seed=settings.seed,
    )

    def task(stack: Stack) -> Task:
        validation = (scored, targets[held]) if len(held) else None
        module = stack.module(settings.seed)
        return Task(module, preprocessing, seen, targets[rows], validation, device)

    def left() -> float:
        return (settings.seconds or 0.0) - (time.monotonic() - start)

    def prediction(pace: float) -> float:
        """Return the seconds of the last validation and of predicting afterwards: a forward pass is a third of a step.

        What is held back is predicted thrice: to validate, to set the temperature, and by the finished model.
        """
        return (settings.predict_after + 3 * len(held)) * pace / (3 * batch)

    shape = preprocessing.input_shape
    stack = zoo.find(settings.stack)(shape, len(classes)) if isinstance(settings.stack, str) else settings.stack
    checkpoint, fresh = None, True
    if settings.checkpoint is not None:
        checkpoint = Checkpoint(settings.checkpoint, _identity(images, settings, share))
        if saved := checkpoint.load():
            # The stack and the plan were chosen when the run began; only time worked counts for its budget.
            stack = Stack.from_dict(saved[1]["stack"])
            draft = Plan.from_dict(saved[1]["plan"])
            start -= saved[1]["worked"]
            fresh = False
    clocked = settings.plan is None and settings.seconds is not None
    pace = 0.0
    if clocked and fresh:
        # One short probe tells how fast this machine is now; the loop corrects the number of steps as it goes.
        probe = stack or choose.usual_stack(shape, len(classes), recipe)
        pace = choose.seconds_a_step(task(probe), draft)
        if stack is None:
            rate = 3 * probe.macs * batch / pace
            stack = choose.choose_stack(shape, len(classes), recipe, rate, left() - prediction(pace))
            pace *= stack.macs / probe.macs
    stack = stack or choose.usual_stack(shape, len(classes), recipe)
    stack.check_classes(len(classes))
    plan = settings.plan or draft
    if fresh and settings.plan is None:
        plan = draft.with_steps(round((settings.epochs or 10) * draft.steps_per_epoch))
    seconds = None
    if clocked:
        seconds = max(0.1, _MARGIN * (left() - prediction(pace)))
        if fresh:
            plan = draft.with_steps(int(seconds / pace))
    job = task(stack)
    if listener.on_plan:
        listener.on_plan(stack, plan)
    if checkpoint:
        checkpoint.facts = {"stack": stack.to_dict()}
    outcome = loop.train(
        job, plan, seconds=seconds, on_epoch=listener.on_epoch, on_step=listener.on_step, checkpoint=checkpoint
    )
    card: dict[str, Any] = {
        "classes": [c.item() if isinstance(c, np.integer) else str(c) for c in classes],
        "plan": outcome.plan.to_dict(),
        "seed": settings.seed,
        "held_back_share": share,
        "device": device,
        "versions": versions(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "trained_on": {
            "path": images.source.path,
            "format": images.source.format,
            "sha256": images.source.sha256,
            "images": len(images),
            "held_back": len(held),
            "frame": list(images.frame),
        },
        "training": {
            "seconds": outcome.seconds,
            "images_per_second": outcome.images_per_second,
            "epochs": outcome.steps / plan.steps_per_epoch,
            "steps": outcome.steps,
            "interrupted": outcome.interrupted,
        },
    }
    if not settings.flat:
        some, theirs = sampled(seen, targets[rows])
        card["seen"] = summary(pad_evenly(some, seen.frame, preprocessing.background), theirs, len(classes))
    if len(held):
        load_weights(job.module, outcome.weights)
        logits = predict(job.module, preprocessing, scored, device).numpy()
        card["temperature"] = best_temperature(logits, targets[held])
    model = Model.make(stack, preprocessing, outcome.weights, card)
    probabilities = _probabilities(model, scored)
    validation = None
    if len(held):
        validation = {"accuracy": float((probabilities.argmax(1) == targets[held]).mean()), "n": len(held)}
    model.card["validation"] = validation
    metrics = {
        "validation": validation,
        "train": {key: card["training"][key] for key in ("seconds", "images_per_second", "epochs")},
        "model": {"parameters": parameters(stack), "stack": [f"{name}: {layer!r}" for name, layer in stack.layers]},
        "seed": settings.seed,
        "device": device,
    }
    return Fitted(
        model, stack, outcome.plan, outcome.history, held, probabilities, metrics, interrupted=outcome.interrupted
    )


def _require_finite(images: ImageSet) -> None:
    if found := first_not_finite(images.images):
        count, first = found
        name = images.source.path or "the training set"
        raise DataError(
            f"{name}: {count:,} of {len(images):,} pictures hold NaN or infinite values (first: {first + 1})",
            "replace those values, or leave those pictures out",
        )


def _probabilities(model: Model, rows: Rows) -> npt.NDArray[np.float32]:
    """Return the probabilities ``[N, K]`` of rows, some at a time."""
    parts = [model.predict_proba(rows[start : start + _BLOCK]) for start in range(0, len(rows), _BLOCK)]
    return np.concatenate(parts) if parts else np.empty((0, len(model.classes)), np.float32)


def _identity(images: ImageSet, settings: Settings, share: float) -> dict[str, Any]:
    """Return what must be equal for a stopped run to be gone on with."""
    stack = settings.stack.to_dict() if isinstance(settings.stack, Stack) else settings.stack
    return {
        "images": len(images),
        "sha256": images.source.sha256,
        "seconds": None if settings.seconds is None else "a budget",
        "epochs": settings.epochs,
        "stack": stack,
        "recipe": settings.recipe,
        "frame": settings.frame,
        "share": share,
        "seed": settings.seed,
    }


def versions() -> dict[str, str]:
    """Return the versions that decide the weights."""
    import platform

    import torch

    return {
        "tidepool": __version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
