"""Data sets by name: what each is, where its files are looked for, and from where they may be fetched.

Looked for in ``$TIDEPOOL_DATA``, then in ``<cache>/datasets``, then downloaded, if we know a checksum that somebody
we can name has published. ``digits`` needs none of this: scikit-learn brings it along.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tidepool.errors import DataError, OutsideError, did_you_mean
from tidepool.images import ImageSet, Source

if TYPE_CHECKING:
    from tidepool.formats.options import Options

_LECUN = "Yann LeCun, Corinna Cortes, Christopher Burges"
_MNIST_LICENCE = "CC BY-SA 3.0"


@dataclass(frozen=True)
class File:
    """One file of a data set: ``path`` under the data folder, ``url`` and ``sha256`` where it may be downloaded."""

    path: str
    url: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Entry:
    """A data set by name. ``files``: the first one is read, the others lie beside it."""

    name: str
    description: str
    licence: str
    origin: str
    files: tuple[File, ...] = ()


# Checksums of MNIST and Fashion-MNIST: tensorflow/datasets, tensorflow_datasets/url_checksums/mnist.txt and
# fashion_mnist.txt, and so are the addresses (Fashion-MNIST's answers over http only: the checksum guards it).
# The MNIST files also agree with the md5 published in pytorch/vision, torchvision/datasets/mnist.py.
_MNIST_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_FASHION_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_SUMS = {
    "mnist/train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "mnist/train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "mnist/t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "mnist/t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    "fashion-mnist/train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "fashion-mnist/train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "fashion-mnist/t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "fashion-mnist/t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}


def _idx(folder: str, part: str, url: str) -> tuple[File, ...]:
    names = (f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz")
    return tuple(File(f"{folder}/{name}", url + name, _SUMS[f"{folder}/{name}"]) for name in names)


_USPS_ORIGIN = "LeCun et al. 1990, from the site of The Elements of Statistical Learning"
_AFFNIST = "an imitation of affNIST's sample, made by its recipe from MNIST: 40x40, NOT the genuine files"
_ENTRIES = (
    Entry(
        "digits",
        "handwritten digits, 1,797 pictures of 8x8, values 0..16",
        "CC BY 4.0",
        "scikit-learn's copy of the UCI set 'Optical Recognition of Handwritten Digits' (test part)",
    ),
    Entry(
        "mnist",
        "handwritten digits, 60,000 pictures of 28x28",
        _MNIST_LICENCE,
        _LECUN,
        _idx("mnist", "train", _MNIST_URL),
    ),
    Entry(
        "mnist:test",
        "handwritten digits, the 10,000 test pictures of MNIST",
        _MNIST_LICENCE,
        _LECUN,
        _idx("mnist", "t10k", _MNIST_URL),
    ),
    Entry(
        "fashion-mnist",
        "clothes, 60,000 pictures of 28x28",
        "MIT",
        "Zalando Research",
        _idx("fashion-mnist", "train", _FASHION_URL),
    ),
    Entry(
        "fashion-mnist:test",
        "clothes, the 10,000 test pictures of Fashion-MNIST",
        "MIT",
        "Zalando Research",
        _idx("fashion-mnist", "t10k", _FASHION_URL),
    ),
    Entry(
        "kaggle-digits",
        "Kaggle's Digit Recognizer: 42,000 labelled pictures of MNIST",
        _MNIST_LICENCE,
        "kaggle.com/c/digit-recognizer",
        (File("kaggle/train.csv.gz"),),
    ),
    Entry(
        "kaggle-digits:test",
        "Kaggle's Digit Recognizer: 28,000 pictures of MNIST without labels",
        _MNIST_LICENCE,
        "kaggle.com/c/digit-recognizer",
        (File("kaggle/test.csv.gz"),),
    ),
    Entry("usps", "digits from envelopes, 7,291 of 16x16", "not stated", _USPS_ORIGIN, (File("usps/usps_train.npz"),)),
    Entry(
        "usps:test",
        "digits from envelopes, the 2,007 test pictures of USPS",
        "not stated",
        _USPS_ORIGIN,
        (File("usps/usps_test.npz"),),
    ),
    Entry("affnist", f"{_AFFNIST} (4,000)", _MNIST_LICENCE, "made from MNIST", (File("affnist/sample_train.mat"),)),
    Entry(
        "affnist:test",
        f"{_AFFNIST} (1,000, from MNIST's test part)",
        _MNIST_LICENCE,
        "made from MNIST",
        (File("affnist/sample_test.mat"),),
    ),
)
ENTRIES = {entry.name: entry for entry in _ENTRIES}


def read(name: str, options: Options | None = None, *, cache: bool = True) -> ImageSet:
    """Return the data set called ``name``, fetching its files if they are nowhere on this machine.

    Raises DataError for a name that is not known, OutsideError if the files are missing and cannot be fetched.
    """
    entry = ENTRIES.get(name)
    if entry is None:
        raise DataError(f"{name}: no such data set", did_you_mean(name, ENTRIES))
    if not entry.files:
        return _digits()
    from tidepool.formats.options import Options
    from tidepool.formats.reading import read as read_path

    told = options or Options()
    images = read_path(find(entry), shape=told.shape, size=told.size, label=told.label, cache=cache)
    path = f"{name} (an imitation)" if name.startswith("affnist") else name
    return replace(images, source=replace(images.source, path=path))


def find(entry: Entry) -> Path:
    """Return where the first file of ``entry`` lies, after making sure that all of them are there."""
    for folder in _folders():
        found = [_present(folder / file.path) for file in entry.files]
        if all(found):
            assert found[0] is not None
            return found[0]
    if not all(file.url and file.sha256 for file in entry.files):
        raise OutsideError(f"{entry.name}: not on this machine, and there is no checked source for it", _advice(entry))
    places = [_fetch(file, entry) for file in entry.files]
    return places[0]


def _folders() -> list[Path]:
    from tidepool.formats.cache import root

    told = os.environ.get("TIDEPOOL_DATA")
    return ([Path(told).expanduser()] if told else []) + [root() / "datasets"]


def _present(path: Path) -> Path | None:
    """Return the file if it is there, packed as it was published, or unpacked."""
    unpacked = path.with_suffix("") if path.suffix == ".gz" else path
    return next((place for place in (path, unpacked) if place.is_file()), None)


def _fetch(file: File, entry: Entry) -> Path:
    """Download one file into the cache, checked; raise OutsideError if that does not work."""
    place = _folders()[-1] / file.path
    if place.is_file():
        return place
    import logging
    import sys

    import pooch

    from tidepool.files import whole

    pooch.get_logger().setLevel(logging.ERROR)
    bar = _Bar(file.path) if sys.stderr.isatty() else False
    try:
        with whole(place) as temporary:
            fetch = pooch.HTTPDownloader(timeout=20, progressbar=bar)
            pooch.retrieve(file.url, f"sha256:{file.sha256}", temporary.name, temporary.parent, downloader=fetch)
    except ValueError as error:
        raise OutsideError(f"{entry.name}: {file.url} is not the file with the known sha256", _advice(entry)) from error
    except Exception as error:
        # ``whole`` has turned errors of the network, which are OSErrors too, into its own: name the first one.
        reason = type(error.__cause__ or error).__name__
        raise OutsideError(f"{entry.name}: cannot be downloaded from {file.url} ({reason})", _advice(entry)) from error
    return place


class _Bar:
    """What pooch wants of a progress bar, drawn by rich."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

        columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True))
        self._task = self._progress.add_task(name, total=None)
        self.total = 0

    def update(self, count: int) -> None:
        """Add ``count`` bytes."""
        self._progress.start()
        self._progress.update(self._task, total=self.total or None, advance=count)

    def reset(self) -> None:
        """Start over, as pooch does once at the end before it fills the bar up."""
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()


def _advice(entry: Entry) -> str:
    names = " and ".join(file.path for file in entry.files)
    return f"put {names} into the folder $TIDEPOOL_DATA or {_folders()[-1]}"


def _digits() -> ImageSet:
    """Read scikit-learn's digits, uint8 ``[1797, 8, 8]`` with values 0..16, from the file that it brings along."""
    # sklearn.datasets.load_digits would import half of scikit-learn (a second) to read this one file.
    import gzip
    import hashlib
    import importlib.util

    spec = importlib.util.find_spec("sklearn")
    place = Path(spec.origin or "").parent / "datasets" / "data" / "digits.csv.gz" if spec else None
    if place is None or not place.is_file():
        from sklearn.datasets import load_digits

        bunch = load_digits()
        rows = np.column_stack([bunch.data, bunch.target]).astype(np.uint8)
        return ImageSet(rows[:, :64].reshape(-1, 8, 8), rows[:, 64], source=Source("digits", "embedded"))
    packed = place.read_bytes()
    text = gzip.decompress(packed).decode("ascii")
    rows = np.array(text.replace("\n", ",").rstrip(",").split(","), dtype=np.float64).astype(np.uint8).reshape(-1, 65)
    source = Source("digits", "embedded", hashlib.sha256(packed).hexdigest())
    return ImageSet(rows[:, :64].reshape(-1, 8, 8), rows[:, 64].astype(np.int64), source=source)
