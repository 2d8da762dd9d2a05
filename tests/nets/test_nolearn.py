from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

import tidepool as tp
from tidepool import layers, nonlinearities, updates
from tidepool.callbacks import EarlyStopping, StopTraining
from tidepool.errors import DataError, InputError, ModelFileError, StackError
from tidepool.nets.nolearn import NeuralNet, TrainSplit

DIGITS = load_digits()
X = (DIGITS.images[:400, None] / 16).astype(np.float32)
y = DIGITS.target[:400]
SANDWICH = [
    ("input", layers.InputLayer),
    ("conv1", layers.Conv2DLayer),
    ("pool1", layers.MaxPool2DLayer),
    ("dropout2", layers.DropoutLayer),
    ("output", layers.DenseLayer),
]


def make(**changes) -> NeuralNet:
    values = {
        "layers": SANDWICH,
        "input_shape": (None, 1, 8, 8),
        "conv1_num_filters": 6,
        "conv1_filter_size": (3, 3),
        "pool1_pool_size": (2, 2),
        "dropout2_p": 0.1,
        "output_num_units": 10,
        "output_nonlinearity": nonlinearities.softmax,
        "update": updates.nesterov_momentum,
        "update_learning_rate": 0.05,
        "update_momentum": 0.9,
        "batch_size": 32,
        "max_epochs": 4,
    }
    return NeuralNet(**{**values, **changes})


@pytest.fixture(scope="module")
def fitted() -> NeuralNet:
    return make(max_epochs=8).fit(X, y)


def test_it_learns(fitted: NeuralNet) -> None:
    assert fitted.score(X, y) > 0.85
    assert fitted.predict(X[:5]).tolist() == y[:5].tolist()
    probabilities = fitted.predict_proba(X[:7])
    assert probabilities.shape == (7, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_history_has_nolearns_keys(fitted: NeuralNet) -> None:
    assert len(fitted.train_history_) == 8
    last = fitted.train_history_[-1]
    assert set(last) == {
        "epoch", "train_loss", "train_loss_best", "valid_loss", "valid_loss_best", "valid_accuracy", "dur"
    }  # fmt: skip
    assert last["epoch"] == 8
    assert last["train_loss"] < fitted.train_history_[0]["train_loss"]


def test_repeats_to_the_bit() -> None:
    first, second = (make(max_epochs=2).fit(X, y).get_all_params_values() for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    other = make(max_epochs=2, random_state=5).fit(X, y).get_all_params_values()
    assert not np.array_equal(first["conv1.weight"], other["conv1.weight"])


@pytest.mark.parametrize(
    ("wrong", "kind", "message", "hint"),
    [
        ({"conv1_num_filter": 3}, StackError, "layer 'conv1': Conv2DLayer has no parameter", "'conv1_num_filters'"),
        ({"max_epoch": 3}, InputError, "no parameter 'max_epoch'", "'max_epochs'"),
        ({"conv7_num_filters": 3}, InputError, "no parameter 'conv7_num_filters'", "'conv1_num_filters'"),
        ({"update_learning_rat": 0.1}, InputError, "nesterov_momentum has no parameter", "'update_learning_rate'"),
        ({"update_learning_rate": -1}, InputError, "update_learning_rate is -1", ""),
        ({"eval_size": 0.2}, InputError, "no parameter 'eval_size'", "TrainSplit"),
        ({"regression": True}, InputError, "regression", "classifies"),
        ({"conv1_filter_size": (50, 50)}, StackError, "layer 'conv1' .input 1x8x8.: filters of 50x50", "smaller"),
        ({"conv1_nonlinearity": "relo"}, StackError, "layer 'conv1': no nonlinearity 'relo'", "relu"),
        ({"initialiser": "he_norml"}, StackError, "layer 'conv1': no initialiser", "he_normal"),
        ({"recipe": "gentel"}, InputError, "no recipe", "gentle"),
        ({"update": "adm"}, InputError, "no update 'adm'", "adam"),
        ({"layers": [("input", layers.Dense)]}, StackError, "Dense is no layer", "DenseLayer"),
        ({"on_epoch_finished": [3]}, InputError, "on_epoch_finished: 3", ""),
    ],
)
def test_mistakes_are_found_at_construction(wrong, kind, message, hint) -> None:
    with pytest.raises(kind, match=message) as caught:
        make(**wrong)
    assert hint in caught.value.hint


def test_set_params_refuses_and_changes_nothing() -> None:
    net = make()
    with pytest.raises(InputError, match="no parameter"):
        net.set_params(max_epochs=9, conv1_num_filterz=3)
    assert net.max_epochs == 4
    assert net.set_params(conv1_num_filters=3, max_epochs=9).get_params()["conv1_num_filters"] == 3


def test_missing_values_are_named_when_they_are_needed() -> None:
    net = make(layers=[*SANDWICH[:4], ("hidden", layers.DenseLayer), SANDWICH[4]])
    with pytest.raises(StackError, match="layer 'hidden': DenseLayer needs num_units"):
        net.fit(X, y)


def test_clone_and_grid_search() -> None:
    net = make(max_epochs=1)
    copy = clone(net)
    assert copy.get_params()["conv1_num_filters"] == 6
    search = GridSearchCV(net, {"conv1_num_filters": [2, 4], "update_learning_rate": [0.05]}, cv=2, error_score="raise")
    search.fit(X[:120], y[:120])
    assert search.best_params_["conv1_num_filters"] in (2, 4)
    assert "conv1_num_filters=6" in repr(net)


def test_newer_form_and_other_layers() -> None:
    net = NeuralNet(
        layers=[
            (layers.InputLayer, {"shape": (None, 1, 8, 8)}),
            (layers.Conv2DLayer, {"num_filters": 4, "pad": "same"}),
            (layers.BatchNormLayer, {"nonlinearity": "rectify"}),
            (layers.ResidualBlock, {"num_filters": 4}),
            (layers.SqueezeExciteLayer, {}),
            (layers.GlobalPoolLayer, {"mode": "max"}),
            (layers.DenseLayer, {"name": "out", "num_units": 10, "nonlinearity": nonlinearities.softmax}),
        ],
        conv2d1_filter_size=5,
        update=updates.adam,
        max_epochs=1,
        batch_size=33,
    )
    assert "conv2d1" in net.summary()
    net.fit(X[:67], y[:67])
    assert "conv2d1.weight" in net.get_all_params_values()
    assert net.get_all_params_values()["conv2d1.weight"].shape == (4, 1, 5, 5)


def test_rows_of_values() -> None:
    net = NeuralNet(
        layers=[("input", layers.InputLayer), ("hidden", layers.DenseLayer), ("output", layers.DenseLayer)],
        input_shape=(None, 64),
        hidden_num_units=16,
        output_num_units=10,
        output_nonlinearity=nonlinearities.softmax,
        update_learning_rate=0.1,
        batch_size=32,
        max_epochs=6,
    )
    assert net.fit(X.reshape(-1, 64), y).score(X.reshape(-1, 64), y) > 0.7
    with pytest.raises(DataError, match="rows of 64 values"):
        net.predict(X)


def test_floats_go_in_unchanged_and_bytes_are_normalised(fitted: NeuralNet) -> None:
    assert fitted.model_.preprocessing.mean == (0.0,)
    assert fitted.model_.preprocessing.std == (1.0,)
    pictures = DIGITS.images[:400].astype(np.uint8)
    levels = make(max_epochs=1).fit(pictures, y)
    assert levels.model_.preprocessing.dtype == "uint8"
    assert levels.model_.preprocessing.mean[0] == pytest.approx(pictures.mean(), rel=0.02)
    shapes = [pictures, pictures[:, None], pictures[..., None], tp.ImageSet(pictures)]
    found = [levels.predict_proba(shape) for shape in shapes]
    assert all(np.array_equal(found[0], other) for other in found[1:])


def test_an_image_set_brings_its_labels() -> None:
    images = tp.ImageSet(DIGITS.images[:200].astype(np.uint8), y[:200])
    net = make(max_epochs=1).fit(images)
    assert 0 <= net.score(images) <= 1


def test_pictures_scaled_otherwise_bring_a_warning(fitted: NeuralNet) -> None:
    with pytest.warns(UserWarning, match="values 0..255.*training 0..1"):
        fitted.predict(X[:3] * 255)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict(X[:3])


def test_labels_may_be_text() -> None:
    names = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])[y]
    net = make(max_epochs=6).fit(X, names)
    assert net.classes_.tolist() == sorted(set(names))
    assert net.score(X, names) > 0.7
    with pytest.raises(DataError, match="'ten'"):
        net.partial_fit(X[:2], ["ten", "one"])


@pytest.mark.parametrize(
    ("pictures", "labels", "message"),
    [
        (X[:, :, :7], y, r"shape \(400, 1, 7, 8\), but the stack takes \(N, 1, 8, 8\)"),
        (X.reshape(-1, 64), y, r"shape \(400, 64\)"),
        (X, y[:-1], "labels 399, images 400"),
        (X, np.zeros(400, int), "one class only"),
        (X[y < 9], y[y < 9], "layer 'output': the stack ends in 10 values, but the labels have 9 classes"),
        (np.where(X > 2, X, np.nan), y, "not finite"),
        (X, None, "y is None"),
        (X[:0], y[:0], "no pictures"),
    ],
)
def test_data_that_does_not_fit(pictures, labels, message) -> None:
    with pytest.raises(InputError, match=message):
        make().fit(pictures, labels)


@pytest.mark.parametrize("split", [None, 0, TrainSplit(eval_size=0)])
def test_without_a_split(split) -> None:
    net = make(train_split=split, max_epochs=1).fit(X, y)
    assert "valid_loss" not in net.train_history_[0]


def test_split_is_stratified() -> None:
    rows, held = TrainSplit(0.25).rows(y, 0)
    assert len(held) == pytest.approx(100, abs=4)
    assert set(y[held]) == set(range(10))
    assert not set(rows) & set(held)


@pytest.mark.parametrize("stop", [StopIteration, StopTraining, KeyboardInterrupt])
def test_handlers_may_stop_it_and_the_model_is_kept(stop, capsys) -> None:
    seen = []

    def handler(net, history) -> None:
        seen.append((len(history), net.predict(X[:1]).shape))
        if len(history) == 2:
            raise stop

    ended = []
    net = make(max_epochs=50, on_epoch_finished=[handler], on_training_finished=lambda *_: ended.append(1), verbose=1)
    net.fit(X, y)
    assert seen == [(1, (1,)), (2, (1,))]
    assert ended == [1]
    assert len(net.train_history_) == 2
    assert net.predict(X[:3]).shape == (3,)
    out = capsys.readouterr()
    assert "trn loss" in out.out
    assert "capacity" in out.out
    assert "model is kept" in out.err


def test_early_stopping_serves_as_a_handler() -> None:
    net = make(max_epochs=40, update_learning_rate=0.3, on_epoch_finished=[EarlyStopping(patience=2)]).fit(X, y)
    assert len(net.train_history_) < 40


def test_partial_fit_goes_on(fitted: NeuralNet) -> None:
    net = make(max_epochs=2).partial_fit(X, y)
    before = net.get_all_params_values()
    net.partial_fit(X[:64], y[:64], epochs=1)
    assert [row["epoch"] for row in net.train_history_] == [1, 2, 3]
    assert not np.array_equal(before["output.weight"], net.get_all_params_values()["output.weight"])
    assert net.train_history_[-1]["train_loss"] < net.train_history_[0]["train_loss"]
    first = make(max_epochs=1).partial_fit(X[:20], y[:20], classes=np.arange(10))
    assert first.classes_.tolist() == list(range(10))


def test_pickle_and_saved_model(fitted: NeuralNet, tmp_path) -> None:
    expected = fitted.predict_proba(X[:20])
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X[:20]), expected)
    fitted.model_.save(tmp_path / "m.tidepool")
    model = tp.load(tmp_path / "m.tidepool")
    assert np.array_equal(model.predict_proba(X[:20, 0]), expected)
    assert "images of memory" in model.describe()


def test_weights_are_saved_and_loaded_whole_or_not_at_all(fitted: NeuralNet, tmp_path) -> None:
    path = tmp_path / "weights.safetensors"
    fitted.save_params_to(path)
    net = make().load_params_from(path)
    assert np.array_equal(net.predict(X[:20]), fitted.predict(X[:20]))
    assert np.array_equal(make().load_params_from(fitted).get_all_params_values()["conv1.bias"],
                          fitted.get_all_params_values()["conv1.bias"])  # fmt: skip
    with pytest.raises(ModelFileError, match=r"weights 'conv1.weight' have shape \(6, 1, 3, 3\), .* \(5, 1, 3, 3\)"):
        make(conv1_num_filters=5).load_params_from(path)
    with pytest.raises(ModelFileError, match="belong to no layer"):
        NeuralNet(
            layers=[("input", layers.InputLayer), ("out", layers.DenseLayer)],
            input_shape=(None, 1, 8, 8),
            out_num_units=10,
        ).load_params_from(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelFileError, match="no whole safetensors file"):
        make().load_params_from(path)
    with pytest.raises(ModelFileError, match="no such file"):
        make().load_params_from(tmp_path / "none")


def test_not_fitted() -> None:
    with pytest.raises(NotFittedError):
        make().predict(X)
    assert not hasattr(make(), "model_")


def test_recipe_is_used() -> None:
    plain, warped = (make(max_epochs=1, recipe=name).fit(X, y).train_history_[0] for name in (None, "gentle"))
    assert plain["train_loss"] != warped["train_loss"]
