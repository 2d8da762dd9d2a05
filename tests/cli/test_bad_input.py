"""Bad input at the command line: one line that names the place, one hint, the right exit code, nothing written."""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from said import everything, has

Refused = Callable[..., str]


def tiny(labels: int = 6, images: int = 6) -> tuple[bytes, bytes]:
    """Return a pair of IDX files: 4x4 pictures, and labels of two classes."""
    pixels = bytes(range(16)) * images
    return (
        struct.pack(">BBBBIII", 0, 0, 8, 3, images, 4, 4) + pixels,
        struct.pack(">BBBBI", 0, 0, 8, 1, labels) + bytes(k % 2 for k in range(labels)),
    )


@pytest.fixture
def rejected(refused: Refused, here: Path) -> Refused:
    """``rejected(src)``: run, train and convert all refuse ``src`` in the same words and write nothing."""

    def check(src: object, *options: object, code: int = 2) -> str:
        before = everything(here)
        said = [
            refused("run", src, "--budget", "3s", "--out", "out", *options, code=code),
            refused("train", src, "--epochs", 1, "--out", "new/m.tidepool", *options, code=code),
            refused("convert", src, "new/copy.npz", *options, code=code),
        ]
        assert len(set(said)) == 1
        assert everything(here) == before
        return said[0]

    return check


def test_missing(rejected: Refused, here: Path) -> None:
    has(rejected("gone.csv"), "gone.csv: no such file")
    (here / "train.csv").write_text("label,pixel0\n0,1\n1,2\n")
    has(rejected("trian.csv"), "trian.csv: no such file", "did you mean 'train.csv'?")
    has(rejected("no/such/train.csv"), "there is no folder no/such")
    has(rejected("data*/*.mat"), "data*/*.mat", "no file matches")


def test_missing_test_set(refused: Refused, here: Path) -> None:
    has(refused("run", "digits", "--test", "gone.csv", "--out", "out"), "gone.csv: no such file")
    has(refused("audit", "digits", "gone.csv"), "gone.csv: no such file")
    assert not Path("out").exists()


@pytest.mark.parametrize("name", ["e.csv", "e.csv.gz", "e.npz", "e.mat", "e.parquet", "train-images-idx3-ubyte", "e"])
def test_empty(rejected: Refused, here: Path, name: str) -> None:
    (here / name).write_bytes(b"")
    has(rejected(name), f"{name}: empty file")


GOOD = "label,pixel0,pixel1,pixel2,pixel3\n0,0,1,2,3\n1,4,5,6,7\n"


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("1,2,3,4", ("row 3 (line 4)", "found 4 columns, expected 5")),
        ("1,2,3,4,5,6", ("row 3 (line 4)", "found 6 columns, expected 5")),
        ("1,2,256,4,5", ("row 3 (line 4), column pixel1", "'256'", "0..255")),
        ("1,2,-1,4,5", ("row 3 (line 4), column pixel1", "'-1'", "0..255")),
        ("1,2,0.5,4,5", ("row 3 (line 4), column pixel1", "'0.5'", "0..255", ".npz")),
        ("1,2,dark,4,5", ("row 3 (line 4), column pixel1", "'dark'", "0..255")),
        ("1,2,,4,5", ("row 3 (line 4), column pixel1", "''", "0..255")),
        (",2,3,4,5", ("row 3 (line 4), column label", "empty cell, expected a label")),
    ],
)
def test_csv_cells(rejected: Refused, here: Path, row: str, parts: tuple[str, ...]) -> None:
    (here / "bad.csv").write_text(f"{GOOD}{row}\n0,1,2,3,4\n")
    has(rejected("bad.csv"), "bad.csv: ", *parts)


def test_csv_that_is_no_square_offers_shapes(rejected: Refused, command, here: Path) -> None:  # type: ignore[no-untyped-def]
    row = ",".join(["7"] * 12)
    (here / "wide.csv").write_text(f"label,{','.join(f'p{i}' for i in range(12))}\n0,{row}\n1,{row}\n")
    has(rejected("wide.csv"), "wide.csv: 12 pixels a row", "--shape 3x4 or 4x3")
    has(rejected("wide.csv", "--shape", "5x5"), "--shape 5x5", "--shape 3x4")
    assert command("info", "wide.csv", "--shape", "3x4").code == 0


def test_csv_without_rows(rejected: Refused, here: Path) -> None:
    (here / "none.csv").write_text(GOOD.splitlines()[0] + "\n")
    has(rejected("none.csv"), "none.csv: a header but no rows")


def test_labels_where_they_are_needed(refused: Refused, here: Path, data: Path, finished) -> None:  # type: ignore[no-untyped-def]
    test, model = data / "test.csv", finished[1] / "model.tidepool"
    for args in (
        ("run", test, "--out", "out"),
        ("run", test, "--test", data / "turned.npz", "--out", "out"),
        ("train", test, "--out", "m.tidepool"),
        ("evaluate", model, test),
    ):
        has(refused(*args), "test.csv: no labels", "column named label")
    assert not Path("out").exists()
    assert not Path("m.tidepool").exists()


def test_one_class_only(refused: Refused, here: Path, data: Path) -> None:
    np.savez("one.npz", images=np.arange(6 * 16, dtype=np.uint8).reshape(6, 4, 4), labels=np.full(6, 7))
    for args in (
        ("run", "one.npz", "--out", "out"),
        ("run", "one.npz", "--test", "one.npz", "--out", "out"),
        ("train", "one.npz", "--epochs", 1, "--out", "m.tidepool"),
    ):
        has(refused(*args, "--quiet"), "one.npz: one class only (7)", "at least two classes")
    assert not Path("out").exists()
    assert not Path("m.tidepool").exists()


@pytest.mark.parametrize(("labels", "eaten"), [(5, "image"), (7, "label")])
def test_labels_one_off_ask_about_the_header(rejected: Refused, here: Path, labels: int, eaten: str) -> None:
    pictures, beside = tiny(labels=labels)
    (here / "t-images-idx3-ubyte").write_bytes(pictures)
    (here / "t-labels-idx1-ubyte").write_bytes(beside)
    said = rejected("t-images-idx3-ubyte")
    has(said, "t-labels-idx1-ubyte", f"labels {labels}, images 6", "header?")


@pytest.mark.parametrize("labels", [5, 7])
def test_labels_one_off_in_an_npz(rejected: Refused, here: Path, labels: int) -> None:
    np.savez("off.npz", images=np.zeros((6, 4, 4), np.uint8), labels=np.arange(labels))
    has(rejected("off.npz"), "off.npz", f"labels {labels}, images 6", "header?")


def test_idx(rejected: Refused, here: Path) -> None:
    pictures, beside = tiny()
    name = "t-images-idx3-ubyte"
    (here / name).write_bytes(b"\0\0\x99" + pictures[3:])
    has(rejected(name), f"{name}: wrong magic number 0x00009903", "0x00000803")
    (here / name).write_bytes(pictures[:-5])
    has(rejected(name), f"{name}: cut short", "107 bytes found, 112 expected")
    (here / name).write_bytes(pictures[:9])
    has(rejected(name), f"{name}: cut short in its header")
    (here / name).write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, 2_000_000_000, 28, 28) + bytes(64))
    has(rejected(name), f"{name}: cut short", "2,000,000,000 x 28 x 28")
    (here / name).write_bytes(pictures + b"\0")
    has(rejected(name), f"{name}: longer than its header says")
    (here / "t-labels-idx1-ubyte").write_bytes(beside)
    has(rejected("t-labels-idx1-ubyte"), "these are labels (6 of them)", "t-images-idx3-ubyte")


def test_mat_without_pictures_lists_its_fields(rejected: Refused, here: Path) -> None:
    from scipy.io import savemat

    savemat("a.mat", {"weights": np.zeros((3, 4)), "note": "hello"})
    has(rejected("a.mat"), "a.mat: no field with pictures", "weights 3x4", "note")
    savemat("b.mat", {"affNISTdata": {"label_int": np.zeros((1, 3)), "human_readable": np.zeros(3)}})
    has(rejected("b.mat"), "b.mat: affNISTdata has no field image", "label_int, human_readable")
    (here / "c.mat").write_bytes((here / "a.mat").read_bytes()[:150])
    has(rejected("c.mat"), "c.mat: broken MATLAB file")


def test_mat73_without_h5py_names_the_extra(rejected: Refused, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(64))
    monkeypatch.setitem(sys.modules, "h5py", None)
    has(rejected("new.mat"), "new.mat: a MATLAB v7.3 file, which needs h5py", "masked-tidepool[mat73]")


def test_npz_with_objects(rejected: Refused, here: Path) -> None:
    trap = np.empty(2, dtype=object)
    trap[:] = [Trap(), Trap()]
    np.savez("objects.npz", images=trap, labels=np.arange(2))
    has(rejected("objects.npz"), "objects.npz: holds Python objects (pickle)", "never loaded")
    np.save("objects.npy", trap, allow_pickle=True)
    has(rejected("objects.npy"), "objects.npy: holds Python objects (pickle)")
    assert not Path("loaded").exists()


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("loaded",)


def test_folders(rejected: Refused, here: Path) -> None:
    (here / "none" / "inner").mkdir(parents=True)
    (here / "none" / "notes.txt").write_text("nothing to see")
    has(rejected("none"), "none: no pictures in this folder", ".png")

    for k in (0, 1):
        (here / "some" / str(k)).mkdir(parents=True)
        Image.fromarray(np.full((4, 4), 9, np.uint8)).save(here / "some" / str(k) / "good.png")
    (here / "some" / "1" / "bad.png").write_bytes((here / "some" / "1" / "good.png").read_bytes()[:40])
    has(rejected("some"), "some/1/bad.png: broken picture")
    (here / "some" / "1" / "bad.png").write_text("no picture at all")
    has(rejected("some"), "some/1/bad.png: broken picture (not a picture)")
    Image.fromarray(np.zeros((5, 4), np.uint8)).save(here / "some" / "1" / "bad.png")
    has(rejected("some"), "2 of 4x4, 1 of 5x4", "--size 4x4")


def test_a_gif_with_frames(rejected: Refused, here: Path) -> None:
    (here / "gifs").mkdir()
    frames = [Image.fromarray(np.full((4, 4), 60 * k, np.uint8)) for k in range(3)]
    frames[0].save(here / "gifs" / "film.gif", save_all=True, append_images=frames[1:])
    has(rejected("gifs"), "gifs/film.gif: 3 pictures in one file")
    has(rejected("gifs/film.gif"), "gifs/film.gif: 3 pictures in one file")


@pytest.mark.parametrize(
    ("name", "meant"), [("mnits", "mnist"), ("fashion-mnits", "fashion-mnist"), ("digit", "digits")]
)
def test_an_unknown_name(rejected: Refused, name: str, meant: str) -> None:
    has(rejected(name), f"{name}: no such file, folder or data set", f"did you mean '{meant}'?")


def test_no_network(rejected: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    said = rejected("mnist", code=4)
    has(said, "mnist: cannot be downloaded from", "mnist/train-images-idx3-ubyte.gz", "$TIDEPOOL_DATA")
    has(rejected("kaggle-digits", code=4), "kaggle-digits", "kaggle/train.csv.gz", "$TIDEPOOL_DATA")


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (("rnu",), ("no command 'rnu'", "did you mean 'run'?")),
        (("xyzzy",), ("no command 'xyzzy'", "known: audit, ")),
        (("run", "--bugdet", "5s"), ("--bugdet", "`tidepool run`", "did you mean '--budget'?")),
        (("--quite",), ("--quite",)),
        (("run", "digits", "more"), ("unexpected extra argument (more)", "usage: tidepool run [OPTIONS] [SRC]")),
        (("run", "--out"), ("--out", "requires an argument")),
        (("run", "--budget", "soon"), ("'soon'", "20s, 5m or 1h")),
        (("run", "--budget", "0"), ("'0'", "leaves no time")),
        (("run", "--budget", "-5s"), ("'-5s'", "20s, 5m or 1h")),
        (("run", "--shape", "28"), ("--shape 28: expected HEIGHTxWIDTH", "28x28")),
        (("run", "--seed", "-1"), ("--seed", "-1")),
        (("train", "digits"), ("missing option '--out'", "usage: tidepool train [OPTIONS] SRC")),
        (("convert", "digits"), ("missing argument 'DST'", "usage: tidepool convert")),
        (("convert", "digits", "d.tiff"), ("d.tiff", ".tiff", "writable:")),
        (("train", "digits", "--out", "m.tidepool", "--stack", "smal", "--epochs", "1"), ("did you mean 'small'?",)),
        (
            ("train", "digits", "--out", "m.tidepool", "--recipe", "afnist", "--epochs", "1"),
            ("did you mean 'affnist'?",),
        ),
    ],
)
def test_bad_usage(refused: Refused, here: Path, args: tuple[str, ...], parts: tuple[str, ...]) -> None:
    has(refused(*args, *["--quiet"] * (args[0] == "train")), *parts)
    assert not everything(here)


def test_a_path_without_a_command_offers_run(refused: Refused, here: Path) -> None:
    (here / "train.csv").write_text(GOOD)
    has(refused("train.csv"), "no command 'train.csv'", "did you mean `tidepool run train.csv`?")


def test_json_output_stays_empty_when_it_fails(command, here: Path) -> None:  # type: ignore[no-untyped-def]
    for args in (("audit", "gone.csv", "digits"), ("evaluate", "gone.tidepool", "digits"), ("info", "gone.csv")):
        ended = command(*args, "--json")
        assert (ended.code, ended.out) == (2, "")
    assert json.loads(command("info", "digits", "--json").out)["images"] == 1797
