from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tidepool.errors import DataError
from tidepool.formats import read


def save(path: Path, value: int = 9, size: tuple[int, int] = (4, 4), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, value, np.uint8)).convert(mode).save(path)


def fails(source: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        read(source, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_class_folders(tmp_path: Path) -> None:
    for name in ("cat/10.png", "cat/9.png", "dog/a.bmp", ".hidden/x.png", "dog/notes.txt"):
        save(tmp_path / name) if not name.endswith("txt") else (tmp_path / name).write_text("x")
    found = read(tmp_path)
    assert found.labels is not None
    assert found.ids is not None
    assert found.labels.tolist() == ["cat", "cat", "dog"]
    assert found.ids.tolist() == ["cat/9.png", "cat/10.png", "dog/a.bmp"]


def test_folder_names_of_digits_are_numbers(tmp_path: Path) -> None:
    for label in (2, 10):
        save(tmp_path / str(label) / "a.png")
    assert read(tmp_path).labels.tolist() == [2, 10]  # type: ignore[union-attr]
    save(tmp_path / "02" / "a.png")
    assert sorted(read(tmp_path).labels.tolist()) == ["02", "10", "2"]  # type: ignore[union-attr]


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "gif", "webp"])
def test_flat_folder_single_file_and_glob(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / f"a.{suffix}", 255)
    save(tmp_path / f"b.{suffix}", 0)
    found = read(tmp_path)
    assert found.images.shape == (2, 4, 4)
    assert found.labels is None
    assert found.images[:, 0, 0].tolist() == [255, 0]
    assert len(read(tmp_path / f"*.{suffix}")) == 2
    assert read(tmp_path / f"a.{suffix}").images.shape == (1, 4, 4)


def test_modes(tmp_path: Path) -> None:
    red = np.zeros((4, 4, 4), np.uint8)
    red[..., 0], red[:2, :, 3] = 200, 255
    Image.fromarray(red).save(tmp_path / "rgba.png")
    found = read(tmp_path / "rgba.png").images
    assert found.shape == (1, 4, 4, 3)
    assert found[0, 0, 0].tolist() == [200, 0, 0]
    assert found[0, 3, 3].tolist() == [0, 0, 0]
    Image.fromarray(red[..., :3]).convert("P").save(tmp_path / "palette.png")
    assert read(tmp_path / "palette.png").images.shape == (1, 4, 4, 3)
    save(tmp_path / "grey-as-rgb.png", 7, mode="RGB")
    assert read(tmp_path / "grey-as-rgb.png").images.shape == (1, 4, 4)
    deep = np.full((4, 4), 40_000, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    found = read(tmp_path / "deep.png").images
    assert found.dtype == np.uint16
    assert np.array_equal(found[0], deep)


def test_mixed_sizes(tmp_path: Path) -> None:
    for name, side in (("a", 4), ("b", 4), ("c", 8)):
        save(tmp_path / f"{name}.png", 9, (side, side))
    message = fails(tmp_path)
    assert "2 of 4x4, 1 of 8x8" in message
    assert "--size 4x4" in message
    found = read(tmp_path, size=(6, 5))
    assert found.images.shape == (3, 6, 5)
    assert set(found.images.ravel().tolist()) == {9}


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert "no pictures" in fails(tmp_path / "none")
    save(tmp_path / "a" / "good.png")
    (tmp_path / "a" / "bad.png").write_bytes((tmp_path / "a" / "good.png").read_bytes()[:40])
    assert "bad.png: broken picture" in fails(tmp_path / "a")
    frames = [Image.fromarray(np.full((4, 4), v, np.uint8)) for v in (0, 255)]
    (tmp_path / "g").mkdir()
    frames[0].save(tmp_path / "g" / "film.gif", save_all=True, append_images=frames[1:])
    assert "film.gif: 2 pictures" in fails(tmp_path / "g")
    save(tmp_path / "m" / "loose.png")
    save(tmp_path / "m" / "c" / "in.png")
    assert "loose.png" in fails(tmp_path / "m")


def test_decompression_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "big.png", 0, (50, 50))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert "big.png: too large" in fails(tmp_path / "big.png")
