"""Faults of quality: what a lossy file format, a blur or noise did to the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from scipy import ndimage

from tidepool.audit.faults.base import Fault
from tidepool.audit.faults.levels import Lossy
from tidepool.audit.faults.resampling import as_type
from tidepool.images import Array

_AT_ONCE = 4096
_SMALL = 20  # pixels
_BLOCK, _IN_A_FILE = 8, 500  # a side of a JPEG file has at most 65,500 pixels


def compressed(images: Array, quality: int) -> Array:
    """Return bytes ``[N, H, W(, 3)]`` as they come back from one JPEG file each, of this quality."""
    if images.ndim == 4:
        return np.stack([_through_file(picture, quality) for picture in images]) if len(images) else images
    height, width = images.shape[1:]
    # Grey blocks of 8x8 know nothing of each other: one tall file, padded to whole blocks as the format does it.
    pads = ((0, 0), (0, -height % _BLOCK), (0, -width % _BLOCK))
    out = np.empty_like(images)
    for start in range(0, len(images), _IN_A_FILE):
        whole = np.pad(images[start : start + _IN_A_FILE], pads, mode="edge")
        back = _through_file(whole.reshape(-1, whole.shape[2]), quality).reshape(whole.shape)
        out[start : start + _IN_A_FILE] = back[:, :height, :width]
    return out


def _through_file(picture: Array, quality: int) -> Array:
    from PIL import Image

    file = BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@dataclass(frozen=True)
class Jpeg(Lossy):
    """Compressed as JPEG of this ``quality`` (as libjpeg counts it, 1..100)."""

    quality: int
    low: float = 0.0
    span: float = 255.0

    id = "jpeg"

    @property
    def parameters(self) -> dict[str, Any]:
        """The estimated quality."""
        return {"quality": self.quality}

    @property
    def plain(self) -> str:
        """Say the quality."""
        return f"were compressed as JPEG (quality about {self.quality})"

    @property
    def repair(self) -> str:
        """Say what is done to the other set."""
        return f"none; the other set is compressed in the same way (quality {self.quality})"

    def replay(self, images: Array) -> Array:
        """Compress and read again, on the scale of the set."""
        if images.dtype == np.uint8:
            return compressed(images, self.quality)
        out = np.empty_like(images)
        for start in range(0, len(images), _AT_ONCE):
            part = (images[start : start + _AT_ONCE].astype(np.float64) - self.low) * (255 / self.span)
            back = compressed(np.rint(part).clip(0, 255).astype(np.uint8), self.quality)
            out[start : start + _AT_ONCE] = as_type(back * (self.span / 255) + self.low, images.dtype)
        return out


@dataclass(frozen=True)
class Blurred(Lossy):
    """Blurred by a Gaussian of ``sigma`` pixels."""

    sigma: float

    id = "blurred"

    @property
    def parameters(self) -> dict[str, Any]:
        """The standard deviation in pixels."""
        return {"sigma": round(self.sigma, 2)}

    @property
    def plain(self) -> str:
        """Say how much."""
        return f"are blurred (by about {self.sigma:.2g} px)"

    @property
    def repair(self) -> str:
        """Say what is done to the other set."""
        return f"none; the other set is blurred by {self.sigma:.2g} px as well"

    def replay(self, images: Array) -> Array:
        """Blur."""
        out = np.empty_like(images)
        for start in range(0, len(images), _AT_ONCE):
            part = images[start : start + _AT_ONCE].astype(np.float32)
            sigmas = (0, self.sigma, self.sigma, *(0,) * (part.ndim - 3))
            out[start : start + _AT_ONCE] = as_type(ndimage.gaussian_filter(part, sigmas), images.dtype)
        return out


@dataclass(frozen=True)
class Noisy(Fault):
    """Gaussian noise of ``sigma`` (in the units of the set, ``low`` to ``low + span``), clipped to the range."""

    sigma: float
    low: float = 0.0
    span: float = 255.0

    echoed = True
    id = "noisy"
    repair = "smooth each image (median of 3x3; very small ones by a slight blur); not exact"

    @property
    def exact(self) -> bool:
        """What lay below the noise is lost."""
        return False

    @property
    def parameters(self) -> dict[str, Any]:
        """The standard deviation, in the units of the set."""
        return {"sigma": round(self.sigma, 3)}

    @property
    def plain(self) -> str:
        """Say how much."""
        return f"are noisy (Gaussian noise, standard deviation about {self.sigma:.3g})"

    def undo(self, images: Array) -> Array:
        """Take the median of 3x3; in small pictures, whose strokes are a pixel wide, that would leave nothing."""
        rest = (1,) * (images.ndim - 3)
        if min(images.shape[1:3]) >= _SMALL:
            return ndimage.median_filter(images, size=(1, 3, 3, *rest))
        out = np.empty_like(images)
        for start in range(0, len(images), _AT_ONCE):
            part = images[start : start + _AT_ONCE].astype(np.float32)
            out[start : start + _AT_ONCE] = as_type(
                ndimage.gaussian_filter(part, (0, 0.5, 0.5, *(0,) * len(rest))), images.dtype
            )
        return out

    def replay(self, images: Array) -> Array:
        """Add noise, clipped."""
        rng = np.random.default_rng(0)
        out = np.empty_like(images)
        for start in range(0, len(images), _AT_ONCE):
            part = images[start : start + _AT_ONCE]
            noise = rng.standard_normal(part.shape, dtype=np.float32) * np.float32(self.sigma)
            values = (part + noise).clip(self.low, self.low + self.span)
            out[start : start + _AT_ONCE] = as_type(values, images.dtype)
        return out
