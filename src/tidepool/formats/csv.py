"""CSV, one row a picture, as Kaggle's Digit Recognizer writes it: plain, ``.gz`` or ``.zip``.

``label,pixel0,...,pixel783`` with the pixels row by row; also without a header, without labels, with the label last.
The same text in a second reader (`csv_fault`) names what is wrong where this fast one stumbles.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import numpy as np

from tidepool.errors import DataError
from tidepool.files import whole
from tidepool.formats.csv_fault import find_fault
from tidepool.formats.csv_layout import Layout, layout_of
from tidepool.formats.frames import unflatten
from tidepool.formats.opening import ZIP, ahead, sha256_of, stream, unreadable
from tidepool.formats.options import Options
from tidepool.images import Array, ImageSet, Source

if TYPE_CHECKING:
    import polars

NAME = "csv"
SLOW = True
# polars pays for each of 785 columns anew in each block, so a block holds many rows.
_BLOCK = 1 << 24
_LINE_LIMIT = 1 << 26
_ROWS = 8192
_BOM = b"\xef\xbb\xbf"


def sniff(path: Path, head: bytes) -> bool:
    """Say whether this is text with separated cells."""
    if head.startswith(ZIP):
        return not path.name.endswith(".npz")
    if b"\0" in head:
        return False
    line = head.removeprefix(_BOM).split(b"\n", 1)[0]
    return any(mark in line for mark in (b",", b";", b"\t")) and not line.lstrip().startswith((b"<", b"{", b"["))


def read(path: Path, options: Options) -> ImageSet:
    """Read ``[N, H, W]`` (or ``[N, H, W, 3]``) uint8, and labels if any; raise DataError naming row and column."""
    where = str(path)
    blocks = ahead(_lines(path))
    try:
        first = next(blocks, b"").removeprefix(_BOM).lstrip(b"\r\n")
        if not first:
            raise DataError(f"{where}: empty file", "expected one row a picture")
        line, _, rest = first.partition(b"\n")
        layout = layout_of(line.decode("utf-8", "replace").rstrip("\r"), where, options.label, options.shape)
        parts = list(_parse(rest if layout.header else first, blocks, layout, where))
    except OSError as error:
        raise unreadable(path, error) from error
    finally:
        # Left to the garbage collector, its thread might be waited for while another thread starts: both would hang.
        blocks.close()
    if not parts:
        raise DataError(f"{where}: a header but no rows", "expected one row a picture below the header")
    texts = {i: np.concatenate([part[1][i] for part in parts]) for i in parts[0][1]}
    label = _label_column(layout, texts, where)
    pixels = np.concatenate([part[0] for part in parts])
    other = next((i for i in layout.labels if i != label), None)
    if other is not None:
        pixels = _rejoin(pixels, texts[other], first=other == 0, where=where, layout=layout)
    shape = layout.shape
    images = pixels.reshape(-1, *shape) if shape and not options.shape else unflatten(pixels, options.shape, where)
    return ImageSet(
        images,
        None if label is None else as_values(texts[label]),
        None if layout.ids is None else as_values(texts[layout.ids]),
        Source(where, NAME, sha256_of(path)),
    )


def as_values(texts: Array) -> Array:
    """Return texts as int64 where all of them are whole numbers (``3``, ``3.0``), else as str."""
    import polars as pl

    series = pl.Series(texts)
    for kind in (pl.Int64, pl.Float64):
        numbers = series.str.strip_chars().cast(kind, strict=False)
        if not numbers.null_count():
            values = numbers.to_numpy()
            if np.all(values == np.round(values)):
                return values.astype(np.int64)
    return texts.astype(np.str_)


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the text in blocks of whole lines."""
    rest = bytearray()
    for block in stream(path):
        rest += block
        if len(rest) < _BLOCK:
            continue
        cut = rest.rfind(b"\n") + 1
        if cut:
            yield bytes(rest[:cut])
            del rest[:cut]
        elif len(rest) > _LINE_LIMIT:
            raise DataError(f"{path}: a line of more than {_LINE_LIMIT >> 20} MB", "is this a CSV of pixels?")
    if rest:
        yield bytes(rest)


def _parse(
    block: bytes | None, blocks: Iterator[bytes], layout: Layout, where: str
) -> Iterator[tuple[Array, dict[int, Array]]]:
    """Yield pixels ``[n, P]`` uint8, and the columns that may be text by position, of each block of lines."""
    import polars as pl

    texts = {i for i in (*layout.labels, layout.ids) if i is not None}
    names = [str(i) for i in range(len(layout.names))]
    schema: dict[str, type[pl.DataType]] = {name: pl.String if i in texts else pl.UInt8 for i, name in enumerate(names)}
    pixels = [name for i, name in enumerate(names) if i not in texts]
    row = 1
    while block is not None:
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        body = block.rstrip(b"\r\n")
        if body:
            table = _table(body, schema, layout.separator)
            # A short row reads as nulls without a word, a quote that is never closed eats the lines below it.
            if table is None or table.height != body.count(b"\n") + 1 or sum(table.null_count().row(0)):
                raise find_fault(body, row, layout, where)
            yield np.ascontiguousarray(table.select(pixels).to_numpy()), {i: table[names[i]].to_numpy() for i in texts}
        row += lines
        block = next(blocks, None)


def _table(body: bytes, schema: dict[str, type[polars.DataType]], separator: str) -> polars.DataFrame | None:
    """Return the parsed text, or None where a cell does not fit its column."""
    import polars as pl

    try:
        return pl.read_csv(body, has_header=False, schema=schema, separator=separator)
    except pl.exceptions.PolarsError:
        return None


def _label_column(layout: Layout, texts: dict[int, Array], where: str) -> int | None:
    """Return the label's position; between first and last, the column whose content looks like labels."""
    if len(layout.labels) < 2:
        return layout.labels[0] if layout.labels else None
    likely = [i for i in layout.labels if _looks_like_labels(as_values(texts[i]))]
    if len(likely) == 1:
        return likely[0]
    n = len(layout.names) - (layout.ids is not None)
    raise DataError(
        f"{where}: {n} columns are a label and {n - 1} pixels, but first and last column could both be the label"
        if likely
        else f"{where}: {n} columns are a label and {n - 1} pixels, but neither first nor last column looks like one",
        "add a header line that names the column: label",
    )


def _looks_like_labels(values: Array) -> bool:
    """Say whether a column is text, or few whole numbers with hardly a gap; a pixel at the rim is one value."""
    distinct = np.unique(values)
    if values.dtype.kind == "U":
        return True
    span = int(distinct[-1]) - int(distinct[0]) + 1
    return len(distinct) >= 2 and 0 <= int(distinct[0]) <= 1 and span <= 1.5 * len(distinct) + 1


def _rejoin(pixels: Array, texts: Array, first: bool, where: str, layout: Layout) -> Array:
    """Put the column that turned out to be a pixel back in its place."""
    values = as_values(texts)
    good = values.dtype.kind == "i"
    bad = np.flatnonzero((values < 0) | (values > 255)) if good else np.arange(1)
    if len(bad):
        found, name = texts[bad[0]], layout.names[0 if first else -1]
        raise DataError(
            f"{where}: row {bad[0] + 1}, column {name}: found {found!r}, expected a whole number 0..255",
            "first or last column is taken as the label, the rest as pixels",
        )
    column = values.astype(np.uint8)[:, None]
    return np.hstack([column, pixels] if first else [pixels, column])


def write(images: ImageSet, path: Path) -> None:
    """Write ``label,pixel0,...`` as Kaggle does; other frames than square grey name the pixels 1x1 ... HxW(xC).

    Ids that are not just the row numbers go into a column ``id``. Only whole values 0..255 fit.
    """
    if images.images.dtype != np.uint8:
        raise DataError(f"{path}: CSV holds whole values 0..255, these are {images.images.dtype}", "write .npz")
    assert images.ids is not None
    with whole(path) as temporary, _opened(temporary, path) as handle:
        extra: dict[str, Array] = {}
        if not np.array_equal(images.ids, np.arange(1, len(images) + 1)):
            extra["id"] = images.ids
        if images.labels is not None:
            extra["label"] = images.labels
        write_rows(handle, extra, images.images)


def write_rows(handle: IO[bytes], extra: dict[str, Array], pixels: Array) -> None:
    """Write a header and one row a picture, in slices, so that memory stays flat."""
    import polars as pl

    names = _pixel_names(pixels.shape[1:])
    flat = pixels.reshape(len(pixels), -1)
    for start in range(0, len(flat), _ROWS):
        part = slice(start, start + _ROWS)
        columns = [pl.Series(name, values[part]) for name, values in extra.items()]
        columns += pl.from_numpy(flat[part], schema=names, orient="row").get_columns()
        handle.write(pl.DataFrame(columns).write_csv(include_header=start == 0).encode())


def _pixel_names(frame: tuple[int, ...]) -> list[str]:
    if len(frame) == 2 and frame[0] == frame[1]:
        return [f"pixel{i}" for i in range(frame[0] * frame[1])]
    return ["x".join(str(n + 1) for n in place) for place in np.ndindex(*frame)]


def _opened(temporary: Path, path: Path) -> AbstractContextManager[IO[bytes]]:
    """Open ``temporary`` for bytes that ``path``'s suffix says are to be packed."""
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(temporary, "wb", compresslevel=6))
    if path.suffix == ".zip":
        return _zipped(temporary, path.name.removesuffix(".zip"))
    return temporary.open("wb")


@contextmanager
def _zipped(temporary: Path, member: str) -> Iterator[IO[bytes]]:
    with (
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(member, "w", force_zip64=True) as handle,
    ):
        yield handle
