from tidepool.nets import zoo
from tidepool.training.choose import choose_stacks
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
