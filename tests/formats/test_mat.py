import builtins
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tidepool.errors import DataError
from tidepool.formats import read

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 5, 5)).astype(np.uint8)
LABELS = np.arange(7) % 3


def fails(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    assert path.name in caught.value.message
    return str(caught.value)


def test_affnist_is_row_by_row_and_not_transposed(tmp_path: Path) -> None:
    struct = {"image": PIXELS.reshape(7, 25).T, "label_int": LABELS[None].astype(np.uint8)}
    savemat(tmp_path / "1.mat", {"affNISTdata": struct})
    found = read(tmp_path / "1.mat")
    assert np.array_equal(found.images, PIXELS)
    assert np.array_equal(found.labels, LABELS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "pixels"),
    [
        ({"images": PIXELS, "labels": LABELS}, PIXELS),
        ({"X": PIXELS.reshape(7, 25), "y": LABELS[:, None]}, PIXELS),
        ({"X": PIXELS.reshape(7, 25).T, "y": LABELS[:, None]}, PIXELS),
        ({"data": np.moveaxis(PIXELS, 0, -1), "label": LABELS}, PIXELS),
        ({"X": np.moveaxis(np.stack([PIXELS] * 3, -1), 0, -1), "y": LABELS[:, None]}, np.stack([PIXELS] * 3, -1)),
    ],
)
def test_plain_arrays(tmp_path: Path, fields: dict[str, np.ndarray], pixels: np.ndarray) -> None:
    savemat(tmp_path / "a.mat", fields)
    found = read(tmp_path / "a.mat")
    assert np.array_equal(found.images, pixels)
    assert np.array_equal(found.labels, LABELS)  # type: ignore[arg-type]


def test_no_pictures_lists_the_fields(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"speed": np.ones((2, 2)), "name": "x"})
    message = fails(tmp_path / "a.mat")
    assert "speed 2x2" in message
    assert "name" in message


def test_broken(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"images": PIXELS})
    content = (tmp_path / "a.mat").read_bytes()
    (tmp_path / "cut.mat").write_bytes(content[: len(content) // 2])
    assert "broken MATLAB file" in fails(tmp_path / "cut.mat")
    (tmp_path / "noise.mat").write_bytes(b"no matlab file at all")
    assert "broken MATLAB file" in fails(tmp_path / "noise.mat")


def test_labels_that_do_not_match(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"affNISTdata": {"image": PIXELS.reshape(7, 25).T, "label_int": LABELS[None, 1:]}})
    assert "labels 6, images 7" in fails(tmp_path / "a.mat")


def test_v73(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        group = file.create_group("affNISTdata")
        group["image"] = PIXELS.reshape(7, 25)  # HDF5 has MATLAB's axes in reverse
        group["label_int"] = LABELS[:, None]
    with path.open("r+b") as handle:
        handle.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    found = read(path, cache=False)
    assert np.array_equal(found.images, PIXELS)
    assert np.array_equal(found.labels, LABELS)  # type: ignore[arg-type]

    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "h5py":
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r"masked-tidepool\[mat73\]"):
        read(path, cache=False)


def test_several_files_are_one_set_in_natural_order(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        savemat(tmp_path / f"{number}.mat", {"images": PIXELS[:2] // 2 + number, "labels": np.full((2, 1), number)})
    for source in (tmp_path, tmp_path / "*.mat"):
        found = read(source)
        assert found.labels is not None
        assert found.labels.tolist() == [1, 1, 2, 2, 10, 10]
    savemat(tmp_path / "11.mat", {"images": np.zeros((2, 4, 4))})
    message = fails_on(tmp_path)
    assert "1.mat and" in message
    assert "11.mat: frames 5x5 and 4x4" in message
    savemat(tmp_path / "11.mat", {"images": PIXELS})
    assert "11.mat has no labels" in fails_on(tmp_path)


def fails_on(source: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(source)
    return str(caught.value)
