"""The training loop: pictures stay resident as the file had them, each step is one gather, one warp, one update."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from tidepool.errors import InputError, OutsideError, TidepoolError
from tidepool.nets.faster import rearrange
from tidepool.preprocessing import Preprocessing
from tidepool.randomness import seed_for
from tidepool.training.average import Average
from tidepool.training.batches import Batches
from tidepool.training.optimisers import Rule, optimisers
from tidepool.training.plan import Plan

Array = npt.NDArray[Any]
Weights = dict[str, Array]

# How often the loop looks at the clock and at the loss; rare, since on a GPU a look at the loss waits for it.
_LOOK = 20
_BATCH_OF_PREDICTION = 500


class StopTraining(Exception):
    """Raised by a handler of ``on_epoch`` to end training and keep the model."""


@dataclass
class Outcome:
    """What training gives back.

    weights : the best (averaged) ones by validation loss, or the last ones without validation; plan : as it was
    carried out, changes included; history : a row an epoch; steps : done; interrupted : ended by Ctrl-C or handler.
    """

    weights: Weights
    plan: Plan
    history: list[dict[str, Any]] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def images_per_second(self) -> float:
        """Training images a second, validation left out of the images but not of the seconds."""
        return self.steps * self.plan.batch_size / self.seconds if self.seconds else 0.0


@dataclass
class Task:
    """What is trained on what: a module that gives logits, pictures in the model's frame, class indices."""

    module: nn.Module
    preprocessing: Preprocessing
    images: Array
    targets: npt.NDArray[np.int64]
    validation: tuple[Array, npt.NDArray[np.int64]] | None = None
    device: str = "cpu"


def train(
    task: Task,
    plan: Plan,
    *,
    seconds: float | None = None,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Carry out ``plan``; with ``seconds`` its end is moved so that they are used up and no more.

    Raises TidepoolError when the loss is no longer finite. KeyboardInterrupt ends training and keeps the model.
    """
    module = ready(task.module, task.device)
    outcome = Outcome({}, plan)
    rules = optimisers(module, plan.update)
    average = Average(module, plan.average) if plan.average else None
    targets = torch.from_numpy(task.targets).to(task.device)
    batches = Batches(task.images, plan, task.preprocessing.background)(0)
    pacer = _Pacer(seconds) if seconds is not None else None
    best, since, loss_sum = float("inf"), 0, torch.zeros((), device=task.device)
    start = epoch_start = time.monotonic()
    step = 0
    with _own_randomness():
        try:
            while step < outcome.plan.last_step:
                rate = outcome.plan.rate(step)
                for rule in rules:
                    for group in rule.param_groups:
                        group["lr"] = group["full_lr"] * rate
                images, index = next(batches)
                torch.manual_seed(seed_for(plan.seed, step, 0xD0))
                loss = one_step(task, module, rules, images, targets[torch.from_numpy(index)], plan.smoothing)
                loss_sum += loss
                since += 1
                step += 1
                if average:
                    average.update()
                if on_step:
                    on_step(step, outcome.plan.last_step)
                if step % _LOOK == 0:
                    _require_finite(loss, step)
                    if pacer:
                        outcome.plan = pacer.look(outcome.plan, step)
                if step % plan.steps_per_epoch == 0 or step >= outcome.plan.last_step:
                    _require_finite(loss, step)
                    row, weights = _close_epoch(task, module, average, loss_sum / since, best)
                    if weights is not None:
                        best, outcome.weights = row.get("valid_loss", 0.0), weights
                    row = {"epoch": len(outcome.history) + 1, "step": step, **row}
                    row["seconds"] = time.monotonic() - epoch_start
                    outcome.history.append(row)
                    outcome.steps, since = step, 0
                    loss_sum.zero_()
                    epoch_start = time.monotonic()
                    if on_epoch:
                        on_epoch(row)
        except (KeyboardInterrupt, StopTraining):
            outcome.interrupted = True
            if not outcome.weights:
                if average and step:
                    average.swap()
                outcome.weights = weights_of(module)
        except RuntimeError as error:
            raise _translated(error) from error
        finally:
            batches.close()  # type: ignore[attr-defined]
    outcome.steps = step
    outcome.seconds = time.monotonic() - start
    return outcome


def one_step(
    task: Task, module: nn.Module, rules: list[Rule], images: Array, targets: Tensor, smoothing: float
) -> Tensor:
    """Do one step of training and return the loss, without label smoothing."""
    module.train()
    batch = task.preprocessing.prepare(torch.from_numpy(images).to(task.device, non_blocking=True))
    if batch.ndim == 4:
        batch = batch.contiguous(memory_format=torch.channels_last)
    likelihood = functional.log_softmax(module(batch), dim=1)
    loss = functional.nll_loss(likelihood, targets)
    # The loss reported is the one without smoothing: only that can be set beside the validation loss.
    reported = loss.detach()
    if smoothing:
        loss = (1 - smoothing) * loss - smoothing * likelihood.mean()
    for rule in rules:
        rule.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    for rule in rules:
        rule.step()
    return reported


def ready(module: nn.Module, device: str) -> nn.Module:
    """Put a module on its device, its filters in the layout that small pictures train fastest in."""
    module = rearrange(module).to(device)
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _close_epoch(
    task: Task, module: nn.Module, average: Average | None, train_loss: Tensor, best: float
) -> tuple[dict[str, Any], Weights | None]:
    """Return the epoch's row, and the weights if they are the best so far (always, without validation)."""
    row: dict[str, Any] = {"train_loss": float(train_loss)}
    if average:
        average.swap()
    if task.validation is not None and len(task.validation[1]):
        logits = predict(module, task.preprocessing, task.validation[0], task.device)
        truth = torch.from_numpy(task.validation[1])
        row["valid_loss"] = float(functional.cross_entropy(logits, truth))
        row["valid_accuracy"] = float((logits.argmax(1) == truth).double().mean())
    better = row.get("valid_loss", float("-inf")) <= best
    weights = weights_of(module) if better else None
    row["best"] = better and "valid_loss" in row
    if average:
        average.swap()
    return row, weights


def predict(module: nn.Module, preprocessing: Preprocessing, images: Array, device: str = "cpu") -> Tensor:
    """Return the logits float32 ``[N, K]`` (on the CPU) of pictures in the model's frame."""
    module.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(images), _BATCH_OF_PREDICTION):
            part = np.ascontiguousarray(images[start : start + _BATCH_OF_PREDICTION])
            batch = preprocessing.prepare(torch.from_numpy(part).to(device))
            if batch.ndim == 4:
                batch = batch.contiguous(memory_format=torch.channels_last)
            found.append(module(batch).float().cpu())
    return torch.cat(found)


def weights_of(module: nn.Module) -> Weights:
    """Return a copy of everything in a module's state, as numpy arrays in torch's own layout."""
    return {
        name: value.detach().cpu().contiguous().numpy().copy()
        for name, value in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def load_weights(module: nn.Module, weights: Weights) -> None:
    """Put weights back; every name and shape must be there."""
    state = {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
    missing = module.load_state_dict(state, strict=False)
    absent = [name for name in missing.missing_keys if not name.endswith("num_batches_tracked")]
    if absent or missing.unexpected_keys:
        raise InputError(f"weights do not fit the stack: {absent or missing.unexpected_keys}")


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


class _Pacer:
    """Fits the plan's end to the clock: re-planned whenever the present speed would miss it by more than a little."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.start = self.last = time.monotonic()
        self.pace = 0.0

    def look(self, plan: Plan, step: int) -> Plan:
        """Return the plan, its end moved if need be; called every ``_LOOK`` steps."""
        now = time.monotonic()
        recent, self.last = (now - self.last) / _LOOK, now
        self.pace = recent if not self.pace else 0.7 * self.pace + 0.3 * recent
        left = self.seconds - (now - self.start)
        end = step + max(1, int(left / self.pace))
        off = (end - plan.last_step) / (plan.last_step - step) if plan.last_step > step else 0.0
        # Late is worse than early: time that is left over is only lost, time that is missing breaks the budget.
        if -0.02 < off < 0.05:
            return plan
        return replace(plan, changes=(*plan.changes, (step, end)))


def _require_finite(loss: Tensor, step: int) -> None:
    if not torch.isfinite(loss):
        raise TidepoolError(
            f"the loss is {float(loss)} at step {step}: training has diverged",
            "use a smaller learning rate, or check that the pictures hold no infinite values",
        )


def _translated(error: RuntimeError) -> Exception:
    if "out of memory" in str(error).lower() or "can't allocate memory" in str(error).lower():
        return OutsideError("out of memory while training", "use a smaller batch, a smaller stack or a smaller --size")
    return error


@contextmanager
def _own_randomness() -> Iterator[None]:
    """Keep the caller's torch random state as it was: ours is set before every step."""
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)
