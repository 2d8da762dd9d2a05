import numpy as np
import pytest
import torch

from tidepool.errors import InputError, TidepoolError
from tidepool.nets.layers import BatchNormLayer, Conv2DLayer, DenseLayer, DropoutLayer
from tidepool.nets.stack import Stack
from tidepool.preprocessing import Preprocessing
from tidepool.training.batches import Batches
from tidepool.training.loop import StopTraining, train
from tidepool.training.optimisers import optimisers
from tidepool.training.plan import Plan
from tidepool.training.run import Task, predict, weights_of
from tidepool.updates import RULES, nesterov_momentum, sgd
from tidepool.warp import recipes

STACK = Stack(
    (
        ("conv", Conv2DLayer(8, 3, 2, nonlinearity=None)),
        ("norm", BatchNormLayer(nonlinearity="rectify")),
        ("drop", DropoutLayer(0.2)),
        ("out", DenseLayer(2, "softmax")),
    ),
    (1, 8, 8),
)


@pytest.fixture(scope="module")
def stripes():
    """Horizontal against vertical stripes, with noise."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 400)
    images = rng.integers(0, 90, (400, 8, 8))
    images[targets == 0, ::2] += 120
    images[targets == 1, :, ::2] += 120
    return images.astype(np.uint8), targets


def task(stripes, **more):
    images, targets = stripes
    return Task(STACK.module(0), Preprocessing.fit(images), images, targets, **more)


def plan(**more):
    return Plan(**{"steps": 40, "steps_per_epoch": 12, "batch_size": 32, "recipe": recipes["gentle"], **more})


def test_learns_and_keeps_the_best_weights(stripes):
    images, targets = stripes
    job = task((images[100:], targets[100:]), validation=(images[:100], targets[:100]))
    rows = []
    outcome = train(job, plan(average=0.9, steps_per_epoch=10), on_epoch=rows.append)
    assert outcome.history == rows
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert rows[-1]["step"] == outcome.steps == 40
    assert rows[-1]["valid_accuracy"] == 1
    assert sum(row["best"] for row in rows) >= 1
    assert outcome.images_per_second > 0


def test_the_same_plan_gives_the_same_weights_to_the_bit(stripes):
    first, second, other = (train(task(stripes), plan(seed=seed)).weights for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["conv.weight"], other["conv.weight"])


def test_a_run_by_the_clock_can_be_repeated_by_its_plan(stripes):
    hurried = train(task(stripes), plan(steps=100_000), seconds=0.7)
    assert hurried.plan.changes
    assert hurried.steps == hurried.plan.last_step < 100_000
    assert hurried.seconds < 3
    again = train(task(stripes), hurried.plan)
    assert all(np.array_equal(again.weights[name], hurried.weights[name]) for name in again.weights)


def test_batches_do_not_depend_on_what_was_made_before(stripes):
    images, _ = stripes
    batches = Batches(images, plan())
    made = [batches.make(step) for step in range(30)]
    pictures, index = Batches(images, plan()).make(17)
    np.testing.assert_array_equal(pictures, made[17][0])
    np.testing.assert_array_equal(index, made[17][1])
    epoch = np.concatenate([index for _, index in made[:12]])
    assert len(np.unique(epoch)) == 12 * 32


def test_a_plan_for_a_larger_set_is_refused(stripes):
    with pytest.raises(InputError, match="make no epoch of 400 images"):
        train(task(stripes), plan(steps_per_epoch=14))


def test_ctrl_c_and_handlers_end_training_and_keep_the_model(stripes):
    for stop in (KeyboardInterrupt, StopTraining):

        def interrupt(step, steps, stop=stop):
            if step == 7:
                raise stop

        outcome = train(task(stripes), plan(average=0.9), on_step=interrupt)
        assert outcome.interrupted
        assert outcome.steps == 7
        assert set(outcome.weights) == set(weights_of(STACK.module(0)))


def test_a_signal_waits_for_the_end_of_the_step(stripes):
    import os
    import signal

    def ask(step, steps):
        if step == 5:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)  # ignored where the tests run in the background
    outcome = train(task(stripes), plan(), on_step=ask)
    assert outcome.interrupted
    assert outcome.steps == 5
    assert signal.getsignal(signal.SIGINT) is before


def test_a_loss_that_is_not_finite_stops_with_a_word(stripes):
    with pytest.raises(TidepoolError, match="diverged") as error:
        train(task(stripes), plan(update=sgd(1e30), steps=60))
    assert "smaller learning rate" in error.value.hint


def test_the_callers_randomness_is_left_alone(stripes):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(task(stripes), plan(steps=3))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("name", list(RULES))
def test_every_update_rule_learns(stripes, name):
    rates = {"sgd": 0.1, "adagrad": 0.05}
    rule = RULES[name](**({"learning_rate": rates[name]} if name in rates else {}))
    outcome = train(task(stripes), plan(update=rule, steps=60, schedule="constant"))
    assert outcome.history[-1]["train_loss"] < 0.6 * outcome.history[0]["train_loss"]


def test_our_nesterov_is_torchs():
    torch.manual_seed(0)
    ours, theirs = torch.nn.Linear(5, 3), torch.nn.Linear(5, 3)
    theirs.load_state_dict(ours.state_dict())
    (rule,) = optimisers(ours, nesterov_momentum(0.1, 0.9, weight_decay=0.01))
    groups = [{"params": [theirs.weight], "weight_decay": 0.01}, {"params": [theirs.bias], "weight_decay": 0.0}]
    reference = torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)
    x = torch.randn(7, 5)
    for _ in range(5):
        for module, optimiser in ((ours, rule), (theirs, reference)):
            optimiser.zero_grad()
            module(x).square().sum().backward()
            optimiser.step()
    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours.bias, theirs.bias)


def test_padding_and_prediction_agree_with_the_whole_frame(stripes):
    images, _ = stripes
    module = STACK.module(0)
    pre = Preprocessing.fit(images)
    whole = predict(module, pre, images)
    assert whole.shape == (400, 2)
    assert torch.allclose(whole[:7], predict(module, pre, images[:7]), atol=1e-6)
