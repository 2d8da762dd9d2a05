"""Named stacks. Each is a function of the frame and the number of classes, with its figures in the docstring."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from tidepool.errors import InputError, did_you_mean
from tidepool.nets.layers import (
    BatchNormLayer,
    Conv2DLayer,
    DenseLayer,
    GlobalPoolLayer,
    Layer,
    MaxPool2DLayer,
    MomentNormLayer,
    Shape,
)
from tidepool.nets.stack import Stack

_LEAST_POSE = 24
_LEAST_TO_HALVE = 14  # pictures smaller than this leave too little after halving
_LEAST_FRAME = 6  # pictures smaller than this have no room for convolutions


class _Builder:
    """Collects layers under numbered names."""

    def __init__(self) -> None:
        self.layers: list[tuple[str, Layer]] = []
        self._numbers: dict[str, int] = {}

    def add(self, name: str, layer: Layer) -> None:
        number = self._numbers[name] = self._numbers.get(name, 0) + 1
        self.layers.append((f"{name}{number}", layer))

    def conv(self, filters: int, size: int = 3, stride: int = 1, pad: str = "same") -> None:
        """A convolution, batch normalisation and ReLU."""
        self.add("conv", Conv2DLayer(filters, size, stride, pad, None, bias=False, initialiser="torch"))
        self.add("norm", BatchNormLayer(nonlinearity="rectify"))

    def pool(self) -> None:
        """Halve the planes, rounded up."""
        self.add("pool", MaxPool2DLayer(2, ignore_border=False))

    def finish(self, classes: int, shape: Shape) -> Stack:
        self.layers.append(("output", DenseLayer(classes, "softmax", initialiser="torch")))
        return Stack(tuple(self.layers), shape)


def convolutional(shape: Shape, classes: int, widths: tuple[int, int, int, int]) -> Stack:
    """A strided first look, one valid convolution, then pairs at half the size, and the maximum of each plane.

    The maximum over the plane makes the answer independent of where a stroke is (global max pooling).
    """
    build = _Builder()
    first, second, third, fourth = widths
    size = min(shape[1:])
    if size < _LEAST_FRAME:
        return dense(shape, classes)
    if _LEAST_TO_HALVE <= size < 20:
        # Halved at once: three times as fast as the wide planes below, and as good (USPS, 16x16).
        build.conv(first, pad="valid")
        build.pool()
        build.conv(second)
        build.conv(third, pad="valid")
        build.conv(fourth, pad="valid")
        build.add("globalpool", GlobalPoolLayer("max"))
        return build.finish(classes, shape)
    # Valid convolutions where there is room: they cost half of padded ones, and the margins of a picture are empty.
    pad = "valid" if size >= 24 else "same"
    if size >= 20:
        build.conv(first, 4, 2, "valid")
    else:
        build.conv(first)
    build.conv(second, pad=pad)
    build.pool()
    if size >= 48:
        build.conv(second)
        build.pool()
    build.conv(third, pad=pad)
    build.conv(fourth, pad=pad)
    build.add("globalpool", GlobalPoolLayer("max"))
    return build.finish(classes, shape)


def small(shape: Shape, classes: int) -> Stack:
    """16-32-64-128: 99 thousand weights, 1.2 million multiply-adds on 28x28; for seconds.

    Of 10,000 held-back MNIST rows 99.33 % after 4 s on two cores, 99.54 after 10 (16-32-64 alone: 99.15 after 4).
    """
    return convolutional(shape, classes, (16, 32, 64, 128))


def medium(shape: Shape, classes: int) -> Stack:
    """24-48-64-128: 114 thousand weights, 2.1 million multiply-adds on 28x28; where no time is given."""
    return convolutional(shape, classes, (24, 48, 64, 128))


def large(shape: Shape, classes: int) -> Stack:
    """32-64-96-192: 243 thousand weights, 3.9 million multiply-adds on 28x28; from 20 s on two cores.

    Of 10,000 held-back MNIST rows 99.58 % after 20 s, 99.65 after 40 (one seed each).
    """
    return convolutional(shape, classes, (32, 64, 96, 192))


def broad(shape: Shape, classes: int) -> Stack:
    """32-64-192 with filters of 7, 5 and 5: 362 thousand weights, 5.5 million multiply-adds on 28x28.

    As good as ``large`` for the same steps, and wrong elsewhere: for an ensemble. Where filters of 5 would not fit
    into what is left of the picture, or cost too much, the picture is halved, padded, or met with smaller ones.
    """
    size = min(shape[1:])
    if size < _LEAST_FRAME:
        return dense(shape, classes)
    build = _Builder()
    if size >= 20:
        build.conv(32, 7, 2, "valid")
    else:
        build.conv(32, 5, pad="valid" if size >= _LEAST_TO_HALVE else "same")
    if size < 20 or size >= 36:
        build.pool()
    build.conv(64, 5, pad="valid" if 24 <= size < 36 else "same")
    build.conv(192, 5 if size >= 20 else 3, pad="valid" if size >= 20 else "same")
    build.add("globalpool", GlobalPoolLayer("max"))
    return build.finish(classes, shape)


def fine(shape: Shape, classes: int) -> Stack:
    """24-48-64-96-192, the first two at full resolution: 262 thousand weights, 18.4 million multiply-adds on 28x28.

    Nothing is skipped before it is looked at: no better alone than ``large`` in the same time, but wrong elsewhere.
    """
    size = min(shape[1:])
    if size < _LEAST_FRAME:
        return dense(shape, classes)
    build = _Builder()
    pad = "valid" if size >= 24 else "same"
    build.conv(24, pad=pad)
    if size >= 36:
        build.pool()
    build.conv(48, pad=pad)
    build.pool()
    for width in (64, 96, 192):
        build.conv(width, pad=pad)
    build.add("globalpool", GlobalPoolLayer("max"))
    return build.finish(classes, shape)


def dense(shape: Shape, classes: int) -> Stack:
    """Two dense layers with batch normalisation, for rows of values that are no pictures."""
    build = _Builder()
    for units in (128, 64):
        build.add("hidden", DenseLayer(units, None, bias=False, initialiser="he_normal"))
        build.add("norm", BatchNormLayer(nonlinearity="rectify"))
    return build.finish(classes, shape)


def _with_moments(make: Callable[[Shape, int], Stack]) -> Callable[[Shape, int], Stack]:
    """Put moment normalisation before a stack: for pictures of one thing anywhere in the frame, at any slant and size.

    Trained on MNIST that was only shifted, it has 99.2 % of affNIST-style test images right, and 99.6 % trained on such
    warps (5 minutes on two cores, one seed): benchmarks/affnist_accuracy.py.
    """

    def stack(shape: Shape, classes: int) -> Stack:
        # affNIST gives pictures of 28x28 a frame of 40x40; the standard pose takes that room away again.
        side = max(_LEAST_POSE, 4 * ceil(0.7 * min(shape[1:]) / 4)) if len(shape) == 3 else _LEAST_POSE
        moments = MomentNormLayer((side, side))
        inner = make(moments.output_shape(shape), classes)
        return Stack((("moments", moments), *inner.layers), shape)

    return stack


ZOO: dict[str, Callable[[Shape, int], Stack]] = {
    stack.__name__: stack for stack in (small, medium, large, broad, fine, dense)
}
ZOO |= {f"moments-{stack.__name__}": _with_moments(stack) for stack in (small, medium, large, broad, fine)}


def find(name: str) -> Callable[[Shape, int], Stack]:
    """Return the maker of a named stack; raise InputError with the nearest name otherwise."""
    if name not in ZOO:
        raise InputError(f"no stack '{name}'", did_you_mean(name, ZOO))
    return ZOO[name]
