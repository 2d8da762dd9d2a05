"""Climbing: one rung after the other, each written when it is done, so that a stopped ladder goes on where it was."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tidepool._version import __version__
from tidepool.errors import InputError
from tidepool.files import require_writable, whole
from tidepool.images import ImageSet
from tidepool.ladder import rows as found_rows
from tidepool.ladder.result import Result, counted
from tidepool.ladder.rows import Rows, Tell
from tidepool.ladder.sizes import FULL, QUICK, Sizes

TITLES = {
    "a": "Finnegan, a net from scratch",
    "b": "the Keras listing, 28x28",
    "c": "the mystery: the Keras listing, 40x40",
    "d": "the nolearn listing, 40x40",
    "e": "our Classifier, 40x40",
    "f": "Keras and nolearn, both ways",
}
LETTERS = tuple(TITLES)
# Of each rung the module, and the function in it that bears its name.
_MODULES = dict(zip(LETTERS, ("finnegan", "plain", "mystery", "everything_right", "ours", "both_ways")))
_FOLDER = "rungs"
_OUTPUTS = ("ladder.json", "ladder.html")


def _silent(*arguments: Any) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Voice:
    """Who hears of the climb.

    say : a step and its text; begin : the letter of a rung that is about to be climbed; tell : how far it is, 0..1, and
    some words; done : its result; the second value says whether it lay there already.
    """

    say: Callable[[str, str], None] = _silent
    begin: Callable[[str], None] = _silent
    tell: Tell = _silent
    done: Callable[[Result, bool], None] = _silent


@dataclass(frozen=True)
class Climbed:
    """The whole ladder: its results by letter, where it was written, and whether anything was left to do."""

    results: dict[str, Result]
    folder: Path
    new: bool = True
    facts: dict[str, Any] = field(default_factory=dict)


def climb(
    out: str | Path,
    *,
    quick: bool = False,
    seed: int = 0,
    force: bool = False,
    cache: bool = True,
    data: ImageSet | None = None,
    sizes: Sizes | None = None,
    command: str = "",
    voice: Voice | None = None,
) -> Climbed:
    """Climb all rungs and write ``ladder.json``, ``ladder.html`` and a file a rung into the folder ``out``.

    Rungs that lie there already are not climbed again. data : labelled 28x28 pictures in place of Kaggle's train rows;
    sizes : in place of those of ``quick``; force : start afresh, whatever lies in ``out``.
    Raises InputError where ``out`` holds something else or a ladder of other settings, OutsideError without data.
    """
    voice, folder = voice or Voice(), Path(out)
    sizes = sizes or (QUICK if quick else FULL)
    _refuse_strangers(folder, force)
    data = found_rows.find(cache, lambda text: voice.say("note", text)) if data is None else data
    settings = {
        "tidepool": __version__,
        "quick": quick,
        "seed": seed,
        "data": data.source.path or "memory",
        "sha256": data.source.sha256,
        "sizes": asdict(sizes),
    }
    if force:
        _clear(folder)
    results = _kept(folder, settings)
    # Before the first rung, not after it.
    require_writable(folder / _OUTPUTS[0])
    voice.say("read", data.summary())
    rows = found_rows.divide(data, sizes, seed)
    voice.say("rows", f"{len(rows.labels):,} to learn from at most, {len(rows.held_labels):,} held back to score by")
    new = False
    for letter in LETTERS:
        if letter in results:
            voice.done(results[letter], True)
            continue
        voice.begin(letter)
        results[letter] = _climbed(letter, rows, sizes, seed, voice.tell, results)
        _write(folder / _FOLDER / f"{letter}.json", {"settings": settings, "result": results[letter].to_dict()})
        voice.done(results[letter], False)
        new = True
    facts = _facts(settings, rows, results, command)
    if new or not all((folder / name).is_file() for name in _OUTPUTS):
        from tidepool.ladder.page import write_page

        _write(folder / "ladder.json", facts)
        write_page(folder / "ladder.html", list(results.values()), facts)
    return Climbed(results, folder, new, facts)


def finished(folder: Path) -> list[str]:
    """Return the letters of the rungs whose results lie in ``folder``."""
    return [letter for letter in LETTERS if (folder / _FOLDER / f"{letter}.json").is_file()]


def _climbed(letter: str, rows: Rows, sizes: Sizes, seed: int, tell: Tell, results: dict[str, Result]) -> Result:
    name = _MODULES[letter]
    # Torch and the compiled kernel are loaded here: by now every setting is known to be good, and no training's time
    # should count them.
    for needed in ("tidepool.training.loop", "tidepool.warp.kernel"):
        importlib.import_module(needed)
    rung = getattr(importlib.import_module(f"tidepool.ladder.{name}"), name)
    began = time.monotonic()
    # The Classifier is set beside the nolearn listing.
    extra = {"before": results["d"].lines} if letter == "e" else {}
    result: Result = rung(rows, sizes, seed, tell, **extra)
    return replace(result, seconds=time.monotonic() - began)


def _refuse_strangers(folder: Path, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file, expected a folder", "give another --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _FOLDER).is_dir() and not force:
        raise InputError(f"{folder}: holds something else than a ladder", "give another --out, or --force")


def _clear(folder: Path) -> None:
    """Take an earlier ladder away, and nothing else."""
    for path in [folder / name for name in _OUTPUTS] + [folder / _FOLDER / f"{letter}.json" for letter in LETTERS]:
        path.unlink(missing_ok=True)


def _kept(folder: Path, settings: dict[str, Any]) -> dict[str, Result]:
    """Return the results that lie in ``folder``; raise InputError if they came about under other settings."""
    results = {}
    for letter in finished(folder):
        path = folder / _FOLDER / f"{letter}.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            then, result = dict(found["settings"]), Result.from_dict(found["result"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: is no result of a rung ({error})", "delete it, or give --force") from error
        if other := [name for name in settings if then.get(name) != settings[name]]:
            said = "; ".join(_difference(name, then.get(name), settings[name]) for name in other)
            raise InputError(
                f"{folder}: holds a ladder with other settings ({said})",
                "give another --out, go on with the settings of then, or --force to start afresh",
            )
        results[letter] = result
    return results


def _difference(name: str, then: Any, now: Any) -> str:
    if name == "sizes":
        return "other sample sizes"
    if name == "sha256":
        return "other rows"
    return f"{name} was {then}, now {now}"


def _facts(settings: dict[str, Any], rows: Rows, results: dict[str, Result], command: str) -> dict[str, Any]:
    from tidepool.training.card import versions

    return {
        **settings,
        "rows": len(rows.labels),
        "held_back": len(rows.held_labels),
        "seconds": sum(result.seconds for result in results.values()),
        "machine": _machine(),
        "versions": versions(),
        "command": command,
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "rungs": [results[letter].summary() for letter in LETTERS],
    }


def _machine() -> str:
    import os
    import platform

    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    cores, threads = counted(os.cpu_count() or 1, "core"), counted(torch.get_num_threads(), "thread")
    return f"{platform.machine()}, {cores}, {threads}, {device}"


def _write(path: Path, values: dict[str, Any]) -> None:
    with whole(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
