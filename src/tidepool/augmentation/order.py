"""What is asked for: how many versions of every picture, by which recipe, from which seed, in which frame."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from tidepool._version import __version__
from tidepool.errors import DataError, InputError
from tidepool.images import Array, ImageSet
from tidepool.preprocessing import background_of
from tidepool.warp.recipes import Recipe


@dataclass(frozen=True)
class Order:
    """Versions 1..``copies`` of every picture.

    recipe : what is drawn; copies : versions of each picture, 1 or more; size : height and width of the versions,
    at least those of the pictures (default: ``natural_size``); seed : 0 or more.
    """

    recipe: Recipe
    copies: int
    size: tuple[int, int] | None = None
    seed: int = 0

    def frame(self, images: ImageSet) -> tuple[int, int]:
        """Return height and width of the versions; raise InputError where they are smaller than the pictures."""
        size = self.size or natural_size(self.recipe, images.frame)
        if size[0] < images.frame[0] or size[1] < images.frame[1]:
            height, width = images.frame
            raise InputError(
                f"--size {size[0]}x{size[1]} is smaller than the pictures, which are {height}x{width}",
                f"give at least --size {height}x{width}, or leave it out",
            )
        return size

    def record(self, images: ImageSet, suffix: str) -> dict[str, Any]:
        """Return all that decides what the files hold, as JSON keeps it; ``copies`` stands apart."""
        settings = {
            "tidepool": __version__,
            "format": suffix,
            "recipe": self.recipe.to_dict(),
            "seed": self.seed,
            "size": self.frame(images),
            "source": {
                "sha256": _digest(images),
                "pictures": len(images),
                "frame": images.frame,
                "labels": images.labels is not None,
            },
        }
        again: dict[str, Any] = json.loads(json.dumps(settings))
        return again


def natural_size(recipe: Recipe, frame: tuple[int, int]) -> tuple[int, int]:
    """Return the frame that a recipe is meant for.

    A recipe that moves the ink about as far as the frame allows needs room: an even margin of 3/14 on every side,
    rounded up, as affNIST gives it (28x28 becomes 40x40). The others keep the frame.
    """
    if not recipe.places_anywhere:
        return frame
    height, width = (side + 2 * -(-3 * side // 14) for side in frame)
    return height, width


def warpable(pixels: Array) -> Array:
    """Return pictures in the type in which they are warped: uint8 as they are, floats as float32.

    Raises DataError for any other type.
    """
    if pixels.dtype.kind == "f":
        return np.ascontiguousarray(pixels, np.float32)
    if pixels.dtype != np.uint8:
        raise DataError(f"pixels of type {pixels.dtype}, expected 8 bits or floats", "save them with 8 bits")
    return np.ascontiguousarray(pixels)


def ground_of(images: ImageSet) -> float:
    """Return the background of a set: what its versions have outside their ink."""
    return background_of(warpable(images.images[:1000]))


def _digest(images: ImageSet) -> str:
    """Return the sha256 of the pictures and labels as they were read: the same set from another file is the same."""
    digest = hashlib.sha256(f"{images.images.dtype} {images.images.shape}".encode())
    for start in range(0, len(images), 4096):
        digest.update(np.ascontiguousarray(images.images[start : start + 4096]).tobytes())
    for held in (images.labels, images.groups):
        digest.update(b"-" if held is None else np.ascontiguousarray(held).tobytes())
    return digest.hexdigest()
