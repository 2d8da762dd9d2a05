"""How often does the audit name a fault, undo it to the bit, price it, and stay silent where it must?

    TIDEPOOL_DATA=/data python benchmarks/audit.py --out audit.json --seeds 3

Every fault of the list (audit_faults.py) is done to the test set, then to the training set, with a strength drawn above
its floor; pairs of faults; and what must stay silent: halves, skewed classes, few images, wrong labels, another source.
On MNIST, USPS and the embedded digits. A fault counts as named where exactly the right id is found (an inverse where
training was changed), as exact where the repaired set equals the original to the bit. Faults that this version
does not know are tried all the same, and missed.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from audit_faults import ALSO_RIGHT, FAULTS, INVERSE, NO_EXACT_WAY_BACK
from common import machine, print_table

import tidepool as tp
from tidepool.audit import audit
from tidepool.images import ImageSet

PAIRS = (
    ("transposed", "scaled-255"),
    ("inverted", "transposed"),
    ("padded-one-side", "scaled-255"),
    ("inverted", "standardised"),
    ("padded-one-side", "rotated-180"),
    ("gamma", "transposed"),
    ("gamma", "inverted"),
    ("interlaced", "scaled-255"),
    ("label-as-pixel", "scaled-255"),
    ("pairs-swapped", "inverted"),
)
TRAINING = 10_000


def load(name: str) -> tuple[ImageSet, ImageSet]:
    if name == "usps":
        folder = Path(os.environ["TIDEPOOL_DATA"]) / "usps"
        return tp.read(str(folder / "usps_train.npz")), tp.read(str(folder / "usps_test.npz"))
    if name == "digits":
        whole = tp.read("digits")
        order = np.random.default_rng(0).permutation(len(whole))
        return whole.select(order[:900]), whole.select(order[900:])
    return tp.read("mnist"), tp.read("mnist:test")


def drawn(images: ImageSet, count: int, rng: Any) -> ImageSet:
    return images.select(rng.permutation(len(images))[:count])


def changed(fault: str, images: ImageSet, top: float, rng: Any) -> ImageSet:
    found = FAULTS[fault](images.images, images.labels, top, rng)
    return ImageSet(*found) if isinstance(found, tuple) else ImageSet(np.ascontiguousarray(found), images.labels)


def owed(name: str, fault: str, images: ImageSet) -> bool:
    """Say whether there is anything to find: some changes change nothing on small or dark pictures."""
    if name == "digits" and fault in ("int8-sign", "jpeg"):
        return False
    if fault == "not-centred-by-mass":
        moved = (FAULTS[fault](images.images, None, 0.0, None) != images.images).any(axis=(1, 2))
        return bool(moved.mean() > 0.2)
    return not (fault == "pairs-swapped" and images.images[0].size % 2)


class Tally:
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def judge(
        self, row: str, fault: str, wanted: list[str], train: ImageSet, test: ImageSet, good: Any, seed: int
    ) -> None:
        start = time.perf_counter()
        verdict = audit(train, test, seed=seed)
        seconds = time.perf_counter() - start
        found = [finding.fault for finding in verdict.findings]
        right = sorted(found) == sorted(wanted)
        if len(wanted) == 1 and len(found) == 1:
            right = right or found[0] in ALSO_RIGHT.get(wanted[0], ())
        exact = None
        if good is not None and right and verdict.verdict == "fault" and verdict.repairable:
            exact = any(np.array_equal(part.images, good) for part in verdict.repaired)
        elif good is not None:
            exact = False
        said = f"{verdict.verdict} {'+'.join(found)}"
        self.rows.append({"row": row, "fault": fault, "right": right, "exact": exact, "seconds": seconds, "said": said})


def bench(name: str, counts: list[int], seed: int, tally: Tally) -> None:
    train, test = load(name)
    rng = np.random.default_rng((7, seed))
    train, top = drawn(train, TRAINING, rng), float(train.images.max())
    for count in counts:
        part = drawn(test, count, rng)
        bare = ImageSet(part.images)
        for fault in FAULTS:
            if not owed(name, fault, part):
                continue
            labelled = "label" in fault.split("-")[0] or fault == "ten-for-zero"
            broken = changed(fault, part, top, rng)
            broken = broken if labelled and fault != "label-as-pixel" else ImageSet(broken.images)
            exact = fault not in NO_EXACT_WAY_BACK and not labelled
            tally.judge(f"{name} test {count}", fault, [fault], train, broken, part.images if exact else None, seed)
        for one, two in PAIRS:
            broken = changed(two, changed(one, part, top, rng), top, rng)
            unlabelled = ImageSet(broken.images)
            tally.judge(f"{name} pairs {count}", f"{one}+{two}", [one, two], train, unlabelled, None, seed)
        tally.judge("silent", f"{name} test {count}", [], train, part, None, seed)
        tally.judge("silent", f"{name} unlabelled {count}", [], ImageSet(train.images), bare, None, seed)
        half = drawn(train, len(train), rng)
        tally.judge("silent", f"{name} halves {count}", [], half.select(slice(0, len(half) // 2)),
                    half.select(slice(len(half) // 2, len(half) // 2 + count)), None, seed)  # fmt: skip
    for classes in ((1, 7), (0,), (4, 9, 2), (6,), (8, 3)):
        skewed = test.select(np.isin(test.labels, classes))
        tally.judge("silent", f"{name} only {classes}", [], train, skewed, None, seed)
    tally.judge("silent", f"{name} 30 images", [], train, drawn(test, 30, rng), None, seed)
    wrong = drawn(test, 600, rng)
    mislabelled = np.where(rng.random(len(wrong)) < 0.05, rng.integers(0, 10, len(wrong)), wrong.labels)
    tally.judge("silent", f"{name} wrong labels", [], train, ImageSet(wrong.images, mislabelled), None, seed)
    few, part = drawn(train, 3000, rng), drawn(test, 1000, rng)
    for fault in FAULTS:
        # Labels are the test set's; training that varies more is augmentation.
        if not owed(name, fault, part) or fault in ("frame-size", "jittered", "mixed-orientation", "noisy"):
            continue
        if ("label" in fault.split("-")[0] or fault == "ten-for-zero") and fault != "label-as-pixel":
            continue
        broken = changed(fault, few, top, rng)
        tally.judge(f"{name} training", fault, [INVERSE.get(fault, fault)], broken, part, None, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", default="digits,usps,mnist")
    parser.add_argument("--counts", default="1000,300,100")
    options = parser.parse_args()
    about, tally = machine(), Tally()
    for seed in range(options.seeds):
        for name in options.sets.split(","):
            bench(name, [int(count) for count in options.counts.split(",")], seed, tally)
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in tally.rows:
        groups[one["row"]].append(one)
    table = []
    for row, trials in groups.items():
        exact = [one["exact"] for one in trials if one["exact"] is not None]
        shares = [np.mean([one["right"] for one in trials]), np.mean(exact) if exact else None]
        shown = ["" if share is None else f"{share:.1%}" for share in shares]
        table.append([row, len(trials), *shown, f"{np.median([one['seconds'] for one in trials]):.2f}"])
    print_table(["case", "trials", "right", "exact", "seconds"], table)
    missed: dict[str, list[str]] = defaultdict(list)
    for one in tally.rows:
        if not one["right"]:
            missed[one["fault"]].append(f"{one['row']}: {one['said']}")
    for fault, where in missed.items():
        print(f"  {fault} ({len(where)}): {'; '.join(where[:4])}")
    if options.out:
        options.out.write_text(json.dumps({"machine": about, "trials": tally.rows}, indent=1))


if __name__ == "__main__":
    main()
