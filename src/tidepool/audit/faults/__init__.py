"""Every fault that the audit can name: one small class each, found by its id in ``FAULTS``."""

from __future__ import annotations

from tidepool.audit.faults.base import Fault
from tidepool.audit.faults.bytes import ByteSwapped, Int8Sign, ReinterpretedBytes, Uint8Wrapped
from tidepool.audit.faults.frames import FrameSize, PaddedOneSide, Shifted
from tidepool.audit.faults.labels import LabelsFromOne, LabelsOffByRows, LabelsPermuted, LabelsShuffled, TenForZero
from tidepool.audit.faults.layout import (
    ChannelOrder,
    FirstPixelDropped,
    HeaderAsPixels,
    IndexAsPixel,
    Interlaced,
    LabelAsPixel,
    PaddedBeforeReshape,
    PairsSwapped,
    WrongWidth,
)
from tidepool.audit.faults.levels import Binarised, PerImageNormalised, Quantised, TruncatedAfterDivision
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
from tidepool.audit.faults.whole import Duplicates, SetsSwapped

FAULTS: dict[str, type[Fault]] = {
    fault.id: fault
    for fault in (
        Scaled255,
        ScaledTwice,
        RangeMinus1To1,
        Standardised,
        PerImageNormalised,
        ScaledOther,
        Uint8Wrapped,
        Int8Sign,
        TruncatedAfterDivision,
        ByteSwapped,
        ReinterpretedBytes,
        MissingValues,
        Inverted,
        Binarised,
        Quantised,
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
        PaddedBeforeReshape,
        WrongWidth,
        LabelAsPixel,
        FirstPixelDropped,
        IndexAsPixel,
        HeaderAsPixels,
        Interlaced,
        ChannelOrder,
        PairsSwapped,
        LabelsFromOne,
        TenForZero,
        LabelsPermuted,
        LabelsOffByRows,
        LabelsShuffled,
        Duplicates,
        SetsSwapped,
    )
}

__all__ = [
    "FAULTS",
    "SYMMETRIES",
    "Binarised",
    "ByteSwapped",
    "ChannelOrder",
    "Duplicates",
    "Fault",
    "FirstPixelDropped",
    "FrameSize",
    "HeaderAsPixels",
    "IndexAsPixel",
    "Int8Sign",
    "Interlaced",
    "Inverted",
    "LabelAsPixel",
    "LabelsFromOne",
    "LabelsOffByRows",
    "LabelsPermuted",
    "LabelsShuffled",
    "MissingValues",
    "PaddedBeforeReshape",
    "PaddedOneSide",
    "PairsSwapped",
    "PerImageNormalised",
    "Quantised",
    "RangeMinus1To1",
    "ReinterpretedBytes",
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
    "TruncatedAfterDivision",
    "Uint8Wrapped",
    "WrongWidth",
]
