"""Faults of bytes: numbers that were stored as one type and read as another, or that ran over the end of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tidepool.audit.faults.base import Fault
from tidepool.images import Array


@dataclass(frozen=True)
class Uint8Wrapped(Fault):
    """``(x + k) mod 256``: something was added to bytes, and the brightest ran over."""

    k: int

    id = "uint8-wrapped"

    @property
    def parameters(self) -> dict[str, Any]:
        """What was added."""
        return {"k": self.k}

    @property
    def plain(self) -> str:
        """Say what was added."""
        return f"had {self.k} added as bytes, so that values over 255 began again at 0"

    @property
    def repair(self) -> str:
        """Say the way back."""
        return f"subtract {self.k}, modulo 256"

    def undo(self, images: Array) -> Array:
        """Subtract, modulo 256."""
        return (images.astype(np.int64) - self.k).astype(np.uint8)

    def replay(self, images: Array) -> Array:
        """Add, modulo 256."""
        return (images.astype(np.int64) + self.k).astype(np.uint8)


@dataclass(frozen=True)
class Int8Sign(Fault):
    """Bytes read as signed: values above 127 turned negative."""

    dtype: str = "int8"

    id = "int8-sign"
    plain = "were read as signed bytes, so that values above 127 turned negative"
    repair = "add 256 to negative values"

    def undo(self, images: Array) -> Array:
        """Read them as unsigned."""
        return images.astype(np.int64).astype(np.uint8)

    def replay(self, images: Array) -> Array:
        """Read them as signed."""
        return images.astype(np.uint8).astype(np.int8).astype(self.dtype)


@dataclass(frozen=True)
class ByteSwapped(Fault):
    """16-bit numbers read with their two bytes exchanged."""

    id = "byte-swapped"
    plain = "hold 16-bit numbers whose two bytes were exchanged (big-endian read as little-endian)"
    repair = "exchange the two bytes of each number"

    def undo(self, images: Array) -> Array:
        """Exchange the bytes."""
        swapped: Array = images.astype(np.uint16).byteswap().astype(images.dtype)
        return swapped

    def replay(self, images: Array) -> Array:
        """Exchanging is its own inverse."""
        return self.undo(images)


@dataclass(frozen=True)
class ReinterpretedBytes(Fault):
    """The bytes of floats read as pixels: four (or eight) times as many as there should be.

    right, wrong : frames (height, width); kind : numpy's name of the floats, such as '<f4'.
    """

    right: tuple[int, int]
    wrong: tuple[int, int]
    kind: str = "<f4"

    id = "reinterpreted-bytes"

    @property
    def plain(self) -> str:
        """Say what they are."""
        return f"are the bytes of {8 * np.dtype(self.kind).itemsize}-bit floats, read as if each byte were a pixel"

    @property
    def repair(self) -> str:
        """Say the way back."""
        return f"read the bytes as float{8 * np.dtype(self.kind).itemsize}"

    def undo(self, images: Array) -> Array:
        """Read the bytes as floats."""
        values = np.ascontiguousarray(images).reshape(len(images), -1).view(self.kind)
        native = values.astype(np.dtype(self.kind).newbyteorder("="))
        return native.reshape(len(images), *self.right, *images.shape[3:])

    def replay(self, images: Array) -> Array:
        """Read floats as bytes."""
        values = np.ascontiguousarray(images.astype(self.kind)).reshape(len(images), -1)
        return values.view(np.uint8).reshape(len(images), *self.wrong, *images.shape[3:])
