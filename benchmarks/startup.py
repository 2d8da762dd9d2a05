"""How long the user waits: import, --help, reading, and a whole ``tidepool predict`` from CSV to CSV.

TIDEPOOL_DATA=../shared/data python benchmarks/startup.py --model runs/.../model.tidepool --out startup.json
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import machine, print_table, write_json

READ = (
    "import sys, time; t = time.monotonic(); import tidepool; tidepool.read(sys.argv[1]); print(time.monotonic() - t)"
)


def timed(command: list[str], environment: dict[str, str]) -> float:
    start = time.monotonic()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a model for 28x28 digits, as `tidepool run` writes it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", help="JSON file")
    arguments = parser.parse_args()
    data = Path(os.environ["TIDEPOOL_DATA"], "kaggle")
    about = machine()
    python, me = sys.executable, [sys.executable, "-m", "tidepool"]
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TIDEPOOL_CACHE": f"{folder}/cache"}

        def note(name: str, seconds: float) -> None:
            figures.setdefault(name, []).append(seconds)

        def read_once() -> float:
            done = subprocess.run(
                [python, "-c", READ, str(data / "train.csv.gz")],
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            )
            return float(done.stdout)

        for i in range(arguments.rounds):
            bare = timed([python, "-c", "pass"], environment)
            note("import tidepool (less a bare python)", timed([python, "-c", "import tidepool"], environment) - bare)
            note("tidepool --help", timed([*me, "--help"], environment))
            environment["TIDEPOOL_CACHE"] = f"{folder}/cache{i}"
            note("read train.csv.gz, first", read_once())
            note("read train.csv.gz, from the cache", read_once())
            predict = [
                *me,
                "predict",
                arguments.model,
                str(data / "test.csv.gz"),
                "--out",
                f"{folder}/s.csv",
                "--force",
            ]
            note("tidepool predict, 28,000 rows CSV to CSV, first", timed(predict, environment))
            note("tidepool predict, again", timed(predict, environment))
    rows = [[name, f"{statistics.median(v):.3f}", f"{min(v):.3f}", f"{max(v):.3f}"] for name, v in figures.items()]
    print_table(["what", "median s", "least", "most"], rows)
    write_json(arguments.out, {"machine": about, "seconds": figures})


if __name__ == "__main__":
    main()
