"""The search itself: trials of a few seconds each, noted in a journal that several processes can share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tidepool.errors import DataError, InputError, OutsideError
from tidepool.images import ImageSet
from tidepool.randomness import seed_for
from tidepool.training.settings import Settings
from tidepool.tuning.space import USUAL, Point, suggested

if TYPE_CHECKING:
    import optuna

    from tidepool.training.settings import Fitted

# How the budget is shared: most of it searches, the best is set beside the defaults on other rows, then trained.
_SEARCH, _CHECK = 0.55, 0.15
_TRIALS = 30
_LEAST = 3.0  # seconds below which a trial says nothing
_SPLIT, _OTHER_SPLIT = 0x70E, 0x70F
_NAME = "tidepool"


@dataclass(frozen=True)
class Tried:
    """One trial: its number from 1, its loss on held-back rows, and the least so far."""

    number: int
    loss: float
    best: float


@dataclass(frozen=True)
class Best:
    """What the search ends in.

    values : of the space; loss, usual_loss : of the best trial and of the defaults, on rows that neither the search
    nor the two nets had seen; better : whether ``values`` are used.
    """

    values: dict[str, Any]
    loss: float
    usual_loss: float
    better: bool


class Search:
    """A search for ``images`` within ``seconds``, whose journal is the file ``path``.

    Where the file exists the search goes on; several processes may search with one journal.
    Raises DataError where the journal is one of other images or another seed.
    """

    def __init__(
        self, images: ImageSet, seconds: float, path: Path, seed: int = 0, device: str = "auto", jobs: int = 1
    ) -> None:
        self.images, self.seconds, self.seed, self.device, self.jobs = images, seconds, seed, device, jobs
        images.require_classes("tuning")
        channels = images.images.shape[3] if images.images.ndim == 4 else 1
        self.shape = (channels, *images.frame)
        if min(images.frame) < 6:
            raise InputError(f"pictures of {images.frame[0]}x{images.frame[1]} leave no room for convolutions to tune")
        self.trial_seconds = max(_LEAST, _SEARCH * seconds * jobs / _TRIALS)
        self.study = self._open(path)

    def run(self, on_trial: Callable[[Tried], None] | None = None) -> None:
        """Do trials until their share of the time is worked off, by all processes together."""
        if self.jobs > 1:
            import torch

            torch.set_num_threads(max(1, torch.get_num_threads() // self.jobs))
        while (left := self.left()) > 0.5 * self.trial_seconds / self.jobs or not self._done():
            trial = self.study.ask()
            start = time.monotonic()
            stack, regime = suggested(trial, self.shape, len(self._classes()))
            loss = self._loss(stack, regime, min(self.trial_seconds, max(_LEAST, left * self.jobs)), _SPLIT)
            trial.set_user_attr("seconds", time.monotonic() - start)
            self.study.tell(trial, loss)
            if on_trial:
                on_trial(Tried(trial.number + 1, loss, self.study.best_value))

    def left(self) -> float:
        """Return the seconds left for searching; only time worked counts."""
        worked = sum(float(trial.user_attrs.get("seconds", 0.0)) for trial in self._done())
        return _SEARCH * self.seconds - worked / self.jobs

    def check(self) -> Best:
        """Set the best trial beside the defaults, both trained anew with other rows held back."""
        values = self.study.best_params
        if values == USUAL:
            return Best(values, self.study.best_value, self.study.best_value, False)
        seconds = max(_LEAST, _CHECK * self.seconds / 2)
        losses = [
            self._loss(*suggested(Point(some), self.shape, len(self._classes())), seconds, _OTHER_SPLIT)
            for some in (values, USUAL)
        ]
        return Best(values, losses[0], losses[1], losses[0] < losses[1])

    def settings(self, best: Best, seconds: float) -> Settings:
        """Return what trains the model that the search ends in; the defaults where nothing better was found."""
        common = Settings(seconds=seconds, seed=self.seed, device=self.device)
        if not best.better:
            return common
        stack, regime = suggested(Point(best.values), self.shape, len(self._classes()))
        return replace(common, stack=stack, regime=regime)

    def table(self, most: int = 5) -> list[tuple[float, dict[str, Any]]]:
        """Return loss and values of the best trials."""
        done = sorted(self._done(), key=lambda trial: trial.value or 0.0)
        return [(float(trial.value or 0.0), trial.params) for trial in done[:most]]

    def _classes(self) -> Any:
        return np.unique(self.images.require_labels("tuning"))

    def _loss(self, stack: Any, regime: Any, seconds: float, split: int) -> float:
        """Return the mean negative log-likelihood of held-back rows after ``seconds`` of training."""
        # The first trial must not pay for importing torch and loading the warp kernel.
        import tidepool.training.choose
        import tidepool.warp.kernel  # noqa: F401
        from tidepool.training.fit import fit

        seed = seed_for(self.seed, split) % 2**31
        fitted: Fitted = fit(
            self.images,
            Settings(seconds=seconds, stack=stack, regime=regime, seed=seed, device=self.device),
        )
        if fitted.interrupted:
            raise KeyboardInterrupt
        labels = np.searchsorted(self._classes(), self.images.require_labels("tuning")[fitted.held])
        right = fitted.held_probabilities[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(right, 1e-12)).mean())

    def _done(self) -> list[optuna.trial.FrozenTrial]:
        from optuna.trial import TrialState

        return self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))

    def _open(self, path: Path) -> optuna.Study:
        try:
            import optuna
            from optuna.storages.journal import JournalFileBackend
        except ImportError as error:
            raise OutsideError("optuna is not installed", "pip install 'masked-tidepool[tune]'") from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        path.parent.mkdir(parents=True, exist_ok=True)
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
        sampler = optuna.samplers.TPESampler(seed=self.seed, multivariate=True, constant_liar=self.jobs > 1)
        study = optuna.create_study(storage=storage, sampler=sampler, study_name=_NAME, load_if_exists=True)
        identity = {"images": len(self.images), "sha256": self.images.source.sha256, "seed": self.seed}
        known = study.user_attrs.get("identity")
        if known is None:
            study.set_user_attr("identity", identity)
            study.enqueue_trial(dict(USUAL))
        elif known != identity:
            words = f"{path}: a search on {known}, this one is on {identity}"
            raise DataError(words, "give another --out, or delete that file")
        return study
