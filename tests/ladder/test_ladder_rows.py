from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tidepool import warp
from tidepool.errors import DataError, OutsideError
from tidepool.formats import write
from tidepool.images import ImageSet
from tidepool.ladder import QUICK, Sizes
from tidepool.ladder.rows import affnist_file, as_floats, divide, find, padded


def test_held_back_rows_are_stratified_and_apart(digits: ImageSet, tiny: Sizes) -> None:
    rows = divide(digits, tiny, seed=0)
    assert abs(len(rows.held_labels) - tiny.held) <= 5
    assert abs(len(rows.labels) - tiny.rows) <= 5
    assert np.bincount(rows.held_labels).min() >= 8
    held = {image.tobytes() for image in rows.held_images}
    assert not held & {image.tobytes() for image in rows.images}
    assert rows.sha256 == "0" * 64
    assert rows.score(rows.held_labels) == 1.0


def test_the_seed_decides_what_is_held_back(digits: ImageSet, tiny: Sizes) -> None:
    first, again, other = (divide(digits, tiny, seed).held_images.tobytes() for seed in (0, 0, 1))
    assert first == again != other


def test_other_frames_are_refused(tiny: Sizes) -> None:
    small = ImageSet(np.zeros((20, 8, 8), np.uint8), np.arange(20) % 10)
    with pytest.raises(DataError, match="28x28"):
        divide(small, tiny, 0)


def test_too_few_rows_are_refused(digits: ImageSet) -> None:
    with pytest.raises(DataError, match="600 rows, but 1,500"):
        divide(digits, QUICK, 0)


def test_a_file_is_what_the_recipe_does_to_padded_rows(digits: ImageSet) -> None:
    """So a listing that warps padded rows on the fly sees file k in epoch k."""
    index = np.array([3, 70, 500])
    images = digits.images[index]
    made = affnist_file(images, 7, 2, index)
    whole = padded(images)
    matrices = warp.recipes["affnist"].matrices(whole, 7, 2, index)
    assert made.shape == (3, 40, 40)
    assert np.abs(made.astype(int) - warp.apply(whole, matrices)).max() <= 2
    assert not np.array_equal(made, affnist_file(images, 7, 3, index))


def test_floats_are_as_in_the_listings(digits: ImageSet) -> None:
    floats = as_floats(digits.images[:4])
    assert floats.shape == (4, 1, 28, 28)
    assert floats.dtype == np.float32
    assert floats.max() == np.float32(digits.images[:4].max()) / np.float32(255)


def test_kaggle_s_rows_come_first_and_mnist_s_take_their_place(
    digits: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEPOOL_DATA", str(tmp_path))
    notes: list[str] = []
    write(digits, tmp_path / "mnist" / "train-images-idx3-ubyte.gz")
    assert find(False, notes.append).source.path == "mnist"
    assert "Kaggle" in notes[0]
    assert "kaggle/train.csv.gz" in notes[0]
    write(digits, tmp_path / "kaggle" / "train.csv.gz")
    assert find(False, notes.append).source.path == "kaggle-digits"
    assert len(notes) == 1


def test_without_any_rows_both_places_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pooch

    def offline(*arguments: object, **settings: object) -> None:
        raise ConnectionError

    monkeypatch.setenv("TIDEPOOL_DATA", str(tmp_path))
    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(OutsideError) as caught:
        find(False)
    assert "kaggle-digits" in caught.value.message
    assert "mnist" in caught.value.message
    assert "kaggle/train.csv.gz" in caught.value.hint
    assert "mnist/train-images-idx3-ubyte.gz" in caught.value.hint
    assert caught.value.exit_code == 4
