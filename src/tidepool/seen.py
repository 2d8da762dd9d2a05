"""What a model saw in training, in a few numbers of its card, and whether other pictures look like that.

Class by class the mean and the spread of the pictures on a coarse grid. ``predict`` weighs them by the classes that it
found, so that a set of only 1s is compared with 1s, and says in one line if the pictures were prepared otherwise.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tidepool.images import Lazy

Array = npt.NDArray[Any]

_GRID = 12  # cells each way, at most
_SAMPLE = 2048
_FEWEST = 30  # pictures below which only their values are looked at
_CHANCE = 8.0  # times the distance that chance makes
_PART, _NAMED = 0.06, 0.5  # of the variance that a warning needs; what a name must leave of the distance at most
_VARIED = 0.8  # less varied pictures than those of an augmented training set are no cause for alarm

_WAYS: dict[str, Callable[[Array], Array]] = {
    "transposed": lambda x: x.swapaxes(1, 2),
    "mirrored left to right": lambda x: x[:, :, ::-1],
    "mirrored top to bottom": lambda x: x[:, ::-1],
    "turned by 180 degrees": lambda x: x[:, ::-1, ::-1],
    "turned by 90 degrees counter-clockwise": lambda x: x.swapaxes(1, 2)[:, :, ::-1],
    "turned by 90 degrees clockwise": lambda x: x.swapaxes(1, 2)[:, ::-1],
}
"""By name what undoes it, on ``[n, g, g(, C)]``."""


def sampled(images: Array | Lazy, targets: Array) -> tuple[Array, Array]:
    """Return some thousand of ``images`` and their ``targets``, evenly taken."""
    step = max(1, len(images) // _SAMPLE)
    pictures: Array = images[::step]
    return pictures, targets[::step]


def summary(images: Array, targets: Array, classes: int) -> dict[str, Any]:
    """Return what the card keeps of training pictures ``[N, H, W(, C)]`` with class indices ``[N]``."""
    low, high = float(images.min()), float(images.max())
    cells = _cells(images, low, high)
    counts = np.bincount(targets, minlength=classes)
    members = np.zeros((classes, len(cells)), dtype=np.float32)
    members[targets, np.arange(len(cells))] = 1
    flat = cells.reshape(len(cells), -1)
    some = np.maximum(counts, 1)[:, None]
    mean, second = members @ flat / some, members @ (flat * flat) / some
    return {
        "range": [low, high],
        "grid": list(cells.shape[1:]),
        "counts": counts.tolist(),
        "mean": _packed(mean),
        "second": _packed(second),
        "images": len(cells),
    }


def difference(seen: dict[str, Any], images: Array, found: Array) -> str | None:
    """Return in words how ``images`` ``[N, H, W(, C)]``, read as class indices ``found`` ``[N]``, differ, or None.

    The words end a sentence that begins "these pictures".
    """
    low, high = seen["range"]
    images = images[:_SAMPLE]
    lowest, highest = float(images.min()), float(images.max())
    if highest - lowest < 0.1 * (high - low) or highest - lowest > 4 * (high - low):
        return f"have values {lowest:g}..{highest:g}, those of the training {low:g}..{high:g}"
    if len(images) < _FEWEST:
        return None
    grid = tuple(seen["grid"])
    cells = _cells(images, low, high)
    if cells.shape[1:] != grid:
        return None
    counts = np.array(seen["counts"])
    weights = np.bincount(found[:_SAMPLE], minlength=len(counts)) * (counts > 0)
    weights = weights / (weights.sum() or 1)
    mean, second = (weights @ _unpacked(seen[name], len(counts)) for name in ("mean", "second"))
    spread = np.sqrt(np.maximum(second - mean**2, 0))
    variance = float((spread**2).sum())
    here = _apart(cells, mean, spread)
    # The distance of two such samples by chance, were they of one kind.
    chance = variance * (1 / len(cells) + 1 / seen["images"])
    if here < max(_CHANCE * chance, _PART * variance):
        return None
    distances = {name: _apart(way, mean, spread) for name, way in _changed(cells)}
    # Inversion alone comes first, and only what is clearly better takes its place.
    name = min(distances, key=lambda each: distances[each] * (1.2 if " and " in each else 1.0))
    if distances[name] < _NAMED * here:
        return f"look {name}, beside those of the training"
    if float(cells.var(axis=0).sum()) < _VARIED * variance:
        return None
    return f"look unlike those of the training (mean and spread lie {here / variance:.0%} of the variance apart)"


def _changed(cells: Array) -> Iterator[tuple[str, Array]]:
    square = cells.shape[1] == cells.shape[2]
    for name, way in _WAYS.items():
        if square or way(cells[:1]).shape == cells[:1].shape:
            yield name, way(cells)
            yield f"inverted and {name}", 1 - way(cells)
    yield "inverted (white for black)", 1 - cells


def _cells(images: Array, low: float, high: float) -> Array:
    """Return the means over a coarse grid of ``images`` on 0..1, ``[N, g, g(, C)]`` float32."""
    unit: Array = (images.astype(np.float32) - np.float32(low)) / np.float32((high - low) or 1)
    for axis in (1, 2):
        side = unit.shape[axis]
        size = -(-side // _GRID)
        spare = -side % size
        # Evenly, so that the grid is the same from both ends.
        pads = [(spare // 2, spare - spare // 2) if each == axis else (0, 0) for each in range(unit.ndim)]
        unit = np.pad(unit, pads, mode="edge") if spare else unit
        unit = unit.reshape(*unit.shape[:axis], -1, size, *unit.shape[axis + 1 :]).mean(axis=axis + 1)
    return unit


def _apart(cells: Array, mean: Array, spread: Array) -> float:
    flat = cells.reshape(len(cells), -1)
    return float(((flat.mean(axis=0) - mean) ** 2).sum() + ((flat.std(axis=0) - spread) ** 2).sum())


def _packed(values: Array) -> str:
    """Return values of 0..1 as text: 16 bits each."""
    return base64.b85encode(np.rint(values.clip(0, 1) * 65535).astype("<u2").tobytes()).decode("ascii")


def _unpacked(text: str, classes: int) -> Array:
    return np.frombuffer(base64.b85decode(text), "<u2").reshape(classes, -1) / 65535
