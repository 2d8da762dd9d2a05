"""tidepool augment: from the words typed to the files, and every way in which it refuses."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tidepool import warp
from tidepool.formats import read, write
from tidepool.images import ImageSet

Refused = Callable[..., str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    digits = read("digits", cache=False)
    write(digits.select(slice(0, 60)), "few.npz")
    return tmp_path


@pytest.fixture
def rejected(refused: Refused, here: Path) -> Callable[..., str]:
    """``rejected(args)``: augment refuses and writes nothing."""

    def check(*args: object, code: int = 2) -> str:
        before = sorted(here.rglob("*"))
        said = refused("augment", *args, code=code)
        assert [path for path in sorted(here.rglob("*")) if ".cache" not in path.parts] == before
        return said

    return check


def test_the_files_are_the_recipes_epochs(command: Any, here: Path) -> None:
    ended = command("augment", "few.npz", "new/data3", "--copies", 2, "--seed", 4)
    assert ended.code == 0, ended
    assert "new/data3: 2 .mat files, 2 versions of 60 pictures, 12x12" in ended.out
    assert "tidepool train new/data3 --out data3.tidepool" in ended.out
    few = read("few.npz")
    for k in (1, 2):
        found = read(f"new/data3/{k}.mat")
        np.testing.assert_array_equal(found.images, warp.find("affnist").warp(few.images, 4, k, size=(12, 12)))
        np.testing.assert_array_equal(found.labels, few.labels)  # type: ignore[arg-type]
    assert len(read("new/data3/*.mat")) == 120
    again = command("augment", "few.npz", "new/data3", "--copies", 2, "--seed", 4)
    assert again.code == 0
    assert "all there already" in again.out
    more = command("augment", "few.npz", "new/data3", "--copies", 3, "--seed", 4)
    assert "2 of the files were there before" in more.out


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_other_shards_by_the_suffix(command: Any, here: Path, suffix: str) -> None:
    ended = command("augment", "few.npz", f"w{suffix}/", "--copies", 2, "--recipe", "shift", "--quiet")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    found = read(f"w{suffix}")
    assert found.frame == (8, 8)
    assert found.source.format == suffix[1:]


def test_size_recipes_joined_and_toml(command: Any, here: Path) -> None:
    Path("tilt.toml").write_text("[affine]\nrotation = 15\n")
    for recipe in ("affnist+elastic", "tilt.toml"):
        folder = recipe.replace(".toml", "")
        ended = command("augment", "few.npz", folder, "--copies", 1, "--recipe", recipe, "--size", "20x20")
        assert ended.code == 0, ended
        few = read("few.npz").images
        expected = warp.find(recipe).warp(few, epoch=1, size=(20, 20))
        np.testing.assert_array_equal(read(folder).images, expected)
    assert json.loads(Path("tilt/augment.json").read_text())["recipe"]["name"] == "tilt"


def test_unlabelled_pictures(command: Any, here: Path) -> None:
    write(ImageSet(read("few.npz").images), "bare.npz")
    ended = command("augment", "bare.npz", "data", "--copies", 1)
    assert ended.code == 0, ended
    assert "tidepool show data" in ended.out
    assert read("data").labels is None


def test_shrunk_pictures_are_named_in_one_line(command: Any, here: Path) -> None:
    full = np.zeros((9, 12, 12), np.uint8)
    full[:, 5:7, 5:7] = 255
    full[3:, 1:-1] = 255
    write(ImageSet(full), "full.npz")
    ended = command("augment", "full.npz", "data", "--copies", 4, "--size", "12x12")
    note = next(line for line in ended.out.splitlines() if line.startswith("note"))
    assert "picture 4 in version 1" in note
    assert note.endswith(", ...; a larger --size has room for them")
    assert "picture 1 " not in note


def test_bad_usage(rejected: Refused, command: Any, here: Path) -> None:
    said = rejected("few.npz", "data", "--recipe", "afnist")
    assert "no recipe 'afnist'" in said
    assert "did you mean 'affnist'" in said
    Path("bad.toml").write_text("[affine]\nrotation = 400\n")
    ended = command("augment", "few.npz", "data", "--recipe", "bad.toml")
    assert ended.code == 2
    assert "bad.toml: affine: rotation is 400, expected a number from 0 to 180" in ended.err
    assert not Path("data").exists()
    assert "gone.toml: cannot be read" in rejected("few.npz", "data", "--recipe", "gone.toml")
    assert "smaller than the pictures, which are 8x8" in rejected("few.npz", "data", "--size", "7x7")
    assert "--copies" in rejected("few.npz", "data", "--copies", 0)
    assert "gone.npz: no such file" in rejected("gone.npz", "data")
    assert "is a file" in rejected("few.npz", "few.npz")
    assert "not written as '.csv'" in rejected("few.npz", "data.csv")
    assert "not a pattern" in rejected("few.npz", "data/*.mat")


def test_labels_that_are_no_digits(rejected: Refused, here: Path) -> None:
    few = read("few.npz")
    write(ImageSet(few.images, few.labels.astype(str)), "named.npz")  # type: ignore[union-attr]
    said = rejected("named.npz", "data")
    assert "named.npz: labels such as '0', but affNIST's are the digits 0 to 9" in said
    assert "data.npz or data.parquet" in said
    write(ImageSet(few.images, few.labels + 20), "high.npz")  # type: ignore[operator]
    assert "labels 20 to 29" in rejected("high.npz", "data")


def test_a_folder_with_other_settings(command: Any, refused: Refused, here: Path) -> None:
    assert command("augment", "few.npz", "data", "--copies", 1).code == 0
    before = Path("data/1.mat").read_bytes()
    said = refused("augment", "few.npz", "data", "--copies", 1, "--seed", 1)
    assert "data: holds versions from --seed 0, not 1" in said
    assert "--force" in said
    assert Path("data/1.mat").read_bytes() == before
    assert command("augment", "few.npz", "data", "--copies", 1, "--seed", 1, "--force").code == 0
    assert Path("data/1.mat").read_bytes() != before
    Path("photos").mkdir()
    Path("photos/cat.png").write_bytes(b"mine")
    said = refused("augment", "few.npz", "photos", "--copies", 1, "--force")
    assert "photos: holds something else" in said
    assert [path.name for path in Path("photos").iterdir()] == ["cat.png"]


def test_no_room_on_the_disk(rejected: Refused, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(here)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=3_000_000))
    said = rejected("few.npz", "deep/data", "--copies", 1000, code=4)
    assert "deep/data: needs about" in said
    assert "but 3 MB are free" in said
    assert "fewer --copies" in said


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_keeps_whole_files_and_says_how_to_go_on(here: Path, command: Any) -> None:
    digits = read("digits", cache=False)
    write(ImageSet(np.tile(digits.images, (4, 1, 1)), np.tile(digits.labels, 4)), "many.npz")  # type: ignore[arg-type]
    words = ["augment", "many.npz", "data", "--copies", "24", "--size", "40x40"]
    environment = {**os.environ, "NO_COLOR": "1"}
    running = subprocess.Popen(
        [sys.executable, "-m", "tidepool", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    limit = time.monotonic() + 60
    while not Path("data/2.mat").exists() and time.monotonic() < limit:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=60)
    assert running.returncode == 130
    files = sorted(path.name for path in Path("data").iterdir())
    count = len(files) - 1
    assert 2 <= count < 24
    assert not [name for name in files if name.startswith(".")]
    assert error.decode().splitlines() == [
        f"tidepool: stopped by Ctrl-C: {count} files are whole in data",
        "  hint: the same command goes on with the missing ones",
    ]
    first = Path("data/1.mat").stat().st_mtime_ns
    ended = command(*words)
    assert ended.code == 0, ended
    assert f"{count} of the files were there before" in ended.out
    assert Path("data/1.mat").stat().st_mtime_ns == first
    assert len(list(Path("data").glob("*.mat"))) == 24


def test_help_shows_an_example_first(command: Any) -> None:
    ended = command("augment", "--help")
    assert ended.code == 0
    assert "tidepool augment mnist data3 --recipe affnist --copies 32" in ended.out.split("DST is a folder")[0]
    assert "40x40 for 28x28" in " ".join(ended.out.split())
