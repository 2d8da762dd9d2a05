import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tidepool.errors import DataError
from tidepool.formats import read
from tidepool.images import ImageSet

HEADER = "label,pixel0,pixel1,pixel2,pixel3"
PIXELS = np.array([[[0, 10], [20, 255]], [[1, 2], [3, 4]]])


def write_csv(path: Path, *lines: str, end: str = "\n") -> Path:
    path.write_text(end.join(lines) + end, newline="")
    return path


def fails(path: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        read(path, **options)  # type: ignore[arg-type]
    assert "\n" not in caught.value.message
    assert path.name in caught.value.message
    return str(caught.value)


def same(found: ImageSet, labels: list[object] | None) -> None:
    assert np.array_equal(found.images, PIXELS)
    assert found.images.dtype == np.uint8
    assert (found.labels is None) if labels is None else (found.labels is not None and found.labels.tolist() == labels)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_kaggles_file(tmp_path: Path, separator: str, end: str) -> None:
    lines = [line.replace(",", separator) for line in (HEADER, "7,0,10,20,255", "9,1,2,3,4")]
    found = read(write_csv(tmp_path / "a.csv", *lines, end=end))
    same(found, [7, 9])
    assert found.source.format == "csv"
    assert len(found.source.sha256) == 64
    assert found.ids is not None
    assert found.ids.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("lines", "labels"),
    [
        (["pixel0,pixel1,pixel2,pixel3", "0,10,20,255", "1,2,3,4"], None),
        (["pixel0,pixel1,pixel2,pixel3,label", "0,10,20,255,7", "1,2,3,4,9"], [7, 9]),
        (["p0,p1,Class,p2,p3", "0,10,cat,20,255", '1,2,"a, dog",3,4'], ["cat", "a, dog"]),
        (["label,0,1,2,3", "300,0,10,20,255", "-5,1,2,3,4"], [300, -5]),
        (["0,10,20,255", "1,2,3,4"], None),
        (["cat,0,10,20,255", "dog,1,2,3,4"], ["cat", "dog"]),
        (["0,10,20,255,cat", "1,2,3,4,dog"], ["cat", "dog"]),
        (["0,1,2,3", "0,10,20,255", "1,2,3,4"], None),
        (["label,1x1,1x2,2x1,2x2", "1.0,0,10,20,255", "2.0,1,2,3,4"], [1, 2]),
        (["\ufefflabel,pixel0,pixel1,pixel2,pixel3", "7,0,10,20,255", "9,1,2,3,4"], [7, 9]),
        ([HEADER, "7,0,10,20,255", "9,1,2,3,4", "", ""], [7, 9]),
    ],
)
def test_columns_are_found(tmp_path: Path, lines: list[str], labels: list[object] | None) -> None:
    same(read(write_csv(tmp_path / "a.csv", *lines)), labels)


def test_label_column_by_name(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", "kind,a,b,c,d", "x,0,10,20,255", "y,1,2,3,4")
    same(read(path, label="kind"), ["x", "y"])
    assert "did you mean 'kind'?" in fails(path, label="kinds")


def test_ids_are_kept(tmp_path: Path) -> None:
    found = read(write_csv(tmp_path / "a.csv", "id," + HEADER, "n1,7,0,10,20,255", "n2,9,1,2,3,4"))
    same(found, [7, 9])
    assert found.ids is not None
    assert found.ids.tolist() == ["n1", "n2"]


@pytest.mark.parametrize("last", [False, True])
def test_headerless_label_is_told_by_content(tmp_path: Path, last: bool) -> None:
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (60, 9)), np.arange(60) % 5
    rows = np.column_stack([pixels, labels] if last else [labels, pixels])
    found = read(write_csv(tmp_path / "a.csv", *(",".join(map(str, row)) for row in rows)))
    assert np.array_equal(found.images, pixels.reshape(-1, 3, 3))
    assert np.array_equal(found.labels, labels)  # type: ignore[arg-type]


def test_headerless_undecidable(tmp_path: Path) -> None:
    message = fails(write_csv(tmp_path / "a.csv", "0,5,5,5,1", "1,6,6,6,0"))
    assert "first and last column could both be the label" in message
    assert "header line" in message
    assert "neither" in fails(write_csv(tmp_path / "b.csv", "0,5,5,5,0"))


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("9,1,2,256,4", ["row 2", "line 3", "column pixel2", "'256'", "0..255"]),
        ("9,1,-1,3,4", ["row 2", "column pixel1", "'-1'"]),
        ("9,1,2,3.5,4", ["row 2", "column pixel2", "'3.5'", "decimals"]),
        ("9,1,2,3,oops", ["row 2", "column pixel3", "'oops'"]),
        ("9,1,2,3", ["row 2", "found 4 columns, expected 5"]),
        ("9,1,2,3,4,5", ["row 2", "found 6 columns, expected 5"]),
        ("9,1,,3,4", ["row 2", "column pixel1", "''"]),
        (",1,2,3,4", ["row 2", "column label", "empty cell"]),
        ('9,1,2,3,"4', ["row 2"]),
        ("", ["row 2", "blank line"]),
    ],
)
def test_bad_cells_are_named(tmp_path: Path, row: str, parts: list[str]) -> None:
    message = fails(write_csv(tmp_path / "bad.csv", HEADER, "7,0,10,20,255", row, "1,1,1,1,1"))
    for part in parts:
        assert part in message


def test_row_numbers_hold_beyond_the_first_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidepool.formats.opening._OUT", 64)
    monkeypatch.setattr("tidepool.formats.csv._BLOCK", 64)
    path = write_csv(tmp_path / "bad.csv", HEADER, *["7,0,10,20,255"] * 30, "7,0,10,20,999", *["1,1,1,1,1"] * 30)
    assert "row 31 (line 32), column pixel3" in fails(path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER.encode() + b"\n1,1,1,1,1\n\xff\xfe,1,2,3,4\n")
    message = fails(path)
    assert "row 2" in message
    assert "UTF-8" in message


def test_empty_and_missing(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    assert "empty file" in fails(tmp_path / "empty.csv")
    assert "header but no rows" in fails(write_csv(tmp_path / "h.csv", HEADER))
    write_csv(tmp_path / "train.csv", HEADER)
    assert "did you mean 'train.csv'?" in fails(tmp_path / "trian.csv")


def test_frames_that_are_not_square(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", "label," + ",".join(f"p{i}" for i in range(12)), "1," + ",".join("7" * 12))
    message = fails(path)
    assert "--shape 3x4" in message
    assert "--shape 2x2" in message
    assert read(path, shape=(3, 4)).images.shape == (1, 3, 4)
    assert read(path, shape=(2, 2)).images.shape == (1, 2, 2, 3)
    assert "needs 25" in fails(path, shape=(5, 5))


def test_packed_files(tmp_path: Path) -> None:
    text = f"{HEADER}\n7,0,10,20,255\n9,1,2,3,4\n".encode()
    packed = gzip.compress(text)
    (tmp_path / "a.csv.gz").write_bytes(packed)
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("a.csv", text)
    (tmp_path / "no-suffix").write_bytes(packed)
    (tmp_path / "wrong.npz").write_bytes(text)
    for name in ("a.csv.gz", "a.csv.zip", "no-suffix", "wrong.npz"):
        same(read(tmp_path / name), [7, 9])


def test_packed_files_that_are_broken(tmp_path: Path) -> None:
    packed = gzip.compress(f"{HEADER}\n7,0,10,20,255\n9,1,2,3,4\n".encode())
    (tmp_path / "cut.csv.gz").write_bytes(packed[:-12])
    assert "cut short" in fails(tmp_path / "cut.csv.gz")
    long = gzip.compress("\n".join([HEADER, *(f"{i},{i % 7},0,0,{i % 9}" for i in range(40_000))]).encode())
    (tmp_path / "bad.csv.gz").write_bytes(long[: len(long) // 2] + b"\xff" * 200 + long[len(long) // 2 + 200 :])
    assert "broken gzip" in fails(tmp_path / "bad.csv.gz")
    with zipfile.ZipFile(tmp_path / "two.csv.zip", "w") as archive:
        archive.writestr("a.csv", "1")
        archive.writestr("b.csv", "2")
    assert "2 files in the zip" in fails(tmp_path / "two.csv.zip")
