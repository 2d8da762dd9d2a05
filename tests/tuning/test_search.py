import numpy as np
import pytest

import tidepool as tp
from tidepool.errors import DataError, InputError
from tidepool.training.regime import Regime
from tidepool.tuning import Best, Search
from tidepool.tuning.space import USUAL, Point, suggested

pytest.importorskip("optuna")


@pytest.fixture(scope="module")
def digits():
    return tp.read("digits").select(slice(0, 500))


class Quick(Search):
    """Trials that take no time: the loss is how far the rotation is from 15 degrees."""

    def _loss(self, stack, regime, seconds, split):
        return abs(regime.recipe.parts[0].rotation - 15) / 100


def quick(images, path, trials, **options):
    search = Quick(images, 1000.0, path, **options)
    search.left = lambda: 1000.0 * (len(search._done()) < trials)
    return search


def test_the_defaults_are_a_point_of_the_space():
    stack, regime = suggested(Point(USUAL), (1, 28, 28), 10)
    usual = Regime()
    assert stack == tp.nets.zoo.find("medium")((1, 28, 28), 10)
    assert regime.update == usual.update
    assert regime.update.parameters == usual.update.parameters
    assert regime.recipe.parts == usual.recipe.parts
    assert (regime.batch_size, regime.smoothing, regime.warmup) == (256, 0.1, 0.2)


def test_the_defaults_are_tried_first_and_bettered(digits, tmp_path):
    heard = []
    search = quick(digits, tmp_path / "j", 25)
    search.run(heard.append)
    assert search.study.trials[0].params == USUAL
    assert heard[0].loss == pytest.approx(0.08)
    assert [one.best for one in heard] == sorted((one.best for one in heard), reverse=True)
    assert heard[-1].best < 0.04
    assert len(heard) == 25
    best = search.check()
    assert best.better
    assert best.loss < best.usual_loss == pytest.approx(0.08)
    assert search.settings(best, 5).regime.recipe.parts[0].rotation == best.values["rotation"]
    assert [loss for loss, _ in search.table(3)] == sorted(one.loss for one in heard)[:3]


def test_the_defaults_stay_where_nothing_beats_them_on_other_rows(digits, tmp_path):
    search = quick(digits, tmp_path / "j", 8)
    search.run()
    settings = search.settings(Best(search.study.best_params, 0.5, 0.4, False), 5)
    assert settings.stack is None
    assert settings.regime is None


def test_it_goes_on_where_it_stopped_and_with_its_own_images_only(digits, tmp_path):
    quick(digits, tmp_path / "j", 5).run()
    again = quick(digits, tmp_path / "j", 9)
    heard = []
    again.run(heard.append)
    assert [one.number for one in heard] == [6, 7, 8, 9]
    with pytest.raises(DataError, match="a search on"):
        quick(digits.select(slice(0, 100)), tmp_path / "j", 9)
    with pytest.raises(DataError, match="a search on"):
        quick(digits, tmp_path / "j", 9, seed=1)


def test_pictures_without_room_are_refused(tmp_path):
    tiny = tp.ImageSet(np.zeros((40, 4, 4), np.uint8), np.arange(40) % 2)
    with pytest.raises(InputError, match="no room"):
        Search(tiny, 60, tmp_path / "j")


def test_a_trial_trains_and_scores_on_rows_held_back(digits, tmp_path):
    search = Search(digits, 30.0, tmp_path / "j", device="cpu")
    stack, regime = suggested(Point(USUAL), search.shape, 10)
    assert 0 <= search._loss(stack, regime, 6.0, 1) < 1.5
