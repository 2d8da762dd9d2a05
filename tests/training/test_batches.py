import threading
import time

import numpy as np
import pytest
import torch

from tidepool.preprocessing import pad_evenly
from tidepool.training.batches import Batches, warped, warped_on
from tidepool.training.plan import Plan
from tidepool.training.rows import Rows
from tidepool.warp import recipes

RNG = np.random.default_rng(0)


def ink(count, height, width, *more):
    """Smooth pictures with ink up to their edges."""
    coarse = RNG.random((count, 3, 3, *more))
    rows, columns = (np.linspace(0, 1.999, n) for n in (height, width))
    y, x = rows.astype(int), columns.astype(int)
    return (255 * coarse[:, y][:, :, x]).astype(np.uint8)


@pytest.mark.parametrize("frame", [(12, 12), (13, 14), (12, 9), (9, 8), (10, 10), (11, 11), (8, 8)])
@pytest.mark.parametrize("name", ["none", "shift", "gentle", "affnist"])
@pytest.mark.parametrize("kind", ["bytes", "floats", "colours"])
def test_warping_into_the_frame_is_padding_then_warping(frame, name, kind):
    batch, index = ink(40, 8, 8, *([3] if kind == "colours" else [])), np.arange(100, 140)
    # Where ink is kept inside, it decides the shift; anything but 0 is ink.
    fill = 0.0 if name == "affnist" else 77.0
    if kind == "floats":
        batch = batch.astype(np.float32) / 10
    found = warped(batch, recipes[name], 5, 3, index, frame, fill)
    padded = pad_evenly(batch, frame, fill)
    expected = recipes[name].warp(padded, 5, 3, index, fill=fill)
    assert found.dtype == batch.dtype
    assert found.shape == expected.shape == (40, *frame, *batch.shape[3:])
    # The two place a pixel to within float32: a grey level's rounding may fall otherwise.
    off = np.abs(found.astype(np.float64) - expected)
    assert off.max() <= (0.01 if kind == "floats" else 1)
    assert (off > 0.01).mean() < 0.002


@pytest.mark.parametrize("frame", [(8, 8), (9, 12), (13, 13)])
@pytest.mark.parametrize("name", ["none", "gentle", "elastic", "affnist"])
@pytest.mark.parametrize("kind", ["bytes", "floats", "colours"])
def test_a_device_gets_the_same_pictures(frame, name, kind):
    batch, index = ink(40, 8, 8, *([3] if kind == "colours" else [])), np.arange(40)
    if kind == "floats":
        batch = batch.astype(np.float32) / 10
    looked_at = batch if name == "affnist" else None
    asked = (recipes[name], 5, 3, index, frame, 0.0 if looked_at is not None else 77.0)
    expected, found = warped(batch, *asked), warped_on(torch.from_numpy(batch), looked_at, *asked).numpy()
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    # A place that falls on the very edge may be taken for outside by one of the two: a pixel in some thousands.
    off = np.abs(found.astype(np.float64) - expected)
    assert (off > (0.01 if kind == "floats" else 1)).mean() < 0.001


def test_a_picture_of_the_frame_is_not_touched_without_a_warp():
    batch = ink(5, 8, 8)
    assert warped(batch, recipes["none"], 0, 0, np.arange(5), (8, 8)) is batch


def plan(**more):
    return Plan(**{"steps": 40, "steps_per_epoch": 12, "batch_size": 8, "recipe": recipes["gentle"], **more})


@pytest.mark.parametrize("first", [0, 7, 23])
def test_made_ahead_they_are_those_made_alone(first):
    images = ink(100, 8, 8)
    rows = Rows(images, np.arange(0, 100), (10, 11))
    coming = Batches(rows, plan())(first)
    for step in range(first, first + 30):
        pictures, index = next(coming)
        alone, numbers = Batches(images=rows, plan=plan()).make(step)
        np.testing.assert_array_equal(index, numbers)
        np.testing.assert_array_equal(pictures, alone)
        assert pictures.shape == (8, 10, 11)
    coming.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("warp")]


def test_every_epoch_is_a_permutation_of_all_rows():
    images = np.arange(96, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    coming = Batches(Rows(images, np.arange(96)), plan(recipe=recipes["none"]))(0)
    epochs = [np.concatenate([next(coming)[0][:, 0, 0] for _ in range(12)]) for _ in range(3)]
    coming.close()
    for epoch in epochs:
        assert sorted(epoch.tolist()) == list(range(96))
        assert np.abs(np.diff(epoch.astype(int))).mean() > 20  # neighbours of the file are no neighbours here
    assert not np.array_equal(epochs[0], epochs[1])


def test_slow_pages_are_waited_for_side_by_side():
    together, most = 0, 0
    lock = threading.Lock()

    class Slow(Rows):
        def __getitem__(self, index):
            nonlocal together, most
            with lock:
                together += 1
                most = max(most, together)
            time.sleep(0.01)
            with lock:
                together -= 1
            return super().__getitem__(index)

    coming = Batches(Slow(ink(100, 8, 8), np.arange(100)), plan())(0)
    for _ in range(5):
        next(coming)
    coming.close()
    assert most >= 2


def test_an_error_while_making_a_batch_comes_out():
    class Broken(Rows):
        def __getitem__(self, index):
            raise OSError("the disk is gone")

    coming = Batches(Broken(ink(100, 8, 8), np.arange(100)), plan())(0)
    with pytest.raises(OSError, match="the disk is gone"):
        next(coming)
