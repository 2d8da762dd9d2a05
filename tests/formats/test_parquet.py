import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tidepool.errors import DataError
from tidepool.formats import read

PIXELS = np.arange(36, dtype=np.uint8).reshape(4, 3, 3)


def png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def fails(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    assert path.name in caught.value.message
    return str(caught.value)


def test_pixel_columns(tmp_path: Path) -> None:
    columns = {"label": ["a", "b", "a", "b"]} | {f"pixel{i}": PIXELS.reshape(4, 9)[:, i] for i in range(9)}
    pl.DataFrame(columns).write_parquet(tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert np.array_equal(found.images, PIXELS)
    assert found.labels is not None
    assert found.labels.tolist() == ["a", "b", "a", "b"]


@pytest.mark.parametrize("plain", [False, True])
def test_encoded_pictures_as_hugging_face_writes_them(tmp_path: Path, plain: bool) -> None:
    images = [png(one) if plain else {"bytes": png(one), "path": None} for one in PIXELS]
    pl.DataFrame({"image": images, "label": [3, 1, 2, 0]}).write_parquet(tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert np.array_equal(found.images, PIXELS)
    assert found.labels is not None
    assert found.labels.tolist() == [3, 1, 2, 0]


def test_broken_picture_is_named(tmp_path: Path) -> None:
    pl.DataFrame({"image": [png(PIXELS[0]), b"no picture"]}).write_parquet(tmp_path / "a.parquet")
    assert "row 2, column image" in fails(tmp_path / "a.parquet")


def test_missing_value_is_named(tmp_path: Path) -> None:
    pl.DataFrame({"label": [1, None], **{f"p{i}": [1, 2] for i in range(4)}}).write_parquet(tmp_path / "a.parquet")
    assert "row 2, column label" in fails(tmp_path / "a.parquet")


def test_no_pictures_and_broken(tmp_path: Path) -> None:
    pl.DataFrame({"label": [1], "note": ["x"]}).write_parquet(tmp_path / "a.parquet")
    assert "note (String)" in fails(tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(content[:40])
    assert "broken Parquet" in fails(tmp_path / "cut.parquet")
