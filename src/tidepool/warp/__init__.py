"""Warps of small pictures: recipes (what is drawn) and kernels (how it is applied)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import InputError
from tidepool.warp.recipes import Affine, find, recipes

__all__ = ["Affine", "apply", "find", "recipes"]

_CHUNK = 256


def apply(
    images: npt.NDArray[Any],
    matrices: npt.NDArray[Any],
    size: tuple[int, int] | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.uint8]:
    """Warp pictures: bilinear, 0 outside.

    images : uint8 ``[N, H, W]`` or ``[N, H, W, C]``; matrices : ``[N, 2, 3]``, each maps an output pixel (x, y, 1)
    to an input pixel (x, y); size : output frame (height, width), default the input's; threads : default all cores.
    Returns uint8 ``[N, h, w]`` or ``[N, h, w, C]``; the same for any number of threads.
    Raises InputError where the shapes or types do not fit.
    """
    from tidepool.warp.kernel import warp

    images, matrices = np.asarray(images), np.asarray(matrices)
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise InputError(f"warp: images are {images.dtype} {images.shape}, expected uint8 [N, H, W] or [N, H, W, C]")
    if matrices.shape != (len(images), 2, 3):
        raise InputError(f"warp: matrices have shape {matrices.shape}, expected {(len(images), 2, 3)}")
    height, width = size or images.shape[1:3]
    out = np.empty((len(images), height, width, *images.shape[3:]), dtype=np.uint8)
    workers = min(threads or os.cpu_count() or 1, -(-len(images) // _CHUNK))
    if workers <= 1:
        warp(images, matrices, out)
        return out
    parts = [slice(start, start + _CHUNK) for start in range(0, len(images), _CHUNK)]
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda part: warp(images[part], matrices[part], out[part]), parts))
    return out
