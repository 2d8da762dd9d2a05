from dataclasses import replace

import numpy as np
import pytest

import tidepool as tp
from tidepool.errors import StackError
from tidepool.nets import zoo
from tidepool.nets.layers import EnsembleLayer
from tidepool.nets.stack import Stack, ensemble
from tidepool.training.ensemble import choose_members
from tidepool.training.fit import fit
from tidepool.training.plan import Plan
from tidepool.training.run import load_weights, predict
from tidepool.training.settings import Listener, Settings

TWO = ensemble([zoo.dense((1, 8, 8), 10)] * 2)
SETTINGS = Settings(epochs=2, stack=TWO, device="cpu")


@pytest.fixture(scope="module")
def digits():
    return tp.read("digits").select(slice(0, 600))


@pytest.fixture(scope="module")
def fitted(digits):
    return fit(digits, SETTINGS)


def test_each_member_is_trained_and_they_answer_together(digits, fitted):
    model = fitted.model
    assert [len(one.layers) for one in model.stack.members] == [len(one.layers) for one in TWO.members]
    assert len({plan.seed for plan in fitted.plans}) == len(fitted.plans) == 2
    assert [row["member"] for row in fitted.history] == [1, 1, 2, 2]
    logits = []
    for number, stack in enumerate(model.stack.members, 1):
        start = f"ensemble.member{number}."
        module = stack.module()
        load_weights(module, {k[len(start) :]: v for k, v in model.weights.items() if k.startswith(start)})
        logits.append(predict(module, model.preprocessing, digits.images).numpy())
    together = np.exp(np.mean(logits, axis=0) / model.card["temperature"])
    model.card["views"] = None
    assert np.allclose(model.predict_proba(digits), together / together.sum(axis=1, keepdims=True), atol=1e-4)
    alone = np.exp(logits[0] / model.card["first_temperature"])
    assert np.allclose(model.predict_proba(digits, "fast"), alone / alone.sum(axis=1, keepdims=True), atol=1e-4)


def test_it_is_saved_and_read_whole(digits, fitted, tmp_path):
    fitted.model.save(tmp_path / "two.tidepool")
    again = tp.load(tmp_path / "two.tidepool")
    assert again.stack == fitted.stack
    assert np.array_equal(again.predict_proba(digits), fitted.model.predict_proba(digits))
    assert "member2.hidden1" in again.describe()


def test_its_plans_repeat_it_to_the_bit(digits, fitted):
    plans = tuple(Plan.from_dict(values) for values in fitted.model.card["plans"])
    again = fit(digits, replace(SETTINGS, epochs=None, plans=plans))
    assert again.model.weights_bytes == fitted.model.weights_bytes


@pytest.mark.parametrize("stop", [10, 32 + 10])
def test_a_run_stopped_in_either_member_goes_on_to_the_bit(digits, fitted, tmp_path, stop):
    steps = []

    def look(done, last):
        steps.append(done)
        if len(steps) == stop:
            raise KeyboardInterrupt

    settings = replace(SETTINGS, checkpoint=tmp_path / "two.checkpoint")
    assert fit(digits, settings, Listener(on_step=look)).interrupted
    rest = fit(digits, settings)
    assert rest.model.weights_bytes == fitted.model.weights_bytes
    assert [row["member"] for row in rest.history] == [1, 1, 2, 2]


def test_a_budget_is_shared_by_the_members(digits):
    found = fit(digits, Settings(seconds=4, stack=TWO, device="cpu"))
    assert {row["member"] for row in found.history} == {1, 2}
    assert 2 < found.metrics["train"]["seconds"] < 4.5


def test_members_that_do_not_help_are_left_out():
    truth = np.arange(400) % 4
    right = 4.0 * np.eye(4)[truth]
    random = np.random.default_rng(0)
    good, other = (right + 2 * random.normal(size=right.shape) for _ in range(2))
    bad = 8 * random.normal(size=right.shape)
    assert choose_members([bad, good, other], truth) == [1, 2]
    assert choose_members([bad, good], np.empty(0, np.int64)) == [0, 1]


def test_a_member_goes_for_good_reason_only():
    # Twelve nets that are equally good: chance makes some look better on a few rows, and none of them goes.
    truth = np.arange(400) % 4
    random = np.random.default_rng(0)
    equal = [4.0 * np.eye(4)[truth] + 2 * random.normal(size=(400, 4)) for _ in range(12)]
    assert choose_members(equal, truth) == list(range(12))
    # One that is worse, but wrong elsewhere, still helps.
    worse = 4.0 * np.eye(4)[truth] + 2.5 * random.normal(size=(400, 4))
    assert choose_members([equal[0], worse], truth) == [0, 1]


def test_members_of_another_shape_are_refused():
    with pytest.raises(StackError, match="member2 gives"):
        ensemble([zoo.small((1, 8, 8), 10), zoo.small((1, 8, 8), 9)])
    with pytest.raises(StackError, match="member1 takes"):
        Stack((("both", EnsembleLayer((zoo.small((1, 8, 8), 10),))),), (1, 9, 9))
    with pytest.raises(StackError, match="without members"):
        EnsembleLayer()
