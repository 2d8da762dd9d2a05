"""Parquet (parquet.apache.org): pixel columns, lists of pixels, or pictures as Hugging Face's datasets write them.

Their ``image`` column is a struct of ``bytes`` (a PNG or JPEG file) and ``path``
(huggingface.co/docs/datasets, "Image").
uint8 pictures are written that way (PNG loses nothing); any other type as lists of pixels with the frame beside them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tidepool.errors import DataError, did_you_mean
from tidepool.files import whole
from tidepool.formats.csv_layout import ID_NAMES, LABEL_NAMES
from tidepool.formats.frames import unflatten
from tidepool.formats.opening import reason, sha256_of
from tidepool.formats.options import Options
from tidepool.formats.warped import Warped
from tidepool.images import Array, ImageSet, Source

if TYPE_CHECKING:
    import polars

NAME = "parquet"
SLOW = True


def sniff(path: Path, head: bytes) -> bool:
    """Say whether the file starts with Parquet's magic number."""
    return head.startswith(b"PAR1")


def read(path: Path, options: Options) -> ImageSet:
    """Read pictures, labels, ids, groups by the columns' names and types; raise DataError listing them if none fits."""
    import polars as pl

    where = str(path)
    try:
        table = pl.read_parquet(path)
    except BaseException as error:
        # polars raises its own errors, OSErrors, and for some damage a Rust panic, which is a BaseException.
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise DataError(f"{where}: broken Parquet file ({reason(error)})", "was the download interrupted?") from error
    if not table.height:
        raise DataError(f"{where}: a table without rows", "expected one row a picture")
    lower = {name.lower(): name for name in reversed(table.columns)}
    if options.label is not None and options.label not in table.columns:
        raise DataError(f"{where}: no column '{options.label}'", did_you_mean(options.label, table.columns[:50]))
    label = options.label or next((lower[name] for name in LABEL_NAMES if name in lower), None)
    ids = next((lower[n] for n in ID_NAMES if n in lower and table[lower[n]].dtype.base_type() in _plain()), None)
    groups = lower.get("group")
    if groups is not None and (not table[groups].dtype.is_integer() or table[groups].null_count()):
        groups = None
    images = _pictures(table.drop([name for name in {label, ids, groups} if name is not None]), table, options, where)
    return ImageSet(
        images,
        None if label is None else _column(table[label], where),
        None if ids is None else _column(table[ids], where),
        Source(where, NAME, sha256_of(path)),
        groups=None if groups is None else _column(table[groups], where),
    )


def write(images: ImageSet, path: Path, warped: Warped | None = None) -> None:
    """Write one row a picture: ``image`` (PNG) or ``pixels``, ``height``, ``width``; then ``label``, ``id``, ``group``.

    Warped pictures have a ``matrix`` too: six numbers, 2 x 3 row by row.
    """
    import polars as pl

    columns: dict[str, Any] = {}
    pixels = images.images
    if pixels.dtype == np.uint8 and images.channels in (1, 3):
        from tidepool.formats.pictures import to_png

        columns["image"] = pl.Series([{"bytes": to_png(one), "path": None} for one in pixels], dtype=_struct())
    else:
        rows = np.ascontiguousarray(pixels.reshape(len(pixels), -1))
        columns["pixels"] = pl.Series(rows).arr.to_list()
        for name, size in zip(("height", "width", "channels"), pixels.shape[1:]):
            columns[name] = pl.repeat(size, len(pixels), dtype=pl.Int32, eager=True)
    if images.labels is not None:
        columns["label"] = pl.Series(images.labels)
    columns["id"] = pl.Series(images.ids)
    if images.groups is not None:
        columns["group"] = pl.Series(images.groups)
    if warped is not None:
        columns["matrix"] = pl.Series(warped.matrices.reshape(len(pixels), 6)).arr.to_list()
    with whole(path) as temporary:
        pl.DataFrame(columns).write_parquet(temporary)


def _struct() -> polars.Struct:
    import polars as pl

    return pl.Struct({"bytes": pl.Binary, "path": pl.String})


def _plain() -> set[Any]:
    import polars as pl

    return {pl.String, *pl.INTEGER_DTYPES} if hasattr(pl, "INTEGER_DTYPES") else {pl.String, *_integers()}


def _integers() -> tuple[Any, ...]:
    import polars as pl

    return pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64


def _pictures(rest: polars.DataFrame, table: polars.DataFrame, options: Options, where: str) -> Array:
    import polars as pl

    for name in rest.columns:
        column = rest[name]
        if column.dtype == pl.Struct and "bytes" in column.struct.fields:
            column = column.struct.field("bytes")
        if column.dtype == pl.Binary:
            return _decode(column, name, options, where)
        if column.dtype in (pl.List, pl.Array):
            return _lists(rest, name, options, where)
    bad = [name for name in rest.columns if not rest[name].dtype.is_numeric()]
    if bad or not rest.width:
        listed = ", ".join(f"{name} ({table[name].dtype})" for name in table.columns[:8])
        raise DataError(
            f"{where}: no column with pictures; it holds: {listed}", "expected image, or one column a pixel"
        )
    for name in rest.columns:
        _whole_column(rest[name], where)
    return unflatten(np.ascontiguousarray(rest.to_numpy()), options.shape, where)


def _lists(rest: polars.DataFrame, name: str, options: Options, where: str) -> Array:
    column = rest[name]
    _whole_column(column, where)
    frame = [int(rest[n][0]) for n in ("height", "width", "channels") if n in rest.columns]
    try:
        rows = np.stack([np.stack(row.to_list()) if row.dtype.is_nested() else row.to_numpy() for row in column])
    except ValueError as error:
        raise DataError(f"{where}: column {name}: lists of different lengths", "expected one frame for all") from error
    if frame and not options.shape and np.prod(frame) == rows[0].size:
        return rows.reshape(len(rows), *frame)
    return rows if rows.ndim > 2 else unflatten(rows, options.shape, where)


def _decode(column: polars.Series, name: str, options: Options, where: str) -> Array:
    from tidepool.formats.pictures import decode_all

    _whole_column(column, where)
    names = [f"{where}: row {i + 1}, column {name}" for i in range(len(column))]
    return decode_all(list(column), names, where, options.size)


def _column(column: polars.Series, where: str) -> Array:
    _whole_column(column, where)
    return column.to_numpy() if column.dtype.is_numeric() else column.cast(str).to_numpy().astype(np.str_)


def _whole_column(column: polars.Series, where: str) -> None:
    if column.null_count():
        row = int(column.is_null().arg_max() or 0) + 1
        raise DataError(f"{where}: row {row}, column {column.name}: no value", "every row needs one")
