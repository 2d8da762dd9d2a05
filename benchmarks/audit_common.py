"""How often does the audit name the commonest faults, undo them to the bit, and stay silent where it must?

    TIDEPOOL_DATA=/data python benchmarks/audit_common.py --out audit_common.json --seeds 3

For MNIST, USPS and the embedded digits: every fault below in 1,000 and in 300 random test images, and once in the
training set; clean halves, skewed classes, 30 images. Faults are injected by this file's own code. A fault counts as
named where exactly the right ids are found (an inverse where training was changed), as exact where the repaired set
equals the original to the bit.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tidepool.audit import audit
from tidepool.formats import read
from tidepool.images import ImageSet

Change = Callable[[Any, float], Any]


def pad(t: int, b: int, left: int, right: int) -> Change:
    return lambda x, m: np.pad(x, ((0, 0), (t, b), (left, right)))


def move(dy: int, dx: int) -> Change:
    def moved(x: Any, m: float) -> Any:
        big = np.pad(x, ((0, 0), (4, 4), (4, 4)))
        return big[:, 4 - dy : 4 - dy + x.shape[1], 4 - dx : 4 - dx + x.shape[2]]

    return moved


FAULTS: dict[str, Change] = {
    "scaled-255": lambda x, m: (x / 255).astype(np.float32),
    "scaled-twice": lambda x, m: x / 255 / 255,
    "range-minus1-1": lambda x, m: (x / 255 * 2 - 1).astype(np.float32),
    "standardised": lambda x, m: ((x / 255 - 0.1307) / 0.3081).astype(np.float32),
    "standardised ": lambda x, m: ((x / 255 - 0.449) / 0.226).astype(np.float32),
    "scaled-other": lambda x, m: x.astype(np.int32) * 16 if m > 16 else (x / 16).astype(np.float32),
    "inverted": lambda x, m: (m - x).astype(np.uint8),
    "transposed": lambda x, m: x.transpose(0, 2, 1),
    "flipped-lr": lambda x, m: x[:, :, ::-1],
    "flipped-ud": lambda x, m: x[:, ::-1],
    "rotated-90": lambda x, m: np.rot90(x, 1, (1, 2)),
    "rotated-180": lambda x, m: np.rot90(x, 2, (1, 2)),
    "rotated-270": lambda x, m: np.rot90(x, 3, (1, 2)),
    "anti-transposed": lambda x, m: x[:, ::-1, ::-1].transpose(0, 2, 1),
    "padded-one-side": pad(3, 9, 8, 4),
    "padded-one-side ": pad(0, 12, 0, 12),
    "frame-size": pad(6, 6, 6, 6),
    "shifted": move(2, 2),
    "shifted ": move(-3, 0),
}
PAIRS = [
    ("scaled-255", "transposed"),
    ("inverted", "transposed"),
    ("scaled-255", "padded-one-side"),
    ("standardised", "inverted"),
    ("padded-one-side ", "rotated-180"),
]
INVERSE = {"rotated-90": "rotated-270", "rotated-270": "rotated-90"}


def load(name: str) -> tuple[ImageSet, ImageSet]:
    if name == "mnist":
        return read("mnist"), read("mnist:test")
    if name == "usps":
        import os

        folder = Path(os.environ["TIDEPOOL_DATA"]) / "usps"
        return read(str(folder / "usps_train.npz")), read(str(folder / "usps_test.npz"))
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    whole = ImageSet(data.images.astype(np.uint8)[order], data.target[order])
    return whole.select(slice(0, 900)), whole.select(slice(900, None))


class Tally:
    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[bool, bool, float]]] = defaultdict(list)
        self.misses: list[str] = []

    def add(self, row: str, what: str, right: bool, exact: bool, seconds: float, said: str) -> None:
        self.rows[row].append((right, exact, seconds))
        if not right:
            self.misses.append(f"{row}: {what} -> {said}")


def judge(tally: Tally, row: str, what: str, train: ImageSet, test: ImageSet, want: list[str], good: Any, in_: int,
          seed: int) -> None:  # fmt: skip
    start = time.perf_counter()
    verdict = audit(train, test, seed=seed, price=False)
    seconds = time.perf_counter() - start
    found = [f.fault for f in verdict.findings]
    right = sorted(found) == sorted(w.strip() for w in want)
    exact = False
    if right and verdict.verdict == "fault":
        exact = bool(np.array_equal(verdict.repaired[in_].images, good))
    tally.add(row, what, right, exact, seconds, f"{verdict.verdict} {found}")


def bench(name: str, seeds: int, tally: Tally) -> None:
    train, test = load(name)
    top = float(train.images.max())
    for seed in range(seeds):
        rng = np.random.default_rng(100 + seed)
        for count in (1000, 300):
            part = test.select(rng.permutation(len(test))[: min(count, len(test))])
            bare = ImageSet(part.images)
            for fault, change in FAULTS.items():
                broken = ImageSet(change(part.images, top))
                judge(tally, f"{name} test {count}", fault, train, broken, [fault], part.images, 1, seed)
            for one, two in PAIRS:
                # The inverted one first: it is done on the picture's own scale.
                first, second = (two, one) if one in ("scaled-255", "standardised") else (one, two)
                changed = FAULTS[second](FAULTS[first](part.images, top), top)
                judge(tally, f"{name} pairs {count}", f"{one}+{two}", train, ImageSet(changed), [one, two], part.images,
                      1, seed)  # fmt: skip
            half = rng.permutation(len(train))
            left, right = half[: len(half) // 2], half[len(half) // 2 :][:count]
            judge(tally, "clean", f"{name} halves {count}", train.select(left), train.select(right), [], None, 1, seed)
            judge(tally, "clean", f"{name} test {count}", train, part, [], None, 1, seed)
            judge(tally, "clean", f"{name} unlabelled {count}", ImageSet(train.images), bare, [], None, 1, seed)
        assert test.labels is not None
        for classes in ((1, 7), (0,), (4, 9, 2), (6,), (8, 3)):
            skewed = test.select(np.isin(test.labels, classes))
            judge(tally, "clean", f"{name} only {classes}", train, skewed, [], None, 1, seed)
        few = test.select(rng.permutation(len(test))[:30])
        judge(tally, "clean", f"{name} 30 images", train, few, [], None, 1, seed)
        small = train.select(rng.permutation(len(train))[:1000])
        part = test.select(rng.permutation(len(test))[:1000])
        for fault, change in FAULTS.items():
            if fault == "frame-size" or (name == "digits" and fault.strip() == "shifted"):
                continue
            broken = ImageSet(change(small.images, top), small.labels)
            want = INVERSE.get(fault, fault)
            value = fault.strip() in ("scaled-255", "scaled-twice", "range-minus1-1", "standardised", "scaled-other")
            good = small.images if value or "padded" in fault else part.images
            side = 0 if value or "padded" in fault else 1
            if side:
                good = change(part.images, top)
            judge(tally, f"{name} in training", fault, broken, part, [want], good, side, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", default="digits,usps,mnist")
    options = parser.parse_args()
    tally = Tally()
    for name in options.sets.split(","):
        bench(name, options.seeds, tally)
    print(f"{'case':24}{'trials':>8}{'named':>9}{'exact':>9}{'seconds':>9}")
    table = {}
    for row, trials in tally.rows.items():
        right, exact, seconds = (float(np.mean(column)) for column in zip(*trials))
        table[row] = {"trials": len(trials), "named": right, "exact": exact, "seconds": seconds}
        shown = f"{'-':>9}" if row == "clean" else f"{exact:>9.1%}"
        print(f"{row:24}{len(trials):>8}{right:>9.1%}{shown}{seconds:>9.2f}")
    for miss in tally.misses:
        print("  miss:", miss)
    if options.out:
        options.out.write_text(json.dumps({"table": table, "misses": tally.misses}, indent=1))


if __name__ == "__main__":
    main()
