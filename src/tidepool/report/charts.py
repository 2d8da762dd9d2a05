"""Learning curve and reliability as numbers to be drawn: the template turns them into inline SVG.

Drawn by hand, not by matplotlib: its import and first figure take 1.5 to 2.3 s on this project's two cores, and more on
a machine with many fonts (a cold font cache reads each of them), out of a budget of 20 s. Also, SVG inside the page
takes its colours from the page's style sheet, so that it is right in light, in dark and on paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, isfinite, log10
from typing import Any

from tidepool.report.tables import Bin

# About the width of a phone's column: text then keeps its size there and grows a little elsewhere.
WIDTH, HEIGHT = 340, 230
LEFT, RIGHT, TOP, BOTTOM = 58, 18, 12, 40
_MOST_POINTS = 300


@dataclass(frozen=True)
class Tick:
    """A labelled line at ``at`` (SVG units)."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A curve: ``points`` as SVG wants them, the style's ``kind`` and its name for the legend."""

    kind: str
    name: str
    points: str
    dots: list[tuple[float, float]]


@dataclass(frozen=True)
class Bar:
    """A point with its interval, for reliability: x, y, interval's ends (SVG units), radius, what it says."""

    x: float
    y: float
    low: float
    high: float
    radius: float
    title: str


@dataclass(frozen=True)
class Chart:
    """One figure: ticks, curves, a mark at the epoch kept, and what it shows in words."""

    title: str
    words: str
    x_name: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    mark: Tick | None = None
    diagonal: str = ""


def loss_chart(history: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Return the curve of both losses, on a logarithmic scale where they fall far; None without finite numbers."""
    series = {key: _series(history, key) for key in ("train_loss", "valid_loss")}
    values = [y for points in series.values() for _, y in points]
    if not values:
        return None
    low, high = min(values), max(values)
    logarithmic = low > 0 and high / low > 8
    place, y_ticks = _log_axis(low, high) if logarithmic else _linear_axis(low, high, "{:g}")
    names = {"train_loss": ("train", "training"), "valid_loss": ("valid", "held back")}
    return _curve(history, "Loss", {names[k]: p for k, p in series.items() if p}, place, y_ticks, _words(series))


def accuracy_chart(history: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Return the curve of the accuracy on the held-back pictures, in per cent, or None."""
    points = [(x, 100 * y) for x, y in _series(history, "valid_accuracy")]
    if not points:
        return None
    values = [y for _, y in points]
    place, y_ticks = _linear_axis(min(values), min(100.0, max(values)), "{:g} %", top=100.0)
    words = f"from {values[0]:.2f} to {values[-1]:.2f} per cent in {len(points)} epochs"
    return _curve(history, "Accuracy on held-back pictures", {("valid", "held back"): points}, place, y_ticks, words)


def reliability_chart(bins: Sequence[Bin]) -> Chart:
    """Return how often the model was right against how sure it was, with 95 % intervals."""
    ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    largest = max(b.count for b in bins)
    bars = [
        Bar(
            _x(b.confidence),
            _y(b.right),
            _y(b.low),
            _y(b.high),
            round(2.5 + 4 * (b.count / largest) ** 0.5, 1),
            f"{b.count:,} pictures: {100 * b.confidence:.1f} % sure, {100 * b.right:.1f} % right",
        )
        for b in bins
    ]
    return Chart(
        title="How sure, how often right",
        words="; ".join(bar.title for bar in bars),
        x_name="how sure the model was",
        x_ticks=[Tick(_x(t), f"{100 * t:.0f} %") for t in ticks],
        y_ticks=[Tick(_y(t), f"{100 * t:.0f} %") for t in ticks],
        bars=bars,
        diagonal=f"{_x(0)},{_y(0)} {_x(1)},{_y(1)}",
    )


def _curve(
    history: Sequence[Mapping[str, Any]],
    title: str,
    series: Mapping[tuple[str, str], list[tuple[float, float]]],
    place: Callable[[float], float],
    y_ticks: list[Tick],
    words: str,
) -> Chart:
    first = min(p[0][0] for p in series.values())
    last = max(p[-1][0] for p in series.values())
    width = max(last - first, 1.0)

    def across(epoch: float) -> float:
        return _x((epoch - first) / width if last > first else 0.5)

    lines = []
    for (kind, name), found in series.items():
        step = ceil(len(found) / _MOST_POINTS)
        points = [(across(x), _y(place(y))) for x, y in [*found[:-1:step], found[-1]]]
        dots = points if len(points) <= 20 else []
        lines.append(Line(kind, name, " ".join(f"{x},{y}" for x, y in points), dots))
    step_ = max(1, _nice((last - first) / 6))
    numbers = [first + i * step_ for i in range(int((last - first) / step_) + 1)] if step_ == 1 else []
    numbers = numbers or [first, *(n for n in _multiples(first, last, step_) if n - first > 0.6 * step_)]
    kept = [float(row["epoch"]) for row in history if row.get("best") and "epoch" in row]
    mark = Tick(across(kept[-1]), f"epoch {kept[-1]:g}") if kept and first <= kept[-1] <= last else None
    return Chart(title, words, "epoch", [Tick(across(n), f"{n:g}") for n in numbers], y_ticks, lines, mark=mark)


def _series(history: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    found = []
    for number, row in enumerate(history, 1):
        value = row.get(key)
        if isinstance(value, int | float) and isfinite(value):
            found.append((float(row.get("epoch", number)), float(value)))
    return found


def _words(series: Mapping[str, list[tuple[float, float]]]) -> str:
    names = {"train_loss": "training loss", "valid_loss": "held-back loss"}
    return "; ".join(f"{names[k]} from {p[0][1]:.3g} to {p[-1][1]:.3g}" for k, p in series.items() if p)


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _nice(width: float) -> float:
    """Return the least of 1, 2, 5 times a power of ten that is not below ``width``."""
    power = 10.0 ** floor(log10(width)) if width > 0 else 1.0
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= width * 0.999))


def _multiples(low: float, high: float, step: float) -> list[float]:
    return [round(i * step, 10) for i in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def _linear_axis(
    low: float, high: float, form: str, top: float | None = None
) -> tuple[Callable[[float], float], list[Tick]]:
    """Return (value -> 0..1, ticks) over a round range around ``low``..``high``, not above ``top``."""
    step = _nice(max(high - low, abs(high) * 1e-3, 1e-9) / 4)
    bottom, ceiling = floor(low / step) * step, ceil(high / step) * step
    if ceiling <= bottom:
        ceiling = bottom + step
    if top is not None and ceiling > top:
        ceiling = top
        bottom = min(bottom, top - step)
    width = ceiling - bottom

    def place(value: float) -> float:
        return (value - bottom) / width

    return place, [Tick(_y(place(t)), form.format(t)) for t in _multiples(bottom, ceiling, step)]


def _log_axis(low: float, high: float) -> tuple[Callable[[float], float], list[Tick]]:
    """Return (value -> 0..1, ticks at 1, 2, 5 times powers of ten) over ``low``..``high``."""
    bottom, ceiling = log10(low) - 0.05, log10(high) + 0.05
    digits = (1, 2, 5) if ceiling - bottom < 2.2 else (1, 3) if ceiling - bottom < 3.2 else (1,)
    powers = range(floor(bottom), ceil(ceiling) + 1)
    ticks = [t for p in powers for m in digits if bottom <= log10(t := m * 10.0**p) <= ceiling]

    def place(value: float) -> float:
        return (log10(value) - bottom) / (ceiling - bottom)

    return place, [Tick(_y(place(t)), f"{t:g}") for t in ticks]
