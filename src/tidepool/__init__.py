"""Tidepool: small labelled pictures in, the best possible classifier out, honestly measured."""

from __future__ import annotations

import importlib
from typing import Any

from tidepool._version import __version__

# Public names and where they live. Each is imported at first use: `import tidepool` stays fast.
_NAMES = {
    "ImageSet": "tidepool.images",
    "read": "tidepool.formats",
    "write": "tidepool.formats",
    "run": "tidepool.main_job",
    "audit": "tidepool.audit",
    "load": "tidepool.model",
    "Classifier": "tidepool.estimators",
    "NeuralNet": "tidepool.nets.nolearn",
    "Sequential": "tidepool.nets.keras",
    "TrainSplit": "tidepool.nets.nolearn",
    "TidepoolError": "tidepool.errors",
}
_MODULES = {"layers", "nonlinearities", "updates", "warp", "callbacks", "errors", "optimizers", "utils"}

__all__ = ["__version__", *_NAMES, *sorted(_MODULES)]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"tidepool.{name}")
    raise AttributeError(f"module 'tidepool' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
