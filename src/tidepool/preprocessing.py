"""What happens to a raw picture before the first layer: it travels inside the model, so nobody does it differently."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import DataError

if TYPE_CHECKING:
    import torch

    from tidepool.images import Lazy
    from tidepool.nets.graph import Graph

_ENOUGH = 4096


@dataclass(frozen=True)
class Preprocessing:
    """Pad evenly to the frame, then ``(x - mean) / std`` a channel.

    frame : (height, width) that the first layer sees; channels : 1 or what colour pictures have;
    dtype : 'uint8' or 'float32', the type of raw pictures; flat : raw pictures are rows of values, with no frame;
    mean, std : one a channel (one a value where flat), in raw units; background : the raw value of padding.
    """

    frame: tuple[int, int]
    channels: int
    dtype: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    background: float = 0.0
    flat: bool = False

    @staticmethod
    def fit(images: npt.NDArray[Any] | Lazy, frame: tuple[int, int] | None = None, flat: bool = False) -> Preprocessing:
        """Learn the constants from training pictures ``[N, H, W]`` or ``[N, H, W, C]``."""
        channels = images.shape[3] if images.ndim == 4 else 1
        dtype = "uint8" if images.dtype == np.uint8 else "float32"
        # Some thousand pictures tell the moments as well as all of them do.
        sample = images[:: max(1, len(images) // _ENOUGH)]
        # Rows that are no pictures: each value has a scale of its own.
        planes = sample.reshape(-1, images.shape[2] if flat else channels)
        if dtype == "uint8" and not flat:
            # Exact and fast: moments from the 256 counts.
            counts = np.stack([np.bincount(planes[:, c], minlength=256) for c in range(channels)]).astype(np.float64)
            levels = np.arange(256.0)
            mean = counts @ levels / counts.sum(axis=1)
            std = np.sqrt(np.maximum(counts @ levels**2 / counts.sum(axis=1) - mean**2, 0))
        else:
            mean, std = planes.mean(axis=0, dtype=np.float64), planes.std(axis=0, dtype=np.float64)
        std = np.where(std > 0, std, 1.0)
        return Preprocessing(
            frame=frame or (int(images.shape[1]), int(images.shape[2])),
            channels=int(channels),
            dtype=dtype,
            mean=tuple(float(v) for v in mean),
            std=tuple(float(v) for v in std),
            background=background_of(sample),
            flat=flat,
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape that the first layer of a stack sees: (channels, height, width), or (values,) where flat."""
        return (self.frame[1],) if self.flat else (self.channels, *self.frame)

    def check(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return raw pictures in the type and layout that the model takes, or raise DataError saying what differs."""
        channels = images.shape[3] if images.ndim == 4 else 1
        if images.ndim not in (3, 4) or channels != self.channels:
            raise DataError(
                f"pictures of shape {tuple(images.shape[1:])}, but the model takes {_channels(self.channels)} ones",
                "convert them to the kind that the model was trained on",
            )
        height, width = images.shape[1:3]
        if height > self.frame[0] or width > self.frame[1] or (self.flat and (height, width) != self.frame):
            raise DataError(
                f"pictures of {height}x{width}, but the model's frame is {self.frame[0]}x{self.frame[1]}",
                f"crop or shrink them, or train with --size {max(height, self.frame[0])}x{max(width, self.frame[1])}",
            )
        if self.dtype == "uint8" and images.dtype != np.uint8:
            whole = images.dtype.kind in "bui" or bool(np.all(images == np.round(images)))
            if not whole or images.min() < 0 or images.max() > 255:
                low, high = float(images.min()), float(images.max())
                raise DataError(
                    f"values {low:g}..{high:g} of type {images.dtype}, but the model takes whole values 0..255",
                    "`tidepool audit TRAIN TEST` says how the two were prepared differently",
                )
        return images.astype(self.dtype, copy=False)

    def emit(self, graph: Graph, x: str) -> str:
        """Append the operators; ``x`` is raw ``[N, h, w]`` or ``[N, h, w, C]`` with h and w up to the frame."""
        if self.dtype != "float32":
            x = graph.node("Cast", x, to=1)
        if self.flat:
            x = graph.node("Flatten", x, axis=1)
        else:
            if self.channels == 1:
                x = graph.node("Unsqueeze", x, graph.constant([1], "axis", np.int64))
            else:
                x = graph.node("Transpose", x, perm=[0, 3, 1, 2])
            size = graph.node("Shape", x, start=2, end=4)
            missing = graph.node("Sub", graph.constant(self.frame, "frame", np.int64), size)
            before = graph.node("Div", missing, graph.constant([2, 2], "two", np.int64))
            after = graph.node("Sub", missing, before)
            none = graph.constant([0, 0], "none", np.int64)
            pads = graph.node("Concat", none, before, none, after, axis=0)
            x = graph.node("Pad", x, pads, graph.constant(self.background, "background"), name="padded")
        shape = (1, -1) if self.flat else (1, self.channels, 1, 1)
        x = graph.node("Sub", x, graph.constant(np.reshape(self.mean, shape), "mean"))
        return graph.node("Mul", x, graph.constant(1 / np.reshape(self.std, shape), "scale"))

    def prepare(self, batch: torch.Tensor) -> torch.Tensor:
        """Return float32 ``[N, C, H, W]`` (or ``[N, values]``), normalised, of raw pictures in the model's frame."""
        import torch

        x = batch.to(torch.float32)
        if self.flat:
            x = x.flatten(1)
        else:
            x = x.unsqueeze(1) if self.channels == 1 else x.permute(0, 3, 1, 2)
        mean, scale = _constants(self, str(x.device))
        return (x - mean).mul_(scale)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as the card keeps it."""
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Preprocessing:
        """Read it back."""
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return Preprocessing(**fields)


@lru_cache(maxsize=8)
def _constants(preprocessing: Preprocessing, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and 1 / std on ``device``: copied there once, since a copy makes a GPU wait."""
    import torch

    shape = (1, -1) if preprocessing.flat else (1, preprocessing.channels, 1, 1)
    with torch.inference_mode(False):  # kept for training too
        mean, std = (
            torch.tensor(values, device=device).view(shape) for values in (preprocessing.mean, preprocessing.std)
        )
        return mean, 1 / std


def background_of(images: npt.NDArray[Any]) -> float:
    """Return the commonest value in the first and last rows of the first thousand of pictures ``[N, H, W(, C)]``."""
    edge = np.concatenate([part.ravel() for part in (images[:1000, 0], images[:1000, -1])])
    values, counts = np.unique(edge, return_counts=True)
    return float(values[counts.argmax()])


def pad_evenly(images: npt.NDArray[Any], frame: tuple[int, int], value: float = 0.0) -> npt.NDArray[Any]:
    """Pad ``[N, h, w]`` or ``[N, h, w, C]`` to ``frame`` with ``value``; an odd row goes below, an odd column right."""
    rows, columns = frame[0] - images.shape[1], frame[1] - images.shape[2]
    if rows == 0 and columns == 0:
        return images
    if rows < 0 or columns < 0:
        raise DataError(
            f"pictures of {images.shape[1]}x{images.shape[2]} are larger than the frame {frame[0]}x{frame[1]}",
            "give a larger --size",
        )
    pads = [(0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)]
    return np.pad(images, [*pads, *[(0, 0)] * (images.ndim - 3)], constant_values=value)


def _channels(count: int) -> str:
    return "grey" if count == 1 else f"{count}-channel"
