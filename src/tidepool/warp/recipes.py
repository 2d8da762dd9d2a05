"""Recipes: what is done to a picture before it is learnt, as small frozen records in one registry.

``recipe.matrices(images, seed, epoch)`` is a pure function of (seed, epoch, image index): it does not depend on the
batch, the order, the worker or the machine. A matrix maps an OUTPUT pixel (x, y, 1) to an INPUT pixel (x, y).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import InputError, did_you_mean
from tidepool.randomness import uniforms


@dataclass(frozen=True)
class Affine:
    """Random rotation, shear, scale per axis and shift about the picture's centre.

    rotation : degrees, uniform in ±rotation.
    shear : horizontal shear, uniform in ±shear (pixels a pixel).
    scale : (low, high), each axis on its own.
    shift : share of the frame, uniform in ±shift, each axis on its own.
    inside : the shift is uniform over every shift that keeps all ink inside the frame, as affNIST does it,
        and ``shift`` is not used.
    """

    name: str
    rotation: float = 0.0
    shear: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    shift: float = 0.0
    inside: bool = False

    @property
    def is_identity(self) -> bool:
        """True where nothing is changed."""
        return not (self.rotation or self.shear or self.shift or self.inside) and self.scale == (1.0, 1.0)

    def matrices(
        self,
        images: npt.NDArray[Any],
        seed: int = 0,
        epoch: int = 0,
        index: npt.NDArray[np.integer] | None = None,
        size: tuple[int, int] | None = None,
    ) -> npt.NDArray[np.float32]:
        """Return float32 ``[N, 2, 3]``.

        images : uint8 ``[N, H, W]`` or ``[N, H, W, C]``; index : their numbers in the whole set (default 0..N-1);
        size : the output frame (default: the input's).
        """
        count, (height, width) = len(images), images.shape[1:3]
        out_height, out_width = size or (height, width)
        u = uniforms(seed, epoch, np.arange(count) if index is None else index, 6)
        angle = np.deg2rad(self.rotation) * (2 * u[:, 0] - 1)
        shear = self.shear * (2 * u[:, 1] - 1)
        low, high = self.scale
        scale_x, scale_y = low + (high - low) * u[:, 2], low + (high - low) * u[:, 3]
        cos, sin = np.cos(angle), np.sin(angle)
        # Forward map of a point about the centre: rotate(shear(scale(p))). Its inverse is what the kernel walks.
        forward = np.empty((count, 2, 2))
        forward[:, 0, 0], forward[:, 0, 1] = cos * scale_x, (cos * shear - sin) * scale_y
        forward[:, 1, 0], forward[:, 1, 1] = sin * scale_x, (sin * shear + cos) * scale_y
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        out_centre = np.array([(out_width - 1) / 2, (out_height - 1) / 2])
        if self.inside:
            shift = _shift_inside(images, forward, centre, out_centre, u[:, 4:6])
        else:
            shift = self.shift * (2 * u[:, 4:6] - 1) * (out_width, out_height)
        inverse = np.linalg.inv(forward)
        matrices = np.empty((count, 2, 3), dtype=np.float32)
        matrices[:, :, :2] = inverse
        matrices[:, :, 2] = centre - np.einsum("nij,nj->ni", inverse, out_centre + shift)
        return matrices

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as the model's card keeps it."""
        return asdict(self)


def _shift_inside(
    images: npt.NDArray[Any],
    forward: npt.NDArray[np.float64],
    centre: npt.NDArray[np.float64],
    out_centre: npt.NDArray[np.float64],
    u: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return shifts ``[N, 2]`` drawn from every shift that keeps the warped ink inside the output frame."""
    ink: npt.NDArray[np.bool_] = np.asarray(images > 0)
    if ink.ndim == 4:
        ink = np.asarray(ink.any(axis=3))
    height, width = ink.shape[1:]
    # Of each row only its first and last ink pixel can be an extreme of a linear map.
    left = ink.argmax(axis=2)
    right = width - 1 - ink[:, :, ::-1].argmax(axis=2)
    points = np.empty((len(images), 2 * height, 2))
    points[:, :, 0] = np.concatenate([left, right], axis=1)
    points[:, :, 1] = np.tile(np.arange(height), 2)
    moved = np.einsum("nij,npj->npi", forward, points - centre) + out_centre
    empty = np.tile(~ink.any(axis=2), 2)[:, :, None]
    lowest = np.where(empty, np.inf, moved).min(axis=1)
    highest = np.where(empty, -np.inf, moved).max(axis=1)
    blank = ~np.isfinite(lowest)
    # A bilinear sample spreads one pixel: the ink must end one pixel before the edge to be wholly inside.
    room_low = np.where(blank, 0.0, 1.0 - lowest)
    room_high = np.where(blank, 0.0, 2 * out_centre - 1.0 - highest)
    # Ink larger than the frame cannot be inside: it is centred.
    middle = (room_low + room_high) / 2
    low, high = np.minimum(room_low, middle), np.maximum(room_high, middle)
    return np.where(room_low <= room_high, low + (high - low) * u, middle)


recipes: dict[str, Affine] = {
    recipe.name: recipe
    for recipe in (
        Affine("none"),
        Affine("shift", shift=0.07),
        Affine("gentle", rotation=7.0, shear=0.08, scale=(0.93, 1.07), shift=0.04),
        Affine("digits", rotation=12.0, shear=0.15, scale=(0.88, 1.12), shift=0.07),
        # https://www.cs.toronto.edu/~tijmen/affNIST/: 20 degrees, shear .2, .8 to 1.2 an axis, ink kept in the frame.
        Affine("affnist", rotation=20.0, shear=0.2, scale=(0.8, 1.2), inside=True),
    )
}


def find(name: str) -> Affine:
    """Return the recipe of that name; raise InputError with the nearest name otherwise."""
    if name not in recipes:
        raise InputError(f"no recipe '{name}'", did_you_mean(name, recipes))
    return recipes[name]
