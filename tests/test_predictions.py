import json

import numpy as np
import polars as pl
import pytest

from tidepool import predictions
from tidepool.errors import InputError, TidepoolError

IDS = np.arange(1, 4)
LABELS = np.array([7, 0, 9])
CLASSES = np.arange(10)


def test_csv_is_what_kaggle_takes(tmp_path):
    predictions.write(tmp_path / "s.csv", IDS, LABELS, classes=CLASSES)
    assert (tmp_path / "s.csv").read_text() == "ImageId,Label\n1,7\n2,0\n3,9\n"


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "npz", "parquet"])
def test_every_format_holds_the_probabilities(tmp_path, suffix):
    path = tmp_path / f"s.{suffix}"
    p = np.eye(10, dtype=np.float32)[LABELS]
    predictions.write(path, IDS, LABELS, classes=CLASSES, probabilities=p)
    if suffix == "npz":
        with np.load(path) as arrays:
            np.testing.assert_array_equal(arrays["probabilities"], p)
        return
    if suffix == "jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    else:
        rows = (pl.read_csv if suffix == "csv" else pl.read_parquet)(path).to_dicts()
    assert [row["Label"] for row in rows] == [7, 0, 9]
    assert rows[0]["p_7"] == 1
    assert rows[0]["p_0"] == 0


def test_an_existing_file_and_an_unknown_suffix_are_refused(tmp_path):
    (tmp_path / "s.csv").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        predictions.write(tmp_path / "s.csv", IDS, LABELS)
    assert (tmp_path / "s.csv").read_text() == "mine"
    with pytest.raises(InputError, match=r"\.csv, \.jsonl"):
        predictions.write(tmp_path / "s.xls", IDS, LABELS)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Id,Label\n1,7\n2,0\n3,9\n", "header is Id,Label"),
        ("ImageId,Label\n1,7\n2,0\n", "2 rows, expected 3"),
        ("ImageId,Label\n1,7\n2,0\n3,9\n4,1\n", "4 rows, expected 3"),
        ("ImageId,Label\n1,7\n3,0\n2,9\n", "row 2 has id 3, expected 2"),
        ("ImageId,Label\n1,7\n2,0\n3,12\n", "row 3 has label '12'"),
    ],
)
def test_verify_finds_what_kaggle_would_refuse(tmp_path, text, complaint):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(TidepoolError, match=complaint):
        predictions.verify(tmp_path / "s.csv", IDS, CLASSES)
