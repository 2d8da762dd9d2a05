"""nolearn's table of epochs, line by line as they come.

The best train loss so far is cyan, the best validation loss green; both bear a ``*``, so that nobody depends on colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_COLUMNS = (("epoch", 7), ("trn loss", 10), ("val loss", 10), ("trn/val", 9), ("valid acc", 11), ("dur", 7))
_VALIDATION = ("val loss", "trn/val", "valid acc")


class EpochTable:
    """Called with a row of the loop's history (epoch, train_loss, seconds, perhaps valid_loss and valid_accuracy).

    console : where to print; or stream : a text file, default standard output. NO_COLOR and streams that are no
    terminals get no colours. The columns of the validation are left out if the first row has none.
    """

    def __init__(self, console: Console | None = None, stream: IO[str] | None = None) -> None:
        from rich.console import Console

        self.console = console or Console(file=stream, highlight=False)
        self._best = {"trn loss": inf, "val loss": inf}
        self._columns: list[tuple[str, int]] = []

    def __call__(self, row: Mapping[str, Any]) -> None:
        """Print one row, the first time with the head above it."""
        if not self._columns:
            validated = "valid_loss" in row
            self._columns = [column for column in _COLUMNS if validated or column[0] not in _VALIDATION]
            self._print("  ".join(name.rjust(width) for name, width in self._columns))
            self._print("  ".join("-" * width for _, width in self._columns))
        from rich.text import Text

        cells, line = _cells(row), Text()
        for number, (name, width) in enumerate(self._columns):
            best = self._is_best(name, cells)
            style = {"trn loss": "cyan", "val loss": "green"}[name] if best else ""
            mark = "*" if best else " " if name in self._best else ""
            line.append("  " if number else "")
            line.append((cells.get(name, ("", 0.0))[0] + mark).rjust(width), style=style)
        self._print(line)

    def _is_best(self, name: str, cells: dict[str, tuple[str, float]]) -> bool:
        if name not in self._best or name not in cells or not cells[name][1] < self._best[name]:
            return False
        self._best[name] = cells[name][1]
        return True

    def _print(self, line: Any) -> None:
        self.console.print(line, soft_wrap=True, highlight=False, markup=False)


def _cells(row: Mapping[str, Any]) -> dict[str, tuple[str, float]]:
    """Return what stands in each column, as text and as the number behind it."""
    train, seconds = float(row["train_loss"]), float(row.get("seconds", row.get("dur", 0.0)))
    cells = {
        "epoch": (str(row["epoch"]), float(row["epoch"])),
        "trn loss": (f"{train:.5f}", train),
        "dur": (f"{seconds:.2f}s", seconds),
    }
    if "valid_loss" in row:
        valid = float(row["valid_loss"])
        ratio = train / valid if valid else inf
        cells |= {"val loss": (f"{valid:.5f}", valid), "trn/val": (f"{ratio:.5f}", ratio)}
    if "valid_accuracy" in row:
        accuracy = float(row["valid_accuracy"])
        cells["valid acc"] = (f"{accuracy:.5f}", accuracy)
    return cells


if __name__ == "__main__":
    table = EpochTable()
    for epoch, (train_loss, valid_loss) in enumerate([(0.91, 0.52), (0.43, 0.37), (0.31, 0.39)], 1):
        table(
            {
                "epoch": epoch,
                "train_loss": train_loss,
                "valid_loss": valid_loss,
                "valid_accuracy": 0.9,
                "seconds": 1.2,
            }
        )
