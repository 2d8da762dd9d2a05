import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tidepool import warp
from tidepool.cli import main
from tidepool.formats import read


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *args: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["tidepool", *map(str, args)])
    with pytest.raises(SystemExit) as caught:
        main()
    out, err = capsys.readouterr()
    assert isinstance(caught.value.code, int)
    assert "Traceback" not in err
    return caught.value.code, out, err


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.delenv("TIDEPOOL_DATA", raising=False)
    return lambda *args: run(capsys, monkeypatch, *args)


def test_convert(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert cli("convert", "digits", tmp_path / "d.npz")[:2] == (
        0,
        f"wrote {tmp_path}/d.npz: 1,797 pictures of 8x8, 10 classes\n",
    )
    code, _, err = cli("convert", "digits", tmp_path / "d.npz")
    assert code == 2
    assert "--force" in err
    assert cli("convert", "digits", tmp_path / "d.npz", "--force", "--quiet")[:2] == (0, "")
    code, _, err = cli("convert", "digits", tmp_path / "d.tiff")
    assert code == 2
    assert ".parquet" in err


def test_info(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = cli("info", "digits")
    assert code == 0
    assert "1,797 of 8x8" in out
    assert "CC BY 4.0" in out
    facts = json.loads(cli("info", "digits", "--json")[1])
    assert facts["images"] == 1797
    assert facts["frame"] == [8, 8]
    assert (facts["min"], facts["max"]) == (0, 16)
    assert facts["classes"]["0"] == 178
    np.savez(tmp_path / "bare.npz", images=np.array([[[0.5, np.nan]]]))
    code, out, _ = cli("info", tmp_path / "bare.npz")
    assert "no labels" in out
    assert "not finite" in out


def test_errors_are_two_lines(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "bad.csv").write_text("label,pixel0\n1,256\n")
    for args, code, part in (
        (("info", tmp_path / "bad.csv"), 2, "column pixel0"),
        (("show", tmp_path / "gone.csv"), 2, "no such file"),
        (("info", "usps"), 4, "usps/usps_train.npz"),
        (("show", "digits", "--out", tmp_path / "a.jpg"), 2, ".png"),
        (("info", "digits", "--shape", "8"), 2, "HEIGHTxWIDTH"),
    ):
        found, _, err = cli(*args)
        assert found == code, err
        assert part in err
        assert len(err.strip().splitlines()) <= 4


def test_show_writes_a_sheet(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert cli("show", "digits", "--out", tmp_path / "s.png", "--count", 9)[0] == 0
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.size == (3 * 64, 3 * 78)
        assert sheet.getextrema()[0] == (0, 255)
    assert cli("show", "digits", "--out", tmp_path / "s.png")[0] == 2


@pytest.mark.parametrize("width", [5, 20, 80])
def test_show_fits_the_terminal(cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    code, out, _ = cli("show", "digits", "--count", 3)
    assert code == 0
    assert "\x1b" not in out
    assert max(len(line) for line in out.splitlines()) <= width
    assert "@" in out


def test_show_draws_half_blocks_in_colour() -> None:
    import io

    from rich.console import Console

    from tidepool.cli.show import draw

    text = io.StringIO()
    console = Console(file=text, force_terminal=True, color_system="truecolor", width=40, no_color=False)
    draw(np.full((1, 3, 3, 3), (250, 0, 0), np.uint8), np.array(["red"]), console)
    assert "▀" in text.getvalue()
    assert "38;2;250;0;0" in text.getvalue()


def test_show_puts_versions_beside_their_originals(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    sheet = tmp_path / "v.png"
    code, out, _ = cli("show", "digits", "--recipe", "affnist", "--seed", 3, "--count", 5, "--out", sheet)
    assert code == 0
    assert out == f"wrote {sheet}: 5 of 1,797 pictures, 8 versions of each\n"
    digits = read("digits", cache=False)
    index = np.linspace(0, 1796, 5).round().astype(int)
    with Image.open(sheet) as image:
        pixels = np.asarray(image.convert("L"))
    side = 12 * 6  # a frame of 12x12, enlarged six times
    cell = side + 8
    assert pixels.shape == (5 * cell, 9 * cell + 8)

    def at(row: int, column: int) -> np.ndarray:  # type: ignore[type-arg]
        left = column * cell + 4 + (8 if column else 0)
        return pixels[row * cell + 4 :, left:][:side:6, :side:6]

    padded = np.pad(digits.images[index], ((0, 0), (2, 2), (2, 2)))
    for row in range(5):
        np.testing.assert_array_equal(at(row, 0), (padded[row] / 16 * 255).round().astype(np.uint8))
        # Version k is what `tidepool augment` writes into file k.
        version = warp.find("affnist").warp(digits.images, 3, row + 1, size=(12, 12))[index[row]]
        np.testing.assert_array_equal(at(row, row + 1), (version / 16 * 255).round().astype(np.uint8))
    rule = pixels[:, cell : cell + 8]
    assert rule.min() < 200 < rule.max()


@pytest.mark.parametrize("width", [2, 5, 20, 80, 200])
def test_versions_fit_the_terminal(cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    code, out, _ = cli("show", "digits", "--recipe", "affnist", "--size", "28x28")
    assert code == 0
    lines = out.splitlines()
    assert max(map(len, lines)) <= width
    if width >= 5:
        assert any("│" in line for line in lines)
    if width == 200:
        assert len(lines) == 3 * 14 + 2  # 28 rows of pixels each, a line between


def test_show_refuses_what_a_recipe_cannot(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for args, part in (
        (("--recipe", "afnist"), "did you mean 'affnist'?"),
        (("--recipe", "affnist", "--size", "4x4"), "smaller than the pictures"),
        (("--seed", 1), "give a recipe"),
    ):
        code, _, err = cli("show", "digits", *args)
        assert code == 2
        assert part in err


def test_help_shows_an_example_first(cli) -> None:  # type: ignore[no-untyped-def]
    for name in ("convert", "info", "show"):
        code, out, _ = cli(name, "--help")
        assert code == 0
        assert f"  tidepool {name} " in out.split("Options:")[0]
