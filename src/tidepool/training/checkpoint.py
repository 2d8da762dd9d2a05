"""Checkpoints: everything that the rest of a run depends on, in one safetensors file, whole or not at all."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import DataError
from tidepool.files import whole

Arrays = dict[str, npt.NDArray[Any]]
# Written at most so often, and so seldom that writing takes no more than a hundredth of the time.
_LEAST_SECONDS = 5.0
_SHARE = 0.01


class Checkpoint:
    """The file beside a model that is being trained.

    identity : what must be equal for a run to go on (data, labels, seed, stack, frame, ...), compared on reading.
    """

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self.path = path
        self.identity: dict[str, Any] = json.loads(json.dumps(identity))
        # Saved with every state: what was done before this part of the run began.
        self.facts: dict[str, Any] = {}
        self.arrays: Arrays = {}
        self._next = time.monotonic() + _LEAST_SECONDS

    def due(self) -> bool:
        """Say whether it is time to write."""
        return time.monotonic() >= self._next

    def save(self, arrays: Arrays, facts: dict[str, Any]) -> None:
        """Write the state; the one before is replaced only when the new one is whole."""
        from safetensors.numpy import save_file

        start = time.monotonic()
        metadata = {"identity": json.dumps(self.identity), "facts": json.dumps({**self.facts, **facts})}
        arrays = {**self.arrays, **arrays}
        with whole(self.path) as temporary:
            save_file({name: np.asarray(value, order="C") for name, value in arrays.items()}, temporary, metadata)
        now = time.monotonic()
        self._next = now + max(_LEAST_SECONDS, (now - start) / _SHARE)

    def load(self) -> tuple[Arrays, dict[str, Any]] | None:
        """Return the arrays and facts, or None where nothing was saved.

        Raises DataError for a file that is damaged or was made with other settings.
        """
        if not self.path.exists():
            return None
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, framework="numpy") as file:
                metadata = file.metadata() or {}
                facts, identity = json.loads(metadata["facts"]), json.loads(metadata["identity"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise DataError(f"{self.path}: not a whole checkpoint ({error})", "delete it to start afresh") from error
        for name, value in self.identity.items():
            if identity.get(name) != value:
                found = identity.get(name)
                raise DataError(
                    f"{self.path}: the run that stopped had {name} {found}, this one has {value}",
                    "give the same settings to go on, or delete that file to start afresh",
                )
        return arrays, facts

    def remove(self) -> None:
        """Delete the file: the run is finished."""
        self.path.unlink(missing_ok=True)
