"""Where the versions go: a folder of shards with a note, ``augment.json``, of what they are."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidepool.errors import InputError
from tidepool.files import disk_error, whole

NOTE = "augment.json"
SUFFIXES = (".mat", ".npz", ".parquet")
_SHARD = re.compile(r"\d+(-\d+)?\.(mat|npz|parquet)")
# What ``files.whole`` leaves of a shard where the process was killed.
_REST = re.compile(r"\.[0-9a-f]{8}-" + _SHARD.pattern)
_HOW = "no suffix: a folder of .mat files (data3); .npz or .parquet: a folder of such files (data3.npz)"


@dataclass(frozen=True)
class Target:
    """A folder and the kind of shards in it. The suffix of the folder says which: .mat (or none), .npz, .parquet."""

    folder: Path
    suffix: str

    @staticmethod
    def of(text: str) -> Target:
        """Return the target that the user's words name; raise InputError for one that cannot be."""
        folder = Path(text).expanduser()
        # A step up from a folder that is yet to be made leads nowhere until it is made, and then to what lies there.
        folder = folder.resolve() if ".." in folder.parts else folder
        if any(sign in text for sign in "*?["):
            raise InputError(f"{text}: expected the name of a folder, not a pattern", _HOW)
        if folder.suffix.lower() not in ("", *SUFFIXES):
            raise InputError(f"{text}: versions are not written as '{folder.suffix}'", _HOW)
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{text}: is a file, expected a folder (new, or one that was begun)", _HOW)
        if above := next((path for path in folder.parents if path.is_file()), None):
            raise InputError(f"{text}: {above} is a file, expected a folder", "give another folder as DST")
        return Target(folder, folder.suffix.lower() or ".mat")

    def path(self, name: str) -> Path:
        """Return where the shard called ``name`` (``3``, or ``3-1`` for the first part of version 3) lies."""
        return self.folder / f"{name}{self.suffix}"

    def shards(self) -> list[Path]:
        """Return the shards that lie in the folder, whole as they are, in no order."""
        if not self.folder.is_dir():
            return []
        return [path for path in self.folder.iterdir() if _SHARD.fullmatch(path.name)]

    def check(self, record: dict[str, Any], copies: int, force: bool) -> None:
        """Raise InputError where something else lies in the folder, or versions that were made another way.

        More copies than the note knows are more of the same; fewer are refused. ``force`` overrides the note, yet a
        folder without one is never written into.
        """
        note = self._note()
        # Hidden files are the system's (.DS_Store), or what a killed run left of its note.
        if note is None and self.folder.is_dir() and any(path.name[0] != "." for path in self.folder.iterdir()):
            raise InputError(
                f"{self.folder}: holds something else (there is no {NOTE} in it), so nothing is written there",
                "give the name of a new folder",
            )
        if note is not None and not force:
            self._compare(note, record, copies)

    def begin(self, record: dict[str, Any], copies: int, source: str, force: bool) -> None:
        """Write the note of what is about to lie here; ``force`` removes the shards of before."""
        note = self._note()
        try:
            for path in list(self.folder.iterdir()) if note is not None else []:
                if (_SHARD if force else _REST).fullmatch(path.name):
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(self.folder, error) from error
        told = {"about": "made by `tidepool augment`: file k holds version k of every picture", **record}
        told["copies"], told["source"] = copies, {"path": source, **record["source"]}
        if told == note:
            return
        with whole(self.folder / NOTE) as temporary:
            temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

    def _note(self) -> dict[str, Any] | None:
        path = self.folder / NOTE
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(note, dict) and isinstance(note.get("copies"), int):
                return note
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            pass
        raise InputError(f"{path}: cannot be read, so it is not known what lies there", "give the name of a new folder")

    def _compare(self, note: dict[str, Any], record: dict[str, Any], copies: int) -> None:
        """Raise InputError naming the first setting by which the folder's versions differ from those asked for."""
        other = "give the name of another folder, or --force to make these anew"
        for name, asked in record.items():
            found = note.get(name)
            if name == "source" and isinstance(found, dict):
                found = {key: found.get(key) for key in asked}
            if found != asked:
                raise InputError(f"{self.folder}: holds versions {_difference(name, found, asked)}", other)
        if copies < note["copies"]:
            raise InputError(f"{self.folder}: holds {note['copies']} copies, more than --copies {copies}", other)


def _difference(name: str, found: Any, asked: Any) -> str:
    """Say in words how one setting differs."""
    if name == "recipe" and isinstance(found, dict):
        names = found.get("name"), asked.get("name")
        same = names[0] == names[1]
        return f"by the recipe '{names[0]}'" + (" with other values" if same else f", not '{names[1]}'")
    if name == "source":
        return "of other pictures"
    if name == "size" and isinstance(found, list):
        return f"of {'x'.join(map(str, found))}, not {'x'.join(map(str, asked))}"
    words = {"seed": "from --seed", "tidepool": "made by Tidepool", "format": "written as"}
    return f"{words.get(name, name)} {found}, not {asked}"
