import numpy as np
import pytest

from tidepool.images import ImageSet
from tidepool.nets import zoo
from tidepool.training.choose import batch_size, choose_stacks
from tidepool.training.fit import fit
from tidepool.training.settings import Settings
from tidepool.warp import recipes

SHAPE, RATE = (1, 28, 28), 60e9


def names(seconds, shape=SHAPE, recipe="gentle"):
    """Return which stacks of the zoo are chosen for so many seconds, by their names there."""
    chosen = choose_stacks(shape, 10, recipes[recipe], RATE, seconds)
    return [next(name for name in zoo.ZOO if zoo.find(name)(shape, 10) == stack) for stack in chosen]


def test_seconds_buy_a_small_net_then_a_large_one_then_several():
    assert names(4) == ["small"]
    assert names(30) == ["large"]
    assert names(120) == ["large", "moments-large", "broad"]
    assert len(names(600)) > len(names(120))


def test_more_seconds_never_buy_less():
    work = [sum(stack.macs for stack in choose_stacks(SHAPE, 10, recipes["gentle"], RATE, 2.0**i)) for i in range(14)]
    assert work == sorted(work)
    # And an end: an ensemble costs as much to predict as it did to train.
    assert work[-1] == work[-2]


def test_ink_that_lies_anywhere_is_brought_to_one_pose_by_every_member():
    assert all(name.startswith("moments-") for name in names(600, (1, 40, 40), "affnist"))


def test_rows_of_values_get_dense_layers():
    assert choose_stacks((64,), 10, recipes["none"], RATE, 30) == [zoo.dense((64,), 10)]


def test_a_few_seconds_are_spent_on_many_small_steps():
    assert batch_size(256, 30_000) == 128
    assert batch_size(256, 300_000) == 256
    assert batch_size(90, 30_000) == 90


def test_a_brief_training_is_recorded_with_its_own_batches():
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (6000, 16, 16)).astype(np.uint8)
    found = fit(ImageSet(images=images, labels=np.arange(6000) % 3), Settings(seconds=3, device="cpu"))
    (plan,) = found.plans
    assert plan.batch_size == 128
    training = found.model.card["training"]
    assert training["epochs"] == pytest.approx(plan.last_step / plan.steps_per_epoch)
    assert training["images_per_second"] == pytest.approx(128 * training["steps"] / training["seconds"])
    assert plan.steps_per_epoch == len(images) * 9 // 10 // 128
