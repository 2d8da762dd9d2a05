"""Recipes: what is done to a picture before it is learnt, as small frozen records in one registry.

    recipe = find("affnist+elastic")
    recipe.matrices(images, seed=0, epoch=3)           # float32 [N, 2, 3]
    recipe.warp(images, seed=0, epoch=3, size=(40, 40))

What is drawn is a pure function of (seed, epoch, image index): it does not depend on the batch, the order, the worker
or the machine. A matrix maps an OUTPUT pixel (x, y, 1) to an INPUT pixel (x, y).

``a + b`` does a, then b, with draws of their own: the maps multiply, b's shift comes on top. Where any part wants the
ink ``inside``, the shift of the whole is drawn so, and the parts' own shifts are not used. Elastic fields are in pixels
of the input and add up, wherever they stand; fields of different grids are written on the finest by least squares.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.errors import InputError, did_you_mean
from tidepool.preprocessing import pad_evenly
from tidepool.randomness import seed_for, uniforms
from tidepool.warp.parts import KINDS, Affine, Elastic, Floats, Part
from tidepool.warp.threads import in_chunks

Array = npt.NDArray[Any]
Index = npt.NDArray[np.integer] | None
Size = tuple[int, int] | None

_ELASTIC = 0xE1A  # keeps the draws of elastic fields apart from all others
_CHUNK = 1024  # pictures whose draws stay in the caches


@dataclass(frozen=True, slots=True)
class Recipe:
    """Affine and elastic parts under a name.

    Everywhere: images are ``[N, H, W]`` or ``[N, H, W, C]``; index : their numbers in the whole set (default 0..N-1);
    size : the output frame (height, width), default the input's; fill : the background, in the pictures and outside
    them; what differs from it is ink, for recipes that keep the ink inside.
    """

    name: str
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError(f"recipe: name is {self.name!r}, expected some text")
        object.__setattr__(self, "parts", tuple(self.parts))

    def __add__(self, other: Recipe) -> Recipe:
        """Return the recipe that does this one, then ``other``."""
        return Recipe(f"{self.name}+{other.name}", self.parts + other.parts)

    @property
    def is_identity(self) -> bool:
        """True where nothing is changed."""
        return all(part.is_identity for part in self.parts)

    @property
    def places_anywhere(self) -> bool:
        """True where the ink may come to lie anywhere in the frame."""
        return any(isinstance(part, Affine) and part.inside for part in self.parts)

    def matrices(
        self, images: Array, seed: int = 0, epoch: int = 0, index: Index = None, size: Size = None, fill: float = 0.0
    ) -> npt.NDArray[np.float32]:
        """Return the affine part, float32 ``[N, 2, 3]``; the identity keeps pictures in the middle of ``size``.

        Raises InputError where a recipe that keeps the ink inside would have to shrink it to less than a twentieth.
        """
        numbers, size = _checked(images, index, size)
        matrices = np.empty((len(images), 2, 3), dtype=np.float32)
        frame = images.shape[1:3]
        if self.is_identity:
            # As padding has it: an odd row goes below, an odd column to the right.
            matrices[:] = [[1, 0, -((size[1] - frame[1]) // 2)], [0, 1, -((size[0] - frame[0]) // 2)]]
            return matrices
        maps, shift, _ = self._draw(images, seed, epoch, numbers, size, fill)
        a, b, c, d = maps[:, 0, 0], maps[:, 0, 1], maps[:, 1, 0], maps[:, 1, 1]
        inverse = np.stack([np.stack([d, -b], 1), np.stack([-c, a], 1)], 1) / (a * d - b * c)[:, None, None]
        x, y = (size[1] - 1) / 2 + shift[:, 0], (size[0] - 1) / 2 + shift[:, 1]
        matrices[:, :, :2] = inverse
        for axis, centre in enumerate(((frame[1] - 1) / 2, (frame[0] - 1) / 2)):
            matrices[:, axis, 2] = centre - (inverse[:, axis, 0] * x + inverse[:, axis, 1] * y)
        return matrices

    def fields(
        self, images: Array, seed: int = 0, epoch: int = 0, index: Index = None, size: Size = None
    ) -> npt.NDArray[np.float32] | None:
        """Return the elastic part as ``apply`` takes it, float32 ``[N, 2, rows, columns]``; None if there is none."""
        from tidepool.warp.splines import regrid

        numbers, size = _checked(images, index, size)
        frame = (int(images.shape[1]), int(images.shape[2]))
        parts = [part for part in self.parts if isinstance(part, Elastic) and not part.is_identity]
        if not parts:
            return None
        grids = [part.grid(frame, size) for part in parts]
        finest = max(rows for rows, _ in grids), max(columns for _, columns in grids)
        total = np.zeros((len(images), 2, *finest))
        for number, (part, (rows, columns)) in enumerate(zip(parts, grids)):
            u = uniforms(seed_for(seed, _ELASTIC, number), epoch, numbers, 2 * rows * columns)
            total += regrid(part.field(u.reshape(-1, 2, rows, columns), frame), finest, size)
        return total.astype(np.float32)

    def warp(
        self,
        images: Array,
        seed: int = 0,
        epoch: int = 0,
        index: Index = None,
        size: Size = None,
        fill: float = 0.0,
        threads: int = 1,
    ) -> Array:
        """Return warped pictures ``[N, h, w]`` or ``[N, h, w, C]``, uint8 or float32 as ``images`` are.

        The result is the same for any number of threads. The identity pads
        evenly into ``size``, and gives back ``images`` themselves where there is nothing to pad.
        """
        numbers, size = _checked(images, index, size)
        if images.dtype not in (np.uint8, np.float32):
            raise InputError(f"warp: images are {images.dtype}, expected uint8 or float32")
        if self.is_identity:
            return pad_evenly(images, size, fill)
        from tidepool.warp.kernel import warp

        out = np.empty((len(images), *size, *images.shape[3:]), dtype=images.dtype)

        def work(part: slice) -> None:
            chosen = images[part]
            asked = (chosen, seed, epoch, numbers[part], size)
            warp(chosen, self.matrices(*asked, fill), out[part], fill, self.fields(*asked))

        in_chunks(work, len(images), _CHUNK, threads)
        return out

    def shrunk(
        self, images: Array, seed: int = 0, epoch: int = 0, index: Index = None, size: Size = None, fill: float = 0.0
    ) -> npt.NDArray[np.int64]:
        """Return which of ``images`` (from 0) have ink that fits inside at no shift, so that ``matrices`` shrinks it.

        It is shrunk evenly about the centre until it fits exactly. Without ``inside`` nothing is ever shrunk.
        """
        numbers, size = _checked(images, index, size)
        return np.flatnonzero(self._draw(images, seed, epoch, numbers, size, fill)[2] < 1)

    def _draw(
        self,
        images: Array,
        seed: int,
        epoch: int,
        numbers: npt.NDArray[np.integer],
        size: tuple[int, int],
        fill: float,
    ) -> tuple[Floats, Floats, Floats]:
        """Return forward maps ``[N, 2, 2]``, shifts ``[N, 2]`` (x, y) and the factors ``[N]`` of shrinking, in maps."""
        affine = [part for part in self.parts if isinstance(part, Affine)]
        u = uniforms(seed, epoch, numbers, Affine.draws * len(affine))
        maps, shift = np.tile(np.eye(2), (len(images), 1, 1)), np.zeros((len(images), 2))
        room = None
        for number, part in enumerate(affine):
            mine = u[:, number * Affine.draws :][:, : Affine.draws]
            linear = part.linear(mine)
            # Written out: a library's product may round otherwise on another machine.
            maps = linear[:, :, :1] * maps[:, :1, :] + linear[:, :, 1:] * maps[:, 1:, :]
            moved = linear[:, :, 0] * shift[:, :1] + linear[:, :, 1] * shift[:, 1:]
            shift = moved + part.shift * (2 * mine[:, 4:6] - 1) * (size[1], size[0])
            room = mine[:, 4:6] if part.inside else room
        if room is None:
            return maps, shift, np.ones(len(images))
        from tidepool.warp.placing import place

        shift, factor = place(images, maps, self._bent(images, seed, epoch, numbers, size), size, room, fill)
        return maps * factor[:, None, None], shift, factor

    def _bent(
        self, images: Array, seed: int, epoch: int, numbers: npt.NDArray[np.integer], size: tuple[int, int]
    ) -> Floats:
        """Return how far the elastic part moves any pixel along x and y at most, ``[N, 2]``."""
        fields = self.fields(images, seed, epoch, numbers, size)
        if fields is None:
            return np.zeros((len(images), 2))
        from tidepool.warp.kernel import farthest

        return farthest(fields, size)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as the model's card keeps it."""
        return {"name": self.name, "parts": [{"kind": part.kind, **asdict(part)} for part in self.parts]}

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Recipe:
        """Read a recipe back; raise InputError for a name that is not known or a value out of range."""
        if not isinstance(values, dict) or not isinstance(values.get("parts"), list | tuple):
            raise InputError(f"recipe: found {values!r}, expected a name and a list of parts")
        unknown = sorted(set(values) - {"name", "parts"})
        if unknown:
            raise InputError(f"recipe: no key '{unknown[0]}'", did_you_mean(unknown[0], ("name", "parts")))
        return Recipe(values.get("name", ""), tuple(_part(part) for part in values["parts"]))


def _part(values: Any) -> Part:
    if not isinstance(values, dict) or "kind" not in values:
        raise InputError(f"recipe: a part is {values!r}, expected its kind ({' or '.join(KINDS)}) and its values")
    return part_of(str(values["kind"]), {key: value for key, value in values.items() if key != "kind"})


def part_of(kind: str, values: dict[str, Any]) -> Part:
    """Make a part by the name of its kind; raise InputError for a kind or key that is not known, or a bad value."""
    if kind not in KINDS:
        raise InputError(f"recipe: no kind of part '{kind}'", did_you_mean(kind, KINDS))
    known = list(asdict(KINDS[kind]()))
    for key in values:
        if key not in known:
            raise InputError(f"{kind}: no key '{key}'", did_you_mean(key, known))
    return KINDS[kind](**values)


def _checked(images: Array, index: Index, size: Size) -> tuple[npt.NDArray[np.integer], tuple[int, int]]:
    """Return the numbers of the pictures and the output frame; raise InputError where they do not fit the pictures."""
    if images.ndim not in (3, 4):
        raise InputError(f"warp: images have shape {images.shape}, expected [N, H, W] or [N, H, W, C]")
    numbers = np.arange(len(images)) if index is None else np.asarray(index)
    if numbers.shape != (len(images),):
        raise InputError(f"warp: {len(images)} pictures, but numbers of shape {numbers.shape} in index")
    height, width = size or images.shape[1:3]
    if min(height, width) < 1:
        raise InputError(f"warp: size is {height}x{width}, expected at least 1x1")
    return numbers, (int(height), int(width))


_GENTLE = Affine(rotation=7.0, shear=0.08, scale=(0.93, 1.07), shift=0.04)

recipes: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("none"),
        Recipe("shift", (Affine(shift=0.07),)),
        Recipe("gentle", (_GENTLE,)),
        Recipe("digits", (Affine(rotation=12.0, shear=0.15, scale=(0.88, 1.12), shift=0.07),)),
        # Simard's values, ICDAR 2003, with a gentle affine part in the same pass.
        Recipe("elastic", (_GENTLE, Elastic())),
        # https://www.cs.toronto.edu/~tijmen/affNIST/: 20 degrees, shear .2, .8 to 1.2 an axis, ink kept in the frame.
        Recipe("affnist", (Affine(rotation=20.0, shear=0.2, scale=(0.8, 1.2), inside=True),)),
    )
}


def find(text: str) -> Recipe:
    """Return the recipe that ``text`` names: a name, a path that ends in .toml, or several of them joined by ``+``.

    Raises InputError with the nearest name, or with the place in the file, where there is no such recipe.
    """
    from pathlib import Path

    if "+" in text and not (text.endswith(".toml") and Path(text).is_file()):
        first, *others = (find(part.strip()) for part in text.split("+"))
        for other in others:
            first = first + other
        return first
    if text.endswith(".toml"):
        from tidepool.warp.recipe_file import read

        return read(text)
    if text not in recipes:
        raise InputError(f"no recipe '{text}'", did_you_mean(text, recipes))
    return recipes[text]
