"""The state of one training: what is trained, how far it is, and what the rest of it depends on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from tidepool.errors import InputError
from tidepool.images import Array, Lazy
from tidepool.nets.faster import rearrange
from tidepool.nets.layers.base import part_of
from tidepool.preprocessing import Preprocessing, pad_evenly
from tidepool.training.average import Average
from tidepool.training.optimisers import optimisers
from tidepool.training.order import Order
from tidepool.training.plan import Plan
from tidepool.training.resident import Resident

Weights = dict[str, Array]

_BATCH_OF_PREDICTION = 500


@dataclass
class Outcome:
    """What training gives back.

    weights : the best (averaged) ones by validation, or the last ones without validation; plan : as it was
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
    """What is trained on what: a module that gives logits, raw pictures, class indices.

    images : ``[N, h, w]`` or ``[N, h, w, C]`` in the model's frame, or Rows in any frame up to it; targets : ``[N]``;
    validation : the same two for scoring; half : products of bfloat16 in training, see ``halves``.
    """

    module: nn.Module
    preprocessing: Preprocessing
    images: Array | Lazy | Resident
    targets: npt.NDArray[np.int64]
    validation: tuple[Array | Lazy, npt.NDArray[np.int64]] | None = None
    device: str = "cpu"
    half: bool = False


class Run:
    """A training under way."""

    def __init__(self, task: Task, plan: Plan, order: Order) -> None:
        self.task = task
        self.order = order
        self.module = ready(task.module, task.device)
        self.rules = optimisers(self.module, plan.update)
        self.average = Average(self.module, plan.average) if plan.average else None
        self.outcome = Outcome({}, plan)
        self.step = 0
        self.best = float("inf")
        self._since = 0
        self._loss = torch.zeros((), device=task.device)
        self._start = self._epoch_start = time.monotonic()

    def worked(self) -> float:
        """Return the seconds worked, those before a restart included."""
        return time.monotonic() - self._start

    def count(self, loss: Tensor) -> None:
        """Take note of a step that was done."""
        self._loss += loss
        self._since += 1
        self.step += 1
        if self.average:
            self.average.update()

    def close_epoch(self) -> dict[str, Any]:
        """Validate the averaged weights, keep them if they are the best so far, and return the epoch's row."""
        task, outcome = self.task, self.outcome
        row: dict[str, Any] = {"epoch": len(outcome.history) + 1, "step": self.step}
        row["train_loss"] = float(self._loss) / self._since
        if self.average:
            self.average.swap()
        if task.validation is not None and len(task.validation[1]):
            logits = predict(self.module, task.preprocessing, task.validation[0], task.device)
            truth = torch.from_numpy(task.validation[1])
            row["valid_loss"] = float(functional.cross_entropy(logits, truth))
            row["valid_accuracy"] = float((logits.argmax(1) == truth).double().mean())
            # Compared by the loss that is minimised: label smoothing makes answers less sure, on purpose, and the
            # plain loss would take that for a step back.
            aim = float(functional.cross_entropy(logits, truth, label_smoothing=outcome.plan.smoothing))
            row["best"] = aim <= self.best
            self.best = min(aim, self.best)
        else:
            row["best"] = False
        if row["best"] or "valid_loss" not in row:
            outcome.weights = weights_of(self.module)
        if self.average:
            self.average.swap()
        row["seconds"] = time.monotonic() - self._epoch_start
        outcome.history.append(row)
        self._since = 0
        self._loss.zero_()
        self._epoch_start = time.monotonic()
        return row

    def averaged_weights(self) -> Weights:
        """Return a copy of the averaged weights, or of the live ones where nothing is averaged."""
        if not self.average or not self.step:
            return weights_of(self.module)
        self.average.swap()
        weights = weights_of(self.module)
        self.average.swap()
        return weights

    def _tensors(self) -> dict[str, Tensor]:
        """Return every tensor that changes from step to step, by name; the same names for the same task and plan."""
        found = {f"live.{name}": value for name, value in self.module.state_dict().items()}
        found["loss"] = self._loss
        if self.average:
            found.update({f"average.{i}": value for i, value in enumerate(self.average.kept)})
        for i, rule in enumerate(self.rules):
            found.update({f"rule{i}.{j}": value for j, value in enumerate(rule.tensors())})
        return found

    def state(self) -> tuple[Weights, dict[str, Any]]:
        """Return the arrays and the facts from which ``restore`` goes on to the bit."""
        arrays = {name: value.detach().cpu().contiguous().numpy() for name, value in self._tensors().items()}
        arrays.update({f"best.{name}": value for name, value in self.outcome.weights.items()})
        arrays.update({f"order.{name}": value for name, value in self.order.state().items()})
        facts = {
            "step": self.step,
            "since": self._since,
            "best": self.best if np.isfinite(self.best) else None,
            "plan": self.outcome.plan.to_dict(),
            "history": self.outcome.history,
            "worked": self.worked(),
            "epoch_seconds": time.monotonic() - self._epoch_start,
            "average_steps": self.average.steps if self.average else 0,
        }
        return arrays, facts

    def restore(self, arrays: Weights, facts: dict[str, Any]) -> None:
        """Put a saved state back. Raises InputError if it is one of another stack or plan."""
        tensors = self._tensors()
        names = {name for name in arrays if not name.startswith(("best.", "order."))}
        if names != set(tensors) or any(arrays[name].shape != tuple(tensors[name].shape) for name in names):
            raise InputError("the checkpoint is one of another stack", "delete it to start afresh")
        with torch.no_grad():
            for name, value in tensors.items():
                value.copy_(torch.from_numpy(arrays[name]))
        self.outcome.weights = part_of(arrays, "best")
        self.order.restore(part_of(arrays, "order"))
        self.outcome.plan = Plan.from_dict(facts["plan"])
        self.outcome.history = list(facts["history"])
        self.step, self._since = facts["step"], facts["since"]
        self.best = float("inf") if facts["best"] is None else facts["best"]
        self._start = time.monotonic() - facts["worked"]
        self._epoch_start = time.monotonic() - facts["epoch_seconds"]
        if self.average:
            self.average.steps = facts["average_steps"]
        for rule in self.rules:
            rule.steps = self.step


def halves(device: str) -> bool:
    """Return whether training on ``device`` multiplies bfloat16: on NVIDIA's GPUs that do so themselves."""
    return torch.device(device).type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def ready(module: nn.Module, device: str) -> nn.Module:
    """Put a module on its device, its filters in the layout that small pictures train fastest in."""
    module = rearrange(module).to(device)
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def predict(module: nn.Module, preprocessing: Preprocessing, images: Array | Lazy, device: str = "cpu") -> Tensor:
    """Return the logits float32 ``[N, K]`` (on the CPU) of raw pictures, padded evenly to the model's frame."""
    module.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(images), _BATCH_OF_PREDICTION):
            part = np.ascontiguousarray(images[start : start + _BATCH_OF_PREDICTION])
            part = pad_evenly(part, preprocessing.frame, preprocessing.background)
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
