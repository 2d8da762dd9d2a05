"""Accuracy against seconds of training: Tidepool and what a user would pick instead, on MNIST's 60,000 and 10,000.

    TIDEPOOL_DATA=../shared/data python benchmarks/frontier.py tidepool --budget 12s --seed 0
    TIDEPOOL_DATA=../shared/data PEERS/bin/python benchmarks/frontier.py keras --seconds 300 --seed 0
    python benchmarks/frontier.py table
    python benchmarks/frontier.py picture frontier.svg

One seed a call; each call appends to benchmarks/results/frontier.json (``--json``), so that a long comparison can be
made in pieces. Peers need a Python of their own with what they are made of: PEERS is a virtual environment with
``pip install "torch==2.13.0" keras jax fastai skorch scikit-learn lightgbm``.

Seconds are wall time of training alone (of ``fit`` as a whole for Tidepool: the choice of the net, the held-back
score and the export included). Peers are scored after each epoch; scoring is not counted. No choice is made on what
is printed here: Tidepool holds back rows of the 60,000, the peers run as their authors publish them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results" / "frontier.json"
ASKED = ((99.0, 5), (99.4, 12), (99.6, 45), (99.7, 120), (99.75, 600), (99.8, 3600))


def mnist() -> tuple[Any, Any, Any, Any]:
    """Return the 60,000 pictures uint8 ``[N, 28, 28]`` with labels, and the 10,000, from IDX files."""
    folder = Path(os.environ["TIDEPOOL_DATA"], "mnist")
    found = []
    for part in ("train", "t10k"):
        for kind, header in (("images-idx3", 16), ("labels-idx1", 8)):
            packed = (folder / f"{part}-{kind}-ubyte.gz").read_bytes()
            data = np.frombuffer(gzip.decompress(packed), np.uint8, offset=header)
            found.append(data.reshape(-1, 28, 28) if header == 16 else data.astype(np.int64))
    return found[0], found[1], found[2], found[3]


def sgemm_peak(seconds: float = 1.0) -> float:
    """Return the multiply-adds a second of a product of matrices here and now, in thousand millions."""
    a = np.random.default_rng(0).random((1024, 1024), np.float32)
    a @ a
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        a @ a
        count += 1
    return count * 1024**3 / (time.perf_counter() - start) / 1e9


def tidepool_points(budget: str, seed: int) -> list[dict[str, Any]]:
    """Train one Classifier within ``budget`` and score it."""
    import tidepool as tp

    x, y, test, truth = mnist()
    classifier = tp.Classifier(budget=budget, random_state=seed)
    start = time.monotonic()
    classifier.fit(x, y)
    seconds = time.monotonic() - start
    model = classifier.model_
    probabilities = model.predict_proba(test)
    from tidepool.statistics import calibration_error

    training = model.card["training"]
    return [
        {
            "budget": budget,
            "seconds": seconds,
            "accuracy": 100 * float((probabilities.argmax(1) == truth).mean()),
            "fast": 100 * float((model.predict(test, "fast") == truth).mean()),
            "accurate": 100 * float((model.predict(test, "accurate") == truth).mean()),
            "calibration_error": calibration_error(probabilities, truth),
            "held_back": 100 * classifier.validation_["accuracy"],
            "members": len(model.stack.members),
            "epochs": training["epochs"],
            "images_per_second": training["images_per_second"],
            "macs": model.stack.macs,
            "training_seconds": training["seconds"],
        }
    ]


def table(points: list[dict[str, Any]]) -> None:
    """Print a row for each Tidepool budget and for each epoch of each peer: means over seeds."""
    from common import print_table

    rows = []
    for (who, label), group in _groups(points).items():
        accuracies = [p["accuracy"] for p in group]
        spread = statistics.stdev(accuracies) if len(group) > 1 else 0.0
        seconds = statistics.mean(p["seconds"] for p in group)
        rows.append([who, label, f"{seconds:.1f}", f"{statistics.mean(accuracies):.3f} ± {spread:.3f}", len(group)])
    print_table(["who", "budget or epoch", "seconds", "accuracy", "seeds"], rows)
    print("\nasked:", ", ".join(f"{accuracy} in {seconds} s" for accuracy, seconds in ASKED))


def picture(points: list[dict[str, Any]], path: str) -> None:
    """Draw error against seconds, both on logarithmic axes, a line a contestant."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    lines: dict[str, list[tuple[float, float]]] = {}
    for (who, _), group in _groups(points).items():
        mean = statistics.mean(p["accuracy"] for p in group)
        lines.setdefault(who, []).append((statistics.mean(p["seconds"] for p in group), 100 - mean))
    for who, line in sorted(lines.items(), key=lambda item: item[0] != "tidepool"):
        line.sort()
        ours = who == "tidepool"
        (drawn,) = axes.loglog(*zip(*line), marker="o", markersize=5 if ours else 3, linewidth=2.5 if ours else 1)
        axes.annotate(who, line[-1], xytext=(5, 0), textcoords="offset points", color=drawn.get_color(), va="center")
    axes.set_xlabel("seconds of training on two cores")
    axes.set_ylabel("wrong of 100 MNIST test images")
    ticks = [0.2, 0.3, 0.5, 1, 2, 5]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
    axes.set_yticks([], minor=True)
    axes.margins(x=0.15)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
    print(f"wrote {path}")


def _groups(points: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for point in points:
        label = point.get("budget") or f"epoch {point['epoch']}"
        groups.setdefault((point["who"], label), []).append(point)
    return groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("who", help="tidepool, a peer (see frontier_peers.py), table, or picture")
    parser.add_argument("path", nargs="?", help="where the picture goes")
    parser.add_argument("--budget", default="60s", help="of Tidepool")
    parser.add_argument("--seconds", type=float, default=120, help="a peer begins no epoch after so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", default=str(RESULTS))
    arguments = parser.parse_args()
    file = Path(arguments.json)
    points: list[dict[str, Any]] = json.loads(file.read_text())["points"] if file.exists() else []
    if arguments.who == "table":
        return table(points)
    if arguments.who == "picture":
        return picture(points, arguments.path or "frontier.svg")
    about = {"who": arguments.who, "seed": arguments.seed, "date": time.strftime("%Y-%m-%d")}
    about |= {"cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0], "sgemm_gmacs": sgemm_peak()}
    if arguments.who == "tidepool":
        found = tidepool_points(arguments.budget, arguments.seed)
    else:
        from frontier_peers import PEERS

        found = list(PEERS[arguments.who](*mnist(), arguments.seconds, arguments.seed))
    for point in found:
        print(json.dumps(point))
    points += [{**about, **point} for point in found]
    file.write_text(json.dumps({"points": points}, indent=1) + "\n")


if __name__ == "__main__":
    main()
