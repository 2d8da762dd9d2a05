"""Every fault of the audit's list done to pictures, by code of this file's own (never by the audit's own replay).

Each function takes uint8 pictures ``[N, H, W]``, their labels, the full-scale value and a generator that draws the
strength above the list's floor, and returns what a user would then have: pictures, or (pictures, labels).
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
from scipy import ndimage

Change = Callable[[Any, Any, float, Any], Any]


def _flat(x: Any) -> Any:
    return x.reshape(len(x), -1)


def _byte(values: Any, top: float) -> Any:
    return np.clip(np.round(values), 0, top).astype(np.uint8)


def _header(x: Any, rng: Any) -> Any:
    numbers = [2051, len(x), *x.shape[1:]] if rng.random() < 0.5 else [2049, len(x)]
    first = np.frombuffer(np.array(numbers, ">i4").tobytes(), np.uint8)
    return np.concatenate([first, x.ravel()])[: x.size].reshape(x.shape)


def _pad(x: Any, rng: Any) -> Any:
    top, left = rng.choice([0, 1, 2, 3, 9, 10, 12], 2)
    return np.pad(x, ((0, 0), (top, 12 - top), (left, 12 - left)))


def _padded_flat(x: Any, rng: Any) -> Any:
    side = x.shape[1] + int(rng.integers(4, 13))
    spare = side * side - x[0].size
    before = int(rng.choice([0, spare // 2, spare]))
    return np.pad(_flat(x), ((0, 0), (before, spare - before))).reshape(-1, side, side)


def _wrong_width(x: Any, rng: Any) -> Any:
    height, width = x.shape[1:]
    wrong = int(rng.choice([width * 2, width // 2, width - 1, width + 1]))
    rows = height * width // wrong
    return _flat(x)[:, : rows * wrong].reshape(-1, rows, wrong)


def _moved(x: Any, dy: Any, dx: Any) -> Any:
    """Move each picture by its own whole pixels, background coming in."""
    reach = 8
    big = np.pad(x, ((0, 0), (reach, reach), (reach, reach)))
    height, width = x.shape[1:]
    rows = reach - np.broadcast_to(dy, len(x))[:, None] + np.arange(height)
    columns = reach - np.broadcast_to(dx, len(x))[:, None] + np.arange(width)
    return big[np.arange(len(x))[:, None, None], rows[:, :, None], columns[:, None, :]]


def _shifted(x: Any, rng: Any) -> Any:
    far = max(2, x.shape[1] // 7)
    return _moved(x, int(rng.integers(2, far + 1)) * rng.choice([-1, 1]), int(rng.integers(-far, far + 1)))


def _zoomed(x: Any, factor: float, top: float) -> Any:
    centre = (np.array(x.shape[1:]) - 1) / 2
    back = np.eye(2) / factor
    zoomed = [ndimage.affine_transform(p.astype(float), back, centre - back @ centre, order=1) for p in x]
    return _byte(np.array(zoomed), top)


def _stretched(x: Any, top: float) -> Any:
    out = np.zeros_like(x)
    for picture, target in zip(x, out):
        ink = np.argwhere(picture > 0)
        if len(ink):
            box = picture[ink[:, 0].min() : ink[:, 0].max() + 1, ink[:, 1].min() : ink[:, 1].max() + 1]
            factors = np.array(x.shape[1:]) / box.shape
            big = ndimage.zoom(box.astype(float), factors, order=1, grid_mode=True, mode="nearest")
            target[:] = _byte(big, top)[: x.shape[1], : x.shape[2]]
    return out


def _boxed(x: Any) -> Any:
    """Centre each picture by the box of its ink."""
    dy, dx = np.zeros(len(x), int), np.zeros(len(x), int)
    for i, picture in enumerate(x):
        ink = np.argwhere(picture > 0)
        if len(ink):
            dy[i], dx[i] = np.round((np.array(x.shape[1:]) - 1 - ink.min(0) - ink.max(0)) / 2)
    return _moved(x, dy, dx)


def _mixed(x: Any, rng: Any) -> Any:
    share, turns, out = rng.uniform(0.1, 0.5), int(rng.integers(1, 4)), x.copy()
    some = rng.random(len(x)) < share
    out[some] = np.rot90(x[some], turns, (1, 2))
    return out


def _jpeg(x: Any, rng: Any) -> Any:
    from PIL import Image

    quality, out = int(rng.integers(8, 31)), np.empty_like(x)
    for picture, target in zip(x, out):
        file = BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        target[:] = np.asarray(Image.open(file))
    return out


def _standardised(x: Any, rng: Any) -> Any:
    mean, std = [(0.1307, 0.3081), (0.449, 0.226), (0.5, 0.25), (0.2, 0.4)][int(rng.integers(4))]
    return ((x / 255 - mean) / std).astype(np.float32)


def _each(x: Any, rng: Any) -> Any:
    x = x / 255
    if rng.random() < 0.5:
        return (x / (np.sqrt((x**2).sum((1, 2), keepdims=True)) + 1e-12)).astype(np.float32)
    return ((x - x.mean((1, 2), keepdims=True)) / (x.std((1, 2), keepdims=True) + 1e-12)).astype(np.float32)


def _other_scale(x: Any, rng: Any) -> Any:
    return [x.astype(np.int32) * 16, (x / 127.5).astype(np.float32), x.astype(np.uint16) * 257][int(rng.integers(3))]


def _holes(x: Any, rng: Any) -> Any:
    out = x.astype(np.float32)
    rows = rng.permutation(len(x))[: max(2, len(x) // 50)]
    out[rows, 1, 1] = rng.choice([np.nan, np.inf])
    return out


def _quantised(x: Any, rng: Any, top: float) -> Any:
    steps = int(rng.integers(3, 9)) - 1
    return _byte(np.round(x / top * steps) * (top / steps), top)


def _draw(rng: Any, low: tuple[float, float], high: tuple[float, float]) -> float:
    return float(rng.uniform(*(low if rng.random() < 0.5 else high)))


FAULTS: dict[str, Change] = {
    "scaled-255": lambda x, y, m, r: (x / 255).astype(np.float32),
    "scaled-twice": lambda x, y, m, r: x / 255 / 255,
    "range-minus1-1": lambda x, y, m, r: (x / 255 * 2 - 1).astype(np.float32),
    "standardised": lambda x, y, m, r: _standardised(x, r),
    "per-image-normalised": lambda x, y, m, r: _each(x, r),
    "scaled-other": lambda x, y, m, r: _other_scale(x, r),
    "uint8-wrapped": lambda x, y, m, r: ((x.astype(int) + int(r.integers(256 - m, 255))) % 256).astype(np.uint8),
    "int8-sign": lambda x, y, m, r: x.astype(np.int8).astype(np.int16),
    "truncated-after-division": lambda x, y, m, r: (x / m).astype(np.uint8),
    "byte-swapped": lambda x, y, m, r: x.astype(np.uint16).byteswap(),
    "reinterpreted-bytes": lambda x, y, m, r: x.astype(np.float32).view(np.uint8),
    "missing-values": lambda x, y, m, r: _holes(x, r),
    "inverted": lambda x, y, m, r: (m - x).astype(np.uint8),
    "gamma": lambda x, y, m, r: _byte(m * (x / m) ** _draw(r, (0.35, 0.7), (1.4, 2.8)), m),
    "brightness": lambda x, y, m, r: _byte(x + m / 255 * _draw(r, (-80, -20), (20, 80)), m),
    "contrast": lambda x, y, m, r: _byte(x * r.uniform(0.3, 0.7), m),
    "binarised": lambda x, y, m, r: ((x > m * r.uniform(0.2, 0.8)) * 255).astype(np.uint8),
    "quantised": lambda x, y, m, r: _quantised(x, r, m),
    "transposed": lambda x, y, m, r: x.transpose(0, 2, 1),
    "flipped-lr": lambda x, y, m, r: x[:, :, ::-1],
    "flipped-ud": lambda x, y, m, r: x[:, ::-1],
    "rotated-90": lambda x, y, m, r: np.rot90(x, 1, (1, 2)),
    "rotated-180": lambda x, y, m, r: np.rot90(x, 2, (1, 2)),
    "rotated-270": lambda x, y, m, r: np.rot90(x, 3, (1, 2)),
    "anti-transposed": lambda x, y, m, r: x[:, ::-1, ::-1].transpose(0, 2, 1),
    "mixed-orientation": lambda x, y, m, r: _mixed(x, r),
    "shifted": lambda x, y, m, r: _shifted(x, r),
    "jittered": lambda x, y, m, r: _moved(x, r.integers(-3, 4, len(x)), r.integers(-3, 4, len(x))),
    "not-centred-by-mass": lambda x, y, m, r: _boxed(x),
    "too-small": lambda x, y, m, r: _zoomed(x, r.uniform(0.55, 0.85), m),
    "too-large": lambda x, y, m, r: _zoomed(x, r.uniform(1.15, 1.35), m),
    "stretched": lambda x, y, m, r: _stretched(x, m),
    "padded-one-side": lambda x, y, m, r: _pad(x, r),
    "frame-size": lambda x, y, m, r: np.pad(x, ((0, 0), (6, 6), (6, 6))),
    "resized": lambda x, y, m, r: _byte(ndimage.zoom(x.astype(float), (1, 1.5, 1.5), order=1), m),
    "padded-before-reshape": lambda x, y, m, r: _padded_flat(x, r),
    "wrong-width": lambda x, y, m, r: _wrong_width(x, r),
    "label-as-pixel": lambda x, y, m, r: np.hstack([y[:, None], _flat(x)[:, :-1]]).astype(np.uint8).reshape(x.shape),
    "first-pixel-dropped": lambda x, y, m, r: np.hstack([_flat(x)[:, 1:], 0 * _flat(x)[:, :1]]).reshape(x.shape),
    "index-as-pixel": lambda x, y, m, r: np.hstack([np.arange(len(x))[:, None], _flat(x)[:, :-1]]).reshape(x.shape),
    "header-as-pixels": lambda x, y, m, r: _header(x, r),
    "interlaced": lambda x, y, m, r: np.concatenate([x[:, ::2], x[:, 1::2]], 1),
    "pairs-swapped": lambda x, y, m, r: _flat(x).reshape(len(x), -1, 2)[:, :, ::-1].reshape(x.shape),
    "jpeg": lambda x, y, m, r: _jpeg(x, r),
    "blurred": lambda x, y, m, r: _byte(ndimage.gaussian_filter(x.astype(float), (0, *[r.uniform(0.8, 1.6)] * 2)), m),
    "noisy": lambda x, y, m, r: _byte(x + r.normal(0, m / 255 * r.uniform(20, 50), x.shape), m),
    "labels-from-one": lambda x, y, m, r: (x, y + 1),
    "ten-for-zero": lambda x, y, m, r: (x, np.where(y == 0, 10, y)),
    "labels-permuted": lambda x, y, m, r: (x, r.permutation(10)[y]),
    "labels-off-by-rows": lambda x, y, m, r: (x, np.roll(y, int(r.integers(1, 6)) * int(r.choice([-1, 1])))),
    "labels-shuffled": lambda x, y, m, r: (x, r.permutation(y)),
}
NO_EXACT_WAY_BACK = {
    "per-image-normalised",
    "truncated-after-division",
    "missing-values",
    "gamma",
    "brightness",
    "contrast",
    "binarised",
    "quantised",
    "mixed-orientation",
    "jittered",
    "not-centred-by-mass",
    "too-small",
    "too-large",
    "stretched",
    "resized",
    "jpeg",
    "blurred",
    "noisy",
    "labels-shuffled",
    "frame-size",
    "shifted",
    "wrong-width",
    "header-as-pixels",
    "label-as-pixel",
    "index-as-pixel",
    "first-pixel-dropped",
}
ALSO_RIGHT = {
    "first-pixel-dropped": {"shifted"},
    "byte-swapped": {"scaled-other"},
    "truncated-after-division": {"binarised"},
    "binarised": {"truncated-after-division"},
    "contrast": {"scaled-other"},
}
"""Two names for one thing."""
INVERSE = {
    "rotated-90": "rotated-270",
    "rotated-270": "rotated-90",
    "too-small": "too-large",
    "too-large": "too-small",
    "first-pixel-dropped": "shifted",
}
