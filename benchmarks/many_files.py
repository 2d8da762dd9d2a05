"""``tidepool train`` on 2, 8 and 32 files of affNIST's kind: memory, time to the first step, speed beside plain memory.

    TIDEPOOL_DATA=../shared/data python benchmarks/many_files.py --work /large/disk/many --out many-files.json

Makes the files in WORK (``--images`` pictures each, warped from MNIST by the recipe 'affnist', 15 MB a file) and keeps
them for the next call. For each number of files ``tidepool train`` runs twice for ``--steps`` steps: with an empty
cache, then with the one that the first start filled. RssAnon is the private memory, RssFile holds the mapped pages,
which the system may drop. Then the same rows train in turns, mapped from the disk and copied into memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from common import machine, mean_and_spread, print_table, write_json
from warp_training import in_turns, ratio, task_of

_BATCH = 256


def make_files(folder: Path, count: int, images: int) -> list[Path]:
    """Return ``count`` files of ``images`` pictures of 40x40 each, made where they are missing."""
    import numpy as np

    import tidepool as tp
    from tidepool.formats import write

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}.mat" for number in range(1, count + 1)]
    missing = [path for path in paths if not path.exists()]
    if missing:
        originals = tp.read("mnist").select(slice(0, images))
        for path in missing:
            pixels = tp.warp.recipes["affnist"].warp(originals.images, 0, int(path.stem), size=(40, 40))
            groups = np.arange(1, len(originals) + 1, dtype=np.int32)
            write(tp.ImageSet(pixels, originals.labels, groups=groups), path)
            print(f"made {path}", flush=True)
    return paths


class Watch:
    """The peaks of RssAnon and RssFile of a process, in MB, looked at twenty times a second (Linux)."""

    def __init__(self, pid: int) -> None:
        self.peaks = {"RssAnon": 0.0, "RssFile": 0.0}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(Path(f"/proc/{pid}/status"),), daemon=True)
        self._thread.start()

    def _look(self, status: Path) -> None:
        while not self._ended.wait(0.05):
            try:
                lines = status.read_text().splitlines()
            except OSError:
                return
            for name, value in (line.split(":", 1) for line in lines):
                if name in self.peaks:
                    self.peaks[name] = max(self.peaks[name], int(value.split()[0]) / 1024)

    def end(self) -> dict[str, float]:
        self._ended.set()
        self._thread.join()
        return self.peaks


def train(source: str, epochs: float, cache: Path, out: Path, *more: str) -> dict[str, Any]:
    """Run ``tidepool train`` and return its peaks, and the seconds until the pictures were read and until the end."""
    command = [sys.executable, "-m", "tidepool", "train", source, "--out", str(out), "--force"]
    command += ["--epochs", str(epochs), "--stack", "small", "--recipe", "gentle", *more]
    start, was_read = time.monotonic(), 0.0
    environment = {**os.environ, "TIDEPOOL_CACHE": str(cache), "COLUMNS": "200"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watch = Watch(process.pid)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("read") and "images" in line:
            was_read = time.monotonic() - start
    if process.wait():
        raise SystemExit(f"train failed: {process.stderr.read() if process.stderr else ''}")
    seconds = time.monotonic() - start
    peaks = watch.end()
    return {"seconds_to_read": was_read, "seconds": seconds, **{f"{name}_MB": peak for name, peak in peaks.items()}}


def mapped_beside_memory(source: str, cache: Path, steps: int, rounds: int) -> dict[str, list[float]]:
    """Return the images a second of each, in turns; in a process of its own, since memory is copied here."""
    environment = {**os.environ, "TIDEPOOL_CACHE": str(cache)}
    command = [sys.executable, __file__, "--child", source, "--steps", str(steps), "--rounds", str(rounds)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def child(source: str, steps: int, rounds: int) -> None:
    import numpy as np

    import tidepool as tp

    images = tp.read(source)
    in_memory = np.array(images.images)
    tasks = {
        name: task_of(pixels, images.labels, images.frame, "small", "gentle")
        for name, pixels in (("mapped", images.images), ("memory", in_memory))
    }
    print(json.dumps(in_turns(tasks, steps, rounds)))


def measure(paths: list[Path], images: int, work: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    from tidepool.training.split import default_share

    count = len(paths)
    folder, cache, out = work / f"{count}-files", work / f"cache-{count}", work / "model.tidepool"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(cache, ignore_errors=True)
    folder.mkdir()
    for path in paths:
        (folder / path.name).symlink_to(path.resolve())
    source = f"{folder}/*.mat"
    # The rest is held back: all versions of a share of the originals.
    epochs = arguments.steps / ((1 - default_share(images)) * images * count // _BATCH)
    found: dict[str, Any] = {"files": count, "images": images * count}
    found["first"] = train(source, epochs, cache, out)
    found["second"] = train(source, epochs, cache, out)
    found["rates"] = mapped_beside_memory(source, cache, arguments.turn, arguments.rounds)
    found["mapped_to_memory"] = ratio(found["rates"], "mapped", "memory")
    if arguments.no_cache:
        found["no_cache"] = train(source, epochs, cache, out, "--no-cache")
    shutil.rmtree(cache, ignore_errors=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("many-files"), help="folder for files and caches")
    parser.add_argument("--files", type=int, nargs="+", default=[2, 8, 32])
    parser.add_argument("--images", type=int, default=60_000, help="a file, of MNIST's 60,000")
    parser.add_argument("--steps", type=int, default=200, help="of `tidepool train`")
    parser.add_argument("--turn", type=int, default=40, help="steps a turn, mapped beside memory")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-cache", action="store_true", help="run `tidepool train --no-cache` too")
    parser.add_argument("--out", help="JSON file")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, arguments.steps, arguments.rounds)
        return
    from tidepool.formats.many import LARGE

    if min(arguments.files) * arguments.images * 1600 <= LARGE:
        parser.error(f"sets of less than {LARGE >> 20} MB stay in memory: give more --files or --images")
    about = machine()
    paths = make_files(arguments.work / f"files-{arguments.images}", max(arguments.files), arguments.images)
    found = []
    for count in arguments.files:
        found.append(measure(paths[:count], arguments.images, arguments.work, arguments))
        print(json.dumps(found[-1]), flush=True)
    rows = []
    for one in found:
        for start in ("first", "second", "no_cache"):
            if start in one:
                figures = [f"{one[start][key]:.0f}" for key in ("RssAnon_MB", "RssFile_MB")]
                seconds = [f"{one[start][key]:.1f}" for key in ("seconds_to_read", "seconds")]
                rows.append([one["files"], f"{one['images']:,}", start.replace("_", " "), *figures, *seconds])
    print_table(["files", "images", "start", "private MB", "mapped MB", "s to read", "s in all"], rows)
    print()
    rows = [
        [
            one["files"],
            *(f"{statistics.median(one['rates'][name]):,.0f}" for name in ("mapped", "memory")),
            mean_and_spread(one["mapped_to_memory"]),
            f"{statistics.median(one['mapped_to_memory']):.3f}",
        ]
        for one in found
    ]
    print_table(["files", "mapped/s", "memory/s", "ratio", "median"], rows)
    write_json(arguments.out, {"machine": about, "steps": arguments.steps, "found": found})


if __name__ == "__main__":
    main()
