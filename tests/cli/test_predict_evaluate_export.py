"""What is done with a model: predict in each format, evaluate, export to ONNX; and the help of every command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tidepool.cli import COMMANDS
from tidepool.formats import read

# The options that COMMANDS.md names for a command, beside those of "everywhere" that make sense for it.
OPTIONS = {
    "run": "--test --budget --out --seed --fix --no-audit --force --quiet --no-cache --shape",
    "train": "--out --budget --epochs --stack --recipe --size --seed --resume --device --plan --force --quiet",
    "predict": "--out --probabilities --fast --accurate --force --quiet --no-cache --shape",
    "evaluate": "--json --fast --accurate --quiet --no-cache --shape",
    "audit": "--json --fix --force --quiet --no-cache --shape --seed",
    "convert": "--force --quiet --no-cache --shape",
    "info": "--json --quiet --no-cache --shape",
    "show": "--out --recipe --seed --force --quiet --no-cache --shape",
    "augment": "--recipe --copies --size --seed --force --quiet --no-cache --shape",
    "tune": "--out --budget --jobs --resume --device --seed --force --quiet --no-cache --shape",
    "ladder": "--quick --out --seed --force --quiet --no-cache",
    "export": "--force --quiet",
}


@pytest.fixture
def model(finished) -> Path:  # type: ignore[no-untyped-def]
    path: Path = finished[1] / "model.tidepool"
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".npz", ".parquet"])
@pytest.mark.parametrize("probabilities", [False, True])
def test_predictions_in_each_format(  # type: ignore[no-untyped-def]
    command, model: Path, data: Path, truth, tmp_path: Path, suffix: str, probabilities: bool
) -> None:
    out = tmp_path / "new" / f"p{suffix}"
    ended = command("predict", model, data / "test.csv", "--out", out, *["--probabilities"] * probabilities)
    assert ended.code == 0, ended
    assert "397 predictions" in ended.out
    if suffix == ".npz":
        with np.load(out) as found:
            ids, labels = found["ids"], found["labels"]
            shares = found["probabilities"] if probabilities else None
            assert ("classes" in found.files) == probabilities
    else:
        reader = {".csv": pl.read_csv, ".jsonl": pl.read_ndjson, ".parquet": pl.read_parquet}[suffix]
        table = reader(out)
        ids, labels = table["ImageId"].to_numpy(), table["Label"].to_numpy()
        assert table.columns[2:] == [f"p_{k}" for k in range(10)] * probabilities
        shares = table[:, 2:].to_numpy() if probabilities else None
    assert ids.tolist() == list(range(1, 398))
    assert (labels == truth).mean() > 0.7
    if shares is not None:
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-4)
        assert (shares.argmax(axis=1) == labels).all()


def test_effort_changes_what_is_said(command, model: Path, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    found = {}
    for effort in ("--fast", "--accurate"):
        out = tmp_path / f"p{effort}.npz"
        assert command("predict", model, data / "test.csv", "--out", out, "--probabilities", effort).code == 0
        found[effort] = np.load(out)["probabilities"]
        assert command("evaluate", model, data / "scored.npz", effort).code == 0
    # The least sure tenth was looked at again, the others were not.
    other = (found["--fast"] != found["--accurate"]).any(axis=1)
    assert 0 < other.mean() < 0.3


def test_files_are_called_by_their_names(command, model: Path, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert command("convert", data / "few.npz", tmp_path / "png").code == 0
    assert command("predict", model, tmp_path / "png", "--out", tmp_path / "p.csv").code == 0
    table = pl.read_csv(tmp_path / "p.csv")
    assert table["ImageId"][0].startswith("0/")
    assert table["ImageId"][0].endswith(".png")


def test_predict_refuses(refused, model: Path, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "p.csv"
    assert ".parquet" in refused("predict", model, data / "test.csv", "--out", tmp_path / "p.txt")
    assert "gone.tidepool" in refused("predict", "gone.tidepool", data / "test.csv", "--out", out)
    assert "test.csv" in refused("predict", data / "test.csv", data / "test.csv", "--out", out)
    assert "--out" in refused("predict", model, data / "test.csv")
    assert "SRC" in refused("predict", model, "--out", out)
    np.savez(tmp_path / "large.npz", images=np.zeros((3, 9, 9), np.uint8))
    said = refused("predict", model, tmp_path / "large.npz", "--out", out)
    assert "9x9" in said
    assert "8x8" in said
    np.savez(tmp_path / "colour.npz", images=np.zeros((3, 8, 8, 3), np.uint8))
    assert "grey" in refused("predict", model, tmp_path / "colour.npz", "--out", out)
    assert not out.exists()
    out.write_text("mine")
    assert "--force" in refused("predict", model, data / "test.csv", "--out", out)
    assert out.read_text() == "mine"


def test_a_broken_model_is_one_line(refused, model: Path, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    content = model.read_bytes()
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    for name, broken in (("cut", content[:-100]), ("changed", bytes(changed)), ("empty", b""), ("text", b"hello")):
        path = tmp_path / f"{name}.tidepool"
        path.write_bytes(broken)
        for args in (
            ("predict", path, data / "test.csv", "--out", tmp_path / "p.csv"),
            ("evaluate", path, data / "scored.npz"),
            ("info", path),
            ("export", path, tmp_path / "m.onnx"),
        ):
            assert path.name in refused(*args)
    assert not (tmp_path / "p.csv").exists()
    assert not (tmp_path / "m.onnx").exists()


def test_evaluate_json(command, model: Path, data: Path) -> None:  # type: ignore[no-untyped-def]
    ended = command("evaluate", model, data / "scored.npz", "--json")
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert found.keys() >= {"accuracy", "n", "errors", "per_class", "calibration_error"}
    assert found["n"] == 397
    assert 0.7 < found["accuracy"] <= 1
    assert found["errors"] == round(397 * (1 - found["accuracy"]))
    assert found["per_class"].keys() == {str(k) for k in range(10)}
    assert 0 <= found["calibration_error"] <= 1


def test_evaluate_in_words(command, refused, model: Path, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    ended = command("evaluate", model, data / "scored.npz")
    assert ended.code == 0
    assert "% of 397 images (95 % interval" in ended.out
    assert command("evaluate", model, data / "scored.npz", "--quiet").out == ""
    assert "note" not in ended.out
    assert "no labels" in refused("evaluate", model, data / "test.csv")
    # Not a score of 0 %, and not a proud score on what it has learnt by heart.
    np.savez(tmp_path / "words.npz", images=np.zeros((2, 8, 8), np.uint8), labels=["zero", "one"])
    said = refused("evaluate", model, tmp_path / "words.npz")
    assert "words.npz: no label is a class of the model (labels: one, zero; classes: 0, 1, 2, 3, 4)" in said
    assert "was trained on these very pictures" in command("evaluate", model, data / "train.csv").out


def test_export_runs_on_raw_pictures(command, refused, model: Path, data: Path, truth, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import onnxruntime

    out = tmp_path / "new" / "m.onnx"
    ended = command("export", model, out)
    assert ended.code == 0, ended
    assert "0, 1, 2" in ended.out
    images = read(data / "test.csv", cache=False).images
    assert images.dtype == np.uint8
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"images": images})
    assert (found.argmax(axis=1) == truth).mean() > 0.7
    assert "--force" in refused("export", model, out)
    assert command("export", model, out, "--force", "--quiet").out == ""


def test_info_of_a_model(command, model: Path) -> None:  # type: ignore[no-untyped-def]
    ended = command("info", model)
    assert ended.code == 0
    for word in ("frame", "classes", "trained on", "held back"):
        assert word in ended.out
    assert json.loads(command("info", model, "--json").out)["classes"] == list(range(10))


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_shows_an_example_first_and_every_option(command, name: str) -> None:  # type: ignore[no-untyped-def]
    ended = command(name, "--help")
    assert (ended.code, ended.err) == (0, "")
    before, _, after = ended.out.partition("\nOptions:\n")
    _usage, _sentence, example = before.strip().split("\n\n")[:3]
    assert example.startswith(f"  tidepool {name} ")
    for option in OPTIONS[name].split():
        assert f"{option} " in after, option
    assert command(name, "-h").out == ended.out
    assert max(len(line) for line in ended.out.splitlines()) <= 80


def test_help_lists_the_commands(command) -> None:  # type: ignore[no-untyped-def]
    ended = command("--help")
    assert ended.code == 0
    assert "  tidepool run train.csv --test test.csv" in ended.out
    for name in COMMANDS:
        assert f"\n  {name} " in ended.out
    assert command("--version").out.startswith("tidepool")


def test_no_command_shows_the_help(command) -> None:  # type: ignore[no-untyped-def]
    ended = command()
    assert ended.code == 0
    assert ended.out == command("--help").out
