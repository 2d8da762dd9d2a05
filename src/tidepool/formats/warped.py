"""What files keep beside warped pictures: which original each is a version of, and how it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Warped:
    """What was done to each of N pictures.

    matrices : float32 ``[N, 2, 3]``, from a pixel (x, y, 1) of the warped picture to a point (x, y) of its original,
        as ``tidepool.warp.apply`` takes them; pixels are counted from 0 at the left and at the top.
    frame : height and width of the originals; size : height and width of the warped pictures.
    first : number of the first of these N in the whole set of versions, from 1.

    What an elastic part of the recipe did on top of the matrices is not here: the recipe makes it again from the seed.
    """

    matrices: Floats
    frame: tuple[int, int]
    size: tuple[int, int]
    first: int = 1

    def forward(self) -> Floats:
        """Return float32 ``[N, 2, 3]``: from a pixel (x, y, 1) of an original to where it went."""
        linear = np.linalg.inv(self.matrices[:, :, :2].astype(np.float64))
        moved = -np.einsum("nij,nj->ni", linear, self.matrices[:, :, 2])
        return np.concatenate([linear, moved[:, :, None]], axis=2).astype(np.float32)

    def parts(self) -> Floats:
        """Return float32 ``[6, N]``: what each picture was turned, sheared, scaled and shifted by.

        Rows: rotation in degrees, counter-clockwise; shear, by which a point moves to the right for each pixel that it
        lies below the centre; scale across; scale down; shift to the right and shift down, in pixels. The shift is
        that of the picture's centre. ``forward = rotation @ shear @ scale`` about the centres, with the rotation
        ``[[cos, sin], [-sin, cos]]``, the shear ``[[1, shear], [0, 1]]``; a mirrored picture has a negative scale down.
        """
        matrices = self.forward().astype(np.float64)
        linear = matrices[:, :, :2]
        angle = np.arctan2(linear[:, 1, 0], linear[:, 0, 0])
        across = np.hypot(linear[:, 0, 0], linear[:, 1, 0])
        down = np.linalg.det(linear) / across
        shear = (np.cos(angle) * linear[:, 0, 1] + np.sin(angle) * linear[:, 1, 1]) / down
        middle = np.array([(self.frame[1] - 1) / 2, (self.frame[0] - 1) / 2])
        target = np.array([(self.size[1] - 1) / 2, (self.size[0] - 1) / 2])
        shift = linear @ middle + matrices[:, :, 2] - target
        return np.stack([-np.degrees(angle), shear, across, down, *shift.T]).astype(np.float32)


def originals(found: Any, count: int) -> npt.NDArray[np.int64] | None:
    """Return the groups ``[count]`` that a file names, or None where a field of that name holds something else."""
    array = np.asarray(found).reshape(-1)
    if len(array) != count or array.dtype.kind not in "uif":
        return None
    if array.dtype.kind == "f" and not np.all(np.isfinite(array) & (array == np.round(array))):
        return None
    return array.astype(np.int64)
