"""Named arrays (MATLAB, NPZ): which field holds the pictures, which the labels, and which axis counts the pictures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tidepool.errors import DataError, did_you_mean
from tidepool.formats.frames import frame_of, unflatten
from tidepool.images import Array

IMAGES = ("images", "image", "x_train", "train_images", "x", "data", "imgs", "pixels", "arr_0")
LABELS = ("labels", "label", "y_train", "train_labels", "y", "target", "targets", "label_int", "classes", "arr_1")


def pick(arrays: Mapping[str, Array], label: str | None, where: str) -> tuple[Array, Array | None]:
    """Return the pictures and the labels (or None) among named arrays; raise DataError listing what there is."""
    lower = {name.lower(): name for name in reversed(list(arrays))}
    found = next((lower[name] for name in IMAGES if name in lower), None)
    if found is None:
        big = [name for name, array in arrays.items() if array.ndim >= 3]
        if len(big) != 1:
            listed = ", ".join(f"{name} {'x'.join(map(str, a.shape)) or 'scalar'}" for name, a in arrays.items())
            raise DataError(f"{where}: no field with pictures; it holds: {listed or 'nothing'}", "call it images")
        found = big[0]
    if label is not None and label not in arrays:
        raise DataError(f"{where}: no field '{label}'", did_you_mean(label, arrays))
    named = label if label is not None else next((lower[name] for name in LABELS if name in lower), None)
    if arrays[found].dtype.kind not in "buif":
        raise DataError(f"{where}: field {found} is of type {arrays[found].dtype}, expected numbers")
    return arrays[found], None if named is None or named == found else _flat(arrays[named])


def stack(images: Array, labels: Array | None, shape: tuple[int, int] | None, where: str) -> Array:
    """Return the pictures as ``[N, H, W]`` or ``[N, H, W, C]``.

    Taken as they are: ``[N, H, W]``, ``[N, H, W, C]``, and rows ``[N, H*W]``. Where the number of labels says that the
    *last* axis counts the pictures (SVHN's ``[H, W, C, N]``, ``[H, W, N]``, ``[H*W, N]``), it is brought to the front.
    """
    count = None if labels is None else len(labels)
    if images.ndim == 4 and count is None and images.shape[2] in (1, 3) and images.shape[3] not in (1, 3, 4):
        count = images.shape[3]
    if count is not None and images.ndim > 1 and images.shape[0] != count and images.shape[-1] == count:
        images = np.moveaxis(images, -1, 0)
    if images.ndim == 2:
        if shape is None and count is None and not _is_frame(images.shape[1]) and _is_frame(images.shape[0]):
            images = images.T
        return unflatten(np.ascontiguousarray(images), shape, where)
    if images.ndim not in (3, 4):
        raise DataError(f"{where}: pictures of shape {images.shape}", "expected [N, H, W], [N, H, W, C] or [N, H*W]")
    return np.ascontiguousarray(images)


def _is_frame(pixels: int) -> bool:
    try:
        return bool(frame_of(pixels, None, ""))
    except DataError:
        return False


def _flat(labels: Array) -> Array:
    """Return labels of shape ``[1, N]`` or ``[N, 1]`` as ``[N]``; one-hot ``[N, K]`` stays as it is."""
    return labels.reshape(-1) if labels.ndim == 2 and 1 in labels.shape else labels
