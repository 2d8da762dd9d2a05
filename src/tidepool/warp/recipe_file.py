"""Recipes in TOML files: the tables ``[affine]`` and ``[elastic]``, at least one of them, and a name.

    name = "tilted"              # default: the file's name

    [affine]
    rotation = 15                # degrees, uniform in ±15; 0 to 180
    shear = 0.1                  # pixels a pixel, uniform in ±0.1; 0 to 1
    scale = [0.9, 1.1]           # each axis on its own; 0.1 to 10
    shift = 0.05                 # share of the frame, uniform in ±0.05; 0 to 1
    inside = false               # true: the shift is uniform over all that keep the ink inside, as affNIST's

    [elastic]
    alpha = 1.38                 # root mean square displacement in pixels of a 28x28 frame; 0 to 10
    sigma = 4                    # smoothing in pixels of a 28x28 frame; 1 to 28

A key that is left out has the value that changes nothing; ``[elastic]`` has those above, which are Simard's.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tidepool.errors import InputError, did_you_mean
from tidepool.warp.parts import KINDS
from tidepool.warp.recipes import Recipe, part_of

_HINT = "`python -c 'import tidepool.warp.recipe_file as f; help(f)'` shows an example with all keys"


def read(path: str) -> Recipe:
    """Return the recipe in the file at ``path``; InputError names the file, the key, what was found and expected."""
    values = _parsed(path)
    name = values.pop("name", Path(path).stem)
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"{path}: name is {name!r}, expected some text")
    for key in values:
        if key not in KINDS:
            raise InputError(f"{path}: no key '{key}'", did_you_mean(key, ["name", *KINDS]))
        if not isinstance(values[key], dict):
            raise InputError(f"{path}: {key} is {values[key]!r}, expected a table [{key}]", _HINT)
    if not values:
        raise InputError(f"{path}: neither [affine] nor [elastic], expected at least one of them", _HINT)
    try:
        return Recipe(name, tuple(part_of(kind, values[kind]) for kind in KINDS if kind in values))
    except InputError as error:
        raise InputError(f"{path}: {error.message}", error.hint) from error


def _parsed(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", "give the path of a recipe file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not TOML: {error}", _HINT) from error
