"""The main job on Kaggle's files: wall time, memory, and true accuracy on the 28,000 test rows.

    TIDEPOOL_DATA=../shared/data python benchmarks/kaggle_run.py --budget 60s --seeds 5 --out kaggle-60s.json
    ... --budget 20s --cold          every cache empty: numba's, matplotlib's, ours

Kaggle's test rows are MNIST images without their labels; the labels used here to score are found by comparing pixels
with MNIST's 70,000. Training sees train.csv.gz alone, and no choice is made on what this prints.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import machine, mean_and_spread, print_table, write_json


def true_labels() -> list[str]:
    """Return the labels of Kaggle's test rows, in their order."""
    import numpy as np

    from tidepool import read

    known: dict[bytes, str] = {}
    for name in ("mnist", "mnist:test"):
        images = read(name)
        known.update({picture.tobytes(): str(label) for picture, label in zip(images.images, images.labels)})
    return [known[picture.tobytes()] for picture in np.ascontiguousarray(read("kaggle-digits:test").images)]


def private_bytes(pid: int) -> int:
    """Return the private memory of a process now (Linux), 0 once it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Private_"))


def one_run(budget: str, seed: int, cold: bool, data: Path, wanted: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ)
        if cold:
            for name in ("TIDEPOOL_CACHE", "NUMBA_CACHE_DIR", "MPLCONFIGDIR"):
                environment[name] = f"{folder}/{name}"
        out = Path(folder, "run")
        command = [sys.executable, "-m", "tidepool", "run", str(data / "train.csv.gz")]
        command += ["--test", str(data / "test.csv.gz"), "--budget", budget, "--seed", str(seed), "--out", str(out)]
        start = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        peak = 0
        while process.poll() is None:
            peak = max(peak, private_bytes(process.pid))
            time.sleep(0.1)
        seconds = time.monotonic() - start
        if process.returncode:
            raise SystemExit(f"run failed: {process.stderr.read() if process.stderr else ''}")
        metrics = json.loads((out / "metrics.json").read_text())
        with (out / "submission.csv").open(newline="") as file:
            rows = list(csv.reader(file))[1:]
        right = sum(row[1] == label for row, label in zip(rows, wanted, strict=True))
        return {
            "seed": seed,
            "wall_seconds": seconds,
            "test_accuracy": 100 * right / len(wanted),
            "held_back_accuracy": 100 * metrics["validation"]["accuracy"],
            "parameters": metrics["model"]["parameters"],
            "epochs": metrics["train"]["epochs"],
            "images_per_second": metrics["train"]["images_per_second"],
            "audit": metrics["audit"]["verdict"],
            "audit_seconds": metrics["audit"].get("seconds"),
            "peak_private_MB": peak / 2**20,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", default="60s")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="begin each run with empty caches")
    parser.add_argument("--out", help="JSON file")
    arguments = parser.parse_args()
    data = Path(os.environ["TIDEPOOL_DATA"], "kaggle")
    wanted = true_labels()
    about = machine()
    runs = []
    for seed in range(arguments.seeds):
        runs.append(one_run(arguments.budget, seed, arguments.cold, data, wanted))
        print(json.dumps(runs[-1]), flush=True)
    rows = [
        [name, mean_and_spread([run[name] for run in runs]), f"{min(v):.3f}", f"{max(v):.3f}"]
        for name in (
            "test_accuracy",
            "held_back_accuracy",
            "wall_seconds",
            "epochs",
            "images_per_second",
            "peak_private_MB",
        )
        for v in [[run[name] for run in runs]]
    ]
    print(f"\ntidepool run kaggle/train.csv.gz --test kaggle/test.csv.gz --budget {arguments.budget}")
    print_table(["figure", "mean ± deviation", "least", "most"], rows)
    summary = {"mean_test_accuracy": statistics.mean(run["test_accuracy"] for run in runs)}
    write_json(
        arguments.out, {"budget": arguments.budget, "cold": arguments.cold, "machine": about, "runs": runs, **summary}
    )


if __name__ == "__main__":
    main()
