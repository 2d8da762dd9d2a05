"""NPZ and NPY, numpy's own formats: numpy.org/doc/stable/reference/generated/numpy.lib.format.html.

Fields of an NPZ are found by their usual names (``images``/``labels``, ``x_train``/``y_train`` as in Keras'
mnist.npz, of which the training part is read, ``X``/``y``, ``arr_0``). Nothing is unpickled.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from tidepool.errors import DataError
from tidepool.files import whole
from tidepool.formats.fields import pick, stack
from tidepool.formats.opening import ZIP, reason, sha256_of, unreadable
from tidepool.formats.options import Options
from tidepool.formats.warped import Warped, originals
from tidepool.images import Array, ImageSet, Source

NAME = "npz"
SLOW = False
_NPY = b"\x93NUMPY"


def sniff(path: Path, head: bytes) -> bool:
    """Say whether this is an NPY file, or a zip of NPY files, which is what an NPZ is."""
    if head.startswith(_NPY):
        return True
    if not head.startswith(ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".npy") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return path.suffix == ".npz"


def read(path: Path, options: Options) -> ImageSet:
    """Read the pictures and, from an NPZ, labels, ids and groups; raise DataError for objects, which could run code."""
    arrays = _arrays(path)
    source = Source(str(path), NAME, sha256_of(path))
    images, labels = pick(arrays, options.label, str(path))
    pixels = stack(images, labels, options.shape, str(path))
    return ImageSet(pixels, labels, arrays.get("ids"), source, groups=originals(arrays.get("groups"), len(pixels)))


def write(images: ImageSet, path: Path, warped: Warped | None = None) -> None:
    """Write ``images``, ``labels``, ``ids``, ``groups``, and ``matrices`` ``[N, 2, 3]`` of warped pictures.

    An NPY holds the pictures only, so it refuses labels.
    """
    with whole(path) as temporary:
        if path.suffix == ".npy":
            if images.labels is not None:
                raise DataError(f"{path}: .npy holds one array, there is no place for the labels", "write .npz")
            np.save(temporary, images.images, allow_pickle=False)
            return
        arrays = {"images": images.images, "labels": images.labels, "ids": images.ids, "groups": images.groups}
        arrays["matrices"] = None if warped is None else warped.matrices
        held = {name: array for name, array in arrays.items() if array is not None}
        np.savez_compressed(temporary, **held)  # type: ignore[arg-type]


def _arrays(path: Path) -> dict[str, Array]:
    try:
        # Opened here: numpy leaves its own handle open when it stumbles.
        with path.open("rb") as handle:
            found = np.load(handle, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return {"images": found}
            with found:
                return {name: found[name] for name in found.files}
    except ValueError as error:
        if "allow_pickle" in str(error) or "Object arrays" in str(error):
            raise DataError(
                f"{path}: holds Python objects (pickle), which can run code and are never loaded",
                "save plain arrays of numbers: np.savez(path, images=..., labels=...)",
            ) from error
        raise _broken(path, error) from error
    except (zipfile.BadZipFile, EOFError, KeyError, NotImplementedError) as error:
        raise _broken(path, error) from error
    except OSError as error:
        raise unreadable(path, error) from error
    except Exception as error:  # zlib.error and whatever a damaged header does
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: broken file ({reason(error)})", "was the download interrupted? fetch or save it again")
