"""Which column of a CSV is what: header or none, pixels, label, ids.

Kaggle's Digit Recognizer writes ``label,pixel0,...,pixel783`` (and no label column in its test file); Kaggle's
"MNIST in CSV" writes ``label,1x1,1x2,...,28x28``; files made from arrays have no header at all.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from math import isqrt

from tidepool.errors import DataError, did_you_mean
from tidepool.formats.frames import frame_of

LABEL_NAMES = ("label", "labels", "class", "target", "digit", "y")
ID_NAMES = ("id", "imageid", "image_id", "ids", "index", "filename", "file", "name", "unnamed: 0", "")
NUMBER = re.compile(r"[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?[ \t]*")
_PLACE = re.compile(r"(\d+)x(\d+)(?:x(\d+))?")


@dataclass(frozen=True)
class Layout:
    """The columns of one CSV file.

    names : of all columns, as the header says or as ``column 1`` ....
    labels : positions that may hold the label: none, one, or first and last where only the content can tell.
    ids : position of the ids, or None.
    header : whether line 1 is one.
    separator : between the cells of a row.
    shape : the frame that the header itself tells (``28x28`` as the last name), else None.
    """

    names: tuple[str, ...]
    labels: tuple[int, ...]
    ids: int | None
    header: bool
    separator: str
    shape: tuple[int, ...] | None = None

    def pixels(self, label: int | None) -> list[int]:
        """Return the positions of the pixel columns, once it is known which column is the label."""
        return [i for i in range(len(self.names)) if i not in (label, self.ids)]


def layout_of(line: str, where: str, label: str | None, shape: tuple[int, int] | None) -> Layout:
    """Read the layout from the first line of a file; raise DataError naming ``where`` if it cannot be pictures."""
    separator = max(",;\t", key=line.count)
    cells = cells_of(line, separator)
    if len(cells) < 2:
        raise DataError(
            f"{where}: one column in line 1, expected one column a pixel",
            "is this a CSV of pixels? cells are separated by , or ; or tabs",
        )
    if not is_header(cells):
        if label is not None:
            raise DataError(f"{where}: no header line, so no column is named '{label}'", "add a header line")
        names = tuple(f"column {i + 1}" for i in range(len(cells)))
        return Layout(names, _candidates(len(cells), cells, where, shape), None, False, separator)
    names = tuple(cell.strip() for cell in cells)
    lower = [name.lower() for name in names]
    if label is not None and label not in names:
        raise DataError(f"{where}: no column '{label}'", did_you_mean(label, [n for n in names if n not in lower[20:]]))
    found = names.index(label) if label is not None else next((lower.index(n) for n in LABEL_NAMES if n in lower), None)
    ids = next((lower.index(n) for n in ID_NAMES if n in lower and lower.index(n) != found), None)
    rest = [i for i in range(len(names)) if i not in (found, ids)]
    told = _told_shape([names[i] for i in rest])
    if found is not None or told is not None:
        return Layout(names, () if found is None else (found,), ids, True, separator, told)
    labels = _candidates(len(rest), None, where, shape)
    return Layout(names, tuple(rest[i] for i in labels), ids, True, separator)


def cells_of(line: str, separator: str) -> list[str]:
    """Return the cells of one line, quotes removed; where Python's csv gives up, split at every separator."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return line.split(separator)


def is_header(cells: list[str]) -> bool:
    """Say whether the first line names columns: several cells are no numbers, or the numbers just count up."""
    words = [i for i, cell in enumerate(cells) if not NUMBER.fullmatch(cell)]
    if len(words) > 1:
        return True
    # pandas names the columns of a bare array 0, 1, 2, ...: no picture is such a ramp.
    numbers = [cell.strip() for i, cell in enumerate(cells) if i not in words]
    return len(numbers) > 3 and any(numbers == [str(i + start) for i in range(len(numbers))] for start in (0, 1))


def _candidates(columns: int, cells: list[str] | None, where: str, shape: tuple[int, int] | None) -> tuple[int, ...]:
    """Return where a label may stand in a row of ``columns`` values whose columns nothing names."""
    if cells is not None:
        words = [i for i, cell in enumerate(cells) if not NUMBER.fullmatch(cell) and cell.strip()]
        if words and words[0] in (0, columns - 1):
            frame_of(columns - 1, shape, where)
            return (words[0],)
    if _fits(columns, shape):
        return ()
    if _fits(columns - 1, shape):
        return (0, columns - 1)
    frame_of(columns, shape, where)
    raise AssertionError


def _fits(pixels: int, shape: tuple[int, int] | None) -> bool:
    if shape is None:
        return isqrt(pixels) ** 2 == pixels
    return pixels in (shape[0] * shape[1], 3 * shape[0] * shape[1])


def _told_shape(names: list[str]) -> tuple[int, ...] | None:
    """Return the frame if the columns are called 1x1, 1x2, ..., HxW (or ..., HxWxC)."""
    last = _PLACE.fullmatch(names[-1]) if names else None
    if last is None or not _PLACE.fullmatch(names[0]):
        return None
    shape = tuple(int(size) for size in last.groups() if size is not None)
    count = 1
    for size in shape:
        count *= size
    return shape if count == len(names) else None
