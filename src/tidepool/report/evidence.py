"""The pictures that the audit judged by: of each set its mean, its spread and some examples, as given and repaired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tidepool.report.pictures import to_uint8, uris

if TYPE_CHECKING:
    from tidepool.images import ImageSet

Array = npt.NDArray[Any]
_SAMPLE = 2000
_EXAMPLES = 6


@dataclass(frozen=True, eq=False)
class Strip:
    """One set: ``name``, and its mean, its spread and some of its pictures, uint8 ``[m, H, W(, C)]``."""

    name: str
    pictures: Array

    def shown(self) -> list[tuple[str, str]]:
        """Return (data URI, alternative text) of each picture."""
        what = ["mean", "spread", *(f"example {n}" for n in range(1, len(self.pictures) - 1))]
        return [(uri, f"{self.name}: {text}") for uri, text in zip(uris(self.pictures), what, strict=True)]


def strips(given: tuple[ImageSet, ImageSet], used: tuple[ImageSet, ImageSet]) -> list[Strip]:
    """Return the strips of training and test set as they were ``given``, and of each that was ``used`` repaired."""
    found = [_strip("Training", given[0]), _strip("Test, as it is", given[1])]
    if used[1] is not given[1]:
        found.append(_strip("Test, repaired", used[1]))
    if used[0] is not given[0]:
        found.append(_strip("Training, repaired", used[0]))
    return found


def _strip(name: str, images: ImageSet) -> Strip:
    step = max(1, len(images) // _SAMPLE)
    values = np.nan_to_num(images.images[::step].astype(np.float32))
    examples = to_uint8(values[:: max(1, len(values) // _EXAMPLES)][:_EXAMPLES])
    moments = [_stretched(each) for each in (values.mean(axis=0), values.std(axis=0))]
    return Strip(name, np.stack([*moments, *examples]))


def _stretched(picture: Array) -> npt.NDArray[np.uint8]:
    low, high = float(picture.min()), float(picture.max())
    return np.rint((picture - low) * (255 / ((high - low) or 1.0))).astype(np.uint8)
