"""What users give a sandwich, arrays in many layouts and labels in many spellings, brought to one form or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import DataError, StackError
from tidepool.images import ImageSet, is_one_hot, labels_mismatch
from tidepool.nets.layers import Shape

Array = npt.NDArray[Any]


def as_pictures(values: ImageSet | npt.ArrayLike, shape: Shape, smaller: bool = False) -> Array:
    """Return pictures for a stack of input ``shape`` as ``[N, H, W]`` or ``[N, H, W, C]``, uint8 or float32.

    Taken are an ImageSet, ``[N, C, H, W]``, ``[N, H, W, C]`` and (grey) ``[N, H, W]``; for a stack of rows
    ``[N, values]``. ``smaller`` : frames that are smaller than the stack's are let through.
    """
    array = values.images if isinstance(values, ImageSet) else np.asarray(values)
    if array.dtype.kind not in "buif":
        raise DataError(f"pictures are of type {array.dtype}, expected numbers")
    if len(shape) == 1:
        found = array[:, None] if array.ndim == 2 else array
        if found.ndim != 3 or found.shape[1:] != (1, shape[0]):
            raise DataError(
                f"got an array of shape {array.shape}, but the stack takes rows of {shape[0]} values",
                f"X.reshape(len(X), {shape[0]})",
            )
        return _levels_or_floats(found)
    channels, frame = shape[0], shape[1:]

    def fits(sizes: tuple[int, ...]) -> bool:
        return all(0 < size <= most if smaller else size == most for size, most in zip(sizes, frame))

    if array.ndim == 4 and array.shape[1] == channels and fits(array.shape[2:]):
        found = array[:, 0] if channels == 1 else array.transpose(0, 2, 3, 1)
    elif array.ndim == 4 and array.shape[3] == channels and fits(array.shape[1:3]):
        found = array[..., 0] if channels == 1 else array
    elif array.ndim == 3 and channels == 1 and fits(array.shape[1:]):
        found = array
    else:
        expected = f"(N, {channels}, {frame[0]}, {frame[1]})"
        hint = f"X.reshape{expected.replace('N', '-1')}, or change the stack's input_shape"
        raise DataError(f"got an array of shape {array.shape}, but the stack takes {expected}", hint)
    return _levels_or_floats(found)


def as_targets(labels: Array, classes: Array) -> npt.NDArray[np.int64]:
    """Return the place of each label in the sorted ``classes``; raise DataError for one that is not there."""
    places = np.searchsorted(classes, labels)
    places[places == len(classes)] = 0
    wrong = np.flatnonzero(classes[places] != labels)
    if wrong.size:
        raise DataError(
            f"label {wrong[0] + 1} is {labels[wrong[0]]!r}, which is none of the {len(classes)} known classes",
            "known: " + ", ".join(map(str, classes[:20])),
        )
    return places.astype(np.int64)


def class_numbers(Y: Any, count: int, classes: int) -> npt.NDArray[np.int64]:
    """Return class numbers ``[N]`` of one-hot rows or whole numbers."""
    values = np.asarray(Y)
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.ndim == 2 and values.shape[1] != classes:
        raise StackError(
            f"the labels have {values.shape[1]} columns, but the stack has {classes} outputs",
            f"np_utils.to_categorical(y, {classes}), or end with Dense({values.shape[1]})",
        )
    if values.ndim == 2 and is_one_hot(values):
        values = values.argmax(axis=1)
    if values.ndim != 1 or values.dtype.kind not in "buif" or np.any(values != np.round(values)):
        raise DataError(
            f"labels are {values.dtype} of shape {values.shape}, expected one-hot rows or whole numbers",
            "number the classes from 0, or use NeuralNet, which takes labels of any kind",
        )
    if len(values) != count:
        raise labels_mismatch(len(values), count)
    wrong = np.flatnonzero((values < 0) | (values >= classes))
    if wrong.size:
        raise DataError(
            f"label {wrong[0] + 1} is {values[wrong[0]]}, but the stack has {classes} outputs, 0 to {classes - 1}",
            "number the classes from 0, or end with a larger Dense",
        )
    return values.astype(np.int64)


def source_path(X: Any) -> str:
    """Return where an ImageSet came from, and nothing for other arrays."""
    return X.source.path if isinstance(X, ImageSet) else ""


def _levels_or_floats(array: Array) -> Array:
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind in "bui" and (not array.size or (array.min() >= 0 and array.max() <= 255)):
        return array.astype(np.uint8)
    return array.astype(np.float32, copy=False)
