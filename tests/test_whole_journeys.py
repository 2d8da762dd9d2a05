"""The slow rest: whole commands at their real length, run by ``make check-all``."""

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tidepool as tp

pytestmark = pytest.mark.slow
KAGGLE = Path(os.environ.get("TIDEPOOL_DATA", "absent"), "kaggle")


def tidepool(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "tidepool", *map(str, arguments)], capture_output=True, text=True, **more
    )


def test_the_embedded_digits_as_make_run_trains_them(tmp_path):
    done = tidepool("run", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["validation"]["accuracy"] >= 0.975


@pytest.mark.skipif(not KAGGLE.exists(), reason="TIDEPOOL_DATA holds no kaggle/")
def test_kaggles_two_files(tmp_path):
    out = tmp_path / "run"
    done = tidepool("run", KAGGLE / "train.csv.gz", "--test", KAGGLE / "test.csv.gz", "--budget", "40s", "--out", out)
    assert done.returncode == 0, done.stderr
    with (out / "submission.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["ImageId", "Label"]
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(1, 28_001)]
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["audit"]["verdict"] == "clean"
    assert metrics["validation"]["accuracy"] > 0.98


@pytest.mark.parametrize("seconds", [4, 7, 9])
def test_killed_and_resumed_it_ends_in_the_same_weights(tmp_path, seconds):
    command = ["train", "digits", "--epochs", "60"]
    whole, broken = tmp_path / "whole.tidepool", tmp_path / "broken.tidepool"
    assert tidepool(*command, "--out", whole).returncode == 0
    killed = subprocess.Popen([sys.executable, "-m", "tidepool", *command, "--out", str(broken)])
    time.sleep(seconds)
    killed.kill()
    killed.wait()
    for _ in range(2):  # the second time it is finished, and says so
        assert tidepool(*command, "--out", broken, "--resume").returncode == 0
    assert tp.load(whole).weights_bytes == tp.load(broken).weights_bytes
    assert not broken.with_name("broken.tidepool.checkpoint").exists()
