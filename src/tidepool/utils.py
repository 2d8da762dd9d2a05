"""Small helpers under the names that Keras gave them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import InputError

__all__ = ["np_utils", "to_categorical"]


def to_categorical(
    y: npt.ArrayLike, nb_classes: int | None = None, num_classes: int | None = None
) -> npt.NDArray[np.float32]:
    """Return class numbers ``[N]`` as one-hot rows, float32 ``[N, classes]``.

    The number of classes defaults to the largest number plus one. Raises InputError for anything that is no class.
    """
    numbers = np.asarray(y)
    numbers = numbers[:, 0] if numbers.ndim == 2 and numbers.shape[1] == 1 else numbers
    if numbers.ndim != 1 or numbers.dtype.kind not in "buif" or not np.all(numbers == np.round(numbers)):
        raise InputError(f"to_categorical: {numbers.dtype} of shape {numbers.shape}", "give whole numbers, shape [N]")
    numbers = numbers.astype(np.int64)
    classes = nb_classes if nb_classes is not None else num_classes
    classes = int(numbers.max(initial=-1)) + 1 if classes is None else int(classes)
    if numbers.size and (numbers.min() < 0 or numbers.max() >= classes):
        wrong = int(np.flatnonzero((numbers < 0) | (numbers >= classes))[0])
        raise InputError(
            f"to_categorical: label {wrong + 1} is {numbers[wrong]}, but the classes are 0 to {classes - 1}",
            "give a larger nb_classes, or number the classes from 0",
        )
    rows = np.zeros((len(numbers), classes), dtype=np.float32)
    rows[np.arange(len(numbers)), numbers] = 1.0
    return rows


# Keras kept it in a module of this name.
np_utils: Any = SimpleNamespace(to_categorical=to_categorical)
