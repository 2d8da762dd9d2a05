"""How much room there is in memory, and numbers of bytes in words."""

from __future__ import annotations

import contextlib
from pathlib import Path

_CONTAINER = Path("/sys/fs/cgroup")


def available_memory() -> int | None:
    """Return how many bytes of memory can be had without swapping (Linux; a container's limit counts), else None."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        found = next(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None
    with contextlib.suppress(OSError, StopIteration, ValueError):  # "max": no limit
        limit, used = (int((_CONTAINER / f"memory.{name}").read_text(encoding="ascii")) for name in ("max", "current"))
        text = (_CONTAINER / "memory.stat").read_text(encoding="ascii")
        # Pages of files that nobody uses count as used, but give way.
        gives_way = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("inactive_file "))
        found = min(found, max(0, limit - used + gives_way))
    return found


def in_words(count: float) -> str:
    """Return a number of bytes as a person says it: ``3.1 GB``, ``64 MB``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"
