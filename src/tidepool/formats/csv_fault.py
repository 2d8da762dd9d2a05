"""The slow second pass over a CSV that did not parse: name the first row and column at fault."""

from __future__ import annotations

import re

from tidepool.errors import DataError
from tidepool.formats.csv_layout import NUMBER, Layout, cells_of

_WHOLE = re.compile(r"[ \t]*\+?[0-9]{1,9}[ \t]*")
_PIXEL = "a whole number 0..255"


def find_fault(block: bytes, row: int, layout: Layout, where: str) -> DataError:
    """Return the error for the first bad cell of ``block``, whose first line is data row ``row`` (from 1)."""
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = row + block[: error.start].count(b"\n")
        return DataError(f"{where}: {_place(bad, layout)}: bytes that are no UTF-8 text", "save the file as UTF-8")
    for offset, line in enumerate(text.split("\n")):
        fault = _fault_of(line.rstrip("\r"), row + offset, layout, where)
        if fault is not None:
            return fault
    return DataError(f"{where}: from {_place(row, layout)} on: not a CSV of pixels", "are all quotes closed?")


def _fault_of(line: str, row: int, layout: Layout, where: str) -> DataError | None:
    place = f"{where}: {_place(row, layout)}"
    if not line.strip():
        return DataError(f"{place}: blank line, expected {len(layout.names)} columns", "remove the line")
    if line.count('"') % 2:
        return DataError(f"{place}: a quote that is never closed", 'close it, or write a quote within a label as ""')
    cells = cells_of(line, layout.separator)
    if len(cells) != len(layout.names):
        hint = "is the file cut off here?" if len(cells) < len(layout.names) else "a row has as many cells as line 1"
        return DataError(f"{place}: found {len(cells)} columns, expected {len(layout.names)}", hint)
    for position, cell in enumerate(cells):
        column = f"{place}, column {layout.names[position]}" + (f" (number {position + 1})" if layout.header else "")
        if position in layout.labels or position == layout.ids:
            if not cell.strip():
                what = "label" if position in layout.labels else "id"
                return DataError(f"{column}: empty cell, expected a {what}", "give every row one, or drop the column")
        elif not _WHOLE.fullmatch(cell) or int(cell) > 255:
            return DataError(f"{column}: found {_short(cell)!r}, expected {_PIXEL}", _pixel_hint(cell))
    return None


def _pixel_hint(cell: str) -> str:
    if not cell.strip():
        return "every pixel needs a value; 0 where there is none"
    if not NUMBER.fullmatch(cell):
        return "only a column named label may hold text"
    value = float(cell)
    if value % 1 or 0 <= value <= 255:
        return "scale decimals to 0..255 and round them, or save them as .npz, which holds decimals"
    return "is this column really a pixel? values beyond 0..255 can be kept in .npz"


def _short(cell: str) -> str:
    text = cell.strip()
    return text if len(text) <= 40 else text[:39] + "…"


def _place(row: int, layout: Layout) -> str:
    return f"row {row} (line {row + layout.header})"
