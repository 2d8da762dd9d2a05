"""ladder.html: one page that opens from disk, needs no network and no script, in the dress of the run's report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tidepool._version import __version__
from tidepool.files import whole
from tidepool.ladder.result import Line, Result, time_in_words


def write_page(path: Path, results: Sequence[Result], facts: dict[str, Any]) -> None:
    """Write the page of a whole ladder, whole or not at all. ``facts`` are those of ladder.json."""
    text = render(results, facts)
    with whole(path) as temporary:
        temporary.write_bytes(text.encode("utf-8", errors="replace"))


def render(results: Sequence[Result], facts: dict[str, Any]) -> str:
    """Return the page."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        # The report's style sheet is this page's too.
        loader=ChoiceLoader([PackageLoader("tidepool", "ladder/pages"), PackageLoader("tidepool", "report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["time"] = time_in_words
    environment.filters["gap"] = _gap
    # A figure and its per cent sign stay on one line.
    environment.filters["unbroken"] = lambda text: text.replace(" %", "\N{NO-BREAK SPACE}%")
    return environment.get_template("ladder.html").render(results=results, facts=facts, version=__version__)


def _gap(line: Line) -> str:
    """Return the 95 % interval of a line in words."""
    low, high = line.interval
    return f"{100 * low:.2f} to {100 * high:.2f} %"
