"""From seconds to a plan: which stack, how many steps, decided from the throughput measured on this machine."""

from __future__ import annotations

import copy
import time
from dataclasses import replace

import torch

from tidepool.nets.layers import Shape
from tidepool.nets.stack import Stack
from tidepool.nets.zoo import dense, find
from tidepool.training.batches import Batches
from tidepool.training.loop import one_step, own_randomness
from tidepool.training.optimisers import optimisers
from tidepool.training.plan import Plan
from tidepool.training.run import Task, ready
from tidepool.warp import Recipe

# Pictures that a stack must be shown to be worth its price, measured on 10,000 held-back rows of MNIST's 60,000. Warped
# anew each time, few pictures shown often teach as much as many shown seldom, so it is the showings that count.
# The large one after 105,000: loss .0119, the small one in that time .0146; after 56,000 .0181 and .0138.
_LARGE = 90_000
# Who joins it, as long as each member can be shown that many. Alone it has 99.61 % right after 486,000, loss .0120
# (three seeds), and no more after three times as many under wider warps. Three nets of different kinds, shown 169,000
# each, have 99.68 % and .0099, which they also have after 486,000 each; shown 97,000 each, .0113; four .0097; with fine
# and another large .0096 (one draw each). Kinds count, for they are wrong elsewhere: three times large has .0108.
_SHOWINGS_OF_A_MEMBER = 160_000
_OTHERS = ("moments-large", "broad", "large", "fine", "broad", "large", "moments-large", "broad", "large")
_PROBE_STEPS = 5


def usual_stack(shape: Shape, classes: int, recipe: Recipe) -> Stack:
    """Return the stack of the zoo for those who give no time: the middle one."""
    return dense(shape, classes) if len(shape) == 1 else find(_family(recipe) + "medium")(shape, classes)


def choose_stacks(shape: Shape, classes: int, recipe: Recipe, macs_per_second: float, seconds: float) -> list[Stack]:
    """Return the members that ``seconds`` can train well."""

    def shown(stacks: list[Stack]) -> float:
        # Forward, backward to the input and backward to the weights cost about the same.
        return seconds * macs_per_second / (3 * sum(stack.macs for stack in stacks))

    if len(shape) == 1:
        return [dense(shape, classes)]
    family = _family(recipe)
    members = [find(family + "large")(shape, classes)]
    if shown(members) < _LARGE:
        return [find(family + "small")(shape, classes)]
    for name in _OTHERS:
        other = find(name if name.startswith(family) else family + name)(shape, classes)
        if shown([*members, other]) < _SHOWINGS_OF_A_MEMBER:
            break
        members.append(other)
    return members


def _family(recipe: Recipe) -> str:
    # Pictures that lie anywhere in the frame are brought to one pose first. On held-back originals, warped as affNIST
    # does it: 99.4 % after 8 epochs; benchmarks/affnist_accuracy.py compares.
    return "moments-" if recipe.places_anywhere else ""


def seconds_a_step(task: Task, plan: Plan) -> float:
    """Return the seconds that one step takes here: the median of a few on a copy of the module.

    Compiles and warms up whatever training will use on the way.
    """
    module = ready(copy.deepcopy(task.module), task.device)
    rules = optimisers(module, plan.update)
    targets = torch.from_numpy(task.targets).to(task.device)
    batches = Batches(task.images, replace(plan, steps=_PROBE_STEPS), task.preprocessing.background, task.device)
    times = []
    with own_randomness(task.device):
        for step in range(_PROBE_STEPS):
            start = time.perf_counter()
            images, index = batches.make(step)
            losses = one_step(task, module, rules, images, targets[index], plan.smoothing)
            float(losses.mean())
            times.append(time.perf_counter() - start)
    return sorted(times[2:])[len(times[2:]) // 2]
