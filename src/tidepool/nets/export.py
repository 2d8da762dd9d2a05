"""From a trained stack to the ONNX graph that takes raw pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tidepool.nets.graph import Graph
from tidepool.nets.stack import Stack
from tidepool.preprocessing import Preprocessing


def to_onnx(
    stack: Stack, preprocessing: Preprocessing, weights: dict[str, npt.NDArray[Any]], temperature: float = 1.0
) -> bytes:
    """Return the graph as bytes: input ``images`` raw ``[N, h, w(, C)]``, output ``probabilities`` ``[N, K]``.

    temperature : the logits are divided by it (Guo et al., ICML 2017).
    Height and width are free up to the model's frame; smaller pictures are padded evenly inside the graph.
    """
    graph = Graph()
    x = preprocessing.emit(graph, "images")
    x = Stack(stack.logit_layers, stack.input_shape).emit(graph, x, weights)
    if temperature != 1.0:
        x = graph.node("Mul", x, graph.constant(1 / temperature, "inverse_temperature"))
    x = graph.node("Softmax", x, axis=1)
    colours = [preprocessing.channels] if preprocessing.channels > 1 else []
    shape: list[Any] = ["N", "height", "width", *colours]
    frame = "x".join(map(str, preprocessing.frame))
    model = graph.build("images", np.dtype(preprocessing.dtype), shape, x, f"raw pictures up to {frame}")
    data: bytes = model.SerializeToString()
    return data
