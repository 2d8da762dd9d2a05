"""MATLAB files: v5 through scipy, v7.3 (which is HDF5) through h5py.

affNIST's files hold a struct, see ``affnist``. Others hold plain arrays: ``images``/``X`` with ``labels``/``y``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tidepool.errors import DataError
from tidepool.files import whole
from tidepool.formats import affnist
from tidepool.formats.fields import pick, stack
from tidepool.formats.opening import reason, sha256_of, unreadable
from tidepool.formats.options import Options
from tidepool.formats.warped import Warped, originals
from tidepool.images import Array, ImageSet, Source

NAME = "mat"
SLOW = True
_HDF5 = b"\x89HDF\r\n\x1a\n"


def sniff(path: Path, head: bytes) -> bool:
    """Say whether this is MATLAB v5 (text header, byte order mark at 126), v7.3, or v4 by its name."""
    return head.startswith((b"MATLAB", _HDF5)) or head[126:128] in (b"IM", b"MI") or path.suffix == ".mat"


def read(path: Path, options: Options) -> ImageSet:
    """Read affNIST's struct by its field names, or plain arrays; raise DataError listing the fields if none fits."""
    with path.open("rb") as handle:
        head = handle.read(520)
    is_hdf5 = head.startswith((b"MATLAB 7.3", _HDF5)) or head[512:].startswith(_HDF5)
    fields = _read_hdf5(path) if is_hdf5 else _read_v5(path)
    source = Source(str(path), NAME, sha256_of(path))
    where = str(path)
    inner = fields.get(affnist.NAME)
    if isinstance(inner, dict):
        if "image" not in inner:
            raise DataError(
                f"{where}: {affnist.NAME} has no field image; it holds: {', '.join(inner) or 'nothing'}",
                "call it image",
            )
        return affnist.from_struct(inner, options, source)
    arrays = {name: value for name, value in fields.items() if not isinstance(value, dict)}
    groups = arrays.pop("original_id", None)
    images, labels = pick(arrays, options.label, where)
    pixels = stack(images, labels, options.shape, where)
    return ImageSet(pixels, labels, source=source, groups=originals(groups, len(pixels)))


def write(images: ImageSet, path: Path, warped: Warped | None = None) -> None:
    """Write grey square pictures as affNIST's struct, any others as plain arrays, ``images`` ``[N, H, W(, C)]``.

    ``warped`` tells how each picture was made; only the struct has fields for it.
    """
    from scipy.io import savemat

    fields: dict[str, Any] = {}
    labels = images.labels
    height, width = images.frame
    if images.images.ndim == 3 and height == width and (labels is None or labels.dtype.kind == "i"):
        fields[affnist.NAME] = affnist.to_struct(images, warped)
    else:
        fields["images"] = images.images
        if labels is not None:
            fields["labels"] = labels[:, None] if labels.dtype.kind == "i" else labels
        if images.groups is not None:
            fields["original_id"] = images.groups[:, None]
    with whole(path) as temporary, temporary.open("wb") as handle:
        savemat(handle, fields, do_compression=True)  # type: ignore[arg-type]


def _read_v5(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        found = loadmat(path, squeeze_me=False, struct_as_record=True)
    except OSError as error:
        if error.errno is None:
            raise _broken(path, error) from error
        raise unreadable(path, error) from error
    except Exception as error:  # scipy raises whatever a damaged file leads it to
        raise _broken(path, error) from error
    return {name: _plain(value) for name, value in found.items() if not name.startswith("__")}


def _plain(value: Any) -> Any:
    """Return a struct as a dict, texts as str, sparse matrices and the like as arrays."""
    if isinstance(value, np.ndarray) and value.dtype.names is not None:
        if value.size != 1:
            return {}
        record = value.reshape(-1)[0]
        return {name: _plain(record[name]) for name in value.dtype.names}
    array = np.asarray(value)
    if array.dtype.kind == "U":
        return np.char.rstrip(array.reshape(-1))
    return array


def _read_hdf5(path: Path) -> dict[str, Any]:
    try:
        import h5py
    except ImportError as error:
        raise DataError(
            f"{path}: a MATLAB v7.3 file, which needs h5py to be read", 'pip install "masked-tidepool[mat73]"'
        ) from error

    def take(group: Any) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name, item in group.items():
            if name.startswith("#"):
                continue
            # MATLAB counts the first axis fastest, HDF5 the last: the axes stand in reverse.
            fields[name] = take(item) if isinstance(item, h5py.Group) else _native(item[()].T)
        return fields

    try:
        with h5py.File(path, "r") as file:
            return take(file)
    except MemoryError:
        raise
    except Exception as error:  # h5py raises whatever a damaged file leads it to
        raise _broken(path, error) from error


def _native(array: Any) -> Array:
    found = np.asarray(array)
    return np.zeros(found.shape, np.str_) if found.dtype.kind == "O" else found


def _broken(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path}: broken MATLAB file ({reason(error)})", "was the download interrupted? fetch or save it again"
    )
