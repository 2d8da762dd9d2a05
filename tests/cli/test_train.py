"""tidepool train: epochs, budgets, stacks, frames, plans, and that the same command gives the same weights."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest


def weights(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("weights.safetensors")


def card(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        found: dict[str, Any] = json.loads(archive.read("card.json"))
    return found


def test_the_same_command_twice_gives_the_same_weights(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("a", "b"):
        out = tmp_path / "new" / f"{name}.tidepool"
        ended = command("train", data / "few.npz", "--epochs", 2, "--seed", 3, "--out", out)
        assert ended.code == 0, ended
        assert "held back" in ended.out
        assert f"tidepool predict {tmp_path}/new/{name}.tidepool" in ended.out
    assert weights(tmp_path / "new/a.tidepool") == weights(tmp_path / "new/b.tidepool")
    plan = card(tmp_path / "new/a.tidepool")["plans"][0]
    assert plan["steps"] == 2 * plan["steps_per_epoch"]


def test_another_seed_gives_other_weights(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for seed in (0, 1):
        out = tmp_path / f"{seed}.tidepool"
        assert command("train", data / "few.npz", "--epochs", 1, "--seed", seed, "--out", out).code == 0
    assert weights(tmp_path / "0.tidepool") != weights(tmp_path / "1.tidepool")


def test_a_plan_repeats_a_budgeted_training(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    first, second = tmp_path / "first.tidepool", tmp_path / "second.tidepool"
    options = ["--budget", "2s", "--seed", 4, "--recipe", "affnist", "--size", "12x12", "--stack", "small"]
    assert command("train", data / "few.npz", "--out", first, *options).code == 0
    assert command("train", data / "few.npz", "--out", second, "--plan", first).code == 0
    assert weights(first) == weights(second)
    assert card(first)["plans"] == card(second)["plans"]


def test_the_plan_of_an_earlier_days_model_is_repeated_too(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from tidepool.model import load

    first, second = tmp_path / "first.tidepool", tmp_path / "second.tidepool"
    assert command("train", data / "few.npz", "--epochs", 2, "--out", first).code == 0
    model = load(first)
    # As cards were before nets could answer together; a plan without ``keep`` shows every picture in each round.
    plan = model.card.pop("plans")[0]
    del plan["keep"], plan["chance"]
    model.card["plan"] = plan
    model.save(first)
    assert command("train", data / "few.npz", "--out", second, "--plan", first).code == 0
    (again,) = card(second)["plans"]
    assert again["keep"] == 1
    assert again["steps"] == plan["steps"]


def test_a_larger_frame_takes_smaller_pictures(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    model = tmp_path / "m.tidepool"
    assert command("train", data / "few.npz", "--size", "12x14", "--epochs", 1, "--out", model).code == 0
    assert card(model)["preprocessing"]["frame"] == [12, 14]
    assert command("predict", model, data / "test.csv", "--out", tmp_path / "p.csv").code == 0


@pytest.mark.parametrize("stack", ["small", "medium", "large", "dense"])
def test_each_stack_of_the_zoo_by_name(command, data: Path, tmp_path: Path, stack: str) -> None:  # type: ignore[no-untyped-def]
    ended = command("train", data / "few.npz", "--epochs", 1, "--stack", stack, "--out", tmp_path / "m.tidepool")
    assert ended.code == 0, ended


def test_a_stack_from_a_file(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    first, second = tmp_path / "first.tidepool", tmp_path / "second.tidepool"
    assert command("train", data / "few.npz", "--epochs", 1, "--stack", "small", "--out", first).code == 0
    (tmp_path / "stack.json").write_text(json.dumps(card(first)["stack"]))
    options = ["--epochs", 1, "--stack", tmp_path / "stack.json"]
    assert command("train", data / "few.npz", "--out", second, *options).code == 0
    assert weights(first) == weights(second)


@pytest.mark.parametrize(
    ("options", "parts", "code"),
    [
        (("--stack", "smal"), ("smal", "did you mean 'small'?"), 2),
        (("--recipe", "afnist"), ("afnist", "did you mean 'affnist'?"), 2),
        (("--device", "cuda"), ("CUDA", "--device auto"), 4),
        (("--device", "gpu"), ("gpu",), 2),
        (("--size", "4x4"), ("4x4", "8x8"), 2),
        (("--size", "40"), ("--size 40", "HEIGHTxWIDTH"), 2),
        (("--stack", "gone.json"), ("gone.json",), 2),
        (("--plan", "gone.tidepool"), ("gone.tidepool",), 2),
        (("--budget", "5s"), ("--budget, --epochs", "one of them"), 2),
        (("--seed", "-1"), ("--seed", "-1"), 2),
        (("--seed", "x"), ("--seed", "'x'"), 2),
    ],
)
def test_bad_options(refused, data: Path, tmp_path: Path, monkeypatch, options, parts, code) -> None:  # type: ignore[no-untyped-def]
    import torch

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    limit = () if options[0] == "--plan" else ("--epochs", 1)
    said = refused("train", data / "few.npz", "--out", "m.tidepool", *limit, *options, code=code)
    for part in parts:
        assert part in said
    assert not Path("m.tidepool").exists()


@pytest.mark.parametrize("epochs", ["0", "-1", "nan", "inf"])
def test_epochs_are_a_number_above_0(refused, data: Path, tmp_path: Path, epochs: str) -> None:  # type: ignore[no-untyped-def]
    refused("train", data / "few.npz", "--out", tmp_path / "m.tidepool", "--epochs", epochs)


def test_a_stack_file_that_is_none(refused, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for text in ("{", "[]", '{"layers": 3}', "3"):
        (tmp_path / "s.json").write_text(text)
        said = refused(
            "train", data / "few.npz", "--epochs", 1, "--stack", tmp_path / "s.json", "--out", tmp_path / "m.tidepool"
        )
        assert "s.json" in said


def test_quiet_says_nothing(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    ended = command("train", data / "few.npz", "--epochs", 1, "--out", tmp_path / "m.tidepool", "--quiet")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_an_existing_model_needs_force(refused, command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "m.tidepool"
    out.write_text("mine")
    assert "--force" in refused("train", data / "few.npz", "--epochs", 1, "--out", out)
    assert out.read_text() == "mine"
    assert command("train", data / "few.npz", "--epochs", 1, "--out", out, "--force").code == 0
    assert card(out)["classes"] == list(range(10))


def test_a_plan_with_a_recipe_of_ones_own_is_repeated(command, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "mine.toml").write_text('name = "tilted"\n[affine]\nrotation = 15\n')
    first, again = tmp_path / "a.tidepool", tmp_path / "b.tidepool"
    options = ("--recipe", tmp_path / "mine.toml", "--epochs", 1, "--stack", "small")
    assert command("train", data / "few.npz", "--out", first, *options).code == 0
    (tmp_path / "mine.toml").unlink()
    assert command("train", data / "few.npz", "--out", again, "--plan", first).code == 0
    assert weights(first) == weights(again)
    assert card(again)["plans"][0]["recipe"]["name"] == "tilted"


@pytest.mark.parametrize(("size", "said"), [("8x8", "--size 12x12 gives room"), ("12x12", ""), ("6x6", "")])
def test_pictures_without_room_are_named_before_training(command, data: Path, tmp_path: Path, size, said) -> None:  # type: ignore[no-untyped-def]
    options = ("--recipe", "affnist", "--size", size, "--epochs", 0.1, "--stack", "small")
    ended = command("train", data / "train.npz", "--out", tmp_path / "m.tidepool", *options)
    assert ended.code == (2 if size == "6x6" else 0)
    notes = [line for line in ended.out.splitlines() if line.startswith("note")]
    assert len(notes) == bool(said)
    assert not said or (said in notes[0] and "of the first 1,400 pictures fit into 8x8 only when shrunk" in notes[0])


def test_a_place_that_cannot_be_written_is_said_before_training(refused, data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "file").write_text("x")
    said = refused("train", data / "few.npz", "--epochs", 1, "--out", tmp_path / "file" / "m.tidepool", code=4)
    assert "is a file" in said
