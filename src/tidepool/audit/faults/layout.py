"""Faults of layout: the right numbers in the wrong places of the row, the stream of bytes, or the channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tidepool.audit.faults.base import Fault
from tidepool.images import Array

Frame = tuple[int, int]


def flat(images: Array) -> Array:
    """Return ``images`` as rows ``[N, P]``."""
    return np.ascontiguousarray(images).reshape(len(images), -1)


@dataclass(frozen=True)
class _ForeignPixel(Fault):
    """A column of the table that is no pixel was read as the first one: all are one place on, the last is lost.

    base, step : the foreign numbers are ``base + step * k``; dtype : that of the pixels without them.
    """

    background: float = 0.0
    base: float = 0.0
    step: float = 1.0
    dtype: str = "uint8"
    lossless: bool = True

    @property
    def exact(self) -> bool:
        """Exact where the last pixel holds nothing but background."""
        return self.lossless

    def undo(self, images: Array) -> Array:
        """Drop the column; the last pixel becomes background."""
        rows = flat(images)
        out = np.full(rows.shape, self.background, dtype=rows.dtype)
        out[:, :-1] = rows[:, 1:]
        return out.reshape(images.shape).astype(self.dtype)

    def replay(self, images: Array) -> Array:
        """Put numbers of that kind in front."""
        rows = flat(images)
        kind = np.result_type(rows.dtype, np.min_scalar_type(int(abs(self.base)) + len(rows)))
        out = np.empty(rows.shape, dtype=kind if rows.dtype.kind in "ui" else rows.dtype)
        out[:, 1:] = rows[:, :-1]
        out[:, 0] = self.base + self.step * self._numbers(len(rows))
        return out.reshape(images.shape)

    def _numbers(self, count: int) -> Array:
        return np.arange(count) % 10


@dataclass(frozen=True)
class LabelAsPixel(_ForeignPixel):
    """The label column kept as the first pixel."""

    id = "label-as-pixel"
    plain = "carry their labels as the first pixel, so that every pixel stands one place too far"
    repair = "drop the first column and put background into the last pixel"


@dataclass(frozen=True)
class IndexAsPixel(_ForeignPixel):
    """The row number kept as the first pixel."""

    id = "index-as-pixel"
    plain = "carry their row numbers as the first pixel, so that every pixel stands one place too far"
    repair = "drop the first column and put background into the last pixel"

    def _numbers(self, count: int) -> Array:
        return np.arange(count)


@dataclass(frozen=True)
class FirstPixelDropped(Fault):
    """The first pixel of each row was lost: all are one place back."""

    background: float = 0.0
    lossless: bool = True

    id = "first-pixel-dropped"
    plain = "lack their first pixel, so that every pixel stands one place too early"
    repair = "put a background pixel in front"

    @property
    def exact(self) -> bool:
        """Exact where the first pixel held nothing but background."""
        return self.lossless

    def undo(self, images: Array) -> Array:
        """Move every pixel one place on."""
        rows = flat(images)
        out = np.full(rows.shape, self.background, dtype=rows.dtype)
        out[:, 1:] = rows[:, :-1]
        return out.reshape(images.shape)

    def replay(self, images: Array) -> Array:
        """Move every pixel one place back."""
        rows = flat(images)
        out = np.full(rows.shape, self.background, dtype=rows.dtype)
        out[:, :-1] = rows[:, 1:]
        return out.reshape(images.shape)


@dataclass(frozen=True)
class HeaderAsPixels(Fault):
    """The header of an IDX file was read as the first pixels of the stream; the end of the stream is lost.

    Pictures must come in the order of the file.
    """

    count: int = 16
    background: float = 0.0
    header: tuple[float, ...] = ()
    lossless: bool = True

    id = "header-as-pixels"

    @property
    def exact(self) -> bool:
        """Exact where the last pixels of a picture, of which the last one lost its own, are empty."""
        return self.lossless

    @property
    def parameters(self) -> dict[str, Any]:
        """How many bytes."""
        return {"bytes": self.count}

    @property
    def plain(self) -> str:
        """Say how many bytes."""
        return (
            f"begin with the {self.count} bytes of the file's header, so that every pixel stands {self.count} too far"
        )

    @property
    def repair(self) -> str:
        """Skip them."""
        return f"skip the first {self.count} bytes of the file"

    def undo(self, images: Array) -> Array:
        """Move the whole stream back."""
        stream = np.ascontiguousarray(images).reshape(-1)
        out = np.full(stream.shape, self.background, dtype=stream.dtype)
        out[: -self.count] = stream[self.count :]
        return out.reshape(images.shape)

    def replay(self, images: Array) -> Array:
        """Move the whole stream on."""
        stream = np.ascontiguousarray(images).reshape(-1)
        out = np.empty_like(stream)
        out[self.count :] = stream[: -self.count]
        out[: self.count] = self.header or self.background
        return out.reshape(images.shape)


class _Reordered(Fault):
    """Pixels in another order; ``order`` says for each place of the faulty picture where its number came from."""

    axis: ClassVar[int]

    def order(self, size: int) -> Array:
        """Return the permutation of ``size`` places."""
        raise NotImplementedError

    def _rows(self, images: Array) -> Array:
        return images if self.axis else flat(images)

    def undo(self, images: Array) -> Array:
        """Put every number back."""
        rows = self._rows(images)
        back = np.argsort(self.order(rows.shape[1]))
        return np.ascontiguousarray(rows[:, back]).reshape(images.shape)

    def replay(self, images: Array) -> Array:
        """Reorder."""
        rows = self._rows(images)
        return np.ascontiguousarray(rows[:, self.order(rows.shape[1])]).reshape(images.shape)


@dataclass(frozen=True)
class Interlaced(_Reordered):
    """Rows of even number first, then those of odd number."""

    id = "interlaced"
    axis = 1
    plain = "hold their rows in two halves (even rows first, then odd: interlaced)"
    repair = "put the rows back in turn"

    def order(self, size: int) -> Array:
        """Even numbers, then odd ones."""
        return np.concatenate([np.arange(0, size, 2), np.arange(1, size, 2)])


@dataclass(frozen=True)
class PairsSwapped(_Reordered):
    """Neighbouring bytes exchanged, as by a wrong byte order."""

    id = "pairs-swapped"
    axis = 0
    plain = "hold neighbouring pixels exchanged in pairs"
    repair = "exchange the two pixels of each pair"

    def order(self, size: int) -> Array:
        """1, 0, 3, 2, ...; an odd last one stays."""
        places = np.arange(size)
        places[: size - size % 2] ^= 1
        return places


@dataclass(frozen=True)
class WrongWidth(Fault):
    """Rows reshaped with the wrong width; ``right`` and ``wrong`` are frames (height, width)."""

    right: Frame
    wrong: Frame
    background: float = 0.0

    id = "wrong-width"

    @property
    def exact(self) -> bool:
        """Exact where no pixel was cut off at the end."""
        return self.wrong[0] * self.wrong[1] >= self.right[0] * self.right[1]

    @property
    def parameters(self) -> dict[str, Any]:
        """The width with which they were reshaped."""
        return {"width": self.wrong[1]}

    @property
    def plain(self) -> str:
        """Say both frames."""
        return f"were reshaped to {_size(self.wrong)} where {_size(self.right)} was meant"

    @property
    def repair(self) -> str:
        """Say the right frame."""
        return f"reshape to {_size(self.right)}"

    def undo(self, images: Array) -> Array:
        """Reshape rightly."""
        return _refit(images, self.right, 0, self.background)

    def replay(self, images: Array) -> Array:
        """Reshape wrongly."""
        return _refit(images, self.wrong, 0, self.background)


@dataclass(frozen=True)
class PaddedBeforeReshape(Fault):
    """The flat row was padded (``before`` of it in front), then reshaped to a larger frame."""

    right: Frame
    wrong: Frame
    before: int
    background: float = 0.0

    id = "padded-before-reshape"

    @property
    def parameters(self) -> dict[str, Any]:
        """How many pixels were put before the row; the rest came after it."""
        return {"before": self.before}

    @property
    def plain(self) -> str:
        """Say both frames."""
        return f"were padded as flat rows and only then reshaped to {_size(self.wrong)}, which tears every picture up"

    @property
    def repair(self) -> str:
        """Say the way back."""
        return f"flatten, take the padding off, reshape to {_size(self.right)}"

    def undo(self, images: Array) -> Array:
        """Take the padding off the flat row."""
        return _refit(images, self.right, -self.before, self.background)

    def replay(self, images: Array) -> Array:
        """Pad the flat row."""
        return _refit(images, self.wrong, self.before, self.background)


@dataclass(frozen=True)
class ChannelOrder(Fault):
    """Colour channels in another order.

    kind : 'bgr' (reversed), 'planes' (``[C, H, W]`` in memory, read as ``[H, W, C]``), 'mixed' (the other way round),
    'first' (the array is ``[N, C, H, W]``).
    """

    kind: str

    id = "channel-order"

    @property
    def plain(self) -> str:
        """Say which order."""
        return {
            "bgr": "hold their colours in the order blue, green, red",
            "planes": "hold one plane a colour, read as if the colours stood side by side",
            "mixed": "hold the colours of a pixel side by side, read as if there were one plane a colour",
            "first": "hold the colour channels on the first axis",
        }[self.kind]

    @property
    def repair(self) -> str:
        """Say the way back."""
        return "reverse the channels" if self.kind == "bgr" else "move the channels to the last axis"

    def undo(self, images: Array) -> Array:
        """Return ``[N, H, W, C]`` as it should be."""
        if self.kind == "bgr":
            return np.ascontiguousarray(images[..., ::-1])
        if self.kind == "first":
            return np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        count, height, width, channels = images.shape
        if self.kind == "planes":
            planes = np.ascontiguousarray(images).reshape(count, channels, height, width)
            return np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(images.shape)

    def replay(self, images: Array) -> Array:
        """Disorder the channels."""
        if self.kind == "bgr":
            return self.undo(images)
        if self.kind == "first":
            return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        return ChannelOrder("mixed" if self.kind == "planes" else "planes").undo(images)


def _refit(images: Array, frame: Frame, offset: int, background: float) -> Array:
    """Return the flat rows, begun at ``offset`` of new flat rows of ``frame``, cut or filled up with background."""
    rows = np.ascontiguousarray(images).reshape(len(images), images.shape[1] * images.shape[2], -1)
    size = frame[0] * frame[1]
    out = np.full((len(rows), size, rows.shape[2]), background, dtype=rows.dtype)
    first, last = max(0, offset), min(size, offset + rows.shape[1])
    out[:, first:last] = rows[:, first - offset : last - offset]
    return out.reshape(len(images), *frame, *images.shape[3:])


def _size(frame: Frame) -> str:
    return f"{frame[0]}x{frame[1]}"
