"""Every fault that the audit can name: one small class each, found by its id in ``FAULTS``."""

from __future__ import annotations

from tidepool.audit.faults.base import Fault
from tidepool.audit.faults.frames import FrameSize, PaddedOneSide, Shifted
from tidepool.audit.faults.labels import LabelsFromOne, LabelsOffByRows, LabelsPermuted, LabelsShuffled, TenForZero
from tidepool.audit.faults.symmetries import (
    SYMMETRIES,
    AntiTransposed,
    FlippedLR,
    FlippedUD,
    Rotated90,
    Rotated180,
    Rotated270,
    Symmetry,
    Transposed,
)
from tidepool.audit.faults.tone import Inverted
from tidepool.audit.faults.values import (
    MissingValues,
    RangeMinus1To1,
    Rescaled,
    Scaled255,
    ScaledOther,
    ScaledTwice,
    Standardised,
    Target,
)
from tidepool.audit.faults.whole import SetsSwapped

FAULTS: dict[str, type[Fault]] = {
    fault.id: fault
    for fault in (
        Scaled255,
        ScaledTwice,
        RangeMinus1To1,
        Standardised,
        ScaledOther,
        MissingValues,
        Inverted,
        Transposed,
        FlippedLR,
        FlippedUD,
        Rotated90,
        Rotated180,
        Rotated270,
        AntiTransposed,
        Shifted,
        PaddedOneSide,
        FrameSize,
        LabelsFromOne,
        TenForZero,
        LabelsPermuted,
        LabelsOffByRows,
        LabelsShuffled,
        SetsSwapped,
    )
}

__all__ = [
    "FAULTS",
    "SYMMETRIES",
    "Fault",
    "FrameSize",
    "Inverted",
    "LabelsFromOne",
    "LabelsOffByRows",
    "LabelsPermuted",
    "LabelsShuffled",
    "MissingValues",
    "PaddedOneSide",
    "RangeMinus1To1",
    "Rescaled",
    "Scaled255",
    "ScaledOther",
    "ScaledTwice",
    "SetsSwapped",
    "Shifted",
    "Standardised",
    "Symmetry",
    "Target",
    "TenForZero",
]
