"""Training with warps beside training without: images a second, in turns within one process, and their ratio.

    TIDEPOOL_DATA=../shared/data python benchmarks/warp_training.py --out warp-training.json

The batches ahead are warped on threads of their own while one trains. A ratio of .95 is the aim: warping then costs a
twentieth at most. The turns alternate, so that a machine that slows down slows both.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from typing import TYPE_CHECKING, Any

from common import machine, mean_and_spread, print_table, write_json

if TYPE_CHECKING:
    from tidepool.training.plan import Plan
    from tidepool.training.run import Task


def in_turns(tasks: dict[str, tuple[Task, Plan]], steps: int, rounds: int) -> dict[str, list[float]]:
    """Return the images a second of each task, one figure a round of ``steps`` steps; the first round is left out."""
    import torch

    from tidepool.training.batches import Batches
    from tidepool.training.loop import one_step
    from tidepool.training.optimisers import optimisers
    from tidepool.training.run import ready

    modules = {name: ready(copy.deepcopy(task.module), task.device) for name, (task, _) in tasks.items()}
    rules = {name: optimisers(modules[name], plan.update) for name, (_, plan) in tasks.items()}
    rates: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(rounds + 1):
        for name, (task, plan) in tasks.items():
            targets = torch.from_numpy(task.targets)
            start = time.perf_counter()
            batches = Batches(task.images, plan, task.preprocessing.background)(turn * steps)
            for _ in range(steps):
                images, index = next(batches)
                one_step(task, modules[name], rules[name], images, targets[index], plan.smoothing)
            seconds = time.perf_counter() - start
            batches.close()  # type: ignore[attr-defined]
            if turn:
                rates[name].append(steps * plan.batch_size / seconds)
    return rates


def task_of(images: Any, labels: Any, frame: tuple[int, int], stack: str, recipe: str) -> tuple[Task, Plan]:
    """Return what trains ``stack`` on all of ``images``."""
    import numpy as np

    from tidepool.nets import zoo
    from tidepool.preprocessing import Preprocessing
    from tidepool.training.plan import Plan
    from tidepool.training.rows import Rows
    from tidepool.training.run import Task
    from tidepool.updates import momentum_matrices
    from tidepool.warp import find

    index = np.arange(len(images))
    preprocessing = Preprocessing.fit(Rows(images, index), frame)
    module = zoo.find(stack)(preprocessing.input_shape, 10).module(0)
    plan = Plan(1, len(images) // 256, 256, momentum_matrices(), average=0.98, recipe=find(recipe))
    return Task(module, preprocessing, Rows(images, index, frame), labels), plan


def ratio(rates: dict[str, list[float]], name: str, to: str) -> list[float]:
    """Return the ratios of two tasks, round by round."""
    return [a / b for a, b in zip(rates[name], rates[to])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["gentle", "affnist"])
    parser.add_argument("--stacks", nargs="+", default=["small", "medium"])
    parser.add_argument("--steps", type=int, default=40, help="of 256 images, a turn")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", help="JSON file")
    arguments = parser.parse_args()
    about = machine()
    import tidepool as tp

    mnist = tp.read("mnist")
    rows, found = [], []
    for stack in arguments.stacks:
        for frame in ((28, 28), (40, 40)):
            names = ["none", *arguments.recipes]
            tasks = {name: task_of(mnist.images, mnist.labels, frame, stack, name) for name in names}
            rates = in_turns(tasks, arguments.steps, arguments.rounds)
            for name in arguments.recipes:
                ratios = ratio(rates, name, "none")
                found.append({"stack": stack, "frame": frame, "recipe": name, "ratios": ratios, "rates": rates})
                size = f"28x28 in {frame[0]}x{frame[1]}"
                speeds = [f"{statistics.median(rates[key]):,.0f}" for key in ("none", name)]
                rows.append([stack, size, name, *speeds, mean_and_spread(ratios), f"{statistics.median(ratios):.3f}"])
    print_table(["stack", "pictures", "recipe", "without/s", "with/s", "ratio", "median"], rows)
    write_json(arguments.out, {"machine": about, "steps": arguments.steps, "found": found})


if __name__ == "__main__":
    main()
