"""The training loop: pictures stay resident as the file had them, each step is one gather, one warp, one update."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from tidepool.errors import OutsideError, TidepoolError
from tidepool.randomness import seed_for
from tidepool.training.batches import Batches
from tidepool.training.checkpoint import Checkpoint
from tidepool.training.optimisers import Rule
from tidepool.training.plan import Plan
from tidepool.training.run import Outcome, Run, Task

Array = npt.NDArray[Any]
Weights = dict[str, Array]

# How often the loop looks at the clock and at the loss; rare, since on a GPU a look at the loss waits for it.
_LOOK = 20
_BATCH_OF_PREDICTION = 500


class StopTraining(Exception):
    """Raised by a handler of ``on_epoch`` to end training and keep the model."""


def train(
    task: Task,
    plan: Plan,
    *,
    seconds: float | None = None,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    on_step: Callable[[int, int], None] | None = None,
    checkpoint: Checkpoint | None = None,
    state: tuple[Weights, dict[str, Any]] | None = None,
) -> Outcome:
    """Carry out ``plan``; with ``seconds`` its end is moved so that they are used up and no more.

    With a ``checkpoint`` the state is saved now and then; a saved ``state`` is gone on from, to the bit.
    Raises TidepoolError when the loss is no longer finite. KeyboardInterrupt ends training and keeps the model.
    """
    source = Batches(task.images, plan, task.preprocessing.background, task.device)
    run = Run(task, plan, source.order)
    if state:
        run.restore(*state)
    outcome = run.outcome
    targets = torch.from_numpy(task.targets).to(task.device)
    batches = source(run.step)
    pacer = _Pacer(seconds, run.worked) if seconds is not None else None
    with own_randomness(task.device), _signals() as asked_to_stop:
        try:
            while run.step < outcome.plan.last_step:
                rate = outcome.plan.rate(run.step)
                for rule in run.rules:
                    for group in rule.param_groups:
                        group["lr"] = group["full_lr"] * rate
                images, index = next(batches)
                torch.manual_seed(seed_for(plan.seed, run.step, 0xD0))
                losses = one_step(task, run.module, run.rules, images, targets[index], plan.smoothing)
                source.order.learnt(run.step, index, losses)
                loss = losses.mean()
                run.count(loss)
                if run.step % _LOOK == 0:
                    _require_finite(loss, run.step)
                    if pacer:
                        outcome.plan = pacer.look(outcome.plan, run.step)
                if run.step % plan.steps_per_epoch == 0 or run.step >= outcome.plan.last_step:
                    _require_finite(loss, run.step)
                    row = run.close_epoch()
                    if on_epoch:
                        on_epoch(row)
                # From here on the state is that of a whole step: the only place where it may be saved or left.
                if on_step:
                    on_step(run.step, outcome.plan.last_step)
                if checkpoint and checkpoint.due():
                    checkpoint.save(*run.state())
                if asked_to_stop():
                    raise StopTraining
        except (KeyboardInterrupt, StopTraining):
            outcome.interrupted = True
            if checkpoint:
                checkpoint.save(*run.state())
            if not outcome.weights:
                outcome.weights = run.averaged_weights()
        except RuntimeError as error:
            raise _translated(error) from error
        finally:
            batches.close()  # type: ignore[attr-defined]
    outcome.steps = run.step
    outcome.seconds = run.worked()
    return outcome


def one_step(
    task: Task, module: nn.Module, rules: list[Rule], images: Tensor, targets: Tensor, smoothing: float
) -> Tensor:
    """Do one step of training and return the loss of each image ``[n]``, without label smoothing."""
    module.train()
    batch = task.preprocessing.prepare(images)
    if batch.ndim == 4:
        batch = batch.contiguous(memory_format=torch.channels_last)
    # Weights, their gradients and the loss stay float32; the products are made of bfloat16, which needs no scaling.
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=task.half):
        logits = module(batch)
    likelihood = functional.log_softmax(logits.float(), dim=1)
    losses = functional.nll_loss(likelihood, targets, reduction="none")
    loss = losses.mean()
    if smoothing:
        loss = (1 - smoothing) * loss - smoothing * likelihood.mean()
    for rule in rules:
        rule.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    for rule in rules:
        rule.step()
    # Those reported are without smoothing: only they can be set beside the validation loss.
    return losses.detach()


class _Pacer:
    """Fits the plan's end to the clock: re-planned whenever the present speed would miss it by more than a little.

    worked : returns the seconds that this run has worked, those before a restart included.
    """

    def __init__(self, seconds: float, worked: Callable[[], float]) -> None:
        self.seconds = seconds
        self.worked = worked
        self.last = worked()
        self.pace = 0.0

    def look(self, plan: Plan, step: int) -> Plan:
        """Return the plan, its end moved if need be; called every ``_LOOK`` steps."""
        now = self.worked()
        recent, self.last = (now - self.last) / _LOOK, now
        self.pace = recent if not self.pace else 0.7 * self.pace + 0.3 * recent
        left = self.seconds - now
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
def _signals() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C and SIGTERM wait for the end of a step, so that no half-done step is kept; a second one does not wait.

    Python delivers signals to the main thread alone; elsewhere nothing is changed.
    """
    asked: list[int] = []

    def ask(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def own_randomness(device: str) -> AbstractContextManager[None]:
    """Keep the caller's random state of torch, on the CPU and on ``device``: ours is set before every step."""
    where = torch.device(device)
    if where.type == "cpu":
        return torch.random.fork_rng([])
    return torch.random.fork_rng([where], device_type=where.type)
