"""The search: every repair that could be meant, tried on a sample, judged by the distance of moments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tidepool.audit.evidence import Reference
from tidepool.audit.faults import (
    SYMMETRIES,
    ChannelOrder,
    Fault,
    FirstPixelDropped,
    FrameSize,
    Inverted,
    MixedOrientation,
    PaddedOneSide,
    Resized,
    Shifted,
    Symmetry,
    Tone,
    Zoomed,
    zoomed,
)
from tidepool.audit.moments import mean_and_spread
from tidepool.audit.offsets import best_offset, refined
from tidepool.audit.sizes import best_zoom
from tidepool.audit.tones import levels_of, tone_between
from tidepool.audit.traits import recentre
from tidepool.images import Array

FrameFault = Shifted | FirstPixelDropped | FrameSize | PaddedOneSide | Resized | Zoomed

_CLAIMS = (
    Inverted
    | Symmetry
    | Shifted
    | FirstPixelDropped
    | PaddedOneSide
    | Resized
    | Zoomed
    | ChannelOrder
    | MixedOrientation
)
_SCREENED, _FINALISTS = 400, 6
_DARK = 64  # a highest value up to which a scale of its own is believed, such as 0..16


@dataclass(frozen=True)
class Candidate:
    """One explanation: ``faults`` in the order of undoing, and the ``distance`` that remains after undoing them."""

    faults: tuple[Fault, ...]
    distance: float

    @property
    def weight(self) -> int:
        """How much it claims: changes of value are forced by the ranges, all else is a claim."""
        return sum(isinstance(fault, _CLAIMS) for fault in self.faults)


def search(reference: Reference, sample: Array, chains: list[tuple[Fault, ...]], zooms: bool = True) -> list[Candidate]:
    """Return the candidates, best first after a closer look at the finalists; ``sample`` ``[n, h, w(, C)]`` is raw.

    zooms : False where the size of each picture was only estimated.

    The first chain without any claim (the identity) is always among them.
    """
    tried = [
        (Candidate(faults, reference.compare(images, _SCREENED, seen)), images, seen)
        for faults, images, seen in _attempts(reference, sample, chains, zooms)
    ]
    order = sorted(range(len(tried)), key=lambda i: tried[i][0].distance)
    closer = sorted({0, *order[:_FINALISTS]})
    found = [replace(tried[i][0], distance=reference.compare(tried[i][1], seen=tried[i][2])) for i in closer]
    rest = [tried[i][0] for i in order if i not in closer]
    return sorted(found, key=lambda candidate: candidate.distance) + rest


def _attempts(
    reference: Reference, sample: Array, chains: list[tuple[Fault, ...]], zooms: bool
) -> Iterator[tuple[tuple[Fault, ...], Array, Array | None]]:
    """Yield (faults, unit images in the training frame, pixels to compare or None); the identity comes first."""
    background = reference.background
    mean, spread = _picture(reference.images, background)
    if sample.ndim == 4 and sample.shape[3] == 3:
        chains = [longer for chain in chains for longer in (chain, (*chain, ChannelOrder("bgr")))]
    for chain in chains:
        values = sample
        for fault in chain:
            values = fault.undo(values)
        if tone := _tone(reference, values):
            chain, values = (*chain, tone), tone.undo(values)
        unit = reference.unit(values)
        if reference.centred:
            unit = recentre(unit, background)
        found = np.concatenate(_picture(unit, background), axis=2)
        for symmetry in (None, *SYMMETRIES):
            wanted = np.concatenate([mean, spread], axis=2)
            if symmetry is not None:
                wanted = symmetry.replay(wanted[None])[0]
            for frame_faults in _placements(reference, unit, found, wanted, zooms):
                images, seen = unit, None
                if any(isinstance(fault, Shifted | Zoomed) for fault in frame_faults):
                    seen = np.ones_like(unit[:1])
                unit_faults = [_on_unit(fault, background) for fault in frame_faults]
                for fault in unit_faults:
                    images = fault.undo(images)
                    if seen is not None:
                        seen = replace(fault, background=0.0).undo(seen)
                turned = () if symmetry is None else (symmetry,)
                for fault in turned:
                    images = fault.undo(images)
                    seen = None if seen is None else fault.undo(seen)
                yield (*chain, *frame_faults, *turned), images, None if seen is None else seen.reshape(-1) > 0.5


def _tone(reference: Reference, values: Array) -> Tone | None:
    """Return the change of tone that the grey levels of ``values`` (on the training scale) show, or None."""
    scale = reference.scale
    if scale.step is None or not scale.span:
        return None
    low, top = scale.low, round(scale.span / scale.step)
    if scale.plain and scale.high > _DARK:
        low, top = 0.0, 255  # few pictures may not show the whole scale
    ours = levels_of(reference.images * scale.span + scale.low, low, scale.step)
    theirs = levels_of(values, low, scale.step)
    if theirs is not None:
        top = max(top, int(np.flatnonzero(theirs)[-1]))  # the darker set shows a part of the scale only
    return None if ours is None or theirs is None else tone_between(ours, theirs, top, low, scale.step)


def _placements(
    reference: Reference, unit: Array, found: Array, wanted: Array, zooms: bool
) -> Iterator[tuple[FrameFault, ...]]:
    """Yield what may have been done to the frame: nothing or even padding first, then the best offset."""
    inner, outer = wanted.shape[:2], found.shape[:2]
    background = reference.scale.background
    if inner == outer:
        yield ()
        if reference.centred:
            return
        reach = max(2, inner[0] // 3), max(2, inner[1] // 3)
        dy, dx = best_offset(found, wanted, (-reach[0], reach[0]), (-reach[1], reach[1]))
        if (dy, dx) != (0, 0):
            dy, dx = refined(found, wanted, dy, dx, reach)
        if (dy, dx) != (0, 0):
            kept = _stays_inside(unit, dy, dx)
            if (dy, dx) == (0, -1):
                empty = bool((reference.images.reshape(len(reference.images), -1)[:, 0] == reference.background).all())
                yield (FirstPixelDropped(background, empty),)
            else:
                yield (Shifted(dx, dy, background, kept),)
        if zooms and (factor := best_zoom(found, wanted)) is not None:
            yield (zoomed(factor, background),)
        return
    spare = outer[0] - inner[0], outer[1] - inner[1]
    yield (FrameSize(inner, outer, background),)
    if reference.centred:
        return
    yield (Resized(inner, outer, background),)
    top, left = best_offset(found, wanted, (min(0, spare[0]), max(0, spare[0])), (min(0, spare[1]), max(0, spare[1])))
    if abs(2 * top - spare[0]) > 1 or abs(2 * left - spare[1]) > 1:
        yield (PaddedOneSide(top, spare[0] - top, left, spare[1] - left, background),)


def _stays_inside(unit: Array, dy: int, dx: int) -> bool:
    """Say whether the rows and columns next to the edge that ink was pushed to are empty in the sample."""
    flat = unit if unit.ndim == 4 else unit[..., None]
    edge_rows = flat[:, -1] if dy > 0 else flat[:, 0]
    edge_columns = flat[:, :, -1] if dx > 0 else flat[:, :, 0]
    return bool((not dy or np.ptp(edge_rows) == 0) and (not dx or np.ptp(edge_columns) == 0))


def _on_unit(fault: FrameFault, background: float) -> FrameFault:
    """Return a fault of the frame with its background on the 0..1 scale."""
    return replace(fault, background=background)


def _picture(unit: Array, background: float) -> tuple[Array, Array]:
    """Return mean (background 0) and spread of unit images, each ``[H, W, C]``."""
    mean, spread = mean_and_spread(unit)
    shape = (*unit.shape[1:3], unit.shape[3] if unit.ndim == 4 else 1)
    return (mean - background).reshape(shape), spread.reshape(shape)
