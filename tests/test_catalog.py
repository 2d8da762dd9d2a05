import hashlib
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tidepool import catalog
from tidepool.errors import DataError, OutsideError
from tidepool.formats import read


def test_digits_are_embedded_and_as_scikit_learn_has_them() -> None:
    from sklearn.datasets import load_digits

    found, theirs = read("digits"), load_digits()
    assert np.array_equal(found.images, theirs.images)
    assert np.array_equal(found.labels, theirs.target)  # type: ignore[arg-type]
    assert found.images.dtype == np.uint8


def test_unknown_names() -> None:
    with pytest.raises(DataError, match="did you mean 'mnist'"):
        read("mnis")
    with pytest.raises(DataError, match="did you mean 'usps'"):
        catalog.read("uspss")


def test_a_file_wins_over_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").write_text("label,p0\n3,7\n4,8\n")
    assert len(read("digits")) == 2


def test_data_folder_then_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, value in (("data", 7), (".cache/datasets", 8)):
        (tmp_path / place / "kaggle").mkdir(parents=True)
        (tmp_path / place / "kaggle" / "train.csv").write_text(f"label,p0\n3,{value}\n")
    monkeypatch.delenv("TIDEPOOL_DATA", raising=False)
    assert read("kaggle-digits").images.item() == 8
    monkeypatch.setenv("TIDEPOOL_DATA", str(tmp_path / "data"))
    assert read("kaggle-digits").images.item() == 7
    assert read("kaggle-digits").source.path == "kaggle-digits"


def test_without_a_checksum_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIDEPOOL_DATA", raising=False)
    for name, entry in catalog.ENTRIES.items():
        if entry.files and not entry.files[0].sha256:
            with pytest.raises(OutsideError) as caught:
                read(name)
            assert entry.files[0].path in str(caught.value)
    assert all(file.sha256 for entry in catalog.ENTRIES.values() for file in entry.files if file.url)


@pytest.fixture
def server(tmp_path: Path) -> object:
    (tmp_path / "www").mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "www"))) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()


def test_download_is_checked(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIDEPOOL_DATA", raising=False)
    content = b"label,p0\n3,7\n"
    (tmp_path / "www" / "a.csv").write_bytes(content)

    def entry(sha256: str, name: str = "a.csv") -> dict[str, catalog.Entry]:
        files = (catalog.File("toy/a.csv", server + name, sha256),)
        return {"toy": catalog.Entry("toy", "a toy", "none", "here", files)}

    monkeypatch.setattr(catalog, "ENTRIES", entry("0" * 64))
    with pytest.raises(OutsideError, match="not the file with the known sha256"):
        read("toy")
    monkeypatch.setattr(catalog, "ENTRIES", entry(hashlib.sha256(content).hexdigest(), "gone.csv"))
    with pytest.raises(OutsideError, match=r"toy/a\.csv"):
        read("toy")
    assert not list((tmp_path / ".cache").rglob("*.csv"))
    monkeypatch.setattr(catalog, "ENTRIES", entry(hashlib.sha256(content).hexdigest()))
    assert read("toy").images.item() == 7
    assert (tmp_path / ".cache/datasets/toy/a.csv").read_bytes() == content


@pytest.mark.skipif("TIDEPOOL_DATA" not in os.environ, reason="needs the data folder")
@pytest.mark.parametrize(
    ("name", "count", "frame"),
    [("mnist:test", 10_000, (28, 28)), ("usps", 7291, (16, 16)), ("affnist:test", 1000, (40, 40))],
)
def test_real_data(name: str, count: int, frame: tuple[int, int]) -> None:
    found = read(name)
    assert len(found) == count
    assert found.frame == frame
    assert found.classes is not None
    assert found.classes.tolist() == list(range(10))
    assert ("imitation" in found.source.path) == name.startswith("affnist")
