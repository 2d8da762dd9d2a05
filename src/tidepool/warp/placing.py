"""Shifts that keep every ink pixel inside the frame, and the shrinking of ink that fits at no shift."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import InputError

Floats = npt.NDArray[np.float64]

# Matrices are rounded to float32: by so much of a pixel the ink stays away from the edge where there is room.
_MARGIN = 1e-4
_LEAST = 0.05


def place(
    images: npt.NDArray[Any], maps: Floats, bent: Floats, size: tuple[int, int], u: Floats, ground: float = 0.0
) -> tuple[Floats, Floats]:
    """Return shifts ``[N, 2]`` (x, y) uniform over all that keep the ink inside, and factors ``[N]`` of shrinking.

    maps : forward maps ``[N, 2, 2]`` about the centre; bent : ``[N, 2]``, how far an elastic field moves a point of
    the input at most; size : output frame; u : uniforms ``[N, 2]``; ground : what
    is no ink. A factor is 1 where the ink fits as it is;
    otherwise ``maps`` are to be multiplied by it, and the ink then fits exactly.

    Inside means: every ink pixel's centre lies between the centres of the outermost pixels, and its bilinear spread,
    one pixel of the input to each side, reaches no pixel beyond them.
    Raises InputError where ink would have to shrink below a twentieth.
    """
    from tidepool.warp.ink import extremes

    found = extremes(images, maps, ground)
    blank = found[:, 0] > found[:, 2]
    lowest = np.where(blank[:, None], 0.0, found[:, :2])
    highest = np.where(blank[:, None], 0.0, found[:, 2:])
    steep = np.abs(maps)
    moved = steep[:, :, 0] * bent[:, :1] + steep[:, :, 1] * bent[:, 1:]
    spread = moved + steep[:, :, 0] + steep[:, :, 1]
    last = np.array([size[1] - 1.0, size[0] - 1.0])
    extent = highest - lowest
    needed = np.maximum((extent + 2 * spread) / (last + 2), (extent + 2 * moved) / np.maximum(last, 1e-9))
    factor = np.where(blank, 1.0, 1 / np.maximum(needed.max(axis=1), 1e-9))
    factor = np.where(factor < 1 - 1e-5, factor * (1 - 1e-5), 1.0)
    _refuse(factor, size)

    lowest, highest, moved, spread = (part * factor[:, None] for part in (lowest, highest, moved, spread))
    reach = np.maximum(spread - 1, moved)
    low, high = reach - lowest - last / 2, last / 2 - reach - highest
    margin = np.clip((high - low) / 2, 0, _MARGIN)
    low, high = low + margin, high - margin
    middle = (low + high) / 2
    shift = np.where(low < high, low + (high - low) * u, middle)
    return np.where(blank[:, None], 0.0, shift), factor


def _refuse(factor: Floats, size: tuple[int, int]) -> None:
    hopeless = np.flatnonzero(factor < _LEAST)
    if len(hopeless):
        named = ", ".join(str(i) for i in hopeless[:5]) + (", ..." if len(hopeless) > 5 else "")
        which = f"{len(hopeless):,} pictures (counted from 0: {named})"
        raise InputError(
            f"warp: a frame of {size[0]}x{size[1]} is too small for the ink of {which}",
            "give a larger size",
        )
