"""The audit: tells how a test set was prepared differently from its training set, undoes it and prices it.

    verdict = tidepool.audit(train, test)
    verdict.verdict, verdict.findings, verdict.repaired

How it decides. ``judge`` undoes what makes a set unreadable by itself (``layouts``, ``numbers``, ``quality``), then
``look`` compares the pictures: ``hypotheses`` (values), ``search`` with ``offsets``, ``sizes`` and ``tones`` (geometry
and grey scale), ``moments`` (the distance), ``decide`` (margins), ``single`` and ``mixture`` (what was done to each
picture, or to some), ``quality`` again (blur). ``conclude`` makes the findings, with ``label_check``, ``duplicates``
and ``price``.

Each fault is one class in ``faults``.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from tidepool.audit.judge import audit
from tidepool.audit.verdict import Cost, Finding, Verdict

__all__ = ["Cost", "Finding", "Verdict", "audit"]


class _CallableRoom(ModuleType):
    """``tidepool.audit`` is this package as soon as it is imported, and the function in the documentation: be both."""

    def __call__(self, *args: Any, **kwargs: Any) -> Verdict:
        """Audit two sets; see ``tidepool.audit.audit``."""
        return audit(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableRoom
