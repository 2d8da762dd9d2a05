import numpy as np
import pytest
import torch

import tidepool as tp
from tidepool.errors import InputError
from tidepool.training.fit import fit
from tidepool.training.order import AHEAD, Order
from tidepool.training.plan import Plan
from tidepool.training.settings import Listener, Settings

COUNT, BATCH = 2000, 20


def plan(**more):
    return Plan(**{"steps": 1000, "steps_per_epoch": COUNT // BATCH, "batch_size": BATCH, "keep": 0.3, **more})


def played(order, steps, losses):
    """Go through ``steps`` as training does, the pictures costing ``losses``; return what each step took."""
    taken = []
    for step in range(steps):
        order(step + AHEAD)  # made ahead
        turn, index = order(step)
        taken.append((turn, index))
        order.learnt(step, torch.from_numpy(index), torch.from_numpy(losses[index]))
    return taken


def rounds(taken):
    return [np.concatenate([index for t, index in taken if t == turn]) for turn in sorted({t for t, _ in taken})]


def test_all_are_seen_first_then_the_hard_ones_and_some_others():
    losses = np.full(COUNT, 0.1, np.float32)
    hard = np.arange(100, 250)
    losses[hard] = 0.9
    found = rounds(played(Order(COUNT, plan()), 100 + 3 * 30, losses))
    assert sorted(found[0]) == list(range(COUNT))
    for one in found[1:]:
        assert len(one) == len(set(one)) == 600
        assert set(hard) <= set(one)
    # The others change from round to round, and the order is no ranking.
    easy = [set(one) - set(hard) for one in found[1:3]]
    assert 0.1 < len(easy[0] & easy[1]) / len(easy[0]) < 0.5
    assert 20 < np.isin(found[1][:300], hard).sum() < 130


def test_where_many_stay_wrong_nobody_is_preferred():
    losses = np.full(COUNT, 0.1, np.float32)
    losses[:600] = 3.0
    found = rounds(played(Order(COUNT, plan()), 130, losses))
    assert 120 < (found[1] < 600).sum() < 240


def test_without_a_choice_each_round_is_a_pass():
    for options in ({"keep": 1.0}, {"shuffle": False}):
        found = rounds(played(Order(COUNT, plan(**options)), 200, np.zeros(COUNT, np.float32)))
        assert [sorted(one) for one in found] == [list(range(COUNT))] * 2


def test_very_few_pictures_are_all_seen_in_each_round():
    order = Order(20, Plan(steps=10, steps_per_epoch=4, batch_size=5, keep=0.3))
    assert not order.chooses
    assert sorted(np.concatenate([order(step)[1] for step in range(4, 8)])) == list(range(20))


@pytest.mark.parametrize("stop", [3, 94, 95, 96, 100, 120, 126, 131])
def test_a_restored_order_goes_on_as_it_was(stop):
    losses = np.random.default_rng(0).random(COUNT).astype(np.float32)
    whole = played(Order(COUNT, plan()), 200, losses)
    first = Order(COUNT, plan())
    played(first, stop, losses)
    second = Order(COUNT, plan())
    second.restore(first.state())
    for step in range(stop, 200):
        second(step + AHEAD)
        turn, index = second(step)
        assert turn == whole[step][0]
        np.testing.assert_array_equal(index, whole[step][1])
        second.learnt(step, torch.from_numpy(index), torch.from_numpy(losses[index]))


def test_a_plan_for_a_larger_set_is_refused():
    with pytest.raises(InputError, match="make no epoch of 100 images"):
        Order(100, plan())


def test_a_run_that_chooses_resumes_to_the_bit(tmp_path):
    digits = tp.read("digits")
    settings = Settings(epochs=3, device="cpu")
    whole = fit(digits, settings)
    assert whole.plans[0].keep < 1

    def stop(done, last):
        if done == 30:
            raise KeyboardInterrupt

    saved = Settings(epochs=3, device="cpu", checkpoint=tmp_path / "m.checkpoint")
    assert fit(digits, saved, Listener(on_step=stop)).interrupted
    assert fit(digits, saved).model.weights_bytes == whole.model.weights_bytes
