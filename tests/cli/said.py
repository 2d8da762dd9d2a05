"""What the tests of the command line look at: what was said, and what was left lying about."""

from __future__ import annotations

from pathlib import Path


def everything(folder: Path) -> list[Path]:
    """Return all that lies in a folder, beside the cache."""
    return [path for path in sorted(folder.rglob("*")) if ".cache" not in path.parts]


def has(said: str, *parts: str) -> None:
    """Assert that each part was said."""
    for part in parts:
        assert part in said, said
