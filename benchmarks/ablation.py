"""What each technique of the training is worth: trained without it, scored on held-back training rows.

    TIDEPOOL_DATA=../shared/data python benchmarks/ablation.py --seconds 20 --seeds 3 --out ablation.json

50,000 of MNIST's 60,000 training rows are learnt for the same wall time, the other 10,000 score (the test rows are not
touched). The loss is that at the best temperature, in thousandths: it tells small differences long before the accuracy
does. Variants take turns, seed by seed, so that a machine that slows down slows all of them.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from common import machine, mean_and_spread, print_table, write_json

Prepare: TypeAlias = Callable[[Any, Any, float], float]


def variants() -> dict[str, tuple[str, Any] | tuple[str, Any, Prepare]]:
    """Return stack and regime of each variant, and what is done before; the first is what the library does."""
    from tidepool.training.regime import Regime
    from tidepool.updates import adam, nesterov_momentum
    from tidepool.warp import recipes

    usual = Regime()
    return {
        "as it is": ("small", usual),
        "every image in each round (no selection)": ("small", replace(usual, keep=1.0)),
        "no averaging of the weights": ("small", replace(usual, average=0.0)),
        "no label smoothing": ("small", replace(usual, smoothing=0.0)),
        "Nesterov's momentum in place of Muon": (
            "small",
            replace(usual, update=nesterov_momentum(0.1, 0.9, 5e-4)),
        ),
        "Adam in place of Muon": ("small", replace(usual, update=adam(0.003))),
        "no warps": ("small", usual.with_recipe(recipes["none"])),
        "stronger warps (digits)": ("small", usual.with_recipe(recipes["digits"])),
        "batches of 512": ("small", replace(usual, batch_size=512)),
        "medium stack": ("medium", usual),
        "large stack": ("large", usual),
        "broad stack": ("broad", usual),
        "first layer whitened": ("small", usual, whiten),
        "first at 24x24 for 30 % of the time": ("small", usual, begin_small),
    }


def whiten(task: Any, plan: Any, seconds: float) -> float:
    """Set the first filters to the eigenvectors of the patches over the roots of the eigenvalues, and to the negatives.

    As airbench94 does (Jordan, 2024), but left free to learn. Returns the seconds that are left.
    """
    import torch

    weight = task.module[0].weight
    size = weight.shape[2]
    x = task.preprocessing.prepare(torch.from_numpy(task.images[:5000]))
    patches = torch.nn.functional.unfold(x, size, stride=2).transpose(1, 2).reshape(-1, size * size)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / (values + 0.01 * values.max()).sqrt()).T.flip(0)
    filters = torch.cat([filters, -filters])[: len(weight)].reshape(-1, 1, size, size)
    with torch.no_grad():
        weight[: len(filters)] = filters * (weight.std() / filters.std())
    return seconds


def begin_small(task: Any, plan: Any, seconds: float) -> float:
    """Train on pictures shrunk to 24x24 first, the least that the net can take. Returns the seconds that are left."""
    import torch

    from tidepool.preprocessing import Preprocessing
    from tidepool.training import choose, loop
    from tidepool.training.run import Task, load_weights

    x = torch.from_numpy(task.images)[:, None].float()
    small = torch.nn.functional.interpolate(x, (24, 24), mode="bilinear", antialias=True)[:, 0].round().byte().numpy()
    job = Task(task.module, Preprocessing.fit(small), small, task.targets)
    share = 0.3 * seconds
    first = plan.with_steps(int(share / choose.seconds_a_step(job, plan)))
    load_weights(task.module, loop.train(job, first, seconds=share).weights)
    return seconds - share


def one(
    stack: str, regime: Any, rows: tuple[Any, ...], seconds: float, seed: int, prepare: Prepare | None = None
) -> dict[str, float]:
    """Train once; return accuracy, loss, and both with views."""
    from tidepool.nets import zoo
    from tidepool.preprocessing import Preprocessing
    from tidepool.statistics import best_temperature, log_likelihood
    from tidepool.training import choose, loop
    from tidepool.training.run import Task, load_weights, predict
    from tidepool.views import SHIFTS, moved

    x, y, held, truth = rows
    preprocessing = Preprocessing.fit(x)
    net = zoo.find(stack)(preprocessing.input_shape, 10)
    plan = regime.plan(len(x), seed)
    task = Task(net.module(seed), preprocessing, x, y)
    if prepare:
        seconds = prepare(task, plan, seconds)
    plan = plan.with_steps(int(seconds / choose.seconds_a_step(task, plan)))
    outcome = loop.train(task, plan, seconds=seconds)
    load_weights(task.module, outcome.weights)

    def judge(logits: Any) -> tuple[float, float]:
        loss = -log_likelihood(logits / best_temperature(logits, truth), truth)
        return 100 * float((logits.argmax(1) == truth).mean()), 1000 * loss

    views = [predict(task.module, preprocessing, part).numpy() for part in (held, *(moved(held, *s) for s in SHIFTS))]
    accuracy, loss = judge(views[0])
    seen_accuracy, seen_loss = judge(np.mean(views, axis=0))
    rate = outcome.images_per_second
    found = {"accuracy": accuracy, "loss": loss, "images_per_second": rate}
    return {**found, "accuracy_with_views": seen_accuracy, "loss_with_views": seen_loss}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", help="numbers of variants, from 0")
    parser.add_argument("--out", help="JSON file")
    arguments = parser.parse_args()
    import tidepool as tp

    about = machine()
    train = tp.read("mnist")
    order = np.random.default_rng(123).permutation(len(train))
    images, labels = np.ascontiguousarray(train.images), np.asarray(train.labels)
    learnt, held = order[:50_000], order[50_000:]
    rows = images[learnt], labels[learnt], images[held], labels[held]
    chosen = [v for i, v in enumerate(variants().items()) if not arguments.only or str(i) in arguments.only]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name, _ in chosen}
    one("small", chosen[0][1][1], rows, 3.0, 0)
    for seed in range(arguments.seeds):
        for name, (stack, regime, *prepare) in chosen:
            runs[name].append(one(stack, regime, rows, arguments.seconds, seed, *prepare))
            print(seed, name, runs[name][-1], flush=True)
    table = []
    for name, many in runs.items():
        cells = [mean_and_spread([run[key] for run in many], digits) for key, digits in (("accuracy", 2), ("loss", 1))]
        views = f"{statistics.mean(run['loss_with_views'] for run in many):.1f}"
        table.append([name, *cells, views, f"{statistics.mean(run['images_per_second'] for run in many):,.0f}"])
    head = ["variant", "held-back accuracy", "loss, thousandths", "loss with views", "images/s"]
    print_table(head, table)
    write_json(arguments.out, {"machine": about, "seconds": arguments.seconds, "runs": runs})


if __name__ == "__main__":
    main()
