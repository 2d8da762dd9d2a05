"""Writing predictions, and verifying a submission before it is called done."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import InputError, TidepoolError
from tidepool.files import refuse_existing, whole

Array = npt.NDArray[Any]
_SUFFIXES = (".csv", ".jsonl", ".npz", ".parquet")


def check_path(path: str | os.PathLike[str], force: bool = False) -> Path:
    """Return ``path`` if predictions can be written there; raise InputError for another suffix or an existing file."""
    target = refuse_existing(path, force)
    if target.suffix not in _SUFFIXES:
        raise InputError(f"{target}: no format for predictions", f"end the name in one of {', '.join(_SUFFIXES)}")
    return target


def write(
    path: str | os.PathLike[str],
    ids: Array,
    labels: Array,
    *,
    classes: Array | None = None,
    probabilities: npt.NDArray[np.float32] | None = None,
    force: bool = False,
) -> None:
    """Write ids and labels ``[N]`` (and probabilities ``[N, K]``) by the suffix of ``path``.

    CSV has Kaggle's header ``ImageId,Label``; probabilities add a column a class, ``p_<class>``. The CSV is read
    again and verified before it takes its name.
    """
    target = check_path(path, force)
    columns: dict[str, Array] = {"ImageId": ids, "Label": labels}
    if probabilities is not None and classes is not None:
        columns.update({f"p_{name}": probabilities[:, k] for k, name in enumerate(classes)})
    with whole(target) as temporary:
        if target.suffix == ".npz":
            extra = {} if probabilities is None else {"probabilities": probabilities, "classes": classes}
            with temporary.open("wb") as handle:
                np.savez_compressed(handle, ids=ids, labels=labels, **extra)  # type: ignore[arg-type]
        elif target.suffix == ".jsonl":
            names = list(columns)
            with temporary.open("w", encoding="utf-8") as text:
                for row in zip(*(column.tolist() for column in columns.values())):
                    text.write(json.dumps(dict(zip(names, row)), ensure_ascii=False) + "\n")
        else:
            import polars

            frame = polars.DataFrame(columns)
            if target.suffix == ".parquet":
                frame.write_parquet(temporary)
            else:
                frame.write_csv(temporary)
                verify(temporary, ids, np.unique(labels) if classes is None else classes)


def verify(path: str | os.PathLike[str], ids: Array, classes: Array) -> int:
    """Read a submission again and return its number of rows.

    Raises TidepoolError unless the header begins ``ImageId,Label``, the ids are ``ids`` in order, and each label is
    one of ``classes``.
    """
    known = {str(name) for name in classes}
    with Path(path).open(newline="", encoding="utf-8") as text:
        rows = csv.reader(text)
        header = next(rows, [])
        if header[:2] != ["ImageId", "Label"]:
            raise TidepoolError(f"{path}: header is {','.join(header)}, expected ImageId,Label")
        count = 0
        # The ids come first: at their end zip must not have taken one row more.
        for count, (expected, row) in enumerate(zip(ids, rows, strict=False), start=1):
            if row[0] != str(expected):
                raise TidepoolError(f"{path}: row {count} has id {row[0]}, expected {expected}")
            if row[1] not in known:
                raise TidepoolError(f"{path}: row {count} has label '{row[1]}', which is no class of the model")
        left = sum(1 for _ in rows)
    if count != len(ids) or left:
        raise TidepoolError(f"{path}: {count + left:,} rows, expected {len(ids):,}")
    return count
