"""Five-fold cross-validation on the embedded digits: Classifier beside an RBF SVC, same folds, same run.

python benchmarks/digits_cv.py --budget 20s --seeds 1 --out digits.json
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from common import machine, mean_and_spread, print_table, write_json
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from tidepool import Classifier, read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", default="20s", help="of each fit")
    parser.add_argument("--seeds", type=int, default=1, help="shufflings of the folds")
    parser.add_argument("--out", help="JSON file")
    arguments = parser.parse_args()
    about = machine()
    digits = read("digits")
    X, y = digits.images, digits.labels
    results: dict[str, list[list[float]]] = {"Classifier": [], "RBF SVC": []}
    seconds: dict[str, list[float]] = {name: [] for name in results}
    for seed in range(arguments.seeds):
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        scores: dict[str, list[float]] = {name: [] for name in results}
        for train, test in folds.split(X, y):
            # gamma=.001 on 0..16 pixels is scikit-learn's own choice for these digits (its digits example).
            flatten = FunctionTransformer(lambda images: images.reshape(len(images), -1).astype(float))
            rivals = {
                "Classifier": Classifier(budget=arguments.budget, random_state=seed),
                "RBF SVC": make_pipeline(flatten, SVC(gamma=0.001, C=10)),
            }
            for name, rival in rivals.items():
                start = time.monotonic()
                rival.fit(X[train], y[train])
                seconds[name].append(time.monotonic() - start)
                scores[name].append(100 * float((rival.predict(X[test]) == y[test]).mean()))
        for name, values in scores.items():
            results[name].append(values)
            print(seed, name, np.round(values, 2), f"mean {np.mean(values):.2f}", flush=True)
    rows = []
    for name, by_seed in results.items():
        means = [float(np.mean(values)) for values in by_seed]
        rows.append([name, mean_and_spread(means, 2), f"{np.mean(seconds[name]):.1f}"])
    print_table(["model", "5-fold accuracy %, mean ± deviation over shufflings", "seconds a fit"], rows)
    write_json(arguments.out, {"budget": arguments.budget, "machine": about, "folds": results, "seconds": seconds})


if __name__ == "__main__":
    main()
