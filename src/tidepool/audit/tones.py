"""Which change of tone led from one set's grey levels to the other's? Told by the levels that cannot occur.

A change of tone carries each grey level to one other. Stretched parts of the scale leave gaps, clipped ends stay empty:
levels that the other set is full of and that this one never shows, whatever it depicts. No other source and no choice
of classes does that, so the changes are tried one by one, and one is believed where the gaps are where it leaves them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tidepool.audit.faults import Brightness, Contrast, Gamma, Tone
from tidepool.images import Array

_COVERED = 0.97  # of the pixels must lie on levels that the change can give
_EXPECTED = 30  # pixels on levels that it cannot give, were the set unchanged; and what part of them there may be
_STRAY = 0.1
_UNLIKELY = 1e-5  # the likelihood of a level that cannot occur
_REFINED = 6  # of the coarse family are looked at in finer steps
_GIVEN = 1e-5  # share of the pixels from which on a level counts as one that the set has
_OWED_GAMMA, _OWED_STEP, _OWED_FACTOR = 1.2, 12 / 255, 1.2  # milder ones are left alone
_LEVELS = 256

Counts = Array


def levels_of(images: Array, low: float, step: float) -> Counts | None:
    """Return how many pixels lie on each of the 256 levels ``low + k * step``; None where that is not their lattice."""
    places = (images.reshape(-1).astype(np.float64) - low) / step
    whole = np.round(places)
    if not len(whole) or whole.min() < 0 or whole.max() >= _LEVELS or np.abs(places - whole).max() > 0.05:
        return None
    return np.bincount(whole.astype(np.int64), minlength=_LEVELS)


def tone_between(ours: Counts, theirs: Counts, top: int, low: float, step: float) -> Tone | None:
    """Return the change of tone from the set with counts ``ours`` to the one with ``theirs``, or None.

    top : the level that is full scale; low, step : of the lattice. A set that cannot have been made from the other one
    by any change may be what the other one was made from: then the inverse is returned.
    """
    span = top * step
    forward = _believed(ours, theirs, top)
    if forward is not None:
        return _named(forward, low, span)
    back = _believed(theirs, ours, top)
    return None if back is None else _named(_inverse(back), low, span)


def _named(tone: Tone, low: float, span: float) -> Tone:
    return replace(tone, low=low, span=span)


def _inverse(tone: Tone) -> Tone:
    if isinstance(tone, Gamma):
        return replace(tone, g=1 / tone.g)
    if isinstance(tone, Contrast):
        return replace(tone, c=1 / tone.c)
    assert isinstance(tone, Brightness)
    return replace(tone, b=-tone.b)


def _believed(before: Counts, after: Counts, top: int) -> Tone | None:
    """Return the change that leads from ``before`` to ``after``, if the gaps of ``after`` are where it leaves them."""
    share = before / before.sum()
    ceiling = max(top, int(np.flatnonzero(before)[-1]), int(np.flatnonzero(after)[-1]))
    if share[after == 0].sum() * after.sum() < _EXPECTED:
        return None  # no gaps at all
    coarse = sorted(_family(top), key=lambda tone: _likelihood(share, after, tone, top, ceiling), reverse=True)
    tried = [coarse[0], *(near for tone in coarse[:_REFINED] for near in _near(tone))]
    least = _likelihood(share, after, None, top, ceiling)
    scored = [(_likelihood(share, after, tone, top, ceiling), tone) for tone in tried]
    for score, tone in sorted(scored, key=lambda pair: pair[0], reverse=True):
        if score <= least:
            return None
        if any(_gaps_agree(share, after, table) for table in _tables(tone, top, ceiling)):
            return tone
    return None


def _gaps_agree(share: Array, after: Counts, table: Array) -> bool:
    """Say whether ``after`` shows next to nothing on levels that the change cannot give, where much was expected."""
    reached = np.zeros(_LEVELS, dtype=bool)
    reached[table[share > _GIVEN]] = True
    expected, shown = share[~reached].sum() * after.sum(), after[~reached].sum()
    covered: bool = after[reached].sum() >= _COVERED * after.sum()
    return bool(expected >= _EXPECTED and shown <= _STRAY * expected and covered)


def _likelihood(share: Array, after: Counts, tone: Tone | None, top: int, ceiling: int) -> float:
    """Return the mean log likelihood of the ink of ``after`` if it were made so (None: unchanged)."""
    ink = after.copy()
    ink[after.argmax()] = 0  # the background's share depends on the frame
    best = -np.inf
    tables: list[Array] = [np.arange(_LEVELS)] if tone is None else list(_tables(tone, top, ceiling))
    for table in tables:
        made: Array = np.bincount(table, share, minlength=_LEVELS)
        made[after.argmax()] = 0
        made = made / (made.sum() or 1.0) + _UNLIKELY
        best = max(best, float(ink @ np.log(made) / max(ink.sum(), 1)))
    return best


def _near(tone: Tone) -> Iterator[Tone]:
    """Yield finer steps around a tone of the coarse family."""
    for step in np.arange(-0.006, 0.006, 0.0003):
        if isinstance(tone, Gamma):
            yield replace(tone, g=float(tone.g * np.exp(step)))
        elif isinstance(tone, Contrast):
            yield replace(tone, c=float(tone.c * np.exp(step)))


def _tables(tone: Tone, top: int, ceiling: int) -> Iterator[Array]:
    """Yield where each level goes: rounded, and cut off as a cast to whole numbers does it."""
    values = np.clip(tone.forward(np.arange(_LEVELS) / top) * top, 0, ceiling)
    yield np.round(values).astype(np.int64).clip(0, _LEVELS - 1)
    yield np.floor(values + 1e-9).astype(np.int64).clip(0, _LEVELS - 1)


def _family(top: int) -> Iterator[Tone]:
    for g in np.exp(np.arange(np.log(_OWED_GAMMA), np.log(4.0), 0.004)):
        yield Gamma(0.0, 1.0, g=float(g))
        yield Gamma(0.0, 1.0, g=float(1 / g))
    for k in range(max(1, round(_OWED_STEP * top)), top * 2 // 3):
        yield Brightness(0.0, 1.0, b=k / top)
        yield Brightness(0.0, 1.0, b=-k / top)
    for c in np.exp(np.arange(np.log(_OWED_FACTOR), np.log(5.0), 0.004)):
        yield Contrast(0.0, 1.0, c=float(c))
        yield Contrast(0.0, 1.0, c=float(1 / c))
