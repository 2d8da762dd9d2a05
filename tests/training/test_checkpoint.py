import json

import numpy as np
import pytest

import tidepool as tp
from tidepool.errors import DataError
from tidepool.training.fit import fit
from tidepool.training.settings import Listener, Settings


@pytest.fixture(scope="module")
def digits():
    return tp.read("digits").select(slice(0, 600))


@pytest.fixture(scope="module")
def unbroken(digits):
    return fit(digits, Settings(epochs=3, device="cpu"))


def stopped_at(step, digits, path):
    def stop(done, steps):
        if done == step:
            raise KeyboardInterrupt

    return fit(digits, Settings(epochs=3, device="cpu", checkpoint=path), Listener(on_step=stop))


@pytest.mark.parametrize("step", [1, 16, 17, 40])
def test_a_stopped_run_goes_on_to_the_bit(digits, unbroken, tmp_path, step):
    path = tmp_path / "m.checkpoint"
    part = stopped_at(step, digits, path)
    assert part.interrupted
    assert path.exists()
    rest = fit(digits, Settings(epochs=3, device="cpu", checkpoint=path))
    assert rest.model.weights_bytes == unbroken.model.weights_bytes
    assert [row["epoch"] for row in rest.history] == [1, 2, 3]


def test_saving_often_changes_nothing(digits, unbroken, tmp_path, monkeypatch):
    monkeypatch.setattr("tidepool.training.checkpoint.Checkpoint.due", lambda self: True)
    saved = fit(digits, Settings(epochs=3, device="cpu", checkpoint=tmp_path / "m.checkpoint"))
    assert saved.model.weights_bytes == unbroken.model.weights_bytes


def test_a_budget_counts_only_time_worked(digits, tmp_path):
    path = tmp_path / "m.checkpoint"

    def stop(done, steps):
        if done == 5:
            raise KeyboardInterrupt

    fit(digits, Settings(seconds=3, device="cpu", checkpoint=path), Listener(on_step=stop))
    rest = fit(digits, Settings(seconds=3, device="cpu", checkpoint=path))
    # Both parts together fill the budget once; a budget begun anew would come to more.
    assert 5 < rest.plans[0].last_step == rest.model.card["training"]["steps"]
    assert 1.5 < rest.metrics["train"]["seconds"] < 4


def test_other_settings_and_damaged_files_are_refused(digits, tmp_path):
    path = tmp_path / "m.checkpoint"
    stopped_at(5, digits, path)
    with pytest.raises(DataError, match=r"had seed 0, this one has 1"):
        fit(digits, Settings(epochs=3, device="cpu", checkpoint=path, seed=1))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="not a whole checkpoint"):
        fit(digits, Settings(epochs=3, device="cpu", checkpoint=path))


def test_the_state_is_json_and_arrays_only(digits, tmp_path):
    from safetensors import safe_open

    path = tmp_path / "m.checkpoint"
    stopped_at(5, digits, path)
    with safe_open(path, framework="numpy") as file:
        facts = json.loads(file.metadata()["facts"])
        assert facts["step"] == 5
        assert all(isinstance(file.get_tensor(name), np.ndarray) for name in file.keys())  # noqa: SIM118
