"""Augmentation into files: N warped versions of every picture, in shards that can be read back as one set.

    from tidepool.augmentation import Order, augment

    augment(tp.read("mnist"), "data3", Order(tp.warp.find("affnist"), copies=32, size=(40, 40)))
    tp.read("data3/*.mat")

Version k of a set is epoch k of its recipe: ``recipe.warp(images, seed, epoch=k, size=size)`` makes it again.
"""

from tidepool.augmentation.make import Made, augment
from tidepool.augmentation.order import Order, ground_of, natural_size, warpable
from tidepool.augmentation.target import Target

__all__ = ["Made", "Order", "Target", "augment", "ground_of", "natural_size", "warpable"]
