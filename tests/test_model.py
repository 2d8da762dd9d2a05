import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import tidepool as tp
from tidepool.errors import DataError, ModelFileError
from tidepool.images import ImageSet
from tidepool.training.fit import fit
from tidepool.training.settings import Settings


@pytest.fixture(scope="module")
def digits():
    return tp.read("digits")


@pytest.fixture(scope="module")
def model(digits):
    return fit(digits, Settings(epochs=3, device="cpu")).model


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "m.tidepool")
    return tmp_path / "m.tidepool"


def rewrite(path, changes):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members.update(changes(members))
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_onnx_and_safetensors_agree(model, digits):
    from tidepool.training.run import load_weights, predict

    module = model.stack.module()
    load_weights(module, model.weights)
    logits = predict(module, model.preprocessing, digits.images)
    by_torch = (logits / model.card["temperature"]).softmax(1).numpy()
    np.testing.assert_allclose(model.predict_proba(digits), by_torch, atol=1e-5)


def test_one_picture_is_told_the_same_as_among_others(model, digits):
    together = model.predict_proba(digits.images[:40])
    alone = np.concatenate([model.predict_proba(digits.images[i : i + 1]) for i in range(40)])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_saved_and_read_again_it_is_the_same(model, saved, digits):
    again = tp.load(saved)
    np.testing.assert_array_equal(again.predict_proba(digits), model.predict_proba(digits))
    assert again.card == json.loads(json.dumps(model.card))
    model.save(saved.with_name("n.tidepool"))
    assert saved.read_bytes() == saved.with_name("n.tidepool").read_bytes()


def test_the_card_says_what_it_was_trained_on(model):
    card = model.card
    assert card["trained_on"]["images"] == 1797
    assert card["validation"]["n"] == card["trained_on"]["held_back"] > 340
    assert card["plans"][0]["recipe"]["name"]
    assert set(card["versions"]) == {"tidepool", "torch", "numpy", "python"}
    assert "held back" in model.describe()


def test_float_pictures_train_and_predict_as_they_are(digits):
    floats = ImageSet(digits.images / np.float32(16), digits.labels)
    model = fit(floats, Settings(epochs=3, device="cpu")).model
    assert model.preprocessing.dtype == "float32"
    assert (model.predict(floats) == digits.labels).mean() > 0.85


def test_values_unlike_those_of_training_are_refused(model, digits):
    with pytest.raises(DataError, match=r"0\.\.1 of type float.*whole values 0\.\.255"):
        model.predict(digits.images / 16)
    np.testing.assert_array_equal(model.predict(digits.images.astype(float)), model.predict(digits))


def test_wrong_channels_and_larger_frames_name_both(model):
    with pytest.raises(DataError, match="grey"):
        model.predict(np.zeros((2, 8, 8, 3), np.uint8))
    with pytest.raises(DataError, match=r"9x8.*8x8"):
        model.predict(np.zeros((2, 9, 8), np.uint8))
    assert model.predict(np.zeros((2, 5, 7), np.uint8)).shape == (2,)
    assert model.predict_proba(np.zeros((0, 8, 8), np.uint8)).shape == (0, 10)


def test_a_truncated_file_is_one_clear_line(saved):
    saved.write_bytes(saved.read_bytes()[:2000])
    with pytest.raises(ModelFileError, match="not a whole"):
        tp.load(saved)


def test_a_tampered_file_is_found(saved):
    rewrite(saved, lambda m: {"weights.safetensors": m["weights.safetensors"][:-4] + b"abcd"})
    with pytest.raises(ModelFileError, match=r"weights\.safetensors was altered"):
        tp.load(saved)


def test_a_later_version_is_named(saved):
    rewrite(saved, lambda m: {"manifest.json": m["manifest.json"].replace(b'"format": 1', b'"format": 2')})
    with pytest.raises(ModelFileError, match="later version"):
        tp.load(saved)


def test_other_files_are_no_models(tmp_path):
    with pytest.raises(ModelFileError, match="no such file"):
        tp.load(tmp_path / "none.tidepool")
    (tmp_path / "text.tidepool").write_text("hello")
    with pytest.raises(ModelFileError, match="not a whole"):
        tp.load(tmp_path / "text.tidepool")
    with zipfile.ZipFile(tmp_path / "zip.tidepool", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(ModelFileError, match="a zip, but not"):
        tp.load(tmp_path / "zip.tidepool")


def test_custom_operators_and_outside_weights_are_refused(saved):
    import hashlib

    import onnx

    def with_foreign_operator(members):
        graph = onnx.load_model_from_string(members["model.onnx"])
        graph.graph.node[0].domain = "evil"
        graph.opset_import.append(onnx.helper.make_opsetid("evil", 1))
        data = graph.SerializeToString()
        manifest = json.loads(members["manifest.json"])
        manifest["sha256"]["model.onnx"] = hashlib.sha256(data).hexdigest()
        return {"model.onnx": data, "manifest.json": json.dumps(manifest)}

    rewrite(saved, with_foreign_operator)
    with pytest.raises(ModelFileError, match="custom operators"):
        tp.load(saved)


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None  # any import of it fails now
sys.argv = ["tidepool", *sys.argv[1:]]
from tidepool.cli import main
main()
"""


@pytest.mark.parametrize(
    "arguments",
    [["predict", "M", "digits", "--out", "OUT.csv"], ["evaluate", "M", "digits", "--json"], ["info", "M"]],
    ids=lambda a: a[0],
)
def test_works_without_torch(saved, arguments, tmp_path):
    names = {"M": str(saved), "OUT.csv": str(tmp_path / "out.csv")}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *(names.get(a, a) for a in arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    if arguments[0] == "evaluate":
        assert json.loads(done.stdout)["n"] == 1797
    if arguments[0] == "info":
        assert "multiply-adds" in done.stdout


def test_import_is_fast_because_it_is_lazy():
    heavy = ["torch", "sklearn", "scipy", "polars", "numba", "matplotlib", "onnxruntime", "PIL"]
    code = f"import sys, tidepool; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_budget_begins_before_torch_is_imported():
    code = "import sys, tidepool.training.fit; print([m for m in ('torch', 'scipy', 'sklearn') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
