"""What is called at the end of each epoch of ``Sequential.fit`` or ``NeuralNet.fit``."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from tidepool.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from tidepool.training.loop import StopTraining

__all__ = ["Callback", "EarlyStopping", "History", "StopTraining"]

# Keras' names of today and of 2016, and nolearn's, for what can be watched.
_WATCHED = {
    "val_loss": "valid_loss",
    "valid_loss": "valid_loss",
    "val_accuracy": "valid_accuracy",
    "val_acc": "valid_accuracy",
    "valid_accuracy": "valid_accuracy",
    "loss": "train_loss",
    "train_loss": "train_loss",
}


def __getattr__(name: str) -> Any:
    if name == "StopTraining":  # the loop's own; torch is imported with it, so only when it is asked for
        from tidepool.training.loop import StopTraining

        return StopTraining
    raise AttributeError(f"module 'tidepool.callbacks' has no attribute {name!r}")


class Callback:
    """Keras' kind: override what you need. ``model`` is the Sequential; ``logs`` holds loss, val_loss, val_accuracy.

    Setting ``model.stop_training = True`` or raising StopTraining ends training and keeps the model.
    """

    model: Any = None

    def set_model(self, model: Any) -> None:
        """Get to know the model."""
        self.model = model

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Before the first epoch."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """After each epoch, which is counted from 0."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """After the last epoch."""


class EarlyStopping(Callback):
    """Ends training after ``patience`` epochs in a row that did not improve ``monitor`` by more than ``min_delta``.

    monitor : val_loss, val_accuracy (2016: val_acc) or loss; mode : 'auto', 'min' or 'max';
    restore_best_weights : whether the model gets the weights of its best epoch back (Sequential only).
    Also serves as a handler in ``NeuralNet(on_epoch_finished=[EarlyStopping(patience=3)])``.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        restore_best_weights: bool = False,
    ) -> None:
        if monitor not in _WATCHED:
            raise InputError(f"EarlyStopping: nothing named '{monitor}' to watch", did_you_mean(monitor, _WATCHED))
        if mode not in ("auto", "min", "max"):
            raise InputError(f"EarlyStopping: mode is {mode!r}", "mode='auto', 'min' or 'max'")
        self.monitor = monitor
        self.min_delta = min_delta
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.restore_best_weights = restore_best_weights
        self.stopped_epoch = 0
        self._best, self._waited, self._epoch = inf, 0, 0
        self._weights: Any = None
        self._net: Any = None

    @property
    def watches(self) -> str:
        """The name of what is watched in the loop's rows."""
        return _WATCHED[self.monitor]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget an earlier training."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop if it is time."""
        stop = self._judge(epoch + 1, {_WATCHED.get(name, name): value for name, value in (logs or {}).items()})
        if self._waited == 0 and self.restore_best_weights and self.model is not None:
            self._weights = self.model.get_weights_by_name()
        if stop and self.model is not None:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Give the best weights back, if that was asked for."""
        if self.restore_best_weights and self._weights is not None and self.model is not None:
            self.model.set_weights_by_name(self._weights)

    def __call__(self, net: Any, history: list[dict[str, Any]]) -> None:
        """Serve as nolearn's handler: raise StopTraining if it is time."""
        from tidepool.training.loop import StopTraining

        if net is not self._net or len(history) <= self._epoch:
            self._reset()
            self._net = net
        self._epoch = len(history)
        if self._judge(len(history), history[-1]):
            raise StopTraining

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the model: it does not belong to a copy."""
        return {**self.__dict__, "model": None, "_net": None, "_weights": None}

    def _reset(self) -> None:
        self._best, self._waited, self._epoch = inf, 0, 0
        self._weights = self._net = None

    def _judge(self, epoch: int, row: dict[str, Any]) -> bool:
        if self.watches not in row:
            raise InputError(
                f"EarlyStopping watches {self.monitor}, but nothing is held back to measure it",
                "give validation_data, validation_split or train_split, or monitor='loss'",
            )
        value = float(row[self.watches])
        if self.mode == "max" or (self.mode == "auto" and self.watches == "valid_accuracy"):
            value = -value
        if value < self._best - self.min_delta:
            self._best, self._waited = value, 0
            return False
        self._waited += 1
        if self._waited < self.patience:
            return False
        self.stopped_epoch = epoch
        if self.verbose:
            print(f"Epoch {epoch}: early stopping")
        return True


class History:
    """What ``Sequential.fit`` gives back.

    ``history`` holds a list an epoch of ``loss`` and, with validation, ``val_loss``, ``val_accuracy`` and 2016's
    ``val_acc`` (the same numbers); ``epoch`` counts from 0.
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def append(self, epoch: int, logs: dict[str, float]) -> None:
        """Take in an epoch."""
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
