"""Pictures that are in both sets, exactly or under a symmetry of the square.

Each picture is reduced to two numbers, sums of its pixels with random whole weights: exact in float64, so equal
pictures have equal sums; under a symmetry the weights are turned instead of the pictures. What agrees is compared in
full.
"""

from __future__ import annotations

import numpy as np

from tidepool.audit.faults import SYMMETRIES, Duplicates, Fault
from tidepool.audit.scale import finite_range
from tidepool.images import Array, ImageSet

LEAST = 0.01  # of the test set, from which on duplicates are owed a name
_CHANCE = 3.0  # times the share of pictures that training holds twice
_BLOCK = 4096
_WEIGHTS = 2**20  # times 65,535 times 64 x 64 x 3 pixels: below 2**53
_MIX = np.int64(0x9E3779B1)


def duplicates(train: ImageSet, test: ImageSet) -> tuple[Duplicates, tuple[str, ...]] | None:
    """Return the finding and its evidence, or None where the sets share less than a hundredth of the test pictures."""
    if train.images.shape[1:] != test.images.shape[1:] or train.images.dtype != test.images.dtype:
        return None
    square = train.frame[0] == train.frame[1]
    turned: tuple[Fault | None, ...] = (None, *(SYMMETRIES if square else ()))
    weights = np.random.default_rng(20161).integers(1, _WEIGHTS, (2, *train.images.shape[1:])).astype(np.float64)
    # The sum of a picture turned back, with straight weights, is that of the picture as it is with weights turned.
    against = [weights if symmetry is None else symmetry.replay(weights) for symmetry in turned]
    levels = _levels(train.images)
    mine, [keys] = _keys(train.images, [weights], levels)
    theirs, turned_keys = _keys(test.images, against, levels)
    if not len(mine):
        return None
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    shared: dict[int, tuple[int, int]] = {}
    for number, (symmetry, wanted) in enumerate(zip(turned, turned_keys)):
        places = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
        agrees = ordered[places] == wanted
        for row, place in zip(theirs[agrees].tolist(), places[agrees].tolist()):
            picture = test.images[row : row + 1]
            picture = picture if symmetry is None else symmetry.undo(picture)
            original = int(mine[order[place]])
            if row not in shared and np.array_equal(picture[0], train.images[original]):
                shared[row] = number, original
    share = len(shared) / max(len(test), 1)
    # Pictures so coarse that training repeats itself are alike by chance.
    by_chance = 1 - len(np.unique(keys)) / len(keys)
    if share < max(LEAST, _CHANCE * by_chance) or len(shared) < 2:
        return None
    numbers, originals = (np.array(column) for column in zip(*shared.values()))
    symmetry = turned[int(np.bincount(numbers).argmax())]
    # Training may hold a picture more than once.
    rows = tuple(int(row) for row in mine[np.isin(keys, keys[np.isin(mine, originals)])])
    named = None if symmetry is None else symmetry.id
    fault = Duplicates(rows, len(shared), share, named, len(rows) > 0.9 * len(train))
    assert test.ids is not None
    assert train.ids is not None
    first = next(iter(shared))
    told = f"for instance test image {test.ids[first]} is training image {train.ids[shared[first][1]]}"
    return fault, (told + (f", {named}" if named else ""),)


def _levels(images: Array) -> tuple[float, float]:
    """Return offset and factor that make whole numbers of the pixels; bytes are whole already."""
    if images.dtype == np.uint8:
        return 0.0, 1.0
    low, high = finite_range(images)
    return low, 65535 / ((high - low) or 1.0)


def _keys(images: Array, weights: list[Array], levels: tuple[float, float]) -> tuple[Array, Array]:
    """Return the rows ``[n]`` whose pictures are not of one value, and int64 keys ``[len(weights), n]`` of each."""
    columns = np.concatenate([pair.reshape(2, -1) for pair in weights]).T.copy()
    keys = np.empty((len(weights), len(images)), dtype=np.int64)
    lively = np.empty(len(images), dtype=bool)
    offset, factor = levels
    for start in range(0, len(images), _BLOCK):
        part = images[start : start + _BLOCK]
        part = part.reshape(len(part), -1)
        lively[start : start + _BLOCK] = part.max(axis=1) > part.min(axis=1)
        pixels = part.astype(np.float64)
        if images.dtype != np.uint8:
            pixels = np.round((np.nan_to_num(pixels) - offset) * factor)
        sums = (pixels @ columns).astype(np.int64)
        keys[:, start : start + _BLOCK] = (sums[:, ::2] * _MIX + sums[:, 1::2]).T
    rows = np.flatnonzero(lively)
    return rows, keys[:, rows]
