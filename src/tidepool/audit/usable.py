"""Sets that nothing can be told from: said in words before anything is measured."""

from __future__ import annotations

import numpy as np

from tidepool.errors import DataError
from tidepool.images import Array, ImageSet

_LOOKED_AT = 1000
_SHOWN = 5
_FEW = 20
_ASPECT = 1.3


def require_usable(train: ImageSet, test: ImageSet) -> None:
    """Raise DataError for a set without pictures, a training set of one, and pictures that are all the same."""
    for images, name, fewest in ((train, "training", 2), (test, "test", 1)):
        if not len(images) or not images.images[0].size:
            raise DataError(f"the {name} set holds no images", "give a set with at least one image")
        if min(images.frame) < 2:
            raise DataError(
                "the {} images are {}x{}: these are no pictures".format(name, *images.frame),
                "give the frame with --shape HEIGHTxWIDTH",
            )
        if len(images) < fewest:
            raise DataError(
                f"the {name} set holds one image: there is nothing to measure its spread by",
                "give at least two, better some hundred",
            )
        some = images.images[:: max(1, len(images) // _LOOKED_AT)]
        if len(images) > 1 and _same(images.images, some):
            one = images.images[0].reshape(-1)
            what = f"every pixel is {one[0]:g}" if (one == one[0]).all() else "one picture again and again"
            raise DataError(
                f"all {len(images):,} {name} images are the same ({what})", "was the right file, or column, read?"
            )


def _same(images: Array, some: Array) -> bool:
    first = images[:1]
    return bool(np.array_equal(some, np.broadcast_to(first, some.shape)) and (images == first).all())


def require_frames(train: tuple[int, int], test: tuple[int, int]) -> None:
    """Raise DataError for frames that nothing brought together: for pictures that no repair made alike."""
    ratio = (train[0] / train[1]) / (test[0] / test[1])
    if max(ratio, 1 / ratio) > _ASPECT:
        raise DataError(
            "training images are {}x{}, test images {}x{}: neither padding, cropping nor resampling brings one to the "
            "other".format(*train, *test),
            "`tidepool show` shows each; read them with the right --shape",
        )


def remarks(train: ImageSet, test: ImageSet) -> tuple[str, ...]:
    """Return what limits the verdict: few pictures, labels that training does not know."""
    found = []
    if len(test) < _FEW:
        count = "one test image" if len(test) == 1 else f"{len(test)} test images"
        found.append(f"{count} can only show gross differences; give some hundred for more")
    if train.labels is not None and test.labels is not None:
        known = set(train.labels.tolist())
        unknown = sorted(set(test.labels.tolist()) - known, key=str)
        if unknown:
            shown = ", ".join(str(label) for label in unknown[:_SHOWN]) + (", ..." if len(unknown) > _SHOWN else "")
            if len(unknown) == len(set(test.labels.tolist())):
                names = ", ".join(str(label) for label in sorted(known, key=str)[:_SHOWN])
                found.append(f"the labels cannot be matched: the test set has {shown}, training has {names}, ...")
            else:
                found.append(f"labels of the test set that training does not know: {shown}")
    return tuple(found)
