import pytest

import tidepool as tp

pytest.importorskip("optuna")


@pytest.mark.slow
def test_two_processes_search_and_a_model_comes_out(command, tmp_path):
    out = tmp_path / "tuned.tidepool"
    done = command("tune", "digits", "--out", out, "--budget", "40s", "--jobs", 2)
    assert done.code == 0, done.err
    assert all(word in done.out for word in ("trial", "check", "held back"))
    model = tp.load(out)
    assert model.card["validation"]["accuracy"] > 0.93
    assert "tuned" in model.card
    assert not out.with_name("tuned.tidepool.journal").exists()


@pytest.mark.slow
def test_a_search_that_was_stopped_is_gone_on_with(command, tmp_path, monkeypatch):
    from tidepool.tuning import Search

    out, whole = tmp_path / "tuned.tidepool", Search.run

    def stopped(self, on_trial=None):
        whole(self, lambda tried: (_ for _ in ()).throw(KeyboardInterrupt) if tried.number == 2 else on_trial(tried))

    monkeypatch.setattr(Search, "run", stopped)
    done = command("tune", "digits", "--out", out, "--budget", "20s")
    assert done.code == 130
    assert "--resume" in done.out
    assert not out.exists()
    monkeypatch.setattr(Search, "run", whole)
    done = command("tune", "digits", "--out", out, "--budget", "20s", "--resume")
    assert done.code == 0
    assert out.exists()
    assert "   1  loss" not in done.out
    assert "   3  loss" in done.out


def test_too_little_time_and_an_existing_file_are_refused(refused, tmp_path):
    assert "too short to search" in refused("tune", "digits", "--out", tmp_path / "m.tidepool", "--budget", "5s")
    (tmp_path / "there.tidepool").write_bytes(b"")
    assert "exists already" in refused("tune", "digits", "--out", tmp_path / "there.tidepool")
