"""Pictures, labels and a limit in; a trained, scored model out. What ``run``, ``train`` and ``Classifier`` share."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.images import ImageSet
from tidepool.model import Model
from tidepool.nets import zoo
from tidepool.nets.layers.base import part_of
from tidepool.nets.stack import Stack, ensemble
from tidepool.nets.summary import parameters
from tidepool.preprocessing import Preprocessing, pad_evenly
from tidepool.randomness import seed_for
from tidepool.statistics import best_temperature
from tidepool.training.card import card_of
from tidepool.training.ensemble import choose_members
from tidepool.training.plan import Plan
from tidepool.training.regime import Regime
from tidepool.training.rows import Rows, require_finite
from tidepool.training.settings import Fitted, Listener, Settings
from tidepool.training.split import default_share, hold_back, hold_back_originals
from tidepool.warp import find as find_recipe

Array = npt.NDArray[Any]
Weights = dict[str, Array]

_BLOCK = 4096  # pictures predicted at a time
# What the loop needs beside its steps: validation, closing; and the error of a short probe.
_MARGIN = 0.98
_CLOSING = 0.6  # seconds to export the net and to judge its views
_MEMBER = 0xE5  # keeps the seeds of an ensemble's members apart


def fit(images: ImageSet, settings: Settings, listener: Listener | None = None, groups: Array | None = None) -> Fitted:
    """Train on ``images`` and score on a part that is held back.

    groups : ``[N]``; rows of one group are never on both sides. Without it versions of one original are kept on one
    side, if the set knows its originals. The images may be mapped from the disk or Lazy: they are never copied.
    Raises DataError without labels or with one class only.
    """
    fitting = _Fitting(images, settings, listener or Listener(), groups)
    fitting.choose()
    while fitting.number < len(fitting.stacks) and not fitting.interrupted:
        fitting.train_next()
    return fitting.result()


class _Fitting:
    """One call of ``fit`` under way: the members of the ensemble are trained one after the other."""

    def __init__(self, images: ImageSet, settings: Settings, listener: Listener, groups: Array | None) -> None:
        self.start = time.monotonic()  # importing torch counts
        from tidepool.training.checkpoint import Checkpoint
        from tidepool.training.device import pick_device
        from tidepool.training.resident import resident

        self.images, self.settings, self.listener = images, settings, listener
        labels = images.require_classes("training")
        self.classes, targets = np.unique(labels, return_inverse=True)
        targets = targets.astype(np.int64)
        if groups is None and images.groups is not None:
            self.share, rows, self.held = hold_back_originals(targets, settings.share, settings.seed, images.groups)
        else:
            self.share = default_share(len(images)) if settings.share is None else settings.share
            rows, self.held = hold_back(targets, self.share, settings.seed, groups)
        self.device = pick_device(settings.device)
        require_finite(images)
        pictures = images.images
        self.preprocessing = Preprocessing.fit(Rows(pictures, rows), settings.frame, settings.flat)
        pad_evenly(pictures[:1], self.preprocessing.frame)  # raises where the frame is too small
        self.seen, self.scored = (Rows(pictures, index, self.preprocessing.frame) for index in (rows, self.held))
        self.targets, self.truth = targets[rows], targets[self.held]
        self.learnt = resident(self.seen, self.device)  # uploaded once for all members
        regime = settings.regime or Regime()
        if settings.flat or settings.recipe:
            regime = regime.with_recipe(find_recipe("none" if settings.flat else settings.recipe or ""))
        self.draft = regime.plan(len(rows), settings.seed)
        self.clocked = settings.seconds is not None and not settings.plans
        self.stacks: list[Stack] = []
        self.number = 0  # of the member that comes next
        self.pace = 0.0  # seconds that a multiply-add of a step takes here, measured by a probe
        self.weights: list[Weights] = []
        self.logits: list[Array] = []
        self.plans: list[Plan] = []
        self.history: list[dict[str, Any]] = []
        self.seconds, self.steps = 0.0, 0
        self.interrupted = False
        self.state: tuple[Weights, dict[str, Any]] | None = None
        self.checkpoint: Checkpoint | None = None
        if settings.checkpoint is not None:
            self.checkpoint = Checkpoint(settings.checkpoint, settings.identity(images, self.share))

    def choose(self) -> None:
        """Decide which stacks are trained; of a run that stopped, take what was decided and done."""
        from tidepool.training import choose

        if self.checkpoint and (saved := self.checkpoint.load()):
            self._go_on(*saved)
            return
        settings, shape, count = self.settings, self.preprocessing.input_shape, len(self.classes)
        given = zoo.find(settings.stack)(shape, count) if isinstance(settings.stack, str) else settings.stack
        stacks = list(given.members) if given else []
        if self.clocked:
            # One short probe tells how fast this machine is now; the loop corrects the number of steps as it goes.
            probe = stacks[0] if stacks else choose.usual_stack(shape, count, self.draft.recipe)
            self.pace = choose.seconds_a_step(self._task(probe, self.draft.seed), self.draft) / max(1, probe.macs)
            if not stacks:
                rate = 3 * self.draft.batch_size / self.pace
                left = self._left() - self._prediction([probe])
                stacks = choose.choose_stacks(shape, count, self.draft.recipe, rate, left)
        self.stacks = stacks or [choose.usual_stack(shape, count, self.draft.recipe)]
        for stack in self.stacks:
            stack.check_classes(count)

    def train_next(self) -> None:
        """Train one member, and note what it says of the held-back rows."""
        from tidepool.training import loop
        from tidepool.training.run import load_weights, predict

        stack = self.stacks[self.number]
        plan, seconds = self._plan(stack)
        job = self._task(stack, plan.seed)
        if self.listener.on_plan:
            self.listener.on_plan(stack, plan, self.number + 1, len(self.stacks))
        if self.checkpoint:
            self.checkpoint.facts, self.checkpoint.arrays = self._done()
        outcome = loop.train(
            job,
            plan,
            seconds=seconds,
            on_epoch=self._on_epoch,
            on_step=self.listener.on_step,
            checkpoint=self.checkpoint,
            state=self.state,
        )
        self.state = None
        load_weights(job.module, outcome.weights)
        if len(self.held):
            self.logits.append(predict(job.module, self.preprocessing, self.scored, self.device).numpy())
        else:
            self.logits.append(np.empty((0, len(self.classes)), np.float32))
        self.weights.append(outcome.weights)
        self.plans.append(outcome.plan)
        self.history += self._numbered(outcome.history)
        self.seconds += outcome.seconds
        self.steps += outcome.steps
        self.interrupted = outcome.interrupted
        self.number += 1

    def result(self) -> Fitted:
        """Put the members together that do best together, and score them."""
        kept = choose_members(self.logits, self.truth)
        if self.interrupted and not len(self.truth) and len(kept) > 1:
            kept = kept[:-1]  # nothing tells whether the half-trained one would help
        stack = ensemble([self.stacks[i] for i in kept])
        weights = self.weights[kept[0]]
        if len(kept) > 1:
            weights = {f"ensemble.member{n + 1}.{k}": v for n, i in enumerate(kept) for k, v in self.weights[i].items()}
        plans = tuple(self.plans[i] for i in kept)
        card = card_of(self.images, self.settings, self.classes, self.held, self.share, self.device, plans)
        card["training"] = {
            "seconds": self.seconds,
            "images_per_second": self.steps * self.draft.batch_size / self.seconds if self.seconds else 0.0,
            "epochs": self.steps / self.draft.steps_per_epoch,
            "steps": self.steps,
            "members": len(self.weights),
            "interrupted": self.interrupted,
        }
        if not self.settings.flat:
            card["seen"] = self._seen()
        if len(self.held):
            card["temperature"] = best_temperature(np.mean([self.logits[i] for i in kept], axis=0), self.truth)
            card["first_temperature"] = best_temperature(self.logits[kept[0]], self.truth)
        model = Model.make(stack, self.preprocessing, weights, card)
        if len(self.held) and not self.settings.flat:
            some = min(len(self.scored), _BLOCK)
            model.judge_views(self.scored[:some], self.truth[:some])
        probabilities = _probabilities(model, self.scored)
        validation = None
        if len(self.held):
            right = probabilities.argmax(1) == self.truth
            validation = {"accuracy": float(right.mean()), "n": len(self.held)}
        model.card["validation"] = validation
        layers = [f"{name}: {layer!r}" for one in stack.members for name, layer in one.layers]
        metrics = {
            "validation": validation,
            "train": {key: card["training"][key] for key in ("seconds", "images_per_second", "epochs")},
            "model": {"parameters": parameters(stack), "stack": layers, "members": len(kept)},
            "seed": self.settings.seed,
            "device": self.device,
        }
        return Fitted(model, stack, plans, self.history, self.held, probabilities, metrics, self.interrupted)

    def _task(self, stack: Stack, seed: int) -> Any:
        from tidepool.training.run import Task, halves

        validation = (self.scored, self.truth) if len(self.held) else None
        module = stack.module(seed)
        return Task(module, self.preprocessing, self.learnt, self.targets, validation, self.device, halves(self.device))

    def _plan(self, stack: Stack) -> tuple[Plan, float | None]:
        """Return the plan of the next member, and the seconds that it has where the clock decides."""
        if self.settings.plans:
            return self.settings.plans[self.number], None
        seed = self.settings.seed
        draft = replace(self.draft, seed=seed_for(seed, _MEMBER, self.number) if self.number else seed)
        plan = draft.with_steps(round((self.settings.epochs or 10) * draft.steps_per_epoch))
        seconds = None
        if self.clocked:
            rest = self.stacks[self.number :]
            share = stack.macs / max(1, sum(one.macs for one in rest))
            seconds = max(0.1, _MARGIN * share * (self._left() - self._prediction(self.stacks)))
            if self.pace:
                plan = draft.with_steps(int(seconds / (self.pace * stack.macs)))
        if self.state:
            plan = Plan.from_dict(self.state[1]["plan"])
            if seconds is not None:
                seconds += self.state[1]["worked"]
        return plan, seconds

    def _left(self) -> float:
        return (self.settings.seconds or 0.0) - (time.monotonic() - self.start) - _CLOSING

    def _prediction(self, stacks: list[Stack]) -> float:
        """Return the seconds of the last validation and of predicting afterwards: a forward pass is a third of a step.

        What is held back is predicted thrice: to validate, to set the temperature, and by the finished model; all of
        it twice where views pay, at most.
        """
        work = self.pace * sum(stack.macs for stack in stacks) / (3 * self.draft.batch_size)
        return (self.settings.predict_after + 3 * len(self.held)) * work

    def _on_epoch(self, row: dict[str, Any]) -> None:
        if self.listener.on_epoch:
            self.listener.on_epoch(self._numbered([row])[0])

    def _numbered(self, history: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return history if len(self.stacks) == 1 else [{"member": self.number + 1, **row} for row in history]

    def _done(self) -> tuple[dict[str, Any], Weights]:
        """Return the facts and arrays of the members that are trained, as a checkpoint keeps them."""
        facts = {
            "stacks": [stack.to_dict() for stack in self.stacks],
            "plans": [plan.to_dict() for plan in self.plans],
            "rows": self.history,
            "seconds": self.seconds,
            "steps": self.steps,
            "pace": self.pace,
            # The loop counts what it worked by itself, also before a stop.
            "before": time.monotonic() - self.start - (self.state[1]["worked"] if self.state else 0.0),
        }
        arrays = {f"member{i}.{name}": value for i, one in enumerate(self.weights) for name, value in one.items()}
        arrays.update({f"logits{i}": value for i, value in enumerate(self.logits)})
        return facts, arrays

    def _go_on(self, arrays: Weights, facts: dict[str, Any]) -> None:
        """Take up a run that stopped: only time worked counts for its budget."""
        self.stacks = [Stack.from_dict(values) for values in facts["stacks"]]
        self.plans = [Plan.from_dict(values) for values in facts["plans"]]
        self.history, self.seconds, self.steps = facts["rows"], facts["seconds"], facts["steps"]
        self.pace = facts["pace"]
        self.start -= facts["before"] + facts["worked"]
        self.number = len(self.plans)
        for i in range(self.number):
            self.weights.append(part_of(arrays, f"member{i}"))
            self.logits.append(arrays[f"logits{i}"])
        done = tuple(f"{kind}{i}" for kind in ("member", "logits") for i in range(self.number))
        arrays = {name: value for name, value in arrays.items() if name.partition(".")[0] not in done}
        self.state = arrays, facts

    def _seen(self) -> dict[str, Any]:
        from tidepool.seen import sampled, summary

        some, theirs = sampled(self.seen, self.targets)
        whole = pad_evenly(some, self.preprocessing.frame, self.preprocessing.background)
        return summary(whole, theirs, len(self.classes))


def _probabilities(model: Model, rows: Rows) -> npt.NDArray[np.float32]:
    """Return the probabilities ``[N, K]`` of rows, some at a time."""
    parts = [model.predict_proba(rows[start : start + _BLOCK]) for start in range(0, len(rows), _BLOCK)]
    return np.concatenate(parts) if parts else np.empty((0, len(model.classes)), np.float32)
