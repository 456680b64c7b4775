"""A graph as an exporter wrote it: who makes and who uses each tensor, and what is known of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

import onnx

from .._objects import shown

# A size, the name of one that is only known when the model runs, or None for one without a name.
Dim = int | str | None


class Intent(NamedTuple):
    """What a node was made of, as the exporter noted it."""

    kind: str  # "avg" or "max"
    call: str  # the same for all nodes of one call


_RANDOM = ("Bernoulli", "Multinomial")

# Of PyTorch: a module, as in `torch.nn.modules.pooling.AdaptiveAvgPool2d`, or a line that calls the
# function.
_MODULE = re.compile(r"^torch\.nn\.modules\.pooling\.Adaptive(Avg|Max)Pool[123]d$")
_CALL = re.compile(r"\badaptive_(avg|max)_pool[123]d\(")


def names_used(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the tensors that a node reads, those that its subgraphs take from outside too."""
    yield from (name for name in node.input if name)
    for graph in subgraphs(node):
        yield from (output.name for output in graph.output)
        for inner in graph.node:
            yield from names_used(inner)


def subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Yield the graphs that a node has, such as the branches of an If."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def intent_of(node: onnx.NodeProto) -> Intent | None:
    """Return which adaptive pool a node is part of, if PyTorch's exporter noted that."""
    notes = {entry.key: entry.value for entry in node.metadata_props}
    names = _list(notes.get("pkg.torch.onnx.name_scopes", ""))
    for depth, name in enumerate(_list(notes.get("pkg.torch.onnx.class_hierarchy", ""))):
        module = _MODULE.match(name)
        if module:
            return Intent(module[1].lower(), "/".join(names[: depth + 1]))
    trace = notes.get("pkg.torch.onnx.stack_trace", "").strip()
    calls = _CALL.findall(trace.rpartition("\n")[2])
    return Intent(calls[0], trace) if len(calls) == 1 else None


def _list(text: str) -> list[str]:
    try:
        names = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


class Exported:
    """The index of a graph of a model; `outer` is that of the graph around it."""

    def __init__(
        self, model: onnx.ModelProto, graph: onnx.GraphProto, outer: Exported | None = None
    ) -> None:
        self.model, self.graph, self.outer = model, graph, outer
        self.maker: dict[str, int] = {}
        self.users: dict[str, list[int]] = {}
        for k, node in enumerate(graph.node):
            self.maker.update((name, k) for name in node.output if name)
            for name in names_used(node):
                self.users.setdefault(name, []).append(k)
        for k, node in enumerate(graph.node):  # what follows goes from user to maker, to an end
            late = next((name for name in node.input if self.maker.get(name, -1) >= k), None)
            if late is not None:
                raise ValueError(
                    f"repair: nodes must come after those that make what they read, but node {k} "
                    f"reads {shown(late)}"
                )
        self.results = {output.name for output in graph.output}
        given = {value.name for value in graph.input}
        self.constants = {t.name: t for t in graph.initializer if t.name not in given}
        self._values = {
            value.name: value.type.tensor_type
            for value in (*graph.input, *graph.output, *graph.value_info)
        }
        self._known = set(self.constants)
        for node in graph.node:
            if self._makes_known(node):
                self._known.update(name for name in node.output if name)

    def _makes_known(self, node: onnx.NodeProto) -> bool:
        if node.domain not in ("", "ai.onnx") or any(subgraphs(node)):
            return False
        if node.op_type in ("Constant", "Shape"):
            return True
        is_random = node.op_type.startswith("Random") or node.op_type in _RANDOM
        return not is_random and all(self.is_known(name) for name in node.input if name)

    def is_used(self, name: str) -> bool:
        """Return whether a node reads a tensor, or the graph gives it back."""
        return name in self.users or name in self.results

    def is_known(self, name: str) -> bool:
        """Return whether a tensor is made of constants and shapes alone."""
        if name in self._known:
            return True
        return self.outer is not None and name not in self.maker and self.outer.is_known(name)

    def constant(self, name: str) -> onnx.TensorProto | None:
        """Return an initializer, of this graph or of one around it."""
        if name in self.constants or self.outer is None:
            return self.constants.get(name)
        return self.outer.constant(name)

    def shape(self, name: str) -> tuple[Dim, ...] | None:
        """Return the shape of a tensor, or None if its rank is not known."""
        value = self._values.get(name)
        if value is None:
            constant = self.constants.get(name)
            if constant is not None:
                return tuple(constant.dims)
            return None if self.outer is None or name in self.maker else self.outer.shape(name)
        if not value.HasField("shape"):
            return None
        return tuple(
            dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None
            for dim in value.shape.dim
        )

    def element(self, name: str) -> int:
        """Return the type of elements of a tensor, 0 if it is not known."""
        value = self._values.get(name)
        if value is not None:
            return int(value.elem_type)
        constant = self.constants.get(name)
        if constant is not None:
            return int(constant.data_type)
        return 0 if self.outer is None or name in self.maker else self.outer.element(name)
