"""The parts of a recipe: an affine map or an elastic field, drawn anew for each picture. Frozen, checked, JSON-able.

Random numbers come in as uniforms in [0, 1), so that a draw is a pure function of where they come from. Sines are
summed here rather than taken from a library: additions and multiplications round alike on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tidepool.errors import InputError

Floats = npt.NDArray[np.float64]

# The root mean square of a cubic B-spline field in two dimensions whose coefficients are white noise of variance 1:
# the integral of the squared cubic B-spline is 151/315 along each axis.
_SPLINE_RMS = 151 / 315
_FRAME = 28  # the side of the frame that Elastic's pixels refer to


@dataclass(frozen=True, slots=True)
class Affine:
    """Random scale, shear, rotation and shift about the picture's centre, in this order.

    rotation : uniform in ±rotation, in degrees, 0 to 180.
    shear : horizontal, uniform in ±shear, in pixels a pixel, 0 to 1.
    scale : (low, high), each axis on its own, uniform between them; 0.1 to 10.
    shift : uniform in ±shift as a share of the frame, each axis on its own, 0 to 1.
    inside : the shift is uniform over every shift that keeps all ink inside the frame, as affNIST does it, and
        ``shift`` is not used; ink that fits at no shift is shrunk until it does.
    Raises InputError for a value out of its range.
    """

    kind: ClassVar[str] = "affine"
    draws: ClassVar[int] = 6

    rotation: float = 0.0
    shear: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    shift: float = 0.0
    inside: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotation", _number(self, "rotation", 0, 180, " degrees"))
        object.__setattr__(self, "shear", _number(self, "shear", 0, 1))
        object.__setattr__(self, "scale", _scale(self.scale))
        object.__setattr__(self, "shift", _number(self, "shift", 0, 1))
        if not isinstance(self.inside, bool):
            raise InputError(f"affine: inside is {self.inside!r}, expected true or false")

    @property
    def is_identity(self) -> bool:
        """True where nothing is changed."""
        return not (self.rotation or self.shear or self.shift or self.inside) and self.scale == (1.0, 1.0)

    def linear(self, u: Floats) -> Floats:
        """Return the forward maps ``[N, 2, 2]``, rotate(shear(scale(point))), of uniforms ``[N, 6]``."""
        angle = np.pi / 180 * self.rotation * (2 * u[:, 0] - 1)
        shear = self.shear * (2 * u[:, 1] - 1)
        low, high = self.scale
        across, down = low + (high - low) * u[:, 2], low + (high - low) * u[:, 3]
        cos, sin = _cos_sin(angle)
        maps = np.empty((len(u), 2, 2))
        maps[:, 0, 0], maps[:, 0, 1] = cos * across, (cos * shear - sin) * down
        maps[:, 1, 0], maps[:, 1, 1] = sin * across, (sin * shear + cos) * down
        return maps


@dataclass(frozen=True, slots=True)
class Elastic:
    """A random displacement field, smoothed by a Gaussian.

    alpha : root mean square of the displacement along each axis, in pixels, 0 to 10.
    sigma : standard deviation of the Gaussian, in pixels, 1 to 28.
    Both are for a frame of 28x28 and grow with the smaller side of the picture's own frame.

    Simard, Steinkraus & Platt, "Best practices for convolutional neural networks applied to visual document analysis",
    ICDAR 2003: uniform noise in ±1, smoothed with sigma 4 and multiplied by 34, which is alpha = 34 / sqrt(3) / (2
    sqrt(pi) 4) = 1.38 here. The field is a cubic B-spline whose coefficients are that noise, on a coarse grid of
    spacing sqrt(3) sigma: its kernel has the Gaussian's variance, so that nothing is left to smooth. The spacing is
    rounded so that whole cells fill the frame.
    Raises InputError for a value out of its range.
    """

    kind: ClassVar[str] = "elastic"

    alpha: float = 1.38
    sigma: float = 4.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", _number(self, "alpha", 0, 10, " pixels"))
        object.__setattr__(self, "sigma", _number(self, "sigma", 1, _FRAME, " pixels"))

    @property
    def is_identity(self) -> bool:
        """True where nothing is changed."""
        return self.alpha == 0

    def grid(self, frame: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
        """Return how many coefficients span an output frame ``size`` down and across, for pictures of ``frame``."""
        spacing = sqrt(3) * self.sigma * min(frame) / _FRAME
        down, across = (max(1, round((side - 1) / spacing)) + 3 for side in size)
        return down, across

    def field(self, u: Floats, frame: tuple[int, int]) -> Floats:
        """Return coefficients in pixels of the input, shaped as the uniforms ``u`` are."""
        alpha = self.alpha * min(frame) / _FRAME
        return alpha * sqrt(3) / _SPLINE_RMS * (2 * u - 1)


Part = Affine | Elastic
KINDS: dict[str, type[Affine] | type[Elastic]] = {"affine": Affine, "elastic": Elastic}


def _number(part: Part, key: str, low: float, high: float, unit: str = "") -> float:
    value = getattr(part, key)
    if not _is_number(value) or not low <= value <= high:
        raise InputError(f"{part.kind}: {key} is {value!r}, expected a number from {low:g} to {high:g}{unit}")
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _scale(value: Any) -> tuple[float, float]:
    pair = tuple(value) if isinstance(value, tuple | list) else ()
    if len(pair) != 2 or not all(map(_is_number, pair)) or not 0.1 <= pair[0] <= pair[1] <= 10:
        raise InputError(f"affine: scale is {value!r}, expected two numbers from 0.1 to 10, the lower one first")
    return float(pair[0]), float(pair[1])


def _cos_sin(angle: Floats) -> tuple[Floats, Floats]:
    """Return cosine and sine of angles in ±pi by Taylor's series, to the last digits of a float64."""
    square = angle * angle
    cos = np.ones_like(angle)
    sin = np.ones_like(angle)
    for n in range(28, 0, -2):
        cos = 1 - square / (n * (n - 1)) * cos
        sin = 1 - square / (n * (n + 1)) * sin
    return cos, angle * sin
