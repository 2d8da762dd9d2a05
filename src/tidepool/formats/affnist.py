"""affNIST's struct ``affNISTdata`` (cs.toronto.edu/~tijmen/affNIST), one picture a column, as ``mat`` files hold it.

The genuine files hold eight fields, and many loaders take them by their place (the third is the image, the fifth and
the sixth are the labels), so warped pictures are written with all eight, in this order:

1. ``affine_matrix`` float32 ``[6, N]``: from a pixel (x, y, 1) of the original to where it went; 2 x 3, row by row
2. ``affine_inverse`` float32 ``[6, N]``: the way back, as ``tidepool.warp.apply`` takes it
3. ``image`` uint8 ``[H*W, N]``: the pixels row by row (H = W = 40 in the genuine files)
4. ``case_index`` int32 ``[1, N]``: number of the case in the whole set, from 1 (int64 from 2**31 on, as is 8)
5. ``label_one_of_n`` uint8 ``[10, N]``
6. ``label_int`` uint8 ``[1, N]``
7. ``human_readable_transform`` float32 ``[6, N]``: rotation, shear, two scales, two shifts; see ``Warped.parts``
8. ``original_id`` int32 ``[1, N]``: number of the original, from 1

Places and meanings are those of the genuine files as public loaders describe them, and so are the names of 3 and of
5 to 8; the names of 1, 2 and 4, the shape of 1 and 2, and the signs and the order of the parts in 7 are ours: nobody
wrote them down. Of 7 it is known that the angle in degrees comes first and that the shifts come last.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tidepool.errors import DataError, did_you_mean
from tidepool.formats.frames import unflatten
from tidepool.formats.options import Options
from tidepool.formats.warped import Warped, originals
from tidepool.images import Array, ImageSet, Source, labels_mismatch

NAME = "affNISTdata"


def cannot_hold(shape: tuple[int, ...], dtype: np.dtype[Any], labels: Array | None) -> str:
    """Return why pictures of ``(H, W)`` or ``(H, W, C)`` cannot be written as affNIST's are, or nothing if they can."""
    if len(shape) > 2:
        return f"pictures with {shape[2]} channels, but affNIST's are grey"
    if shape[0] != shape[1]:
        return f"frames of {shape[0]}x{shape[1]}, but affNIST's are square"
    if dtype != np.uint8:
        return f"pixels of type {dtype}, but affNIST's are whole numbers 0..255"
    if labels is not None and labels.dtype.kind != "i":
        return f"labels such as {str(labels[0])!r}, but affNIST's are the digits 0 to 9"
    if labels is not None and not 0 <= labels.min() <= labels.max() <= 9:
        return f"labels {labels.min()} to {labels.max()}, but affNIST's are the digits 0 to 9"
    return ""


def to_struct(images: ImageSet, warped: Warped | None = None) -> dict[str, Array]:
    """Return the struct's fields for grey square pictures with whole labels or none; with ``warped`` all eight."""
    count = len(images)
    fields: dict[str, Array] = {}
    if warped is not None:
        fields["affine_matrix"] = warped.forward().reshape(count, 6).T
        fields["affine_inverse"] = warped.matrices.reshape(count, 6).T
    fields["image"] = images.images.reshape(count, -1).T
    if warped is not None:
        fields["case_index"] = _numbers(np.arange(warped.first, warped.first + count))
    if (labels := images.labels) is not None:
        if count and labels.min() >= 0 and labels.max() < 10:
            fields["label_one_of_n"] = np.eye(10, dtype=np.uint8)[:, labels]
        kind = np.uint8 if count == 0 or (labels.min() >= 0 and labels.max() < 256) else np.int64
        fields["label_int"] = labels.astype(kind)[None]
    if warped is not None:
        fields["human_readable_transform"] = warped.parts()
    if images.groups is not None:
        fields["original_id"] = _numbers(images.groups)
    return fields


def from_struct(fields: dict[str, Any], options: Options, source: Source) -> ImageSet:
    """Return the pictures, their labels and, as groups, the numbers of their originals."""
    image = np.atleast_2d(fields["image"])
    if options.label and options.label not in fields:
        raise DataError(f"{source.path}: {NAME} has no field '{options.label}'", did_you_mean(options.label, fields))
    names = (options.label, "label_int", "label", "label_one_of_n")
    found = next((np.asarray(fields[name]) for name in names if name and name in fields), None)
    if found is not None and (found.ndim != 2 or found.shape[1] != image.shape[1]):
        found = found.reshape(1, -1)
    if found is not None and image.shape[1] != found.shape[1]:
        raise labels_mismatch(found.shape[1], image.shape[1], source.path)
    groups = originals(fields.get("original_id"), image.shape[1])
    # One picture a column, its pixels row by row as in C: no transposing within a picture.
    rows = np.ascontiguousarray(image.T)
    pixels = unflatten(rows, options.shape, source.path)
    return ImageSet(pixels, None if found is None else found.T, source=source, groups=groups)


def _numbers(values: Array) -> Array:
    """Return whole numbers as int32 ``[1, N]``, as affNIST has them; int64 where one of them does not fit."""
    fit = not len(values) or (values.min() >= -(1 << 31) and values.max() < 1 << 31)
    return values.astype(np.int32 if fit else np.int64)[None]
