import subprocess
import sys

import pytest
from PIL import Image

from tidepool.errors import InputError
from tidepool.warp import recipes
from tidepool.warp.__main__ import main, sheet


def test_the_sheet_in_the_terminal_shows_every_recipe():
    done = subprocess.run([sys.executable, "-m", "tidepool.warp"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in recipes] == list(recipes)
    assert sum("@" in line for line in lines) > 3 * len(recipes)


def test_the_sheet_as_a_picture(tmp_path, capsys):
    main([str(tmp_path / "sheet.png")])
    pixels, names = sheet(len(recipes))
    assert len(pixels) == len(names) == len(recipes) ** 2
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.width > len(recipes) * pixels.shape[2]
    assert "sheet.png" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["a.jpg"], ["a.png", "b.png"], ["--help"]])
def test_bad_usage_is_refused(arguments):
    with pytest.raises(InputError, match=r"expected one path or nothing|written as PNG"):
        main(arguments)
