"""Outputs appear whole or not at all: written beside their name, then renamed over it."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tidepool.errors import InputError, OutsideError


def refuse_existing(path: str | os.PathLike[str], force: bool) -> Path:
    """Return ``path`` as a Path; raise InputError if something stands there and ``force`` is not given."""
    target = Path(path)
    if target.exists() and not force:
        raise InputError(f"{target}: exists already", "give another name, or --force to overwrite it")
    return target


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the name of a temporary file beside ``path``; on success it becomes ``path``, on failure nothing remains.

    Parent folders are made. Errors of the disk become OutsideError (exit code 4).
    """
    target = Path(path)
    # The suffixes stay at the end: some writers choose the format by them.
    temporary = target.with_name(f".{secrets.token_hex(4)}-{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        temporary.replace(target)
    except OSError as error:
        if isinstance(error, OutsideError):
            raise
        raise disk_error(target, error) from error
    finally:
        # Where the folder itself is no folder there is nothing to take away either.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a new folder; on success its files move into ``folder``, on failure nothing remains."""
    # Within a folder that is there: it may be the root of another disk.
    near = folder if folder.is_dir() else folder.parent
    temporary = near / f".{secrets.token_hex(4)}-{folder.name or 'out'}"
    try:
        temporary.mkdir(parents=True)
        yield temporary
        folder.mkdir(exist_ok=True)
        for file in temporary.iterdir():
            file.replace(folder / file.name)
    except OutsideError as error:
        raise OutsideError(error.message.replace(str(temporary), str(folder)), error.hint) from error
    except OSError as error:
        raise disk_error(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def require_writable(target: Path) -> None:
    """Raise OutsideError where ``target`` could not be written; leave nothing behind.

    For what takes minutes before it writes. Whatever lies at ``target`` itself is not looked at.
    """
    folder = target.parent
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = folder / f".{secrets.token_hex(4)}"
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise disk_error(target, error) from error
    finally:
        for path in new:
            with suppress(OSError):
                path.rmdir()


def disk_error(target: Path, error: OSError) -> OutsideError:
    """Turn an OSError met while writing ``target`` into one clear line."""
    hints = {
        errno.ENOSPC: "the disk is full: make room, or write to another disk",
        errno.EACCES: "you may not write there: choose another folder",
        errno.EROFS: "that file system is read-only: choose another folder",
        errno.ENOTDIR: "a part of this path is a file, not a folder",
        errno.EEXIST: "a part of this path is a file, not a folder",
    }
    hint = hints.get(error.errno or 0, "choose another folder")
    return OutsideError(f"{target}: cannot be written ({error.strerror or error})", hint)
