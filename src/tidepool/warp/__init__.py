"""Warps of small pictures: recipes (what is drawn) and kernels (how it is applied)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import InputError
from tidepool.warp.parts import Affine, Elastic
from tidepool.warp.recipes import Recipe, find, recipes
from tidepool.warp.threads import in_chunks

__all__ = ["Affine", "Elastic", "Recipe", "apply", "find", "kernel_is_cached", "recipes"]

# Small enough that a thread which is held up leaves work to the others, large enough that beginning one costs nothing.
_CHUNK = 2_048


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
    images, matrices = np.asarray(images), _as_floats(matrices, "matrices")
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise InputError(f"warp: images are {images.dtype} {images.shape}, expected uint8 [N, H, W] or [N, H, W, C]")
    if matrices.shape != (len(images), 2, 3):
        raise InputError(f"warp: matrices have shape {matrices.shape}, expected {(len(images), 2, 3)}")
    if not np.isfinite(matrices).all():
        bad = int(np.flatnonzero(~np.isfinite(matrices).all(axis=(1, 2)))[0])
        raise InputError(f"warp: matrix {bad} (counted from 0) holds NaN or an infinite value, expected finite numbers")
    if fields is not None:
        fields = _as_floats(fields, "fields")
        if fields.ndim != 4 or fields.shape[:2] != (len(images), 2) or min(fields.shape[2:]) < 4:
            raise InputError(f"warp: fields have shape {fields.shape}, expected ({len(images)}, 2, rows, columns)")
    height, width = size or images.shape[1:3]
    if min(height, width) < 1:
        raise InputError(f"warp: size is {height}x{width}, expected at least 1x1")
    from tidepool.warp.kernel import warp

    out = np.empty((len(images), height, width, *images.shape[3:]), dtype=np.uint8)

    def work(part: slice) -> None:
        warp(images[part], matrices[part], out[part], fields=None if fields is None else fields[part])

    in_chunks(work, len(images), _CHUNK, threads or os.cpu_count() or 1)
    return out


def _as_floats(values: npt.NDArray[Any], name: str) -> npt.NDArray[np.float32]:
    """Return numbers as float32, in which the kernel computes; what is too large for it becomes infinite."""
    found = np.asarray(values)
    if found.dtype.kind not in "buif":
        raise InputError(f"warp: {name} are {found.dtype}, expected numbers")
    with np.errstate(over="ignore"):
        return found.astype(np.float32, copy=False)


def kernel_is_cached() -> bool:
    """Say whether numba has kept the compiled kernel: where it was told to, beside this package, or for this user."""
    own = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "numba"
    told = os.environ.get("NUMBA_CACHE_DIR")
    places = [Path(told)] if told else [Path(__file__).parent / "__pycache__", own]
    return any(True for place in places for _ in place.rglob("kernel._warp-*.nbi"))
