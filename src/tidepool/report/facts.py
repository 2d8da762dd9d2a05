"""ReportFacts: everything that the report shows, and nothing that it has to look up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tidepool.report.evidence import Strip

Array = npt.NDArray[Any]


class Sheet(NamedTuple):
    """Rows of a test set: images ``[n, H, W(, C)]``, predicted labels ``[n]``, confidence 0..1 ``[n]``, ids ``[n]``."""

    images: Array
    predicted: Array
    confidence: Array
    ids: Array


@dataclass(frozen=True, eq=False)
class ReportFacts:
    """What a run found out.

    title : what was trained on, as a heading.
    metrics : as in metrics.json; missing keys are left out of the page.
    history : a row an epoch (epoch, train_loss, valid_loss, valid_accuracy, seconds, best).
    classes : the labels ``[K]``, int64 or str.
    held_images : the held-back pictures, any numbers ``[n, H, W(, C)]``, n may be 0; held_truth : indices into classes
        ``[n]``; held_probabilities : ``[n, K]``; held_ids : ``[n]``. All four None where nothing was held back.
    layer_table : text; audit : the verdict as JSON, None where there was none; evidence : the pictures it judged by.
    command, versions, seed, sources (path, sha256) : how to repeat it.
    trained_on : how many pictures of what, in words.
    test_sheet : test rows of which the least sure are shown (a tuple in Sheet's order will do).
    augmentation : training pictures ``[m, H, W(, C)]`` in rows of eight, each picture as it is and then warped seven
        times; augmentation_name : the recipe.
    """

    title: str
    metrics: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    classes: Array
    held_images: Array | None = None
    held_truth: Array | None = None
    held_probabilities: Array | None = None
    held_ids: Array | None = None
    layer_table: str = ""
    audit: Mapping[str, Any] | None = None
    evidence: Sequence[Strip] = ()
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    sources: Sequence[tuple[str, str]] = ()
    trained_on: str = ""
    test_sheet: Sheet | tuple[Array, Array, Array, Array] | None = None
    augmentation: Array | None = None
    augmentation_name: str = ""

    def held(self) -> Held | None:
        """Return the held-back rows and what the model says of them, or None where there are none."""
        if self.held_images is None or self.held_truth is None or self.held_probabilities is None:
            return None
        if not len(self.held_images):
            return None
        ids = np.arange(1, len(self.held_images) + 1) if self.held_ids is None else np.asarray(self.held_ids)
        probabilities = np.asarray(self.held_probabilities, dtype=np.float64)
        return Held(np.asarray(self.held_images), np.asarray(self.held_truth, dtype=np.int64), probabilities, ids)


@dataclass(frozen=True, eq=False)
class Held:
    """The held-back rows: images ``[n, H, W(, C)]``, truth ``[n]``, probabilities ``[n, K]``, ids ``[n]``; n >= 1."""

    images: Array
    truth: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    ids: Array

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """The index of the most probable class ``[n]``."""
        found: npt.NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return found

    @property
    def confidence(self) -> npt.NDArray[np.float64]:
        """The probability of the predicted class ``[n]``."""
        found: npt.NDArray[np.float64] = self.probabilities.max(axis=1)
        return found

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Where the prediction is the truth ``[n]``."""
        found: npt.NDArray[np.bool_] = self.predicted == self.truth
        return found
