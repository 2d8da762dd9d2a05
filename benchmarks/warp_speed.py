"""Warps of 28x28 digits into 40x40, bilinear: ours beside its peers, images a second, in one run.

    pip install opencv-python-headless kornia torchvision        # peers; those that are missing are said to be
    TIDEPOOL_DATA=shared/data python benchmarks/warp_speed.py --out warp_speed.json

Everyone warps the same pictures by the same affNIST-like matrices, on one thread, in rounds: in each round all have
their turn, equally long and in an order that turns about, so that a busy machine is slow for all alike. Ratios are
taken a round at a time; medians over the rounds are given. Each is given its input as its users hold it: uint8 arrays
for ours, OpenCV, scipy and Pillow, float tensors for PyTorch, torchvision and kornia, without the cost of converting.
torchvision draws a matrix for each call from an angle and the like, so it warps one picture a call, as its users do.
Two threads are compared with one in the same way; that figure wants a machine with two idle cores.

Without --data, or where MNIST is not there, the pictures are random strokes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

# Before anything starts a pool of threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from common import machine, print_table, write_json

import tidepool as tp
from tidepool import warp
from tidepool.errors import TidepoolError
from tidepool.warp.kernel import warp as kernel

Array = np.ndarray[Any, Any]
Work = Callable[[], Any]
SIZE = (40, 40)
_MANY = 32
PEERS = "OpenCV", "PyTorch grid_sample", "torchvision", "kornia", "scipy", "Pillow"


def pictures(source: str, count: int) -> Array:
    """Return uint8 ``[count, 28, 28]``."""
    try:
        images = tp.read(source).images
    except TidepoolError:
        from scipy import ndimage

        noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(count, 28, 28)), (0, 2, 2))
        images = np.where(noise > 0.05, 255, 0).astype(np.uint8)
    return np.ascontiguousarray(np.resize(images, (count, *images.shape[1:])))


def ours(images: Array, matrices: Array) -> dict[str, tuple[Work, int]]:
    """Return our own ways, each with the number of pictures that it warps."""
    out = np.empty((len(images), *SIZE), np.uint8)
    recipes = warp.recipes
    wide = np.ascontiguousarray(np.repeat(images[: len(images) // 4, :, :, None], 3, axis=3))
    colours = np.empty((len(wide), *SIZE, 3), np.uint8)
    count = len(images)
    # A third of a second's work: waking the other core up takes some milliseconds.
    many, their = np.tile(images, (_MANY, 1, 1)), np.tile(matrices, (_MANY, 1, 1))
    return {
        "ours (kernel)": (lambda: kernel(images, matrices, out), count),
        "ours, matrices drawn too": (lambda: recipes["affnist"].warp(images, size=SIZE), count),
        "ours, elastic, all drawn": (lambda: recipes["elastic"].warp(images, size=SIZE), count),
        "ours, RGB (kernel)": (lambda: kernel(wide, matrices[: len(wide)], colours), len(wide)),
        "ours, one thread of apply": (lambda: warp.apply(many, their, SIZE, threads=1), _MANY * count),
        "ours, two threads of apply": (lambda: warp.apply(many, their, SIZE, threads=2), _MANY * count),
    }


def opencv(images: Array, matrices: Array) -> Work:
    import cv2

    cv2.setNumThreads(1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return lambda: [cv2.warpAffine(image, m, SIZE[::-1], flags=flags) for image, m in zip(images, matrices)]


def grid_sample(images: Array, matrices: Array) -> Work:
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    x = torch.from_numpy(images.astype(np.float32))[:, None]
    theta = torch.from_numpy(normalised(matrices, images.shape[1:]))

    def work() -> Any:
        with torch.inference_mode():
            for start in range(0, len(x), 256):
                some = x[start : start + 256]
                grid = functional.affine_grid(theta[start : start + 256], [len(some), 1, *SIZE], align_corners=True)
                functional.grid_sample(some, grid, mode="bilinear", padding_mode="zeros", align_corners=True)

    return work


def torchvision(images: Array, matrices: Array) -> Work:
    import torch

    if not torch.version.cuda:
        # PyPI's torchvision is built for CUDA: beside a CPU build of torch its own operators do not load. Its affine
        # warp uses none of them, but importing it wants these names.
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from torchvision.transforms.v2 import functional

    torch.set_num_threads(1)
    padded = np.pad(images, [(0, 0), (6, 6), (6, 6)])  # it keeps the frame
    x = torch.from_numpy(padded.astype(np.float32))[:, None]
    angles = np.degrees(np.arctan2(matrices[:, 0, 1], matrices[:, 0, 0])).tolist()
    mode = functional.InterpolationMode.BILINEAR

    def work() -> Any:
        with torch.inference_mode():
            for picture, angle in zip(x, angles):
                functional.affine(
                    picture, angle=angle, translate=[1.0, -2.0], scale=1.1, shear=[5.0, 0.0], interpolation=mode
                )

    return work


def kornia(images: Array, matrices: Array) -> Work:
    import torch
    from kornia.geometry.transform import warp_affine

    torch.set_num_threads(1)
    x = torch.from_numpy(images.astype(np.float32))[:, None]
    full = np.tile(np.eye(3), (len(matrices), 1, 1))
    full[:, :2] = matrices
    forward = torch.from_numpy(np.linalg.inv(full)[:, :2].astype(np.float32))

    def work() -> Any:
        with torch.inference_mode():
            for start in range(0, len(x), 256):
                warp_affine(x[start : start + 256], forward[start : start + 256], SIZE)

    return work


def scipy(images: Array, matrices: Array) -> Work:
    from scipy import ndimage

    turned = matrices.astype(float)[:, ::-1]
    return lambda: [
        ndimage.affine_transform(image, m[:, 1::-1], offset=m[:, 2], output_shape=SIZE, order=1)
        for image, m in zip(images, turned)
    ]


def pillow(images: Array, matrices: Array) -> Work:
    from PIL import Image

    # Pillow counts from the pixels' corners.
    shifted = matrices.astype(float)
    shifted[:, :, 2] += 0.5 - shifted[:, :, :2].sum(axis=2) / 2
    whole = [Image.fromarray(image) for image in images]
    rows = shifted.reshape(-1, 6).tolist()
    affine, bilinear = Image.Transform.AFFINE, Image.Resampling.BILINEAR
    return lambda: [image.transform(SIZE[::-1], affine, row, bilinear) for image, row in zip(whole, rows)]


def normalised(matrices: Array, frame: tuple[int, ...]) -> Array:
    """Return the matrices in PyTorch's coordinates, -1 to 1 between the outermost pixels' centres."""
    to_input = np.diag([2 / (frame[1] - 1), 2 / (frame[0] - 1), 1.0])
    to_input[:2, 2] = -1
    from_output = np.diag([(SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2, 1.0])
    from_output[:2, 2] = [(SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2]
    full = np.tile(np.eye(3), (len(matrices), 1, 1))
    full[:, :2] = matrices
    found: Array = (to_input @ full @ from_output)[:, :2].astype(np.float32)
    return found


def agree(images: Array, matrices: Array) -> None:
    """Stop where OpenCV's, scipy's and our pictures differ: a figure for another warp would be worth nothing."""
    mine = warp.apply(images[:200], matrices[:200], SIZE).astype(float)
    for name, make in (("scipy", scipy), ("OpenCV", opencv)):
        try:
            theirs = np.array(make(images[:200], matrices[:200])(), dtype=float)
        except ImportError:
            continue
        # OpenCV rounds positions to 1/32 pixel and blends over the edge, and scipy cuts bytes off.
        assert np.abs(theirs - mine).mean() < 1, f"{name} warps otherwise"


def contestants(images: Array, matrices: Array, few: int) -> tuple[dict[str, tuple[Work, int]], list[str]]:
    """Return all who are here, and the names of the peers that are not."""
    found, missing = ours(images, matrices), []
    makers = dict(zip(PEERS, (opencv, grid_sample, torchvision, kornia, scipy, pillow)))
    for name, make in makers.items():
        try:
            found[name] = (make(images[:few], matrices[:few]), few)
        except (ImportError, RuntimeError):  # a build for another torch raises the latter
            missing.append(name)
    return found, missing


def calls_in(seconds: float, work: Work) -> int:
    """Return how many calls fill the time, after warming up."""
    took = []
    for _ in range(4):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return max(1, round(seconds / min(took)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", default="mnist", help="pictures of 28x28")
    parser.add_argument("--images", type=int, default=4096, help="that ours warps in a call; peers warp a quarter")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--turn", type=float, default=0.03, help="seconds that each has in a round, about")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--out", metavar="FILE", help="write the figures as JSON")
    options = parser.parse_args()

    before = machine()
    images = pictures(options.data, options.images)
    matrices = warp.recipes["affnist"].matrices(images, size=SIZE)
    agree(images, matrices)
    everyone, missing = contestants(images, matrices, max(256, options.images // 4))
    rates: dict[str, list[float]] = {name: [] for name in everyone}
    names = list(everyone)
    calls = {name: calls_in(options.turn, work) for name, (work, _) in everyone.items()}
    for number in range(options.rounds):
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:
            work, count = everyone[name]
            start = time.perf_counter()
            for _ in range(calls[name]):
                work()
            rates[name].append(calls[name] * count / (time.perf_counter() - start))

    def ratio(above: str, below: str) -> float | None:
        return statistics.median(a / b for a, b in zip(rates[above], rates[below])) if below in rates else None

    one, two = "ours, one thread of apply", "ours, two threads of apply"
    result = {
        "benchmark": "warp_speed",
        "frame": "28x28 to 40x40, grey, bilinear",
        "images_per_second": {name: statistics.median(values) for name, values in rates.items()},
        "fastest": {name: max(values) for name, values in rates.items()},
        "slowest": {name: min(values) for name, values in rates.items()},
        "ratios": {name: ratio("ours (kernel)", name) for name in PEERS},
        "two_threads": ratio(two, one),
        "targets": {"images_per_second": 250_000, "OpenCV": 2.5, "PyTorch grid_sample": 8.0, "two_threads": 1.8},
        "missing": missing,
        "rounds": options.rounds,
        "machine": before,
        "load_after": os.getloadavg()[0],
        "tidepool": tp.__version__,
    }
    write_json(options.out, result)
    if options.json:
        print(json.dumps(result, indent=1))
        return
    rows = []
    for name, values in rates.items():
        share = ratio("ours (kernel)", name) if name in PEERS else None
        speeds = [f"{of(values):,.0f}" for of in (statistics.median, min, max)]
        rows.append([name, *speeds, "" if share is None else f"{share:.1f} x"])
    print_table(["images/s", "median", "slowest", "fastest", "the kernel is"], rows)
    print(f"two threads: {result['two_threads']:.2f} x one thread, on {before['cores']} cores")
    print(f"load of the machine: {before['load_before']:.1f} before, {result['load_after']:.1f} after")
    for name in missing:
        print(f"{name}: not installed, or does not load beside this torch")


if __name__ == "__main__":
    main()
