"""What a GPU does, done by the CPU under another name: all but what asks the GPU itself, for its memory or its kind."""

import numpy as np
import pytest
import torch
from test_batches import ink
from test_loop import plan, stripes, task  # noqa: F401

import tidepool as tp
from tidepool.training import resident
from tidepool.training.batches import Batches
from tidepool.training.loop import own_randomness, train
from tidepool.training.resident import Resident
from tidepool.training.rows import Rows
from tidepool.warp import recipes

GPU = "cpu:0"


class Counted(Rows):
    """Rows that count how often they are asked for."""

    asked = 0

    def __getitem__(self, index):
        self.asked += 1
        return super().__getitem__(index)


@pytest.mark.parametrize("name", ["none", "gentle", "affnist", "elastic"])
@pytest.mark.parametrize("room", [True, False])
def test_batches_are_those_of_the_cpu(monkeypatch, name, room):
    if not room:
        monkeypatch.setattr(resident, "_free", lambda device: 1000.0)
    images = ink(400, 8, 8)
    rows = Counted(images, np.arange(399, -1, -1), (10, 11))
    step_plan = plan(recipe=recipes[name])
    usual, ours = Batches(rows, step_plan), Batches(rows, step_plan, device=GPU)
    assert isinstance(ours.images, Resident) == room
    for step in (0, 5, 17):
        (expected, numbers), (found, index) = usual.make(step), ours.make(step)
        assert torch.equal(index, numbers)
        assert found.shape == expected.shape == (32, 10, 11)
        off = (found.double() - expected.double()).abs()
        assert (off > 1).double().mean() < 0.001


def test_nothing_is_gathered_in_memory_once_the_set_is_resident():
    rows = Counted(ink(400, 8, 8), np.arange(400), (10, 10))
    batches = Batches(rows, plan(), device=GPU)
    uploads = rows.asked
    for step in range(20):
        batches.make(step)
    assert rows.asked == uploads == 1
    # Uploaded once, it serves every training on it.
    assert Batches(batches.images, plan(), device=GPU).images is batches.images


def test_training_there_ends_where_the_cpu_ends(stripes):  # noqa: F811
    images, targets = stripes
    held = {"validation": (images[:100], targets[:100])}
    there = train(task((images[100:], targets[100:]), device=GPU, **held), plan(steps_per_epoch=9, keep=0.7))
    here = train(task((images[100:], targets[100:]), **held), plan(steps_per_epoch=9, keep=0.7))
    for mine, theirs in zip(there.history, here.history, strict=True):
        assert mine["train_loss"] == pytest.approx(theirs["train_loss"], abs=0.01)
        assert mine["valid_accuracy"] == pytest.approx(theirs["valid_accuracy"], abs=0.02)


def test_bfloat16_learns_as_well(stripes):  # noqa: F811
    images, targets = stripes
    held = {"validation": (images[:100], targets[:100])}
    whole = train(task((images[100:], targets[100:]), **held), plan(steps_per_epoch=9))
    half = train(task((images[100:], targets[100:]), half=True, **held), plan(steps_per_epoch=9))
    assert half.history[-1]["valid_accuracy"] >= whole.history[-1]["valid_accuracy"] - 0.02
    # It is another sum, and the weights that are kept are whole.
    assert not np.array_equal(half.weights["conv.weight"], whole.weights["conv.weight"])
    assert all(value.dtype == np.float32 for value in half.weights.values())


def test_moments_are_taken_in_float32():
    from tidepool.nets import zoo

    module = zoo.find("moments-small")((1, 28, 28), 10).module(0)[0]
    x = torch.from_numpy(ink(20, 28, 28).astype(np.float32))[:, None] / 255
    with torch.autocast("cpu", torch.bfloat16):
        found = module(x)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, module(x), rtol=0, atol=0)


def test_the_callers_random_state_stays():
    state = torch.get_rng_state()
    with own_randomness(GPU):
        torch.manual_seed(5)
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_classifier_there_is_as_good():
    digits = tp.read("digits")
    images, labels = np.asarray(digits.images), np.asarray(digits.labels)
    scores = {
        device: tp.Classifier(epochs=6, device=device, random_state=0)
        .fit(images[:1400], labels[:1400])
        .score(images[1400:], labels[1400:])
        for device in ("cpu", GPU)
    }
    assert scores["cpu"] > 0.9
    assert abs(scores["cpu"] - scores[GPU]) < 0.02
