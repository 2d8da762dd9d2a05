from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A little set of 40x40 pictures with all ten classes."""
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 10
    images = generator.integers(0, 256, (60, 40, 40), dtype=np.uint8) // (1 + labels[:, None, None]).astype(np.uint8)
    np.savez(tmp_path / "some.npz", images=images, labels=labels)
    return tmp_path / "some.npz"


def run(name: str, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "NO_COLOR": "1"}
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nolearn_listing(tmp_path: Path, data: Path) -> None:
    out = run("nolearn_listing.py", tmp_path, "--train", str(data), "--test", str(data), "--epochs", "1")
    assert "5,916,090 parameters" in out
    assert "valid acc" in out
    lines = (tmp_path / "submission_cnn.csv").read_text().splitlines()
    assert lines[0] == "ImageId,Label"
    assert len(lines) == 61
    assert lines[-1].startswith("60,")


def test_keras_listing(tmp_path: Path, data: Path) -> None:
    out = run(
        "keras_listing.py", tmp_path, "--train", str(data), "--validation", str(data), "--epochs", "1", "--images", "20"
    )
    assert "Test accuracy: " in out
    assert (tmp_path / "my_model_weights1.safetensors").is_file()
    assert len((tmp_path / "submission.csv").read_text().splitlines()) == 21


def test_only_the_imports_have_changed() -> None:
    """A few lines that must stand as they were published."""
    nolearn, keras = ((EXAMPLES / name).read_text() for name in ("nolearn_listing.py", "keras_listing.py"))
    assert "('hidden3', layers.DenseLayer),\n        ('dropout3', layers.DropoutLayer)," in nolearn
    assert "output_nonlinearity=lasagne.nonlinearities.softmax," in nolearn
    assert "model.add(Convolution2D(60, nb_conv, nb_conv))\nmodel.add(Activation('relu'))" in keras
    assert "model.compile(loss='categorical_crossentropy', optimizer='adadelta')" in keras
