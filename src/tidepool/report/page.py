"""Facts in, one HTML file out: self-contained, without scripts, everything from outside escaped."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool._version import __version__
from tidepool.files import whole
from tidepool.report import charts, tables
from tidepool.report.facts import Held, ReportFacts, Sheet
from tidepool.report.pictures import Picture, is_photo, uris
from tidepool.report.verdict import in_words

Array = npt.NDArray[Any]
_MOST_PICTURES = 24
_MOST_WARPED = 48
# A name longer than this is cut in tables; the whole of it stays in the tooltip.
_LONG = 18
# The article's score, on Kaggle's test rows: it belongs beside no other data.
_ARTICLE = 99.22
_KAGGLE = re.compile(r"kaggle[ _-]?digits?\b|kaggle's digits|digit-recognizer|(^|/)kaggle/train\.csv", re.IGNORECASE)


def write_report(path: str | os.PathLike[str], facts: ReportFacts) -> None:
    """Write the report of ``facts`` as one HTML file, whole or not at all.

    Raises OutsideError where the disk does not allow it.
    """
    text = render(facts)
    with whole(path) as temporary:
        # Names of files may hold bytes that are no UTF-8; they must not cost the report.
        temporary.write_bytes(text.encode("utf-8", errors="replace"))


def render(facts: ReportFacts) -> str:
    """Return the page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tidepool", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = _short
    return environment.get_template("template.html").render(_context(facts))


def is_kaggle_digits(facts: ReportFacts) -> bool:
    """Say whether title or sources name Kaggle's digits, and the classes are the ten digits."""
    if [str(c) for c in facts.classes] != [str(k) for k in range(10)]:
        return False
    return any(_KAGGLE.search(text.replace("\\", "/")) for text in (facts.title, *(p for p, _ in facts.sources)))


def _context(facts: ReportFacts) -> dict[str, Any]:
    names = [str(c) for c in facts.classes]
    held = facts.held()
    return {
        "facts": facts,
        "version": __version__,
        "answer": None if held is None else tables.Answer.of(int(held.right.sum()), len(held.truth)),
        "test": _test_answer(facts.metrics),
        "tiles": _tiles(facts),
        "article": _ARTICLE if is_kaggle_digits(facts) else None,
        "audit": in_words(facts.audit),
        "evidence": [(strip.name, strip.shown()) for strip in facts.evidence],
        "curves": [c for c in (charts.loss_chart(facts.history), charts.accuracy_chart(facts.history)) if c],
        "size": charts,
        **_held_context(held, names),
        "unsure": _unsure(facts),
        "warped": _warped(facts),
        "photo": any(is_photo(images) for images in (facts.held_images, facts.augmentation) if images is not None),
    }


def _held_context(held: Held | None, names: list[str]) -> dict[str, Any]:
    if held is None:
        return {"matrix": None, "pairs": [], "worst": [], "calibration": None, "reliability": None}
    counts = tables.confusion(held, len(names))
    calibration = tables.calibration(held)
    return {
        "matrix": tables.matrix_rows(counts, names) if len(names) <= tables.MOST_CLASSES else None,
        "pairs": tables.confused_pairs(counts, names),
        "worst": _worst(held, names),
        "calibration": calibration,
        "reliability": charts.reliability_chart(calibration.bins),
    }


def _worst(held: Held, names: list[str]) -> list[Picture]:
    found = []
    rows = tables.worst_errors(held, _MOST_PICTURES)
    for row, uri in zip(rows, uris(held.images[rows])):
        truth, predicted = names[held.truth[row]], names[held.predicted[row]]
        sure = _percent(float(held.confidence[row]))
        alt = f"picture {held.ids[row]}, labelled {truth}, taken for {predicted} with {sure}"
        found.append(Picture(uri, alt, str(held.ids[row]), truth, predicted, sure))
    return found


def _unsure(facts: ReportFacts) -> list[Picture]:
    if facts.test_sheet is None:
        return []
    sheet = Sheet(*(np.asarray(part) for part in facts.test_sheet))
    order = np.argsort(sheet.confidence, kind="stable")[:_MOST_PICTURES]
    found = []
    for row, uri in zip(order, uris(sheet.images[order])):
        predicted, sure = str(sheet.predicted[row]), _percent(float(sheet.confidence[row]))
        alt = f"test picture {sheet.ids[row]}, taken for {predicted} with {sure}"
        found.append(Picture(uri, alt, str(sheet.ids[row]), "", predicted, sure))
    return found


def _warped(facts: ReportFacts) -> list[Picture]:
    if facts.augmentation is None:
        return []
    images = np.asarray(facts.augmentation)[:_MOST_WARPED]
    alts = (f"picture {n // 8 + 1}, " + (f"warp {n % 8}" if n % 8 else "as it is") for n in range(len(images)))
    return [Picture(uri, alt) for uri, alt in zip(uris(images), alts)]


def _test_answer(metrics: Mapping[str, Any]) -> tables.Answer | None:
    found = metrics.get("test") or {}
    if not found.get("n"):
        return None
    return tables.Answer.of(round(found["accuracy"] * found["n"]), int(found["n"]))


def _tiles(facts: ReportFacts) -> list[tuple[str, str]]:
    """Return (what, how much) in the order of interest; what is not known is left out."""
    train, model = facts.metrics.get("train") or {}, facts.metrics.get("model") or {}
    # The whole path stands at the end of the page.
    source = PurePath(facts.sources[0][0]).name if facts.sources else ""
    tiles = [("Trained on", facts.trained_on or source)]
    if "seconds" in train:
        tiles.append(("Training took", _time(float(train["seconds"]))))
    if "epochs" in train:
        tiles.append(("Epochs", f"{train['epochs']:.3g}"))
    if "images_per_second" in train:
        tiles.append(("Speed", f"{train['images_per_second']:,.0f} pictures/s"))
    if "parameters" in model:
        tiles.append(("Parameters", f"{model['parameters']:,}"))
    if facts.metrics.get("device"):
        tiles.append(("Device", str(facts.metrics["device"])))
    return [(what, text) for what, text in tiles if text]


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _percent(share: float) -> str:
    """Return a probability in per cent; 100 only where it is, not where it rounds so."""
    return f"{min(100 * share, 99.9):.1f} %" if share < 1 else "100 %"


def _short(name: str) -> str:
    return name if len(name) <= _LONG else name[: _LONG - 1] + "…"
