"""affNIST-style test images made without a line of tidepool: MNIST's 10,000 test originals, warped by scipy.

    python benchmarks/affnist_testset.py --out /tmp/affnist-test.npz

The recipe is affNIST's (cs.toronto.edu/~tijmen/affNIST, as secondary sources agree): 40x40, rotation uniform in
±20 degrees, horizontal shear in ±.2, scale .8 to 1.2 on each axis, translation uniform over every shift that keeps all
ink inside, bilinear. These are not the genuine files. numpy's generator draws, scipy.ndimage interpolates.
"""

from __future__ import annotations

import argparse
import gzip
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

FRAME, CANVAS, COPIES = 40, 72, 10


def originals() -> tuple[Any, Any]:
    folder = Path(os.environ["TIDEPOOL_DATA"]) / "mnist"
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images, labels


def versions(job: tuple[int, Any]) -> Any:
    """Return ``[N, 40, 40]``: one version of each original."""
    from scipy.ndimage import affine_transform

    copy, images = job
    random = np.random.default_rng((20, copy))
    found = np.zeros((len(images), FRAME, FRAME), np.uint8)
    for image, out in zip(images, found):
        while True:  # a draw that cannot fit at any shift is drawn again
            angle, shear = np.deg2rad(random.uniform(-20, 20)), random.uniform(-0.2, 0.2)
            scale_x, scale_y = random.uniform(0.8, 1.2, 2)
            turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # (row, column)
            forward = turn @ np.array([[1.0, 0.0], [shear, 1.0]]) @ np.diag([scale_y, scale_x])
            back = np.linalg.inv(forward)
            centre = np.array([13.5, 13.5])

            def render(shift: Any, size: int, back: Any = back, centre: Any = centre, image: Any = image) -> Any:
                middle = np.array([(size - 1) / 2] * 2) + shift
                offset = centre - back @ middle
                return affine_transform(image.astype(np.float64), back, offset, (size, size), order=1)

            ink = np.argwhere(render(np.zeros(2), CANVAS) > 0)
            lowest, highest = ink.min(0) - (CANVAS - FRAME) / 2, ink.max(0) - (CANVAS - FRAME) / 2
            # One pixel more on each side: a shift by a part of a pixel spreads the ink by up to one.
            low, high = 1 - lowest, FRAME - 2 - highest
            if (low <= high).all():
                break
        out[:] = np.round(render(random.uniform(low, high), FRAME))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    images, labels = originals()
    with ProcessPoolExecutor(given.processes) as pool:
        parts = list(pool.map(versions, [(copy, images) for copy in range(COPIES)]))
    np.savez(given.out, images=np.concatenate(parts), labels=np.tile(labels, COPIES))
    print(f"wrote {given.out}: {len(images) * COPIES:,} images of {FRAME}x{FRAME}")


if __name__ == "__main__":
    main()
