from pathlib import Path

import numpy as np
import pytest

from tidepool.errors import DataError
from tidepool.formats import read

PIXELS = np.arange(36, dtype=np.uint8).reshape(4, 3, 3)
LABELS = np.array([0, 1, 0, 1])


def fails(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    assert path.name in caught.value.message
    return str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"images": PIXELS, "labels": LABELS},
        {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS[:1], "y_test": LABELS[:1]},
        {"X": PIXELS.reshape(4, 9), "y": LABELS},
        {"arr_0": PIXELS, "arr_1": LABELS},
    ],
)
def test_usual_names(tmp_path: Path, fields: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "a.npz", **fields)
    (tmp_path / "a.npz").rename(tmp_path / "no-suffix")
    found = read(tmp_path / "no-suffix")
    assert np.array_equal(found.images, PIXELS)
    assert np.array_equal(found.labels, LABELS)  # type: ignore[arg-type]


def test_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", PIXELS.reshape(4, 9) / 255)
    found = read(tmp_path / "a.npy")
    assert found.images.shape == (4, 3, 3)
    assert found.images.dtype == np.float64


def test_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.array([{}, {}], dtype=object))
    np.save(tmp_path / "a.npy", np.array([{}, {}], dtype=object))
    assert "never loaded" in fails(tmp_path / "a.npz")
    assert "never loaded" in fails(tmp_path / "a.npy")


def test_no_pictures_lists_the_fields(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", weight=np.ones(3), height=np.ones(2))
    assert "weight 3, height 2" in fails(tmp_path / "a.npz")


def test_broken(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=PIXELS)
    np.save(tmp_path / "a.npy", PIXELS)
    for name in ("a.npz", "a.npy"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        assert "broken" in fails(tmp_path / name)


def test_one_label_more(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=np.arange(5))
    assert "labels 5, images 4" in fails(tmp_path / "a.npz")
