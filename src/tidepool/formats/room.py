"""How much room there is in memory, and numbers of bytes in words."""

from __future__ import annotations

import contextlib
from pathlib import Path

_CONTAINER = Path("/sys/fs/cgroup/memory.max")


def available_memory() -> int | None:
    """Return how many bytes of memory can be had without swapping (Linux; a container's limit counts), else None."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        found = next(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None
    with contextlib.suppress(OSError, ValueError):  # "max": no limit
        found = min(found, int(_CONTAINER.read_text(encoding="ascii")))
    return found


def in_words(count: float) -> str:
    """Return a number of bytes as a person says it: ``3.1 GB``, ``64 MB``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"
