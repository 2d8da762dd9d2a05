"""Where the time goes: the loop beside its net, training and prediction beside this machine's peak, cost beside size.

    TIDEPOOL_DATA=../shared/data python benchmarks/throughput.py --out benchmarks/results/throughput.json

loop : share of a step outside forward, backward and optimiser (gathering, warping and normalising that is waited for).
peak : multiply-adds a second while training, beside a product of matrices of 1024x1024 in the same run.
size : images a second of training and of predicting, for sets of 10,000 to 1,000,000 pictures, in turns.
prediction : ONNX Runtime from raw pictures beside torch (eager, channels last, the same net), in batches and singly.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from common import machine, print_table, write_json
from frontier import sgemm_peak
from warp_training import task_of


def loop_share(stack: str, steps: int) -> dict[str, float]:
    """Time ``steps`` steps of the loop, and the same steps on batches that are ready, in turns."""
    import torch

    import tidepool as tp
    from tidepool.training.batches import Batches
    from tidepool.training.loop import one_step
    from tidepool.training.optimisers import optimisers
    from tidepool.training.run import ready

    train = tp.read("mnist")
    task, plan = task_of(train.images, np.asarray(train.labels), (28, 28), stack, "gentle")
    module = ready(task.module, "cpu")
    rules = optimisers(module, plan.update)
    targets = torch.from_numpy(task.targets)
    batches = Batches(task.images, plan)
    images, index = batches.make(0)
    normalised = task.preprocessing.prepare(images).contiguous(memory_format=torch.channels_last)
    truth = targets[index]

    def bare() -> None:
        module.train()
        likelihood = torch.nn.functional.log_softmax(module(normalised), dim=1)
        loss = 0.9 * torch.nn.functional.nll_loss(likelihood, truth) - 0.1 * likelihood.mean()
        for rule in rules:
            rule.zero_grad()
        loss.backward()
        for rule in rules:
            rule.step()

    whole, inner = [], []
    for turn in range(7):
        start = time.perf_counter()
        ahead = batches(turn * steps)
        for _ in range(steps):
            some, their = next(ahead)
            one_step(task, module, rules, some, targets[their], plan.smoothing)
        whole.append((time.perf_counter() - start) / steps)
        ahead.close()  # type: ignore[attr-defined]
        start = time.perf_counter()
        for _ in range(steps):
            bare()
        inner.append((time.perf_counter() - start) / steps)
    step, net = statistics.median(whole[1:]), statistics.median(inner[1:])
    macs = task_macs(stack)
    return {
        "images_per_second": plan.batch_size / step,
        "outside_share": max(0.0, 1 - net / step),
        "gmacs": 3 * macs * plan.batch_size / step / 1e9,
        "sgemm_gmacs": sgemm_peak(),
    }


def task_macs(stack: str) -> int:
    """Return the multiply-adds of a zoo stack for one picture of 28x28."""
    from tidepool.nets import zoo

    return zoo.find(stack)((1, 28, 28), 10).macs


def proportion(sizes: list[int], steps: int) -> list[dict[str, float]]:
    """Return images a second of training and predicting for sets of each size, made of MNIST's over and over."""
    import tidepool as tp
    from tidepool.model import Model

    train = tp.read("mnist")
    pictures = np.concatenate([train.images] * (max(sizes) // len(train.images) + 1))[: max(sizes)]
    labels = np.resize(np.asarray(train.labels), max(sizes))
    model: Model = tp.Classifier(epochs=0.2, stack="medium", device="cpu").fit(train.images, train.labels).model_
    found: dict[int, dict[str, list[float]]] = {size: {"training": [], "predicting": []} for size in sizes}
    from warp_training import in_turns

    tasks = {str(size): task_of(pictures[:size], labels[:size], (28, 28), "medium", "gentle") for size in sizes}
    rates = in_turns(tasks, steps, 5)
    for turn in range(4):
        for size in sizes:
            start = time.perf_counter()
            model.predict_proba(pictures[:size])
            if turn:
                found[size]["predicting"].append(size / (time.perf_counter() - start))
    return [
        {
            "images": size,
            "training": statistics.median(rates[str(size)]),
            "predicting": statistics.median(found[size]["predicting"]),
        }
        for size in sizes
    ]


def prediction(stack: str) -> dict[str, float]:
    """Compare ONNX Runtime with torch on one trained net: batches of 500, and one picture at a time."""
    import torch

    import tidepool as tp
    from tidepool.training.run import load_weights, ready

    train, test = tp.read("mnist"), tp.read("mnist:test")
    model = tp.Classifier(epochs=0.2, stack=stack, device="cpu").fit(train.images, train.labels).model_
    module = model.stack.module()
    load_weights(module, model.weights)
    module = ready(module, "cpu").eval()
    raw = np.ascontiguousarray(test.images)
    normalised = model.preprocessing.prepare(torch.from_numpy(raw)).contiguous(memory_format=torch.channels_last)

    def eager() -> None:
        with torch.inference_mode():
            for part in normalised.split(500):
                module(part).softmax(1)

    def eager_single() -> None:
        with torch.inference_mode():
            for i in range(500):
                module(normalised[i : i + 1]).softmax(1)

    def single() -> None:
        for i in range(500):
            model.predict_proba(raw[i : i + 1])

    ours, theirs, one, their_one = [], [], [], []
    model.card["views"] = None
    for turn in range(6):
        times = [_time(call) for call in (lambda: model.predict_proba(raw), eager, single, eager_single)]
        if turn:
            for into, value in zip((ours, theirs, one, their_one), times):
                into.append(value)
    batch, torch_batch = len(raw) / statistics.median(ours), len(raw) / statistics.median(theirs)
    return {
        "onnx_images_per_second": batch,
        "torch_images_per_second": torch_batch,
        "ratio": batch / torch_batch,
        "onnx_single_ms": 1000 * statistics.median(one) / 500,
        "torch_single_ms": 1000 * statistics.median(their_one) / 500,
    }


def _time(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stacks", nargs="+", default=["small", "medium", "large"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--steps", type=int, default=40, help="of 256 images, a turn")
    parser.add_argument("--out", help="JSON file")
    arguments = parser.parse_args()
    about = machine()
    loops = {stack: loop_share(stack, arguments.steps) for stack in arguments.stacks}
    print_table(
        ["stack", "images/s", "outside the net, %", "GMAC/s", "of sgemm's, %"],
        [
            [
                stack,
                f"{v['images_per_second']:,.0f}",
                f"{100 * v['outside_share']:.1f}",
                f"{v['gmacs']:.1f}",
                f"{100 * v['gmacs'] / v['sgemm_gmacs']:.0f}",
            ]
            for stack, v in loops.items()
        ],
    )
    answers = {stack: prediction(stack) for stack in arguments.stacks}
    print_table(
        ["stack", "ONNX images/s", "torch images/s", "ratio", "ONNX single, ms", "torch single, ms"],
        [
            [
                stack,
                f"{v['onnx_images_per_second']:,.0f}",
                f"{v['torch_images_per_second']:,.0f}",
                f"{v['ratio']:.2f}",
                f"{v['onnx_single_ms']:.3f}",
                f"{v['torch_single_ms']:.3f}",
            ]
            for stack, v in answers.items()
        ],
    )
    sizes = proportion(arguments.sizes, arguments.steps)
    rows = [[f"{v['images']:,}", f"{v['training']:,.0f}", f"{v['predicting']:,.0f}"] for v in sizes]
    print_table(["images", "training, images/s", "predicting, images/s"], rows)
    write_json(arguments.out, {"machine": about, "loop": loops, "prediction": answers, "size": sizes})


if __name__ == "__main__":
    main()
