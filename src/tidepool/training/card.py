"""The card of a model: what it was trained on and how, so that anyone can judge it and repeat it."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool._version import __version__
from tidepool.images import ImageSet
from tidepool.training.plan import Plan
from tidepool.training.settings import Settings


def card_of(
    images: ImageSet,
    settings: Settings,
    classes: npt.NDArray[Any],
    held: npt.NDArray[np.int64],
    share: float,
    device: str,
    plans: tuple[Plan, ...],
) -> dict[str, Any]:
    """Return what is known before the model is scored; everything in it is JSON."""
    return {
        "classes": [c.item() if isinstance(c, np.integer) else str(c) for c in classes],
        "plans": [plan.to_dict() for plan in plans],
        "seed": settings.seed,
        "held_back_share": share,
        "device": device,
        "versions": versions(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "trained_on": {
            "path": images.source.path,
            "format": images.source.format,
            "sha256": images.source.sha256,
            "images": len(images),
            "held_back": len(held),
            "frame": list(images.frame),
        },
    }


def versions() -> dict[str, str]:
    """Return the versions that decide the weights."""
    import platform

    import torch

    return {
        "tidepool": __version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
