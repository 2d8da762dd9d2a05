"""Small pictures as data URIs: crisp, small, and as the files have them."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Shown at about 100 CSS pixels: twice that serves dense screens, and photographs do not swell the file.
_LARGEST = 192


@dataclass(frozen=True)
class Picture:
    """One picture of a sheet: ``uri``, ``alt`` for those who do not see it, and what stands below it.

    truth is empty where nobody knows it; sure : the probability of ``predicted``, in words.
    """

    uri: str
    alt: str
    id: str = ""
    truth: str = ""
    predicted: str = ""
    sure: str = ""


def is_photo(images: Array) -> bool:
    """Say whether pictures ``[n, H, W(, C)]`` are larger than they are shown, so that pixels need no sharp edges."""
    return bool(max(images.shape[1:3]) > _LARGEST // 2)


def to_uint8(images: Array) -> npt.NDArray[np.uint8]:
    """Return ``images`` ``[n, H, W(, C)]`` of any numbers as uint8 over the full range, one scale for all.

    uint8 keeps its zero, and its 255 unless nothing comes near (digits of 0..16 would be black on black); other types
    are stretched from their least to their greatest finite value. NaN becomes the least, infinities the ends.
    """
    if images.dtype == np.uint8:
        top = int(images.max(initial=0))
        if top >= 128 or top == 0:
            return images
        return (images * np.float32(255 / top) + np.float32(0.5)).astype(np.uint8)
    values = images.astype(np.float64)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.zeros(images.shape, dtype=np.uint8)
    low, high = float(finite.min()), float(finite.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    # Divided first: the width of float64's whole range is not a float64.
    share = (values / 2 - low / 2) / max(high / 2 - low / 2, 1e-300)
    share = np.nan_to_num(np.clip(share, 0, 1), nan=0.0)
    return np.rint(255 * share).astype(np.uint8)


def uris(images: Array) -> list[str]:
    """Return a PNG data URI for each of ``images`` ``[n, H, W(, C)]``; large ones are made smaller."""
    return [_uri(image) for image in to_uint8(images)] if len(images) else []


def _uri(image: npt.NDArray[np.uint8]) -> str:
    from PIL import Image

    if image.ndim == 3 and image.shape[2] not in (3, 4):
        image = image.mean(axis=2).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(image))
    if max(picture.size) > _LARGEST:
        picture.thumbnail((_LARGEST, _LARGEST), Image.Resampling.BOX)
    file = io.BytesIO()
    picture.save(file, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
