import json

import numpy as np
import pytest

from tidepool.training.plan import Plan
from tidepool.updates import nesterov_momentum
from tidepool.warp import recipes


def test_triangle_goes_up_and_comes_down_to_nothing():
    plan = Plan(steps=100, steps_per_epoch=10, warmup=0.2)
    rates = np.array([plan.rate(step) for step in range(100)])
    assert rates.argmax() in (19, 20)
    assert (np.diff(rates[:20]) > 0).all()
    assert (np.diff(rates[20:]) < 0).all()
    assert rates[-1] < 0.01


@pytest.mark.parametrize("end", [60, 200])
def test_a_change_squeezes_or_stretches_what_is_left(end):
    plan = Plan(steps=100, steps_per_epoch=10, changes=((40, end),))
    assert plan.last_step == end
    assert plan.progress(40) == pytest.approx(0.4)
    assert plan.progress(end) == pytest.approx(1)
    assert plan.rate(end - 1) < 0.05
    assert plan.rate(39) == Plan(steps=100, steps_per_epoch=10).rate(39)
    assert abs(plan.rate(40) - plan.rate(39)) < 0.05


def test_changes_follow_one_another():
    plan = Plan(steps=100, steps_per_epoch=10, changes=((20, 200), (110, 120)))
    assert plan.progress(20) == pytest.approx(0.2)
    assert plan.progress(110) == pytest.approx(0.6)
    assert plan.progress(120) == pytest.approx(1)


def test_a_plan_survives_its_card():
    plan = Plan(50, 10, update=nesterov_momentum(0.02), recipe=recipes["digits"], changes=((20, 40),))
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
