"""Compiled by numba without the GIL, kept for the next process wherever there is a place to keep it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any], signatures: list[Any] | None = None) -> Any:
    """Return ``function`` compiled: at once for ``signatures``, at the first call without them.

    Where neither the package's folder nor the user's cache can be written (a container with a foreign user), numba
    refuses to cache; then every process compiles anew.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(signatures, cache=True, **options)(function)
    except RuntimeError as error:
        if "no locator" not in str(error):
            raise
        return numba.njit(signatures, **options)(function)
