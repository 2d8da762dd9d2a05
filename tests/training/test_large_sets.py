"""Training from sets that are mapped from the disk or packed: the same weights, and nothing of the set is copied."""

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.io import savemat

import tidepool as tp
from tidepool.errors import DataError
from tidepool.formats import many, mapped, read
from tidepool.images import ImageSet, Lazy
from tidepool.training import fit as fitting
from tidepool.training.fit import fit
from tidepool.training.settings import Settings

FAST = {"epochs": 1, "device": "cpu", "stack": "small", "frame": (12, 12)}


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch):
    monkeypatch.setattr(many, "LARGE", 1000)


@pytest.fixture
def files(tmp_path):
    digits = tp.read("digits")
    folder = tmp_path / "data3"
    folder.mkdir()
    for number, part in enumerate(np.split(np.arange(600), [250, 400])):
        savemat(folder / f"{number}.mat", {"images": digits.images[part], "labels": digits.labels[part][:, None]})
    return folder


def test_mapped_packed_and_in_memory_give_the_same_weights(files, monkeypatch):
    from_disk, packed = read(files), read(files, cache=False, lean=True)
    with monkeypatch.context() as patch:
        patch.setattr(many, "LARGE", 1 << 30)
        plain = read(files, cache=False)
    assert not from_disk.images.flags.writeable
    assert isinstance(packed.images, Lazy)
    first, *others = (fit(images, Settings(**FAST)) for images in (plain, from_disk, packed))
    for other in others:
        assert other.model.weights_bytes == first.model.weights_bytes
        np.testing.assert_array_equal(other.held_probabilities, first.held_probabilities)
        assert other.metrics["validation"] == first.metrics["validation"]


class Guarded(Lazy):
    """Gives out some pictures at a time."""

    def __init__(self, images):
        self.images, self.shape, self.dtype, self.most = images, images.shape, images.dtype, 0

    def __getitem__(self, index):
        found = np.array(self.images[index])
        self.most = max(self.most, len(found))
        return found


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_the_set_is_never_copied(monkeypatch, dtype):
    monkeypatch.setattr("tidepool.preprocessing._ENOUGH", 100)
    monkeypatch.setattr("tidepool.seen._SAMPLE", 100)
    monkeypatch.setattr("tidepool.training.run._BATCH_OF_PREDICTION", 50)
    monkeypatch.setattr("tidepool.training.rows._BLOCK", 50)
    monkeypatch.setattr(fitting, "_BLOCK", 50)
    digits = tp.read("digits")
    guarded = Guarded(digits.images.astype(dtype))
    fitted = fit(ImageSet(guarded, digits.labels), Settings(seconds=1.0, device="cpu", frame=(12, 12)))
    assert fitted.plans[0].batch_size <= 101
    assert guarded.most < 200


def test_a_frame_that_is_too_small_is_said_before_training(files):
    with pytest.raises(DataError, match="pictures of 8x8 are larger than the frame 7x9"):
        fit(read(files), Settings(**{**FAST, "frame": (7, 9)}))


def test_versions_of_one_original_stay_on_one_side():
    digits = tp.read("digits").select(np.arange(1200) % 300)
    originals = np.arange(1200) % 300
    fitted = fit(ImageSet(digits.images, digits.labels, groups=originals), Settings(epochs=1, device="cpu"))
    held = set(originals[fitted.held])
    assert len(held) == 60
    assert len(fitted.held) == 240  # all versions of each
    assert fitted.model.card["held_back_share"] == 0.2
    # Groups that are given go before those of the set.
    other = fit(digits, Settings(epochs=1, device="cpu"), groups=np.arange(1200) % 7)
    assert len({int(row) % 7 for row in other.held}) == 1


def call(*arguments):
    from tidepool.cli.train import train

    return CliRunner().invoke(train, [str(argument) for argument in arguments], catch_exceptions=False)


def test_train_reads_a_glob_with_and_without_the_cache(files, tmp_path):
    options = ["--epochs", 1, "--stack", "small", "--device", "cpu"]
    assert call(f"{files}/*.mat", "--out", tmp_path / "a.tidepool", *options, "--no-cache").exit_code == 0
    assert not mapped.folder().exists()
    assert call(f"{files}/*.mat", "--out", tmp_path / "b.tidepool", *options).exit_code == 0
    assert mapped.folder().exists()
    first, second = (tp.load(tmp_path / f"{name}.tidepool") for name in "ab")
    assert first.weights_bytes == second.weights_bytes
    assert first.card["trained_on"]["sha256"] == second.card["trained_on"]["sha256"]
