import json
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tidepool import warp
from tidepool.augmentation import Order, Target, augment, make, natural_size
from tidepool.errors import DataError, InputError, OutsideError
from tidepool.formats import mat, read
from tidepool.images import ImageSet
from tidepool.preprocessing import background_of

AFFNIST = warp.find("affnist")


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    whole = read("digits", cache=False)
    return ImageSet(whole.images[:50], whole.labels[:50], source=whole.source)  # type: ignore[index]


@pytest.mark.parametrize("suffix", ["", ".mat", ".npz", ".parquet"])
def test_file_k_is_epoch_k_of_the_recipe(tmp_path: Path, digits: ImageSet, suffix: str) -> None:
    made = augment(digits, tmp_path / f"data{suffix}", Order(AFFNIST, copies=3, size=(14, 14), seed=5))
    kind = suffix or ".mat"
    assert sorted(path.name for path in made.target.folder.iterdir()) == [
        *(f"{k}{kind}" for k in (1, 2, 3)),
        "augment.json",
    ]
    for k in (1, 2, 3):
        one = read(made.target.path(str(k)), cache=False)
        expected = AFFNIST.warp(digits.images, seed=5, epoch=k, size=(14, 14))
        np.testing.assert_array_equal(one.images, expected)
        np.testing.assert_array_equal(one.labels, digits.labels)  # type: ignore[arg-type]
        np.testing.assert_array_equal(one.groups, np.arange(1, 51))  # type: ignore[arg-type]
    for source in (made.target.folder, made.target.folder / f"*{kind}"):
        together = read(source, cache=False)
        assert len(together) == 150
        np.testing.assert_array_equal(together.groups, np.tile(np.arange(1, 51), 3))  # type: ignore[arg-type]


def test_rgb_text_labels_and_ids(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 7, 3)).astype(np.uint8)
    names = np.array(["cat", "dog", "eel"] * 2)
    photos = ImageSet(pixels, names, np.array([f"{name}/{i}.png" for i, name in enumerate(names)]))
    order = Order(warp.find("gentle"), copies=2)
    for suffix in (".npz", ".parquet"):
        folder = tmp_path / f"photos{suffix}"
        augment(photos, folder, order)
        found = read(folder / f"2{suffix}", cache=False)
        np.testing.assert_array_equal(found.images, order.recipe.warp(pixels, epoch=2, fill=background_of(pixels)))
        assert found.ids is not None
        assert found.ids.tolist() == photos.ids.tolist()  # type: ignore[union-attr]
        assert found.labels is not None
        assert found.labels.tolist() == names.tolist()
    with pytest.raises(DataError, match="3 channels") as caught:
        augment(photos, tmp_path / "photos", order)
    assert "photos.npz" in caught.value.hint
    assert not (tmp_path / "photos").exists()


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (ImageSet(np.zeros((3, 4, 4), np.uint8), np.array([1, 10, 2])), "labels 1 to 10"),
        (ImageSet(np.zeros((3, 4, 4), np.uint8), np.array(["a", "b", "c"])), "labels such as 'a'"),
        (ImageSet(np.zeros((3, 4, 6), np.uint8)), "frames of 4x6"),
        (ImageSet(np.zeros((3, 4, 4), np.float32)), "type float32"),
    ],
)
def test_what_affnist_cannot_hold(tmp_path: Path, images: ImageSet, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        augment(images, tmp_path / "data", Order(warp.find("gentle"), copies=1))
    assert ".parquet" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_without_labels(tmp_path: Path, digits: ImageSet) -> None:
    for suffix in ("", ".npz", ".parquet"):
        augment(ImageSet(digits.images), tmp_path / f"bare{suffix}", Order(AFFNIST, copies=1))
        assert read(tmp_path / f"bare{suffix}", cache=False).labels is None


def test_versions_of_versions_keep_their_original(tmp_path: Path, digits: ImageSet) -> None:
    groups = np.repeat(np.arange(100, 110), 5)
    images = ImageSet(digits.images, digits.labels, groups=groups)
    augment(images, tmp_path / "again", Order(AFFNIST, copies=1))
    np.testing.assert_array_equal(read(tmp_path / "again", cache=False).groups, groups)  # type: ignore[arg-type]


def test_a_stopped_run_goes_on_with_the_missing_files(tmp_path: Path, digits: ImageSet) -> None:
    order = Order(AFFNIST, copies=4)
    folder = tmp_path / "data"

    def stop(done: int, total: int) -> None:
        if done > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        augment(digits, folder, order, progress=stop)
    whole = sorted(path.name for path in folder.iterdir())
    assert whole == ["1.mat", "2.mat", "augment.json"]
    kept = (folder / "1.mat").stat().st_mtime_ns
    (folder / ".0123abcd-3.mat").write_bytes(b"what a killed run leaves")
    heard: list[tuple[int, int]] = []
    made = augment(digits, folder, order, progress=lambda *at: heard.append(at))
    assert (made.shards, made.made) == (4, 2)
    assert heard[-1] == (100, 100)
    assert (folder / "1.mat").stat().st_mtime_ns == kept
    assert sorted(path.name for path in folder.iterdir()) == ["1.mat", "2.mat", "3.mat", "4.mat", "augment.json"]
    assert augment(digits, folder, order).made == 0
    more = augment(digits, folder, Order(AFFNIST, copies=5))
    assert more.made == 1
    assert json.loads((folder / "augment.json").read_text())["copies"] == 5
    unbroken = tmp_path / "unbroken"
    augment(digits, unbroken, Order(AFFNIST, copies=5))
    np.testing.assert_array_equal(read(folder, cache=False).images, read(unbroken, cache=False).images)


def test_other_settings_are_refused(tmp_path: Path, digits: ImageSet) -> None:
    folder = tmp_path / "data"
    augment(digits, folder, Order(AFFNIST, copies=2))
    before = (folder / "1.mat").read_bytes()
    fewer = ImageSet(digits.images[:40], digits.labels[:40])  # type: ignore[index]
    other = ImageSet(digits.images, digits.labels[::-1])  # type: ignore[index]
    for images, order, said in (
        (digits, Order(AFFNIST, copies=2, seed=1), "from --seed 0, not 1"),
        (digits, Order(AFFNIST, copies=2, size=(40, 40)), "of 12x12, not 40x40"),
        (digits, Order(warp.find("digits"), copies=2, size=(12, 12)), "by the recipe 'affnist', not 'digits'"),
        (digits, Order(AFFNIST, copies=1), "holds 2 copies"),
        (fewer, Order(AFFNIST, copies=2), "of other pictures"),
        (other, Order(AFFNIST, copies=2), "of other pictures"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            augment(images, folder, order)
        assert "--force" in caught.value.hint
    assert (folder / "1.mat").read_bytes() == before
    (folder / "notes.txt").write_text("mine")
    made = augment(digits, folder, Order(AFFNIST, copies=1, seed=1), force=True)
    assert made.made == 1
    assert (folder / "1.mat").read_bytes() != before
    assert sorted(path.name for path in folder.iterdir()) == ["1.mat", "augment.json", "notes.txt"]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, digits: ImageSet) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1.mat").write_bytes(b"mine")
    for force in (False, True):
        with pytest.raises(InputError, match="holds something else"):
            augment(digits, tmp_path / "data", Order(AFFNIST, copies=1), force=force)
    assert (tmp_path / "data" / "1.mat").read_bytes() == b"mine"
    (tmp_path / "data" / "augment.json").write_text("[broken")
    with pytest.raises(InputError, match=r"augment\.json: cannot be read"):
        augment(digits, tmp_path / "data", Order(AFFNIST, copies=1))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".DS_Store").write_bytes(b"the system's")
    assert augment(digits, tmp_path / "empty", Order(AFFNIST, copies=1)).made == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [("data.csv", r"not written as '\.csv'"), ("data/*.npz", "not a pattern"), ("file", "is a file")],
)
def test_a_target_that_cannot_be(tmp_path: Path, digits: ImageSet, name: str, said: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=said) as caught:
        augment(digits, tmp_path / name, Order(AFFNIST, copies=1))
    assert "data3.npz" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_no_room_is_said_before_anything_is_written(
    tmp_path: Path, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2_000_000))
    with pytest.raises(OutsideError, match=r"needs about \d+ MB, but 2 MB are free"):
        augment(digits, tmp_path / "deep" / "data", Order(AFFNIST, copies=5000))
    assert not (tmp_path / "deep").exists()
    made = augment(digits, tmp_path / "deep" / "data", Order(AFFNIST, copies=2))
    # A careful estimate: above what the files take, and not ten times above.
    taken = sum(path.stat().st_size for path in made.target.shards())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=taken))
    with pytest.raises(OutsideError):
        augment(digits, tmp_path / "other", Order(AFFNIST, copies=2))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10 * taken))
    assert augment(digits, tmp_path / "other", Order(AFFNIST, copies=2)).made == 2


def test_a_large_version_is_written_in_parts(tmp_path: Path, digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    augment(digits, tmp_path / "whole", Order(AFFNIST, copies=2))
    monkeypatch.setattr(make, "SHARD", 20 * 12 * 12)
    monkeypatch.setattr(make, "_CHUNK", 7)
    made = augment(digits, tmp_path / "parts", Order(AFFNIST, copies=2))
    names = sorted(path.name for path in made.target.shards())
    assert names == [f"{version}-{part}.mat" for version in (1, 2) for part in (1, 2, 3)]
    parts, whole = read(tmp_path / "parts", cache=False), read(tmp_path / "whole", cache=False)
    np.testing.assert_array_equal(parts.images, whole.images)
    np.testing.assert_array_equal(parts.groups, whole.groups)  # type: ignore[arg-type]
    fields = mat._read_v5(tmp_path / "parts" / "2-3.mat")["affNISTdata"]
    assert fields["case_index"][0, -1] == 100


def test_pictures_that_had_to_shrink_are_named(tmp_path: Path) -> None:
    full = np.zeros((4, 12, 12), np.uint8)
    full[:, 4:8, 4:8] = 200
    full[2] = 255  # ink up to every edge
    made = augment(ImageSet(full), tmp_path / "data", Order(AFFNIST, copies=8, size=(12, 12)))
    assert made.shrunk
    assert {name for _, name in made.shrunk} == {"3"}


def test_a_frame_smaller_than_the_pictures(tmp_path: Path, digits: ImageSet) -> None:
    with pytest.raises(InputError, match="--size 7x8 is smaller than the pictures, which are 8x8"):
        augment(digits, tmp_path / "data", Order(AFFNIST, copies=1, size=(7, 8)))


def test_natural_size() -> None:
    assert natural_size(AFFNIST, (28, 28)) == (40, 40)
    assert natural_size(AFFNIST, (8, 8)) == (12, 12)
    assert natural_size(AFFNIST, (16, 20)) == (24, 30)
    assert natural_size(warp.find("digits"), (28, 28)) == (28, 28)


def test_floats_are_kept(tmp_path: Path, digits: ImageSet) -> None:
    images = ImageSet(digits.images.astype(np.float32) / 16, digits.labels)
    augment(images, tmp_path / "data.npz", Order(AFFNIST, copies=1))
    found = read(tmp_path / "data.npz", cache=False)
    assert found.images.dtype == np.float32
    np.testing.assert_array_equal(found.images, AFFNIST.warp(images.images, epoch=1, size=(12, 12)))


def test_memory_does_not_grow_with_the_copies(tmp_path: Path, digits: ImageSet) -> None:
    many = ImageSet(np.tile(digits.images, (100, 1, 1)))
    shard = len(many) * 40 * 40
    tracemalloc.start()
    try:
        augment(many, tmp_path / "data.npz", Order(AFFNIST, copies=16, size=(40, 40)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 7 * shard  # 16 versions are never held at once


def test_a_step_up_from_a_folder_that_is_not_there_keeps_what_lies_there(tmp_path: Path, digits: ImageSet) -> None:
    augment(digits, tmp_path / "a", Order(AFFNIST, 1))
    before = (tmp_path / "a" / "1.mat").read_bytes()
    with pytest.raises(InputError, match="holds versions"):
        augment(digits, tmp_path / "none" / ".." / "a", Order(warp.find("digits"), 1))
    assert (tmp_path / "a" / "1.mat").read_bytes() == before


def test_a_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file is a file, expected a folder"):
        Target.of(str(tmp_path / "file" / "a"))
