"""What a reader may be told about a file: the same few options for every format."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How to read a file where the file itself leaves it open.

    shape : height and width of pictures that lie in flat rows, or None for the square one.
    size : height and width to which pictures of mixed sizes are brought (image folders only).
    label : name of the column or field that holds the labels, or None to find it.
    """

    shape: tuple[int, int] | None = None
    size: tuple[int, int] | None = None
    label: str | None = None
