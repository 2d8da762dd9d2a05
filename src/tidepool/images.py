"""ImageSet: the only data type that moves between the rooms of this house."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import DataError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Source:
    """Where a set came from: ``path`` as the user gave it, ``format`` (csv, idx, ...), ``sha256`` of the bytes read."""

    path: str = ""
    format: str = "memory"
    sha256: str = ""


class Lazy(ABC):
    """Pictures that lie in no array of their own and are made when they are asked for.

    shape : ``(N, H, W)`` or ``(N, H, W, C)``; dtype : of the pixels. Indexed along the first axis as an array is.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """3 for grey, 4 for colour."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    @abstractmethod
    def __getitem__(self, index: Array | slice | Sequence[int]) -> Array:
        """Return the pictures at ``index`` as a new array that may be written to."""

    def __array__(self, *given: Any, **more: Any) -> Array:
        """Return all of them as one array: whoever asks for that has the memory."""
        return np.asarray(self[:], *given, **more)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Pictures of one frame size, with or without labels.

    images : uint8 ``[N, H, W]`` or ``[N, H, W, C]``, as the file had them. Integers that fit into 0..255 become
        uint8; any other numeric type is kept as it is (floats keep their floats). ``[N, 1, H, W]`` and
        ``[N, H, W, 1]`` are taken as grey. Large sets are mapped from the disk: then they cannot be written to.
    labels : ``[N]`` int64 or str, the values as read, or None.
    ids : ``[N]``, what a reader would look an image up by (row numbers from 1, file names).
    source : where it came from.
    groups : ``[N]`` integers or None; images of one group are versions of one original.

    Raises DataError where the shapes do not fit together.
    """

    images: Array
    labels: Array | None = None
    ids: Array | None = None
    source: Source = Source()
    groups: Array | None = None

    def __post_init__(self) -> None:
        # Lazy pictures come from `read` alone, which was told that they may be.
        images = self.images if isinstance(self.images, Lazy) else _as_images(np.asarray(self.images))
        object.__setattr__(self, "images", images)
        if self.labels is not None:
            labels = _as_labels(np.asarray(self.labels))
            if len(labels) != len(images):
                raise labels_mismatch(len(labels), len(images), self.source.path)
            object.__setattr__(self, "labels", labels)
        ids = np.arange(1, len(images) + 1) if self.ids is None else np.asarray(self.ids)
        if len(ids) != len(images):
            raise DataError(f"ids {len(ids)}, images {len(images)}", "give one id an image, or none at all")
        object.__setattr__(self, "ids", ids)
        if self.groups is not None:
            object.__setattr__(self, "groups", _as_groups(np.asarray(self.groups), len(images)))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def frame(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.images.shape[1]), int(self.images.shape[2])

    @property
    def channels(self) -> int:
        """1 for grey, else the size of the last axis."""
        return int(self.images.shape[3]) if self.images.ndim == 4 else 1

    @property
    def classes(self) -> Array | None:
        """The sorted distinct labels, or None without labels."""
        return None if self.labels is None else np.unique(self.labels)

    def select(self, index: Array | slice | Sequence[int]) -> ImageSet:
        """Return the images at ``index`` (any numpy index along the first axis) with their labels, ids and groups."""
        assert self.ids is not None
        labels = None if self.labels is None else self.labels[index]
        groups = None if self.groups is None else self.groups[index]
        return replace(self, images=self.images[index], labels=labels, ids=self.ids[index], groups=groups)

    def require_labels(self, why: str) -> Array:
        """Return the labels, or raise DataError saying ``why`` they are needed."""
        if self.labels is None:
            name = self.source.path or "this set"
            raise DataError(
                f"{name}: no labels, but {why} needs them",
                "a CSV needs a column named label, a folder one sub-folder a class, IDX its labels file beside it",
            )
        return self.labels

    def require_classes(self, why: str) -> Array:
        """Return the labels, or raise DataError where there are none, or all are the same."""
        labels = self.require_labels(why)
        if len(labels) and (labels == labels[0]).all():
            name = self.source.path or "the training set"
            raise DataError(f"{name}: one class only ({labels[0]})", "give pictures of at least two classes")
        return labels

    def summary(self) -> str:
        """Return one line: where from, how many, which frame, how many classes."""
        frame = "x".join(map(str, self.images.shape[1:]))
        classes = self.classes
        named = "no labels" if classes is None else f"{len(classes)} classes"
        return f"{self.source.path or 'memory'}, {len(self):,} images {frame}, {named}"

    def __repr__(self) -> str:
        return f"ImageSet({self.summary()}, {self.images.dtype})"


def labels_mismatch(labels: int, images: int, where: str = "") -> DataError:
    """Return the error for labels that do not match the images in number."""
    place = f"{where}: " if where else ""
    hint = "each image needs one label, in the same order"
    if abs(labels - images) == 1:
        eaten = "image" if images < labels else "label"
        hint = f"one {eaten} is missing: was the first {eaten} eaten as a header?"
    return DataError(f"{place}labels {labels}, images {images}", hint)


def _as_images(images: Array) -> Array:
    if images.dtype.kind not in "buif":
        raise DataError(f"images are of type {images.dtype}, expected numbers", "give an array of shape [N, H, W]")
    if images.ndim == 4 and images.shape[1] == 1 and images.shape[3] not in (1, 3, 4):
        images = images[:, 0]
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim not in (3, 4) or 0 in images.shape[1:]:
        raise DataError(f"images have shape {images.shape}", "expected [N, H, W] or [N, H, W, C]")
    if images.dtype == np.bool_:
        return images.astype(np.uint8)
    if images.dtype.kind in "ui" and images.dtype != np.uint8 and images.size:
        if images.min() >= 0 and images.max() <= 255:
            return images.astype(np.uint8)
    elif images.dtype.kind in "ui":
        return images.astype(np.uint8, copy=False)
    return images


def _as_labels(labels: Array) -> Array:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and is_one_hot(labels):
        return np.asarray(labels.argmax(axis=1), dtype=np.int64)
    if labels.ndim != 1:
        raise DataError(f"labels have shape {labels.shape}", "expected [N], or one-hot [N, K]")
    if labels.dtype.kind in "bui":
        return labels.astype(np.int64)
    if labels.dtype.kind == "f":
        if not np.all(np.isfinite(labels)) or np.any(labels != np.round(labels)):
            bad = int(np.flatnonzero(~np.isfinite(labels) | (labels != np.round(labels)))[0])
            raise DataError(f"label {bad + 1} is {labels[bad]}, expected whole numbers or text")
        return labels.astype(np.int64)
    if labels.dtype.kind == "S":
        return np.asarray(np.char.decode(labels, "utf-8"))
    return labels.astype(np.str_)


def _as_groups(groups: Array, count: int) -> Array:
    if groups.shape != (count,) or groups.dtype.kind not in "ui":
        raise DataError(
            f"groups are {groups.dtype} {groups.shape}, images {count}", "give one whole number an image, or none"
        )
    return groups


def is_one_hot(labels: Array) -> bool:
    """Say whether ``labels`` is ``[N, K]`` with K > 1 and exactly one 1 a row, else 0."""
    if labels.ndim != 2 or labels.shape[1] < 2 or labels.dtype.kind not in "buif" or not len(labels):
        return False
    return bool(np.all((labels == 0) | (labels == 1)) and np.all(labels.sum(axis=1) == 1))
