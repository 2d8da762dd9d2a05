"""What the benchmarks share: the table on the screen, the JSON beside it, the machine they ran on."""

from __future__ import annotations

import json
import os
import platform
import statistics
from pathlib import Path
from typing import Any


def mean_and_spread(values: list[float], digits: int = 3) -> str:
    """Return ``mean ± standard deviation (n)``."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.{digits}f} ± {spread:.{digits}f} (n={len(values)})"


def machine() -> dict[str, Any]:
    """Return what a reader needs to know of the machine."""
    load = os.getloadavg()[0]
    return {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version(), "load_before": load}


def print_table(head: list[str], rows: list[list[Any]]) -> None:
    """Print rows under a head, columns aligned."""
    table = [head, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    for i, row in enumerate(table):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        if i == 0:
            print("  ".join("-" * width for width in widths))


def write_json(path: str | None, result: dict[str, Any]) -> None:
    """Write the result, if a path was given."""
    if path:
        Path(path).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {path}")
