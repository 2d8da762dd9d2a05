"""Warps of small pictures: recipes (what is drawn) and kernels (how it is applied)."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import InputError
from tidepool.warp.parts import Affine, Elastic
from tidepool.warp.recipes import Recipe, find, recipes
from tidepool.warp.threads import in_chunks

__all__ = ["Affine", "Elastic", "Recipe", "apply", "find", "recipes"]

_CHUNK = 1024


def apply(
    images: npt.NDArray[Any],
    matrices: npt.NDArray[Any],
    size: tuple[int, int] | None = None,
    threads: int | None = None,
    fields: npt.NDArray[Any] | None = None,
) -> npt.NDArray[np.uint8]:
    """Warp pictures: bilinear, 0 outside.

    images : uint8 ``[N, H, W]`` or ``[N, H, W, C]``; matrices : ``[N, 2, 3]``, each maps an output pixel (x, y, 1)
    to an input pixel (x, y); size : output frame (height, width), default the input's; threads : default all cores;
    fields : elastic displacements as ``Recipe.fields`` draws them, ``[N, 2, rows, columns]``, at least 4x4.
    Returns uint8 ``[N, h, w]`` or ``[N, h, w, C]``; the same for any number of threads. The very first call on a
    machine compiles the kernel, which takes some seconds.
    Raises InputError where the shapes or types do not fit.
    """
    images, matrices = np.asarray(images), np.asarray(matrices)
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise InputError(f"warp: images are {images.dtype} {images.shape}, expected uint8 [N, H, W] or [N, H, W, C]")
    if matrices.shape != (len(images), 2, 3):
        raise InputError(f"warp: matrices have shape {matrices.shape}, expected {(len(images), 2, 3)}")
    if not np.isfinite(matrices).all():
        bad = int(np.flatnonzero(~np.isfinite(matrices).all(axis=(1, 2)))[0])
        raise InputError(f"warp: matrix {bad} (counted from 0) holds NaN or an infinite value, expected finite numbers")
    if fields is not None and (np.shape(fields)[:2] != (len(images), 2) or min((0, *np.shape(fields)[2:])[-2:]) < 4):
        raise InputError(f"warp: fields have shape {np.shape(fields)}, expected ({len(images)}, 2, rows, columns)")
    from tidepool.warp.kernel import warp

    height, width = size or images.shape[1:3]
    out = np.empty((len(images), height, width, *images.shape[3:]), dtype=np.uint8)

    def work(part: slice) -> None:
        warp(images[part], matrices[part], out[part], fields=None if fields is None else fields[part])

    in_chunks(work, len(images), _CHUNK, threads or os.cpu_count() or 1)
    return out
