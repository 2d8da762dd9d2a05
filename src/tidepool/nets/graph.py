"""The ONNX graph, written directly: no tracing, no exporter, and the preprocessing is part of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

OPSET = 20
IR_VERSION = 10


class Graph:
    """Collects nodes and constants under unique names; ``build`` returns the model."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, npt.NDArray[Any]] = {}

    def constant(self, value: npt.ArrayLike, name: str = "constant", dtype: Any = np.float32) -> str:
        """Store an array and return its name."""
        name = self._unique(name)
        self._constants[name] = np.ascontiguousarray(np.asarray(value, dtype=dtype))
        return name

    def node(self, op: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Append an operator and return the name of its output."""
        from onnx import helper

        output = self._unique(name or op.lower())
        self._nodes.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def build(self, input_name: str, input_type: np.dtype[Any], input_shape: list[Any], output: str, doc: str) -> Any:
        """Return the ONNX ModelProto with one input and one output, ``probabilities`` float32 [N, K]."""
        from onnx import TensorProto, helper, numpy_helper

        self._nodes.append(helper.make_node("Identity", [output], ["probabilities"], name="probabilities"))
        graph = helper.make_graph(
            self._nodes,
            "tidepool",
            [helper.make_tensor_value_info(input_name, helper.np_dtype_to_tensor_dtype(input_type), input_shape)],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", None])],
            initializer=[numpy_helper.from_array(value, name) for name, value in self._constants.items()],
            doc_string=doc,
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="tidepool"
        )

    def _unique(self, name: str) -> str:
        taken = {node.output[0] for node in self._nodes} | set(self._constants) | {"images", "probabilities"}
        unique, number = name, 1
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        return unique
