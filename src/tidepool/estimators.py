"""Classifier: give it pictures and minutes. A scikit-learn estimator."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d

from tidepool import clock
from tidepool.errors import DataError, InputError
from tidepool.images import ImageSet

Array = npt.NDArray[Any]


class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The best classifier for small pictures that fits into a budget.

    budget : wall time of ``fit``, in seconds or as "60s", "5m"; None with ``epochs``, default "60s" with neither.
    epochs : passes over the training rows, in place of a budget: repeatable to the bit.
    stack : name of a stack of the zoo ('small', 'medium', 'large', 'dense', 'moments-medium', ...) or a Stack; None:
        chosen for the recipe and the budget from the throughput measured on this machine.
    recipe : warps of the training pictures, as ``tidepool.warp.find`` takes them ("affnist+elastic"); None: chosen.
    size : (height, width) of the model's frame, if larger than the pictures'.
    validation : share of the rows held back to score by; None: 5 to 20 %, by the number of rows; 0: none.
    device : 'auto', 'cpu', 'cuda' or 'mps'. random_state : seed. verbose : 1 prints a table of epochs.

    ``X`` is ``[N, H, W]``, ``[N, H, W, C]``, or rows ``[N, D]``: where D = k * k they are pictures of k by k, else a
    dense stack is used. Any class labels. Attributes after ``fit``: ``classes_``, ``model_`` (a tidepool Model, with
    ``save``), ``history_`` (a row an epoch), ``validation_`` ({"accuracy", "n"} or None), ``plans_`` (one a
    net of the model).
    """

    def __init__(
        self,
        budget: float | str | None = None,
        *,
        epochs: float | None = None,
        stack: Any = None,
        recipe: str | None = None,
        size: tuple[int, int] | None = None,
        validation: float | None = None,
        device: str = "auto",
        random_state: int = 0,
        verbose: int = 0,
    ) -> None:
        self.budget = budget
        self.epochs = epochs
        self.stack = stack
        self.recipe = recipe
        self.size = size
        self.validation = validation
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Classifier:
        """Train on pictures ``X`` and labels ``y`` ``[N]`` (left out for a labelled ImageSet).

        groups : ``[N]``; default: versions of one original, where an ImageSet knows them. Rows of one group are never
        on both sides of the held-back split.
        """
        from tidepool.training.fit import fit
        from tidepool.training.settings import Settings

        if self.budget is not None and self.epochs is not None:
            raise InputError("budget and epochs exclude each other", "give one of them")
        originals = X.groups if isinstance(X, ImageSet) else None
        if y is None and isinstance(X, ImageSet):
            y = X.labels
        if y is None:
            raise DataError(
                "requires y to be passed, but the target y is None", "give the labels, one a picture, or an ImageSet"
            )
        pictures, flat = self._pictures(X, reset=True)
        target = self._target(y)
        check_consistent_length(pictures, target)
        self.classes_, index = np.unique(target, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(f"y has one class only ({self.classes_[0]})", "a classifier needs at least two classes")
        if groups is not None:
            check_consistent_length(pictures, groups)
            groups = np.asarray(groups)
        settings = Settings(
            seconds=None if self.epochs is not None else clock.seconds(self.budget or "60s"),
            epochs=self.epochs,
            stack=self.stack,
            recipe=self.recipe,
            frame=self.size,
            share=self.validation,
            seed=int(self.random_state or 0),
            device=self.device,
            flat=flat,
        )
        if len(pictures) < 2:
            raise DataError(f"n_samples={len(pictures)}: one picture is not enough to learn from")
        fitted = fit(ImageSet(pictures, index, groups=originals), settings, self._listener(), groups)
        names = [name.item() if isinstance(name, (np.integer, np.bool_)) else str(name) for name in self.classes_]
        fitted.model.card["classes"] = [int(name) if isinstance(name, bool) else name for name in names]
        self.model_ = fitted.model
        self.plans_ = fitted.plans
        self.history_ = fitted.history
        self.validation_ = fitted.metrics["validation"]
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float32]:
        """Return the probabilities float32 ``[N, K]``, in the order of ``classes_``."""
        check_is_fitted(self)
        return self.model_.predict_proba(self._pictures(X, reset=False)[0])

    def predict(self, X: Any) -> Array:
        """Return the class labels ``[N]``."""
        probabilities = self.predict_proba(X)
        labels: Array = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def _listener(self) -> Any:
        from tidepool.training.settings import Listener

        if not self.verbose:
            return None
        from tidepool.training.table import EpochTable

        return Listener(on_epoch=EpochTable())

    def _target(self, y: Any) -> Array:
        target = np.asarray(y)
        if target.ndim == 2 and type_of_target(target) == "multilabel-indicator" and (target.sum(axis=1) == 1).all():
            return np.asarray(target.argmax(axis=1))
        target = column_or_1d(target, warn=True)
        check_classification_targets(target)
        return np.asarray(target)

    def _pictures(self, X: Any, reset: bool) -> tuple[Array, bool]:
        """Return raw pictures, and whether they are rows without a frame (then ``[N, 1, D]``)."""
        if isinstance(X, ImageSet):
            X = X.images
        if getattr(X, "ndim", 2) > 2:
            pictures = ImageSet(check_array(X, allow_nd=True, ensure_all_finite=True, dtype=None)).images
            self._check_width(int(np.prod(pictures.shape[1:])), reset)
            return pictures, False
        from sklearn.utils.validation import validate_data

        rows = validate_data(self, X, reset=reset, dtype="numeric")
        side = isqrt(rows.shape[1])
        flat = side * side != rows.shape[1] or side < 2
        shape = (1, rows.shape[1]) if flat else (side, side)
        return ImageSet(_plain(rows).reshape(len(rows), *shape)).images, flat

    def _check_width(self, width: int, reset: bool) -> None:
        if reset:
            self.n_features_in_ = width

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _plain(rows: Array) -> Array:
    """Whole values 0..255 that come as another type become bytes; the rest float32."""
    if rows.dtype.kind in "bui":
        return rows
    return rows.astype(np.float32)
