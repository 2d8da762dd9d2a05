"""tidepool audit: exit codes, one JSON object, --fix."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

from tidepool.cli import cli
from tidepool.cli.means import half_blocks, mean_picture
from tidepool.formats import read, write
from tidepool.images import ImageSet


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    data = load_digits()
    images = data.images.astype(np.uint8)
    names = [str(tmp_path / name) for name in ("train.npz", "test.npz", "turned.npz")]
    write(ImageSet(images[:1000], data.target[:1000]), names[0])
    write(ImageSet(images[1000:]), names[1])
    write(ImageSet(images[1000:].transpose(0, 2, 1)), names[2])
    return names[0], names[1], names[2]


def test_clean_exits_0(files: tuple[str, str, str]) -> None:
    result = CliRunner().invoke(cli, ["audit", files[0], files[1]])
    assert result.exit_code == 0, result.output
    assert "prepared like your training images" in result.output
    assert f"Next: tidepool run {files[0]} --test {files[1]}" in result.output


def test_fault_exits_3_and_says_the_sentence_first(files: tuple[str, str, str]) -> None:
    result = CliRunner().invoke(cli, ["audit", files[0], files[2]])
    assert result.exit_code == 3
    assert result.output.startswith("Your test images are stored column by column (transposed).")
    assert "--fix repaired.npz" in result.output


def test_json_is_one_object_even_at_exit_3(files: tuple[str, str, str]) -> None:
    result = CliRunner().invoke(cli, ["audit", files[0], files[2], "--json", "--no-price"])
    assert result.exit_code == 3
    found = json.loads(result.stdout)
    assert found["verdict"] == "fault"
    assert found["findings"][0]["fault"] == "transposed"
    assert found["findings"][0]["cost"] is None


def test_fix_writes_the_repaired_set_and_exits_0(files: tuple[str, str, str], tmp_path: Path) -> None:
    target = str(tmp_path / "repaired.npz")
    result = CliRunner().invoke(cli, ["audit", files[0], files[2], "--fix", target])
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(read(target).images, read(files[1]).images)
    again = CliRunner().invoke(cli, ["audit", files[0], files[2], "--fix", target])
    assert again.exit_code != 0
    assert CliRunner().invoke(cli, ["audit", files[0], files[2], "--fix", target, "--force", "--quiet"]).output == ""


def test_help_shows_an_example_first() -> None:
    output = CliRunner().invoke(cli, ["audit", "--help"]).output
    assert output.index("tidepool audit train.csv test.csv") < output.index("Options:")


def test_half_blocks_draw_two_pixels_a_character() -> None:
    text = half_blocks(mean_picture(np.arange(64).reshape(1, 8, 8)), 28)
    assert [len(line) for line in text.plain.splitlines()] == [8, 8, 8, 8]
