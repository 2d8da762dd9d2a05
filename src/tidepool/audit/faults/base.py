"""What a fault is: a way to prepare pictures differently, how to undo it and how to do it again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

from tidepool.images import Array, ImageSet


class Fault(ABC):
    """One fault with its parameters.

    A fault is a hypothesis until the distance of moments has chosen it. ``undo`` turns faulty pictures into correct
    ones, ``replay`` correct ones into faulty ones (for pricing). Subclasses are frozen dataclasses.
    """

    id: ClassVar[str]
    harmless: ClassVar[bool] = False
    repairable: ClassVar[bool] = True
    """False where the repair is `none` and going on makes no sense: ``--fix`` stops."""
    mirrored: ClassVar[bool] = False
    """True where nothing can be undone, so that ``--fix`` does the same to the other set (``replay``)."""
    echoed: ClassVar[bool] = False
    """True where the repair leaves traces (softness, ink that was lost): ``--fix`` does the fault to the other set and
    undoes it there, so that both have them."""
    settles_values: ClassVar[bool] = False
    """True where both sets hold the same kind of values as soon as both have lost the same."""

    @property
    def exact(self) -> bool:
        """Whether ``undo`` gives back what was there before, to the bit."""
        return True

    @property
    def parameters(self) -> dict[str, Any]:
        """What FAULTS.md asks for by this id, ready for JSON."""
        return {}

    @property
    @abstractmethod
    def plain(self) -> str:
        """What was done, as the end of 'Your test images ...'."""

    @property
    @abstractmethod
    def repair(self) -> str:
        """What ``--fix`` does, as an order: 'transpose each image'."""

    def undo(self, images: Array) -> Array:
        """Return ``images`` ``[N, H, W(, C)]`` as they were before the fault."""
        return images

    def replay(self, images: Array) -> Array:
        """Return correct ``images`` with the fault done to them."""
        return images

    def undo_set(self, images: ImageSet) -> ImageSet:
        """Return the repaired set; faults of labels replace this."""
        return replace(images, images=self.undo(images.images))

    def replay_set(self, images: ImageSet) -> ImageSet:
        """Return a correct set with the fault done to it."""
        return replace(images, images=self.replay(images.images))
