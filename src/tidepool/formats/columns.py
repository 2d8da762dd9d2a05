"""What belongs to the pictures of several files beside the pixels, gathered file by file."""

from __future__ import annotations

import hashlib

import numpy as np

from tidepool.images import Array, ImageSet, Source


class Columns:
    """What belongs to the pictures, gathered part by part: labels, ids, groups; and the digests of the files."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Array]] = {"labels": [], "ids": [], "groups": []}
        self._digests: list[str] = []
        self.format = ""

    def add(self, part: ImageSet) -> None:
        """Take in all of a part but its pictures."""
        self.format = self.format or part.source.format
        self._digests.append(part.source.sha256)
        for field, column in self._parts.items():
            value = getattr(part, field)
            # Row numbers start anew in each file: of one set they are counted through. File names stay what they are.
            if value is not None and not (field == "ids" and value.dtype.kind != "U"):
                # Numpy makes floats of int64 beside uint64.
                column.append(value.astype(np.int64, copy=False) if field == "groups" else value)

    def arrays(self) -> dict[str, Array]:
        """Return those that every part had."""
        whole = {field: column for field, column in self._parts.items() if len(column) == len(self._digests)}
        return {field: np.concatenate(column) for field, column in whole.items()}

    def source(self, name: str) -> Source:
        """Return the source of the whole: its sha256 is the digest of the files' digests."""
        return Source(name, self.format, hashlib.sha256("".join(self._digests).encode()).hexdigest())
