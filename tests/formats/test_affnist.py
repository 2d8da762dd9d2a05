from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from tidepool import warp
from tidepool.errors import DataError
from tidepool.formats import affnist, mat, npz, parquet, read
from tidepool.formats.warped import Warped
from tidepool.images import ImageSet

RECIPE = warp.find("affnist")


@pytest.fixture(scope="module")
def originals() -> np.ndarray:  # type: ignore[type-arg]
    pictures = np.zeros((40, 28, 28), np.uint8)
    pictures[:, 5:23, 8:20] = np.random.default_rng(0).integers(1, 256, (40, 18, 12))
    return pictures


@pytest.fixture(scope="module")
def warped(originals: np.ndarray) -> tuple[ImageSet, Warped]:  # type: ignore[type-arg]
    asked = {"seed": 2, "epoch": 7, "size": (40, 40)}
    images = ImageSet(
        RECIPE.warp(originals, **asked),  # type: ignore[arg-type]
        np.arange(40) % 10,
        groups=np.arange(101, 141),
    )
    matrices = RECIPE.matrices(originals, **asked)  # type: ignore[arg-type]
    return images, Warped(matrices, (28, 28), (40, 40), first=241)


def test_the_fields_stand_where_loaders_look_for_them(tmp_path: Path, warped: tuple[ImageSet, Warped]) -> None:
    images, how = warped
    mat.write(images, tmp_path / "7.mat", how)
    struct = loadmat(tmp_path / "7.mat")["affNISTdata"]
    assert struct.dtype.names == (
        "affine_matrix",
        "affine_inverse",
        "image",
        "case_index",
        "label_one_of_n",
        "label_int",
        "human_readable_transform",
        "original_id",
    )
    fields = struct[0, 0]
    np.testing.assert_array_equal(fields[2].T.reshape(40, 40, 40), images.images)
    assert fields[2].dtype == np.uint8
    assert fields[3].tolist() == [list(range(241, 281))]
    assert fields[4].shape == (10, 40)
    assert fields[4].argmax(axis=0).tolist() == images.labels.tolist()  # type: ignore[union-attr]
    assert fields[5].tolist() == [images.labels.tolist()]  # type: ignore[union-attr]
    assert fields[6].shape == (6, 40)
    assert fields[7].dtype == np.int32
    assert fields[7].tolist() == [list(range(101, 141))]


def test_a_version_can_be_made_again_from_its_file(
    tmp_path: Path,
    originals: np.ndarray,  # type: ignore[type-arg]
    warped: tuple[ImageSet, Warped],
) -> None:
    images, how = warped
    mat.write(images, tmp_path / "7.mat", how)
    fields = loadmat(tmp_path / "7.mat")["affNISTdata"][0, 0]
    inverse = fields["affine_inverse"].T.reshape(40, 2, 3)
    np.testing.assert_array_equal(warp.apply(originals, inverse, (40, 40)), images.images)
    there = np.concatenate([fields["affine_matrix"].T.reshape(40, 2, 3), np.tile([[[0, 0, 1]]], (40, 1, 1))], axis=1)
    back = np.concatenate([inverse, np.tile([[[0, 0, 1]]], (40, 1, 1))], axis=1)
    np.testing.assert_allclose(there @ back, np.tile(np.eye(3), (40, 1, 1)), atol=1e-4)
    npz.write(images, tmp_path / "7.npz", how)
    with np.load(tmp_path / "7.npz") as arrays:
        np.testing.assert_array_equal(arrays["matrices"], how.matrices)
    parquet.write(images, tmp_path / "7.parquet", how)
    import polars as pl

    rows = pl.read_parquet(tmp_path / "7.parquet")["matrix"].to_list()
    np.testing.assert_array_equal(np.array(rows, np.float32).reshape(40, 2, 3), how.matrices)


def test_the_readable_parts_are_what_was_drawn(warped: tuple[ImageSet, Warped]) -> None:
    _, how = warped
    rotation, shear, across, down, right, below = how.parts()
    for values, low, high in ((rotation, -20, 20), (shear, -0.2, 0.2), (across, 0.8, 1.2), (down, 0.8, 1.2)):
        assert low <= values.min()
        assert values.max() <= high
        assert np.ptp(values) > 0.7 * (high - low)
    assert np.abs(right).max() < 20
    # Put together again they are the map.
    for i, forward in enumerate(how.forward()):
        angle = np.radians(rotation[i])
        turn = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        linear = turn @ np.array([[1, shear[i]], [0, 1]]) @ np.diag([across[i], down[i]])
        np.testing.assert_allclose(forward[:, :2], linear, atol=1e-5)
        middle = linear @ [-13.5, -13.5] + 19.5 + [right[i], below[i]]
        np.testing.assert_allclose(forward[:, 2], middle, atol=1e-4)


def test_a_positive_rotation_is_counter_clockwise() -> None:
    bar = np.zeros((1, 9, 9), np.uint8)
    bar[0, 4, 1:8] = 255  # lies flat
    angle = np.radians(45)
    forward = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    inverse = np.linalg.inv(forward)
    matrix = np.concatenate([inverse, (4 - inverse @ [4, 4])[:, None]], axis=1)[None].astype(np.float32)
    how = Warped(matrix, (9, 9), (9, 9))
    np.testing.assert_allclose(how.parts()[:, 0], [45, 0, 1, 1, 0, 0], atol=1e-4)
    turned = warp.apply(bar, matrix)[0]
    assert turned[2, 6] > 100  # the right end went up
    assert turned[6, 6] == 0


@pytest.mark.parametrize("kind", [mat, npz, parquet])
def test_originals_are_read_as_groups(tmp_path: Path, warped: tuple[ImageSet, Warped], kind: object) -> None:
    images, _ = warped
    path = tmp_path / f"a.{kind.NAME}"  # type: ignore[attr-defined]
    kind.write(images, path)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(read(path, cache=False).groups, images.groups)  # type: ignore[arg-type]
    bare = ImageSet(images.images[..., :30], images.labels, groups=images.groups)  # not square: plain arrays in .mat
    kind.write(bare, path)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(read(path, cache=False).groups, images.groups)  # type: ignore[arg-type]
    kind.write(ImageSet(images.images, images.labels), path)  # type: ignore[attr-defined]
    assert read(path, cache=False).groups is None


def test_fields_of_the_same_name_that_are_no_numbers_of_originals(tmp_path: Path) -> None:
    pixels = np.zeros((4, 3, 3), np.uint8)
    for i, strange in enumerate((np.array(["a", "b", "c", "d"]), np.arange(3), np.array([1, 2, 3, 0.5]))):
        np.savez(tmp_path / f"{i}.npz", images=pixels, groups=strange)
        assert read(tmp_path / f"{i}.npz", cache=False).groups is None
    savemat(tmp_path / "a.mat", {"affNISTdata": {"image": pixels.reshape(4, 9).T, "original_id": np.ones((1, 4))}})
    groups = read(tmp_path / "a.mat", cache=False).groups
    assert groups is not None
    assert groups.dtype == np.int64  # MATLAB's own numbers are doubles


def test_numbers_beyond_32_bits_keep_their_values(warped: tuple[ImageSet, Warped]) -> None:
    images, how = warped
    late = Warped(how.matrices, how.frame, how.size, first=(1 << 31) - 3)
    fields = affnist.to_struct(replace(images, groups=np.arange(40) * (1 << 32)), late)
    assert fields["case_index"][0].tolist() == [(1 << 31) - 3 + i for i in range(40)]
    assert len(np.unique(fields["original_id"])) == 40


def test_labels_by_name(tmp_path: Path) -> None:
    struct = {
        "image": np.zeros((16, 5), np.uint8),
        "label_one_of_n": np.eye(10, dtype=np.uint8)[:, [3, 1, 4, 1, 5]],
        "other": np.arange(5)[None],
    }
    savemat(tmp_path / "a.mat", {"affNISTdata": struct})
    assert read(tmp_path / "a.mat").labels.tolist() == [3, 1, 4, 1, 5]  # type: ignore[union-attr]
    assert read(tmp_path / "a.mat", label="other").labels.tolist() == [0, 1, 2, 3, 4]  # type: ignore[union-attr]
    with pytest.raises(DataError, match=r"a\.mat: affNISTdata has no field 'othr'") as caught:
        read(tmp_path / "a.mat", label="othr")
    assert caught.value.hint == "did you mean 'other'?"
