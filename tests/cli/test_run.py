"""tidepool run: everything it writes, the audit's exit code, --fix, --no-audit, the budget."""

from __future__ import annotations

import csv
import json
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tidepool as tp

OUTPUTS = {"model.tidepool", "submission.csv", "report.html", "metrics.json", "history.jsonl"}


def submission(path: Path) -> tuple[list[str], list[int], np.ndarray]:  # type: ignore[type-arg]
    with path.open(newline="") as text:
        header, *rows = csv.reader(text)
    return header, [int(row[0]) for row in rows], np.array([int(row[1]) for row in rows])


def test_everything_is_written(finished, truth) -> None:  # type: ignore[no-untyped-def]
    ended, folder = finished
    assert {path.name for path in folder.iterdir()} == OUTPUTS
    header, ids, labels = submission(folder / "submission.csv")
    assert header == ["ImageId", "Label"]
    assert ids == list(range(1, 398))
    assert (labels == truth).mean() > 0.7
    for word in ("read", "audit", "train", "held back", "wrote", "time", "next"):
        assert f"\n{word:<10}" in "\n" + ended.out
    assert str(folder) in ended.out
    assert "397 rows, verified" in ended.out
    assert ended.err == ""


def test_metrics_have_the_keys_of_the_contract(finished) -> None:  # type: ignore[no-untyped-def]
    metrics = json.loads((finished[1] / "metrics.json").read_text())
    assert 0.7 < metrics["validation"]["accuracy"] <= 1
    assert metrics["validation"]["n"] == pytest.approx(280, abs=3)
    assert metrics["train"].keys() >= {"seconds", "images_per_second", "epochs"}
    assert 0 < metrics["train"]["seconds"] < metrics["total_seconds"]
    assert metrics["model"]["parameters"] > 0
    assert metrics["model"]["stack"]
    assert metrics["seed"] == 0
    assert metrics["device"] == "cpu"
    assert metrics["audit"]["verdict"] == "clean"
    assert "test" not in metrics


def test_history_and_report(finished) -> None:  # type: ignore[no-untyped-def]
    _, folder = finished
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))
    page = (folder / "report.html").read_text()
    assert "tidepool run" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    with zipfile.ZipFile(folder / "model.tidepool") as archive:
        card = json.loads(archive.read("card.json"))
    assert card["audit"]["verdict"] == "clean"


def test_the_same_plan_repeats_the_weights_to_the_bit(command, finished, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    _, folder = finished
    model = folder / "model.tidepool"
    again = command("train", data / "train.csv", "--plan", model, "--out", tmp_path / "again.tidepool")
    assert again.code == 0, again
    assert weights(tmp_path / "again.tidepool") == weights(model)


def weights(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("weights.safetensors")


def test_what_run_predicted_predict_predicts(command, finished, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    _, folder = finished
    ended = command("predict", folder / "model.tidepool", data / "test.csv", "--out", tmp_path / "p.csv")
    assert ended.code == 0, ended
    assert (tmp_path / "p.csv").read_bytes() == (folder / "submission.csv").read_bytes()


@pytest.mark.parametrize("name", ["turned", "inverted"])
def test_a_fault_ends_with_3_and_writes_nothing(refused, data: Path, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "out"
    said = refused(
        "run", data / "train.npz", "--test", data / f"{name}.npz", "--budget", "4s", "--out", out, "--quiet", code=3
    )
    assert {"turned": "transposed", "inverted": "inverted"}[name] in said
    assert "--fix" in said
    assert "--no-audit" in said
    assert not out.exists()


@pytest.mark.parametrize("name", ["turned", "inverted"])
def test_fix_goes_on_and_predicts_well(command, data: Path, truth, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "out"
    ended = command(
        "run", data / "train.npz", "--test", data / f"{name}.npz", "--budget", "4s", "--out", out, "--fix", "--quiet"
    )
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (submission(out / "submission.csv")[2] == truth).mean() > 0.7
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["audit"]["verdict"] == "fault"
    assert metrics["audit"]["findings"][0]["fault"] == {"turned": "transposed", "inverted": "inverted"}[name]
    card = tp.load(out / "model.tidepool").card
    assert card["audit"]["repaired"] is True
    assert card["audit"]["findings"][0]["repair"] == metrics["audit"]["findings"][0]["repair"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Test, repaired" in page


def test_no_audit_goes_on(command, data: Path, truth, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "out"
    ended = command(
        "run", data / "train.npz", "--test", data / "turned.npz", "--budget", "3s", "--out", out, "--no-audit"
    )
    assert ended.code == 0, ended
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["audit"] == {"verdict": None}
    # The pictures are still transposed: nothing was repaired behind the user's back.
    found = (submission(out / "submission.csv")[2] == truth).mean()
    assert found < metrics["validation"]["accuracy"] - 0.1


def test_digits_without_a_source_in_the_default_folder(  # type: ignore[no-untyped-def]
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start = time.monotonic()
    ended = command("run", "--budget", "3s", "--seed", "5")
    assert time.monotonic() - start < 10
    assert ended.code == 0, ended
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("digits-")
    assert {path.name for path in folder.iterdir()} == OUTPUTS - {"submission.csv"}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["audit"] == {"verdict": None}
    assert metrics["seed"] == 5
    assert metrics["budget_seconds"] == 3


def test_a_labelled_test_set_scores(command, data: Path, truth, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "out"
    ended = command(
        "run", data / "train.npz", "--test", data / "scored.npz", "--budget", "3s", "--out", out, "--no-audit"
    )
    assert ended.code == 0, ended
    found = json.loads((out / "metrics.json").read_text())["test"]
    assert found["n"] == 397
    assert found["accuracy"] == pytest.approx((submission(out / "submission.csv")[2] == truth).mean())
    assert f"{100 * found['accuracy']:.2f} % of 397" in ended.out


def test_an_existing_folder_needs_force(refused, command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "note.txt").write_text("mine")
    assert "--force" in refused("run", data / "few.npz", "--out", tmp_path, "--budget", "2s")
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["note.txt"]
    ended = command("run", data / "few.npz", "--out", tmp_path, "--budget", "2s", "--force", "--quiet")
    assert ended == type(ended)(0, "", "")
    assert (tmp_path / "model.tidepool").is_file()
    assert (tmp_path / "note.txt").read_text() == "mine"


def test_words_are_classes(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from tidepool.formats import read

    images = read(data / "few.npz", cache=False).images
    names = np.array(["even, or so", "ungerade ü"])[np.arange(200) % 2]
    np.savez(tmp_path / "words.npz", images=images, labels=names)
    out = tmp_path / "out"
    ended = command("run", tmp_path / "words.npz", "--test", data / "test.csv", "--budget", "2s", "--out", out)
    assert ended.code == 0, ended
    with (out / "submission.csv").open(newline="", encoding="utf-8") as text:
        rows = list(csv.reader(text))
    assert len(rows) == 398
    assert {row[1] for row in rows[1:]} <= set(names)


def test_a_larger_frame_that_is_harmless_goes_on(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from tidepool.formats import read

    images = read(data / "turned.npz", cache=False).images.transpose(0, 2, 1)
    np.savez(tmp_path / "padded.npz", images=np.pad(images, ((0, 0), (4, 4), (4, 4))))
    ended = command(
        "run", data / "train.npz", "--test", tmp_path / "padded.npz", "--budget", "2s", "--out", tmp_path / "out"
    )
    assert ended.code == 0, ended
    assert "harmless" in ended.out


def test_too_few_to_hold_back_is_said(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    np.savez(tmp_path / "two.npz", images=np.arange(128, dtype=np.uint8).reshape(2, 8, 8), labels=["a", "b"])
    ended = command("run", tmp_path / "two.npz", "--budget", "1s", "--out", tmp_path / "out")
    assert ended.code == 0, ended
    assert "held back  nothing: too few pictures" in ended.out


def test_a_budget_that_is_too_small_is_said(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    ended = command("run", data / "few.npz", "--budget", "0.1s", "--out", tmp_path / "out")
    assert ended.code == 0, ended
    assert "over the budget" in ended.out


def test_ctrl_c_keeps_the_model_and_ends_with_130(  # type: ignore[no-untyped-def]
    command, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tidepool.cli.printing import Printer

    def press(self: Printer, step: int, steps: int) -> None:
        if step == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Printer, "_on_step", press)
    ended = command("run", data / "few.npz", "--budget", "4s", "--out", tmp_path / "out")
    assert ended.code == 130, ended
    assert ended.err.strip() == "tidepool: stopped by Ctrl-C"
    assert "stopped by Ctrl-C: the model is as good as it was by then" in ended.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == OUTPUTS - {"submission.csv"}


def test_audit_ends_with_3_at_the_real_command_line(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    train, turned, fixed = data / "train.npz", data / "turned.npz", tmp_path / "fixed.npz"
    assert command("audit", train, data / "scored.npz").code == 0
    assert command("audit", train, turned).code == 3
    assert command("audit", train, turned, "--json").code == 3
    assert command("audit", train, turned, "--fix", fixed).code == 0
    assert command("audit", train, fixed).code == 0
