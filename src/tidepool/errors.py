"""One tree of errors. Each says what is wrong and where in one line, what to do in another, and owns its exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TidepoolError(Exception):
    """Something the user can act on.

    ``message`` names the place (file, row, column, layer), what was found and what was expected;
    ``hint`` says what to do. ``exit_code`` is what the command line ends with.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class InputError(TidepoolError, ValueError):
    """Bad usage or bad input: exit code 2. A ``ValueError`` too, as scikit-learn's contract wants."""


class DataError(InputError):
    """A file or a set of pictures that cannot be used as it is."""


class StackError(InputError):
    """A stack of layers that cannot work; the message names the layer and the shapes."""


class ModelFileError(InputError):
    """A ``.tidepool`` file that is truncated, altered, or of a later version."""


class FaultFound(TidepoolError):
    """The audit found a fault (or could not decide): exit code 3."""

    exit_code = 3


class OutsideError(TidepoolError, OSError):
    """Something outside failed (network, disk, device): exit code 4."""

    exit_code = 4

    def __init__(self, message: str, hint: str = "") -> None:
        TidepoolError.__init__(self, message, hint)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the closest of ``known``, else a list of what is known."""
    known = sorted(set(known))
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else "known: " + ", ".join(known)
