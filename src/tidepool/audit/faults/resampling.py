"""Faults of size: pictures drawn smaller or larger in their frame, resized with their frame, or stretched to fill it.

All resampling is linear and separable: a matrix for the rows, one for the columns. Where pictures shrink, the tent that
weighs the neighbours grows with the step, so that nothing is skipped (as Pillow's BILINEAR does).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tidepool.audit.faults.base import Fault
from tidepool.images import Array

_AT_ONCE = 4096  # pictures; bounds the memory


def weights(out: int, given: int, factor: float, middle: float | None = None) -> Array:
    """Return the matrix ``[out, given]`` that enlarges a line of ``given`` pixels by ``factor`` into ``out`` pixels.

    The middle of the line (or the place ``middle`` in it, in pixels) comes to lie in the middle; outside is 0.
    """
    middle = (given - 1) / 2 if middle is None else middle
    places = (np.arange(out) - (out - 1) / 2) / factor + middle
    reach = max(1.0, 1 / factor)
    tent: Array = np.maximum(0.0, 1 - np.abs(places[:, None] - np.arange(given)) / reach) / reach
    return tent.astype(np.float32)


def resample(images: Array, rows: Array, columns: Array, background: float) -> Array:
    """Return ``rows @ image @ columns.T`` for each of ``images`` ``[N, H, W(, C)]``, in their own type.

    What lies outside is ``background``; whole numbers are rounded.
    """
    out = np.empty((len(images), len(rows), len(columns), *images.shape[3:]), dtype=images.dtype)
    for start in range(0, len(images), _AT_ONCE):
        part = images[start : start + _AT_ONCE].astype(np.float32) - np.float32(background)
        made = rows @ part @ columns.T if part.ndim == 3 else _by_channel(rows, part, columns)
        out[start : start + _AT_ONCE] = as_type(made + np.float32(background), images.dtype)
    return out


def as_type(values: Array, dtype: Any) -> Array:
    """Return float ``values`` as ``dtype``: whole numbers are rounded and kept in the range of the type."""
    if np.dtype(dtype).kind in "ui":
        limits = np.iinfo(dtype)
        return np.rint(values).clip(limits.min, limits.max).astype(dtype)
    return values.astype(dtype, copy=False)


def _by_channel(rows: Array, part: Array, columns: Array) -> Array:
    planes = rows @ part.transpose(0, 3, 1, 2) @ columns.T
    moved: Array = planes.transpose(0, 2, 3, 1)
    return moved


@dataclass(frozen=True)
class Zoomed(Fault):
    """The picture enlarged by ``factor`` about the middle of an equal frame."""

    factor: float
    background: float = 0.0

    echoed = True

    @property
    def exact(self) -> bool:
        """Resampling loses detail."""
        return False

    @property
    def parameters(self) -> dict[str, Any]:
        """The factor."""
        return {"factor": round(self.factor, 3)}

    @property
    def repair(self) -> str:
        """Say the way back."""
        return f"zoom each image by {1 / self.factor:.3g}"

    def undo(self, images: Array) -> Array:
        """Zoom back."""
        return self._by(1 / self.factor, images)

    def replay(self, images: Array) -> Array:
        """Zoom."""
        return self._by(self.factor, images)

    def _by(self, factor: float, images: Array) -> Array:
        rows, columns = (weights(side, side, factor) for side in images.shape[1:3])
        return resample(images, rows, columns, self.background)


class TooSmall(Zoomed):
    """The digit's box shrunk inside the frame."""

    id = "too-small"

    @property
    def plain(self) -> str:
        """Say how small."""
        return f"are drawn too small ({self.factor:.0%} of the size in training)"


class TooLarge(Zoomed):
    """The digit's box grown inside the frame; what left it is lost."""

    id = "too-large"

    @property
    def plain(self) -> str:
        """Say how large."""
        return f"are drawn too large ({self.factor:.0%} of the size in training)"


def zoomed(factor: float, background: float) -> Zoomed:
    """Return the fault of this factor under its name."""
    return (TooSmall if factor < 1 else TooLarge)(factor, background)


@dataclass(frozen=True)
class Resized(Fault):
    """Another frame size, reached by resampling: the picture grew or shrank with its frame."""

    reference: tuple[int, int]
    found: tuple[int, int]
    background: float = 0.0

    echoed = True
    id = "resized"

    @property
    def exact(self) -> bool:
        """Resampling loses detail."""
        return False

    @property
    def parameters(self) -> dict[str, Any]:
        """Both frames as [height, width]."""
        return {"from": list(self.reference), "to": list(self.found)}

    @property
    def plain(self) -> str:
        """Say both sizes."""
        return "were resized from {}x{} to {}x{} pixels, picture and all".format(*self.reference, *self.found)

    @property
    def repair(self) -> str:
        """Say the way back."""
        return "resample each image to {}x{}".format(*self.reference)

    def undo(self, images: Array) -> Array:
        """Resample to the training frame."""
        return self._to(self.reference, images)

    def replay(self, images: Array) -> Array:
        """Resample to the other frame."""
        return self._to(self.found, images)

    def _to(self, frame: tuple[int, int], images: Array) -> Array:
        rows, columns = (weights(out, side, out / side) for out, side in zip(frame, images.shape[1:3], strict=True))
        # At the rim a tent sticks out of the picture: what it finds there weighs for the rest.
        rows, columns = (each / each.sum(axis=1, keepdims=True) for each in (rows, columns))
        return resample(images, rows, columns, self.background)


@dataclass(frozen=True)
class Stretched(Fault):
    """The box of each picture's ink stretched to the full frame, its proportions lost.

    They are estimated from the edges: in an unstretched picture these are as steep across as down (times ``steepness``,
    the mean ratio in training); stretching an axis flattens the edges along it. The longer side becomes ``side`` pixels
    and the centre of mass goes to ``middle`` (row, column), as training has them.
    """

    side: float
    middle: tuple[float, float]
    steepness: float = 1.0
    background: float = 0.0

    echoed = True
    id = "stretched"
    plain = "are stretched: the ink of each fills its whole frame, so that the proportions are lost"

    @property
    def exact(self) -> bool:
        """The proportions can only be estimated."""
        return False

    @property
    def repair(self) -> str:
        """Say the way back."""
        return f"fit each image into {self.side:.0f} by {self.side:.0f} pixels, its proportions told by its edges"

    def undo(self, images: Array) -> Array:
        """Shrink each picture to the box that its edges tell."""
        out = np.empty_like(images)
        for i, picture in enumerate(images):
            ink = ink_of(picture[None], self.background)[0]
            ratio = float(np.clip(edges(ink) / self.steepness * ink.shape[1] / ink.shape[0], 0.1, 10.0))
            tall, wide = self.side * min(1.0, 1 / ratio), self.side * min(1.0, ratio)
            out[i] = self._fitted(picture, ink, tall / ink.shape[0], wide / ink.shape[1])
        return out

    def _fitted(self, picture: Array, ink: Array, by_row: float, by_column: float) -> Array:
        total = ink.sum() or 1.0
        lines: list[Array] = []
        for axis, (factor, goal) in enumerate(zip((by_row, by_column), self.middle, strict=True)):
            side = ink.shape[axis]
            centre = float(ink.sum(axis=1 - axis) @ np.arange(side) / total)
            lines.append(weights(side, side, factor, centre - (goal - (side - 1) / 2) / factor))
        fitted: Array = resample(picture[None], lines[0], lines[1], self.background)[0]
        return fitted

    def replay(self, images: Array) -> Array:
        """Stretch the box of each picture."""
        out = images.copy()
        height, width = images.shape[1:3]
        for i, picture in enumerate(images):
            box = box_of(ink_of(picture[None], self.background)[0])
            if box is None:
                continue
            top, bottom, left, right = box
            part = picture[None, top:bottom, left:right]
            rows, columns = (
                weights(height, bottom - top, height / (bottom - top)),
                weights(width, right - left, width / (right - left)),
            )
            rows, columns = (each / each.sum(axis=1, keepdims=True) for each in (rows, columns))
            out[i] = resample(part, rows, columns, self.background)[0]
        return out


def ink_of(images: Array, background: float) -> Array:
    """Return how far each pixel lies from the background, ``[N, H, W]`` float32; the channels' mean."""
    ink: Array = np.abs(images.astype(np.float32) - np.float32(background))
    return ink if ink.ndim == 3 else np.asarray(ink.mean(axis=3))


def box_of(ink: Array, faint: float = 0.1) -> tuple[int, int, int, int] | None:
    """Return top, bottom, left, right (the ends excluded) of the ink ``[H, W]``; None where there is none.

    faint : the part of the strongest ink that counts no more.
    """
    seen = ink > faint * ink.max()
    if not seen.any():
        return None
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def edges(ink: Array) -> float:
    """Return how steep the edges of ``[H, W]`` are across, over how steep they are down."""
    steep = []
    for axis in (1, 0):
        steps = np.abs(np.diff(ink, axis=axis))
        steep.append(float((steps**2).sum() / (steps.sum() or 1.0)))
    return steep[0] / steep[1] if min(steep) > 0 else 1.0
