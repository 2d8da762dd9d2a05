"""Budgets: how they are written, and the process's own start, from which ``run`` and ``train`` count."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from tidepool.errors import InputError

_IMPORTED = time.monotonic()
_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def process_start() -> float:
    """Return when this process started, on ``time.monotonic()``'s scale.

    Elsewhere than on Linux: when this module was imported. Read from field 22 of
    /proc/self/stat (proc(5)): clock ticks after boot.
    """
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return _IMPORTED
    return min(time.monotonic() - age, _IMPORTED)


def seconds(budget: float | str) -> float:
    """Return a budget such as 60, "60s", "5m", "1.5h" in seconds; raise InputError for anything else."""
    if isinstance(budget, (int, float)) and not isinstance(budget, bool):
        value = float(budget)
    else:
        match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([a-z]*)\s*", str(budget).lower())
        if not match or match[2] not in _UNITS:
            raise InputError(f"budget '{budget}' is no time", "for example 20s, 5m or 1h")
        value = float(match[1]) * _UNITS[match[2]]
    if not 0 < value < float("inf"):
        raise InputError(f"budget '{budget}' leaves no time", "for example 20s, 5m or 1h")
    return value
