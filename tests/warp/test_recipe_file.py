import pytest

from tidepool import warp
from tidepool.errors import InputError
from tidepool.warp import Affine, Elastic, recipe_file


def write(folder, text):
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def test_a_file_gives_a_recipe_and_may_be_joined_with_others(tmp_path):
    path = write(tmp_path, "[affine]\nrotation = 15\nscale = [0.9, 1.1]\n[elastic]\nalpha = 2")
    recipe = warp.find(path)
    assert recipe.name == "mine"
    assert recipe.parts == (Affine(rotation=15, scale=(0.9, 1.1)), Elastic(alpha=2))
    assert warp.find(f"shift + {path}").parts == warp.recipes["shift"].parts + recipe.parts


def test_a_plus_in_a_file_s_name_is_no_joint(tmp_path):
    path = tmp_path / "a+b.toml"
    path.write_text('name = "other"\n[elastic]')
    assert warp.find(str(path)).name == "other"


def test_the_documented_example_is_read(tmp_path):
    lines = [line[4:] for line in (recipe_file.__doc__ or "").splitlines() if line.startswith("    ")]
    assert warp.find(write(tmp_path, "\n".join(lines))).name == "tilted"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[affine]\nrotation = 200", "affine: rotation is 200.*from 0 to 180 degrees"),
        ('[affine]\nshear = "much"', "affine: shear is 'much'"),
        ("[affine]\nrotaton = 2", "(?s)no key 'rotaton'.*did you mean 'rotation'"),
        ("[elastik]", "(?s)no key 'elastik'.*did you mean 'elastic'"),
        ("affine = 3", "affine is 3, expected a table"),
        ("name = 3\n[affine]", "name is 3"),
        ("", "neither"),
        ("[affine]\nshear = [1", "not TOML: .*at end of document"),
        ("[affine]\nshear = x", "not TOML: .*line 2"),
    ],
)
def test_errors_name_file_key_value_and_what_was_expected(tmp_path, text, words):
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=words) as error:
        warp.find(path)
    assert error.value.message.startswith(f"{path}: ")


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        warp.find(str(tmp_path / "no.toml"))
    with pytest.raises(InputError, match="cannot be read"):
        warp.find(f"affnist+{tmp_path}/no.toml")
