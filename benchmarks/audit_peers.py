"""What other tools say of the pairs that the audit is tried on: different or not, and nothing more.

    pip install --target DIR alibi-detect frouros cleanlab "deepchecks[vision]" "setuptools<80"
    TIDEPOOL_DATA=/data python benchmarks/audit_peers.py --peers DIR --out audit-peers.json

MNIST, 5,000 training and 1,000 test images, every fault of audit_faults.py once, and pairs in which nothing is wrong:
other rows, skewed classes. alibi-detect: Kolmogorov-Smirnov tests on 40 principal components, Bonferroni, p < .05;
frouros: MMD on the same, permutation test, p < .05; cleanlab: more than 5 % of the labels flagged, with the
probabilities of a logistic regression on 40 components; deepchecks: the drift of image properties, default threshold.
Pictures are divided by 255, and padded or cropped where a tool needs equal frames. A tool that raises is said to.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from audit import changed, drawn, load
from audit_faults import ALSO_RIGHT, FAULTS
from common import machine, print_table
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

import tidepool as tp
from tidepool.audit import audit
from tidepool.audit.faults.frames import even, place

LABELS = ("labels-from-one", "ten-for-zero", "labels-permuted", "labels-off-by-rows", "labels-shuffled")
Says = Callable[[tp.ImageSet, tp.ImageSet], bool]


def flat(images: Any, frame: tuple[int, int]) -> Any:
    """Rows of floats 0..1 in the training frame; what is no byte stays as it is."""
    fitted = place(images, frame, *even(images.shape[1:3], frame), 0)
    values = np.nan_to_num(fitted.reshape(len(fitted), -1).astype(np.float32), posinf=0, neginf=0)
    return values / 255 if images.dtype == np.uint8 else values


class Components:
    """Both sets on 40 principal components of training, worked out once a pair."""

    def __init__(self, train: tp.ImageSet) -> None:
        self.frame = train.frame
        self.model = PCA(40, random_state=0).fit(flat(train.images, self.frame))
        self.train = self.model.transform(flat(train.images, self.frame))
        self.reader = LogisticRegression(max_iter=300).fit(self.train, train.labels)

    def of(self, images: tp.ImageSet) -> Any:
        return self.model.transform(flat(images.images, self.frame))


def alibi(parts: Components) -> Says:
    from alibi_detect.cd import KSDrift

    detector = KSDrift(parts.train, p_val=0.05)
    return lambda train, test: bool(detector.predict(parts.of(test))["data"]["is_drift"])


def frouros(parts: Components) -> Says:
    from frouros.callbacks import PermutationTestDistanceBased
    from frouros.detectors.data_drift import MMD

    def says(train: tp.ImageSet, test: tp.ImageSet) -> bool:
        callback = PermutationTestDistanceBased(num_permutations=100, random_state=0, num_jobs=1, name="p")
        detector = MMD(callbacks=[callback])
        detector.fit(X=parts.train[:500])
        _, logs = detector.compare(X=parts.of(test)[:500])
        return bool(logs["p"]["p_value"] < 0.05)

    return says


def cleanlab(parts: Components) -> Says:
    from cleanlab.filter import find_label_issues

    def says(train: tp.ImageSet, test: tp.ImageSet) -> bool:
        probabilities = parts.reader.predict_proba(parts.of(test))
        return bool(find_label_issues(test.labels.astype(int), probabilities, n_jobs=1).mean() > 0.05)

    return says


def deepchecks(parts: Components) -> Says:
    from deepchecks.vision import VisionData
    from deepchecks.vision.checks import ImagePropertyDrift

    def batches(images: tp.ImageSet) -> Any:
        fitted = images.images
        if fitted.dtype != np.uint8:
            raise TypeError("deepchecks takes bytes only")
        for start in range(0, len(fitted), 250):
            yield {"images": [np.repeat(p[..., None], 3, axis=2) for p in fitted[start : start + 250]]}

    def says(train: tp.ImageSet, test: tp.ImageSet) -> bool:
        sets = [VisionData(batches(images), task_type="other", reshuffle_data=False) for images in (train, test)]
        result = ImagePropertyDrift().add_condition_drift_score_less_than().run(*sets)
        return not all(each.is_pass() for each in result.conditions_results)

    return says


def pairs(seed: int) -> Any:
    """Yield (name, training set, test set, whether anything is wrong)."""
    rng = np.random.default_rng((17, seed))
    train, test = load("mnist")
    train = drawn(train, 5000, rng)
    for fault in FAULTS:
        part = drawn(test, 1000, rng)
        yield fault, train, changed(fault, part, 255.0, rng), True
    for name in ("other rows", "other rows again"):
        yield name, train, drawn(test, 1000, rng), False
    for classes in ((1, 7), (0,), (4, 9, 2), (6,), (8, 3)):
        yield f"only {classes}", train, drawn(test.select(np.isin(test.labels, classes)), 1000, rng), False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", help="where pip put them; without it they are looked for as usual")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.peers:
        sys.path.append(options.peers)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    tools: dict[str, Says] = {}
    missing = []
    rows: list[dict[str, Any]] = []
    for name, train, test, wrong in pairs(options.seed):
        if not tools and not missing:
            parts = Components(train)
            for tool in (alibi, frouros, cleanlab, deepchecks):
                try:
                    tools[tool.__name__] = tool(parts)
                except Exception as error:
                    missing.append(f"{tool.__name__}: {type(error).__name__} {error}")
        start = time.perf_counter()
        given = test if name in LABELS else tp.ImageSet(test.images)
        verdict = audit(train, given, price=False)
        found = [finding.fault for finding in verdict.findings]
        named = found == [name] or (len(found) == 1 and found[0] in ALSO_RIGHT.get(name, ()))
        row: dict[str, Any] = {"pair": name, "wrong": wrong, "audit": verdict.verdict == "fault", "named": named}
        row["audit_seconds"] = time.perf_counter() - start
        for tool_name, says in tools.items():
            start = time.perf_counter()
            try:
                row[tool_name] = says(train, test)
            except Exception as error:
                row[tool_name] = None
                row[f"{tool_name}_error"] = f"{type(error).__name__}: {str(error)[:100]}"
            row[f"{tool_name}_seconds"] = time.perf_counter() - start
        rows.append(row)
        print({key: value for key, value in row.items() if not key.endswith("seconds")}, flush=True)
    bad, good = ([row for row in rows if row["wrong"] is side] for side in (True, False))
    table = []
    for tool_name in ("audit", *tools):
        seen = f"{sum(row[tool_name] is True for row in bad)} of {len(bad)}"
        raised = sum(row[tool_name] is None for row in rows)
        alarms = f"{sum(row[tool_name] is True for row in good)} of {len(good)}"
        named = f"{sum(row['named'] for row in bad)} of {len(bad)}" if tool_name == "audit" else "none"
        seconds = np.median([row[f"{tool_name}_seconds"] for row in rows])
        table.append([tool_name, seen, named, alarms, raised, f"{seconds:.2f}"])
    print_table(["tool", "says that they differ", "names the fault", "false alarms", "raised", "seconds"], table)
    for line in missing:
        print(f"not here: {line}")
    if options.out:
        options.out.write_text(json.dumps({"machine": machine(), "rows": rows, "missing": missing}, indent=1) + "\n")


if __name__ == "__main__":
    main()
