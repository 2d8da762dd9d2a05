"""The report of ``tidepool run``: gathers the facts from what the main job has in its hands."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tidepool.images import ImageSet
from tidepool.preprocessing import background_of
from tidepool.report.facts import ReportFacts, Sheet
from tidepool.report.page import write_report
from tidepool.report.pictures import to_uint8

if TYPE_CHECKING:
    from tidepool.report.evidence import Strip
    from tidepool.training.settings import Fitted

Array = npt.NDArray[Any]
_SHEET = 24
# Six pictures, each as it is and then in seven epochs' warps.
_WARPED, _EPOCHS = 6, 7


def write_run_report(
    path: str | os.PathLike[str],
    fitted: Fitted,
    metrics: Mapping[str, Any],
    train: ImageSet,
    test: ImageSet | None = None,
    probabilities: Array | None = None,
    command: str = "",
    evidence: Sequence[Strip] = (),
) -> None:
    """Write the report of a run into ``path``.

    metrics : as in metrics.json; train : the labelled set that ``fitted`` was trained on, held-back rows included;
    test and probabilities ``[N, K]`` : what was predicted; command : how it was started; evidence : of the audit.
    """
    classes = fitted.model.classes
    assert train.ids is not None
    held = fitted.held
    labels = train.require_labels("the report")[held]
    sets = [images for images in (train, test) if images is not None]
    audit = dict(metrics.get("audit") or {})
    if audit.get("verdict") == "fault":
        # The main job goes on with a fault only after undoing it.
        audit["repaired"] = True
    facts = ReportFacts(
        title=_title(train),
        metrics=metrics,
        history=fitted.history,
        classes=classes,
        held_images=train.images[held],
        held_truth=np.searchsorted(classes, labels),
        held_probabilities=fitted.held_probabilities,
        held_ids=train.ids[held],
        layer_table=fitted.stack.summary(),
        audit=audit or None,
        evidence=evidence,
        command=command,
        versions=fitted.model.card.get("versions", {}),
        seed=int(metrics.get("seed", 0)),
        sources=[(images.source.path or "memory", images.source.sha256) for images in sets],
        trained_on=f"{len(train) - len(held):,} pictures",
        test_sheet=_sheet(test, probabilities, classes),
        augmentation=_warps(fitted, train),
        augmentation_name=fitted.plans[0].recipe.name,
    )
    write_report(path, facts)


def _title(train: ImageSet) -> str:
    return Path(train.source.path).name or "pictures from memory"


def _sheet(test: ImageSet | None, probabilities: Array | None, classes: Array) -> Sheet | None:
    if test is None or probabilities is None or not len(test):
        return None
    assert test.ids is not None
    confidence = probabilities.max(axis=1)
    rows = np.argsort(confidence, kind="stable")[:_SHEET]
    return Sheet(test.images[rows], classes[probabilities[rows].argmax(axis=1)], confidence[rows], test.ids[rows])


def _warps(fitted: Fitted, train: ImageSet) -> Array | None:
    """Return uint8 ``[m, H, W(, C)]``: of each picture itself, then its warps in the first epochs; None if unwarped."""
    recipe, seed = fitted.plans[0].recipe, fitted.plans[0].seed
    if recipe.is_identity:
        return None
    rows = np.setdiff1d(np.arange(min(len(train), 4 * len(fitted.held) + 64)), fitted.held)[:_WARPED]
    images = to_uint8(train.images[rows])
    ground = background_of(images)
    epochs = [recipe.warp(images, seed, epoch, rows, fill=ground) for epoch in range(_EPOCHS)]
    return np.stack([images, *epochs], axis=1).reshape(-1, *images.shape[1:])
