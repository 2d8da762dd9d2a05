import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import tidepool as tp
from tidepool import Classifier, ImageSet
from tidepool.errors import InputError

# None is needed; the limit of the project is 3, each with its reason.
EXPECTED_FAILURES: dict[str, str] = {}


@parametrize_with_checks(
    [Classifier(epochs=30, validation=0, device="cpu")], expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_the_contract_has_the_checks_that_we_think_it_has():
    checks = list(estimator_checks_generator(Classifier(epochs=1, device="cpu")))
    assert len(checks) >= 50
    assert len(EXPECTED_FAILURES) <= 3


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X.reshape(-1, 8, 8).astype(np.uint8), y


@pytest.fixture(scope="module")
def fitted(digits):
    return Classifier(epochs=6, device="cpu").fit(*digits)


def test_learns_the_digits(fitted):
    assert fitted.validation_["n"] >= 300
    assert fitted.validation_["accuracy"] > 0.93


def test_same_settings_give_the_same_weights_to_the_bit(digits, fitted):
    again = Classifier(epochs=6, device="cpu").fit(*digits)
    assert again.model_.weights_bytes == fitted.model_.weights_bytes
    other = Classifier(epochs=6, device="cpu", random_state=1).fit(*digits)
    assert other.model_.weights_bytes != fitted.model_.weights_bytes


def test_returns_the_labels_and_not_their_indices(digits):
    X, y = digits
    names = np.array(["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"])
    clf = Classifier(epochs=3, device="cpu").fit(X, names[y])
    assert set(clf.predict(X[:50])) <= set(names)
    assert (clf.predict(X) == names[y]).mean() > 0.8
    np.testing.assert_array_equal(clf.classes_, np.unique(names))


def test_rows_of_k_by_k_values_are_pictures(digits, fitted):
    X, y = digits
    rows = Classifier(epochs=6, device="cpu").fit(X.reshape(len(X), 64), y)
    assert rows.model_.preprocessing.frame == (8, 8)
    np.testing.assert_array_equal(rows.predict(X.reshape(len(X), 64)), fitted.predict(X))


def test_takes_colour_and_an_imageset(digits):
    X, y = digits
    colour = np.stack([X, X // 2, 16 - X], axis=-1)
    clf = Classifier(epochs=4, device="cpu").fit(ImageSet(colour, y))
    assert clf.model_.preprocessing.channels == 3
    assert clf.score(colour, y) > 0.85


def test_groups_stay_on_one_side(digits):
    from tidepool.training.split import hold_back

    y = digits[1]
    groups = np.arange(len(y)) // 7
    train, held = hold_back(y, 0.2, 0, groups)
    assert not set(groups[train]) & set(groups[held])
    assert 0.15 < len(held) / len(y) < 0.22


def test_versions_of_one_original_in_an_image_set_stay_on_one_side(digits, monkeypatch):
    from tidepool.training import fit

    halves, real = [], fit.hold_back_originals
    monkeypatch.setattr(fit, "hold_back_originals", lambda *given: halves.append(real(*given)) or halves[-1])
    X, y = digits
    originals = np.arange(len(y)) // 3
    Classifier(epochs=1).fit(ImageSet(X.reshape(-1, 8, 8), y, groups=originals))
    _, rows, held = halves[0]
    assert not set(originals[rows]) & set(originals[held])


def test_a_budget_is_kept(digits):
    import time

    start = time.monotonic()
    clf = Classifier(budget="3s", device="cpu").fit(*digits)
    assert time.monotonic() - start < 6  # the tests run on busy machines
    assert clf.score(*digits) > 0.9


def test_budget_and_epochs_exclude_each_other(digits):
    with pytest.raises(InputError, match="exclude"):
        Classifier(budget="3s", epochs=2).fit(*digits)


def test_one_class_only_is_an_error(digits):
    with pytest.raises(InputError, match="one class only"):
        Classifier(epochs=1).fit(digits[0], np.zeros(len(digits[0])))


def test_clone_pickle_and_grid_search(digits, fitted, tmp_path):
    X, y = digits
    assert clone(fitted).get_params() == fitted.get_params()
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X[:20]), fitted.predict(X[:20]))
    search = GridSearchCV(Classifier(epochs=1, device="cpu"), {"stack": ["small", "dense"]}, cv=2).fit(X[:400], y[:400])
    assert search.best_params_["stack"] in ("small", "dense")
    fitted.model_.save(tmp_path / "m.tidepool")
    np.testing.assert_array_equal(tp.load(tmp_path / "m.tidepool").predict(X), fitted.predict(X))


def test_a_larger_frame_predicts_both_sizes(digits):
    X, y = digits
    clf = Classifier(epochs=3, size=(12, 12), device="cpu").fit(X, y)
    padded = np.pad(X, ((0, 0), (2, 2), (2, 2)))
    np.testing.assert_allclose(clf.model_.predict_proba(X), clf.model_.predict_proba(padded), atol=1e-6)
    with pytest.raises(InputError, match=r"13x13.*12x12"):
        clf.model_.predict(np.zeros((1, 13, 13), np.uint8))
