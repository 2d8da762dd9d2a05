"""Faults of the frame: pictures moved inside an equal frame, padded on one side, or of another frame size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tidepool.audit.faults.base import Fault
from tidepool.images import Array


def place(images: Array, frame: tuple[int, int], top: int, left: int, background: float) -> Array:
    """Return ``images`` ``[N, h, w(, C)]`` laid into an empty ``frame`` at row ``top``, column ``left``.

    Negative offsets and what lies outside are cut off: the same function pads, crops and shifts.
    """
    height, width = images.shape[1:3]
    out = np.full((len(images), *frame, *images.shape[3:]), background, dtype=images.dtype)
    y0, y1 = max(top, 0), min(top + height, frame[0])
    x0, x1 = max(left, 0), min(left + width, frame[1])
    if y1 > y0 and x1 > x0:
        out[:, y0:y1, x0:x1] = images[:, y0 - top : y1 - top, x0 - left : x1 - left]
    return out


def even(inner: tuple[int, int], outer: tuple[int, int]) -> tuple[int, int]:
    """Return top and left of ``inner`` in the middle of ``outer`` (rounded down; negative where it is larger)."""
    return (outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2


@dataclass(frozen=True)
class Shifted(Fault):
    """All pictures moved by ``dx`` to the right and ``dy`` down; what left the frame is lost."""

    dx: int
    dy: int
    background: float = 0.0
    lossless: bool = False

    echoed = True
    id = "shifted"

    @property
    def exact(self) -> bool:
        """Exact where no ink can have left the frame."""
        return self.lossless

    @property
    def parameters(self) -> dict[str, Any]:
        """The offset in pixels."""
        return {"dx": self.dx, "dy": self.dy}

    @property
    def plain(self) -> str:
        """Say the offset in words."""
        return f"are shifted by {_way(self.dx, self.dy)}"

    @property
    def repair(self) -> str:
        """Say the way back."""
        return f"shift each image by {_way(-self.dx, -self.dy)}"

    def undo(self, images: Array) -> Array:
        """Move back."""
        return place(images, images.shape[1:3], -self.dy, -self.dx, self.background)

    def replay(self, images: Array) -> Array:
        """Move."""
        return place(images, images.shape[1:3], self.dy, self.dx, self.background)


@dataclass(frozen=True)
class FrameSize(Fault):
    """Another frame size with the picture in the middle: ``inner`` is the frame without the padding."""

    reference: tuple[int, int]
    found: tuple[int, int]
    background: float = 0.0
    lossless: bool = True

    id = "frame-size"
    harmless = True

    @property
    def exact(self) -> bool:
        """Exact unless ink is cut off."""
        return self.lossless

    @property
    def parameters(self) -> dict[str, Any]:
        """Both frames as [height, width]."""
        return {"from": list(self.reference), "to": list(self.found)}

    @property
    def plain(self) -> str:
        """Say both sizes."""
        return f"have frames of {_size(self.found)}, the training images {_size(self.reference)}, both evenly filled"

    @property
    def repair(self) -> str:
        """Pad or crop."""
        return f"{'crop' if self.found > self.reference else 'pad'} evenly to {_size(self.reference)}"

    def undo(self, images: Array) -> Array:
        """Bring to the training frame."""
        return place(images, self.reference, *even(self.found, self.reference), self.background)

    def replay(self, images: Array) -> Array:
        """Bring to the other frame."""
        return place(images, self.found, *even(self.reference, self.found), self.background)


@dataclass(frozen=True)
class PaddedOneSide(Fault):
    """A larger frame with the picture off its middle; the numbers are the pixels added on each side."""

    top: int
    bottom: int
    left: int
    right: int
    background: float = 0.0
    lossless: bool = True

    id = "padded-one-side"

    @property
    def exact(self) -> bool:
        """Exact unless the cut-off margin holds ink."""
        return self.lossless

    @property
    def parameters(self) -> dict[str, Any]:
        """The padding of each side in pixels."""
        return {"top": self.top, "bottom": self.bottom, "left": self.left, "right": self.right}

    @property
    def plain(self) -> str:
        """Say the four numbers."""
        return (
            f"are padded unevenly (top {self.top}, bottom {self.bottom}, left {self.left}, right {self.right}), "
            "so that they sit off the middle"
        )

    @property
    def repair(self) -> str:
        """Crop it all off."""
        return f"cut off {self.top} rows above, {self.bottom} below, {self.left} columns left, {self.right} right"

    def undo(self, images: Array) -> Array:
        """Cut the padding off."""
        frame = images.shape[1] - self.top - self.bottom, images.shape[2] - self.left - self.right
        return place(images, frame, -self.top, -self.left, self.background)

    def replay(self, images: Array) -> Array:
        """Pad."""
        frame = images.shape[1] + self.top + self.bottom, images.shape[2] + self.left + self.right
        return place(images, frame, self.top, self.left, self.background)


def _size(frame: tuple[int, int]) -> str:
    return f"{frame[0]}x{frame[1]}"


def _way(dx: int, dy: int) -> str:
    parts = []
    if dx:
        parts.append(f"{abs(dx)} px to the {'right' if dx > 0 else 'left'}")
    if dy:
        parts.append(f"{abs(dy)} px {'down' if dy > 0 else 'up'}")
    return " and ".join(parts) or "0 px"
