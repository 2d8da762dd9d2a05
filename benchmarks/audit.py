"""How often does the audit name a fault, undo it to the bit, price it, and stay silent where it must?

    TIDEPOOL_DATA=/data python benchmarks/audit.py --out audit.json --seeds 3

Every fault of the list (audit_faults.py) is done to the test set, then to the training set, with a strength drawn above
its floor; pairs of faults; and what must stay silent: halves, skewed classes, few images, wrong labels, another source.
On MNIST, USPS and the embedded digits. ``--controls N``: more cases that must stay silent, halves, skewed, small or
partly mislabelled ones. Sources: USPS brought to MNIST's frame, box and polarity is another source, with a fault as
without; affNIST's training sample beside evenly padded MNIST rows is clean. ``--sets sources``: these alone.

A fault counts as named where exactly the right id is found (an inverse where training was changed), as exact where the
repaired set equals the original to the bit. The price is compared with what a net of the audit's kind scores on other
rows of the training source with the same fault; the repair by such a net's score on the repaired and the correct pair.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from audit_faults import ALSO_RIGHT, FAULTS, INVERSE, NO_EXACT_WAY_BACK
from common import machine, print_table
from scipy import ndimage

import tidepool as tp
from tidepool.audit import audit
from tidepool.audit.evidence import prepare
from tidepool.audit.faults.frames import even, place
from tidepool.audit.scale import measure
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
TRAINING, SPARE = 10_000, 4_000


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


def read_as_is(train: ImageSet, broken: ImageSet, labels: Any, seed: int) -> float | None:
    """Return what the audit's kind of quick net truly scores on the broken pictures: what the price foretells."""
    reference = prepare(train, measure(train.images, train.images[:2500]), np.random.default_rng(seed), seed)
    if broken.images.ndim != train.images.ndim or reference.net is None:
        return None
    fitted = place(broken.images, reference.frame, *even(broken.frame, reference.frame), broken.images.reshape(-1)[0])
    return float(np.mean(reference.names[reference.net.predict_index(reference.unit(fitted))] == labels))


class Tally:
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def judge(
        self,
        row: str,
        fault: str,
        wanted: list[str],
        train: ImageSet,
        test: ImageSet,
        good: Any,
        seed: int,
        said: str = "",
        labels: Any = None,
        correct: ImageSet | None = None,
        twin: ImageSet | None = None,
    ) -> None:
        """Audit and note.

        said : the verdict that is wanted besides; labels, correct : to check the repair; twin : other rows with the
        same fault, and their labels, to check the price.
        """
        start = time.perf_counter()
        verdict = audit(train, test, seed=seed)
        seconds = time.perf_counter() - start
        found = [finding.fault for finding in verdict.findings]
        right = sorted(found) == sorted(wanted)
        if len(wanted) == 1 and len(found) == 1:
            right = right or found[0] in ALSO_RIGHT.get(wanted[0], ())
        right = right and said in ("", verdict.verdict)
        exact = None
        if good is not None and right and verdict.verdict == "fault" and verdict.repairable:
            exact = any(np.array_equal(part.images, good) for part in verdict.repaired)
        elif good is not None:
            exact = False
        off, lost = None, None
        if twin is not None and right and verdict.cost is not None:
            truth = read_as_is(train, twin, twin.labels, seed)
            off = None if truth is None else 100 * abs(truth - verdict.cost.accuracy_as_is)
        if labels is not None and right and verdict.repairable and verdict.findings and correct is not None:
            again = read_as_is(*verdict.repaired, labels, seed)
            before = read_as_is(train, correct, labels, seed)
            lost = None if again is None or before is None else 100 * (before - again)
        heard = f"{verdict.verdict} {'+'.join(found)}"
        self.rows.append(
            {
                "row": row,
                "fault": fault,
                "right": right,
                "exact": exact,
                "price_off": off,
                "lost": lost,
                "seconds": seconds,
                "said": heard,
            }
        )


def bench(name: str, counts: list[int], seed: int, tally: Tally) -> None:
    train, test = load(name)
    rng = np.random.default_rng((7, seed))
    shuffled, top = drawn(train, len(train), rng), float(train.images.max())
    first = 0 if name == "digits" else min(SPARE, len(shuffled) // 4)
    spare = shuffled.select(slice(0, first)) if first else test
    train = shuffled.select(slice(first, first + TRAINING))
    for count in counts:
        part = drawn(test, count, rng)
        bare = ImageSet(part.images)
        for fault in FAULTS:
            if not owed(name, fault, part):
                continue
            labelled = "label" in fault.split("-")[0] or fault == "ten-for-zero"
            again = copy.deepcopy(rng)
            broken = changed(fault, part, top, rng)
            twin = changed(fault, spare, top, again)
            broken = broken if labelled and fault != "label-as-pixel" else ImageSet(broken.images)
            exact = fault not in NO_EXACT_WAY_BACK and not labelled
            good = part.images if exact else None
            row, of_labels = f"{name} test {count}", labelled and fault != "label-as-pixel"
            checks = {} if of_labels else {"labels": part.labels, "correct": part, "twin": twin}
            tally.judge(row, fault, [fault], train, broken, good, seed, **checks)
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


def quiet(name: str, cases: int, seed: int, tally: Tally) -> None:
    """Cases that must stay silent: sizes, classes and wrong labels drawn at random."""
    train, test = load(name)
    rng = np.random.default_rng((11, seed))
    whole = drawn(train, len(train), rng)
    half = len(whole) // 2
    train, other = whole.select(slice(0, half)), whole.select(slice(half, None))
    for case in range(cases):
        source = (other, test)[case % 2]
        few = drawn(train, int(rng.integers(min(2000, half // 2), min(TRAINING, half) + 1)), rng)
        weights = rng.dirichlet(np.full(10, rng.choice([0.1, 0.5, 5.0])))
        chances = weights[source.labels.astype(int)]
        chances = chances / chances.sum()
        count = min(int(rng.choice([30, 60, 100, 300, 1000])), int((chances > 1e-9).sum()))
        rows = rng.choice(len(source), count, replace=False, p=chances)
        labels = source.labels[rows]
        if case % 3 == 1:
            labels = np.where(rng.random(count) < 0.05, rng.integers(0, 10, count), labels)
        given = ImageSet(source.images[rows], None if case % 3 == 0 else labels)
        tally.judge("silent", f"{name} drawn, {count}", [], few, given, None, seed)


def sources(seed: int, tally: Tally) -> None:
    """Another source is no fault; a fault in it is one; augmented training is neither."""
    rng = np.random.default_rng((13, seed))
    mnist, mnist_test = load("mnist")
    usps = drawn(load("usps")[1], 1000, rng)
    large = ndimage.zoom(usps.images.astype(float), (1, 20 / 16, 20 / 16), order=1, grid_mode=True, mode="nearest")
    framed = np.pad(np.rint(large.clip(0, 255)).astype(np.uint8), ((0, 0), (4, 4), (4, 4)))
    for picture in framed:
        away = 13.5 - np.array(ndimage.center_of_mass(picture))
        picture[:] = np.roll(picture, np.rint(away).astype(int), (0, 1))
    train = drawn(mnist, TRAINING, rng)
    tally.judge("other source", "usps as mnist", [], train, ImageSet(framed), None, seed, "different-source")
    small = np.stack(
        [ndimage.zoom(p.astype(float)[4:24, 4:24], 0.8, order=1, grid_mode=True) for p in mnist_test.images[:1000]]
    )
    as_usps = ImageSet(np.rint(small.clip(0, 255)).astype(np.uint8))
    tally.judge("other source", "mnist as usps", [], load("usps")[0], as_usps, None, seed, "different-source")
    for fault in ("transposed", "inverted", "rotated-180", "flipped-lr", "scaled-255"):
        broken = changed(fault, ImageSet(framed), 255.0, rng)
        tally.judge("other source, faulty", fault, [fault], train, ImageSet(broken.images), None, seed, "fault")
    affnist = tp.read(str(Path(os.environ["TIDEPOOL_DATA"]) / "affnist" / "sample_train.mat"))
    part = drawn(mnist_test, 1000, rng)
    padded = np.pad(part.images, ((0, 0), (6, 6), (6, 6)))
    tally.judge("silent", "affnist training", [], affnist, ImageSet(padded), None, seed, "clean")
    tally.judge("silent", "affnist training, labels", [], affnist, ImageSet(padded, part.labels), None, seed, "clean")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", default="digits,usps,mnist,sources")
    parser.add_argument("--counts", default="1000,300,100")
    parser.add_argument("--controls", type=int, default=25)
    options = parser.parse_args()
    about, tally = machine(), Tally()
    for seed in range(options.seeds):
        for name in options.sets.split(","):
            if name == "sources":
                sources(seed, tally)
                continue
            bench(name, [int(count) for count in options.counts.split(",") if count], seed, tally)
            quiet(name, options.controls, seed, tally)
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in tally.rows:
        groups[one["row"]].append(one)
    table = []
    for row, trials in groups.items():
        exact = [one["exact"] for one in trials if one["exact"] is not None]
        shares = [np.mean([one["right"] for one in trials]), np.mean(exact) if exact else None]
        shown = ["" if share is None else f"{share:.1%}" for share in shares]
        off = np.array([one["price_off"] for one in trials if one["price_off"] is not None])
        priced = f"{(off <= 2).mean():.0%} of {len(off)}" if len(off) else ""
        lost = np.array([one["lost"] for one in trials if one["lost"] is not None])
        mended = f"{(lost <= 0.5).mean():.0%} of {len(lost)}" if len(lost) else ""
        table.append([row, len(trials), *shown, priced, mended, f"{np.median([one['seconds'] for one in trials]):.2f}"])
    print_table(["case", "trials", "right", "exact", "price within 2", "repaired within .5", "seconds"], table)
    wrong = [one for one in tally.rows if one["price_off"] is not None and one["price_off"] > 2]
    for one in wrong:
        print(f"  price of {one['fault']} in {one['row']}: {one['price_off']:.1f} points off")
    for one in tally.rows:
        if one["lost"] is not None and one["lost"] > 0.5:
            print(f"  repair of {one['fault']} in {one['row']}: {one['lost']:.1f} points below the correct set")
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
