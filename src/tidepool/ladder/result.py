"""What a rung found out: figures beside the article's, sentences, tables, and pictures as the net saw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.report.pictures import uris
from tidepool.statistics import wilson

Array = npt.NDArray[Any]
SHOWN = 10


@dataclass(frozen=True)
class Line:
    """One line of the ladder.

    article : the article's figure in per cent as text, empty where it gives none; accuracy : ours, 0..1, of ``n`` rows
    that were held back; rows : different training rows; seen : showings, a row counts each time; seconds : of training.
    """

    what: str
    article: str
    accuracy: float
    n: int
    rows: int
    seen: int
    seconds: float
    parameters: int

    @property
    def per_cent(self) -> str:
        """Our figure as text."""
        return f"{100 * self.accuracy:.2f}"

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy, 0..1."""
        return wilson(round(self.accuracy * self.n), self.n)


@dataclass(frozen=True)
class Strip:
    """Pictures side by side as a net saw them: a data URI and a description each."""

    caption: str
    uris: list[str]
    alts: list[str]


@dataclass(frozen=True)
class Table:
    """A table of texts; ``pictures`` holds a data URI a row, or nothing."""

    caption: str
    head: list[str]
    rows: list[list[str]]
    pictures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """A rung: its letter, its lines, what a student should know about it, what the nets saw, and seconds in all."""

    letter: str
    title: str
    lines: list[Line]
    text: list[str]
    strips: list[Strip]
    tables: list[Table] = field(default_factory=list)
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything, pictures included."""
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Result:
        """Read back what ``to_dict`` gave."""
        return Result(
            values["letter"],
            values["title"],
            [Line(**line) for line in values["lines"]],
            values["text"],
            [Strip(**strip) for strip in values["strips"]],
            [Table(**table) for table in values["tables"]],
            values["seconds"],
        )

    def summary(self) -> dict[str, Any]:
        """Return what ladder.json keeps: all but the pictures."""
        return {
            "rung": self.letter,
            "title": self.title,
            "seconds": self.seconds,
            "lines": [{**asdict(line), "interval": list(line.interval)} for line in self.lines],
            "text": self.text,
            "tables": [{"caption": t.caption, "head": t.head, "rows": t.rows} for t in self.tables],
        }


def one_of_each(labels: Array) -> npt.NDArray[np.int64]:
    """Return the first row of each class, at most ten; where there are fewer classes, more rows of the first ones."""
    firsts = np.unique(labels, return_index=True)[1]
    others = np.setdiff1d(np.arange(len(labels)), firsts)
    return np.concatenate([firsts, others])[:SHOWN].astype(np.int64)


def strip(caption: str, seen: Array, labels: Array) -> Strip:
    """Return pictures ``[n, H, W]``, given in the numbers that went into the net; the caption says their range."""
    low, high = (f"{float(value):.3g}" for value in (seen.min(), seen.max()))
    alts = [f"a {label}, as the net saw it" for label in labels]
    return Strip(f"{caption} (values {low} to {high})", for_the_eye(seen), alts)


def for_the_eye(seen: Array) -> list[str]:
    """Return a data URI for each of ``[n, H, W]``, its values spread from black to white."""
    low, high = float(seen.min()), float(seen.max())
    return uris((seen.astype(np.float64) - low) / ((high - low) or 1.0))


def per_cent(share: float) -> str:
    """Return a share as per cent with two decimals, as every figure of the ladder is written."""
    return f"{100 * share:.2f} %"


def time_in_words(seconds: float) -> str:
    """Return seconds below two minutes, minutes above."""
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def counted(number: int, word: str) -> str:
    """Return ``1 epoch`` or ``2 epochs``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def among(words: Sequence[str]) -> str:
    """Join words as a sentence does: ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))
