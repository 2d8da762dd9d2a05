"""Keras' names for the sandwich's layers: thin translations into the same records, in the spellings of 2016 and today.

``Convolution2D(20, 3, 3, border_mode="valid", subsample=(1, 1))`` and ``Conv2D(20, 3, padding="valid", strides=1)``
are one layer. As in Keras, a layer is linear where no ``activation`` is given, and Dense takes rows, not planes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tidepool.errors import StackError
from tidepool.nets.layers import Layer, Pool2DLayer, Shape
from tidepool.nets.layers.base import pair
from tidepool.nets.spelling import spelled
from tidepool.nets.stack import make_layer


@dataclass(frozen=True)
class KerasLayer:
    """A layer as Keras names it: ``kind`` and ``parameters`` are the sandwich's, the rest is for ``Sequential``.

    input_shape : channels first, without the batch, or None; name : or None for one of Sequential's; same : whether
    pooling pads; rows : whether planes are refused.
    """

    keras: str
    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)
    input_shape: Shape | None = None
    name: str | None = None
    same: bool = False
    rows: bool = False

    def __post_init__(self) -> None:
        make_layer(self.name or self.keras, self.kind, **self.parameters)

    def layer(self, name: str, shape: Shape) -> Layer:
        """Return the sandwich's record for an input of ``shape``; raise StackError where it cannot follow."""
        if self.rows and len(shape) > 1:
            raise StackError(
                f"layer '{name}' (input {'x'.join(map(str, shape))}): {self.keras} takes rows, but gets planes",
                "add Flatten() before it",
            )
        parameters = dict(self.parameters)
        layer = make_layer(name, self.kind, **parameters)[1]
        if self.same and isinstance(layer, Pool2DLayer) and len(shape) == 3:
            pads = []
            for size, kernel, step in zip(shape[1:], layer.pool_size, layer.stride):
                total = max((-(-size // step) - 1) * step + kernel - size, 0)
                if total % 2 and step == 1:
                    raise StackError(
                        f"layer '{name}': an even pool_size with strides 1 and border_mode 'same' is not supported",
                        "use an odd pool_size, or strides of 2",
                    )
                pads.append(total // 2)
            layer = make_layer(name, self.kind, **parameters, pad=tuple(pads), ignore_border=False)[1]
        return layer


@spelled
def Convolution2D(
    nb_filter: int,
    nb_row: Any,
    nb_col: int | None = None,
    init: str = "glorot_uniform",
    activation: Any = None,
    border_mode: str = "valid",
    subsample: Any = (1, 1),
    dim_ordering: str | None = None,
    bias: bool = True,
    input_shape: Any = None,
    name: str | None = None,
) -> KerasLayer:
    """Convolution, as Keras wrote it in 2016. ``nb_row`` may be a pair, as today.

    border_mode : 'valid', 'same' or 'full'; subsample : the strides.
    """
    size = pair(nb_row if nb_col is None else (nb_row, nb_col), "nb_row, nb_col")
    return _convolution("Convolution2D", nb_filter, size, subsample, border_mode, activation, bias, init, 1).of(
        name, input_shape, dim_ordering
    )


@spelled
def Conv2D(
    filters: int,
    kernel_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    groups: int = 1,
    activation: Any = None,
    use_bias: bool = True,
    kernel_initializer: str = "glorot_uniform",
    input_shape: Any = None,
    name: str | None = None,
) -> KerasLayer:
    """Convolution, as Keras writes it today."""
    size = pair(kernel_size, "kernel_size")
    return _convolution("Conv2D", filters, size, strides, padding, activation, use_bias, kernel_initializer, groups).of(
        name, input_shape, data_format
    )


@spelled
def MaxPooling2D(
    pool_size: Any = (2, 2),
    strides: Any = None,
    border_mode: str = "valid",
    dim_ordering: str | None = None,
    input_shape: Any = None,
    name: str | None = None,
) -> KerasLayer:
    """The maximum of each window."""
    return _pooling("MaxPooling2D", "MaxPool2DLayer", pool_size, strides, border_mode).of(
        name, input_shape, dim_ordering
    )


@spelled
def AveragePooling2D(
    pool_size: Any = (2, 2),
    strides: Any = None,
    border_mode: str = "valid",
    dim_ordering: str | None = None,
    input_shape: Any = None,
    name: str | None = None,
) -> KerasLayer:
    """The average of each window."""
    return _pooling("AveragePooling2D", "Pool2DLayer", pool_size, strides, border_mode, mode="average").of(
        name, input_shape, dim_ordering
    )


@spelled
def GlobalAveragePooling2D(
    dim_ordering: str | None = None, input_shape: Any = None, name: str | None = None
) -> KerasLayer:
    """The average of each plane."""
    return _Draft("GlobalAveragePooling2D", "GlobalPoolLayer", {"mode": "average"}).of(name, input_shape, dim_ordering)


@spelled
def GlobalMaxPooling2D(dim_ordering: str | None = None, input_shape: Any = None, name: str | None = None) -> KerasLayer:
    """The maximum of each plane."""
    return _Draft("GlobalMaxPooling2D", "GlobalPoolLayer", {"mode": "max"}).of(name, input_shape, dim_ordering)


@spelled
def Dense(
    output_dim: int,
    init: str = "glorot_uniform",
    activation: Any = None,
    bias: bool = True,
    input_dim: int | None = None,
    input_shape: Any = None,
    name: str | None = None,
) -> KerasLayer:
    """Every value with every unit (``output_dim``, today ``units``)."""
    parameters = {"num_units": output_dim, "nonlinearity": activation, "bias": bias, "initialiser": init}
    shape = (input_dim,) if input_dim is not None else input_shape
    return _Draft("Dense", "DenseLayer", parameters, rows=True).of(name, shape)


@spelled
def Dropout(p: float, input_shape: Any = None, name: str | None = None) -> KerasLayer:
    """Each value is 0 with probability ``p`` (today ``rate``) in training."""
    return _Draft("Dropout", "DropoutLayer", {"p": p}).of(name, input_shape)


@spelled
def Activation(activation: Any, input_shape: Any = None, name: str | None = None) -> KerasLayer:
    """A nonlinearity by name: relu, tanh, sigmoid, softmax, ..."""
    return _Draft("Activation", "NonlinearityLayer", {"nonlinearity": activation}).of(name, input_shape)


@spelled
def Flatten(input_shape: Any = None, data_format: str | None = None, name: str | None = None) -> KerasLayer:
    """Planes to one row."""
    return _Draft("Flatten", "FlattenLayer", {}).of(name, input_shape, data_format)


@spelled
def BatchNormalization(
    axis: int = 1, momentum: float = 0.99, epsilon: float = 1e-3, input_shape: Any = None, name: str | None = None
) -> KerasLayer:
    """Each channel to mean 0 and deviation 1; ``momentum`` is the weight of the old in the running statistics.

    The channels are found whatever ``axis`` says.
    """
    if not isinstance(momentum, (int, float)) or not 0 <= momentum < 1:
        raise StackError(f"BatchNormalization: momentum is {momentum!r}, expected a share from 0 to below 1")
    return _Draft("BatchNormalization", "BatchNormLayer", {"alpha": 1 - momentum, "epsilon": epsilon}).of(
        name, input_shape
    )


@dataclass(frozen=True)
class _Draft:
    """A KerasLayer that lacks what every layer may be given: a name and the shape of the input."""

    keras: str
    kind: str
    parameters: dict[str, Any]
    same: bool = False
    rows: bool = False

    def of(self, name: str | None, input_shape: Any, data_format: str | None = None) -> KerasLayer:
        shape = None if input_shape is None else channels_first(tuple(input_shape), data_format)
        return KerasLayer(self.keras, self.kind, self.parameters, shape, name, self.same, self.rows)


def _convolution(
    keras: str,
    filters: int,
    size: tuple[int, int],
    strides: Any,
    border: str,
    activation: Any,
    bias: bool,
    init: str,
    groups: int,
) -> _Draft:
    if border not in ("valid", "same", "full"):
        raise StackError(f"{keras}: border_mode is {border!r}", "'valid', 'same' or 'full'")
    parameters = {
        "num_filters": filters,
        "filter_size": size,
        "stride": strides,
        "pad": (size[0] - 1, size[1] - 1) if border == "full" else border,
        "nonlinearity": activation,
        "groups": groups,
        "bias": bias,
        "initialiser": init,
    }
    return _Draft(keras, "Conv2DLayer", parameters)


def _pooling(keras: str, kind: str, size: Any, strides: Any, border: str, **parameters: Any) -> _Draft:
    if border not in ("valid", "same"):
        raise StackError(f"{keras}: border_mode is {border!r}", "'valid' or 'same'")
    return _Draft(keras, kind, {"pool_size": size, "stride": strides, **parameters}, same=border == "same")


def channels_first(shape: tuple[Any, ...], data_format: str | None) -> Shape:
    """Return Keras' ``input_shape`` as (channels, rows, columns).

    It is read as channels first, as in 2016, unless only the last size can be a number of channels (1 or 3) or
    ``data_format`` ('channels_first', 'channels_last'; 2016: 'th', 'tf') says otherwise.
    """
    if not shape or not all(isinstance(size, int) and size > 0 for size in shape):
        raise StackError(f"input_shape is {shape!r}, expected whole numbers, without the batch", "(1, rows, columns)")
    if data_format not in (None, "th", "tf", "channels_first", "channels_last"):
        raise StackError(f"data_format is {data_format!r}", "'channels_first' (th) or 'channels_last' (tf)")
    if len(shape) == 1:
        return shape
    if len(shape) == 2:
        return (1, *shape)
    if len(shape) != 3:
        raise StackError(
            f"input_shape is {shape!r}, expected (channels, rows, columns)", "(1, 28, 28) for grey pictures"
        )
    guess = shape[0] not in (1, 3) and shape[2] in (1, 3)
    last = guess if data_format is None else data_format in ("tf", "channels_last")
    return (shape[2], *shape[:2]) if last else shape
