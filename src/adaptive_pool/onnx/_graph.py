"""Nodes of ONNX, one after the other.

What is made of constants alone is computed at once, and what was made before is not made again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import onnx

from .._problem import Array

# A tensor of the graph by its name, or one that is known now.
Value: TypeAlias = str | Array

# What is known now is computed with these, which do what the operators of their names do.
_NUMPY: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "Concat": lambda *parts, axis: np.concatenate(parts, axis),
    "Cast": lambda x, to: x.astype(onnx.helper.tensor_dtype_to_np_dtype(to)),
    "Div": lambda x, y: x // y if x.dtype.kind == "i" else x / y,  # no integer is negative
    "LessOrEqual": np.less_equal,
    "Max": np.maximum,
    "Min": np.minimum,
    "Mod": np.mod,
    "Mul": np.multiply,
    "Range": np.arange,
    "ReduceMax": lambda x, **_: np.max(x, initial=0),
    "ReduceProd": lambda x, **_: np.prod(x),
    "Reshape": np.reshape,
    "Sub": np.subtract,
    "Unsqueeze": lambda x, axes: np.expand_dims(x, tuple(axes)),
    "Where": np.where,
}


class Graph:
    """Nodes and initializers, whose names begin with a prefix."""

    def __init__(self, prefix: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._prefix = prefix
        self._count = 0
        self._made: dict[object, Any] = {}

    def _name(self) -> str:
        self._count += 1
        return f"{self._prefix}_{self._count}"

    def name_of(self, value: Value) -> str:
        """Return the name of a tensor, which is an initializer if it is known."""
        if isinstance(value, str):
            return value
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._made:
            self._made[key] = self._name()
            self.initializers.append(onnx.numpy_helper.from_array(value, self._made[key]))
        name: str = self._made[key]
        return name

    def __call__(self, operator: str, *inputs: Value, **attributes: Any) -> Any:
        """Return what an operator gives: a tensor that is known if all inputs are."""
        if operator in _NUMPY and not any(isinstance(x, str) for x in inputs):
            return np.asarray(_NUMPY[operator](*inputs, **attributes))
        return self.node(operator, *inputs, **attributes)

    def node(self, operator: str, *inputs: Value, outputs: int = 1, **attributes: Any) -> Any:
        """Return the name of what a node gives, or a list of them if it gives several."""
        given = [self.name_of(x) for x in inputs]
        key = (operator, *given, str(attributes))
        if key not in self._made:
            names = [self._name() for _ in range(outputs)]
            self.nodes.append(
                onnx.helper.make_node(operator, given, names, name=names[0], **attributes)
            )
            self._made[key] = names[0] if outputs == 1 else names
        return self._made[key]

    def call(self, value: str, name: str) -> None:
        """Give the result of a node the name that others know it by."""
        made = [node for node in self.nodes if value in node.output]
        if not made:  # it is the input
            self.nodes.append(onnx.helper.make_node("Identity", [value], [name], name=self._name()))
        for node in made:
            node.output[:] = [name if output == value else output for output in node.output]
        for node in self.nodes:
            node.input[:] = [name if given == value and made else given for given in node.input]
