"""The order in which the axes of tensors lie while one after the other is pooled.

Runtimes gather and reduce whole lines where an axis is not the last one. So the last axis is
brought to the front before it is pooled, and all are put back in the end.
"""

from __future__ import annotations

from ._graph import Graph


class Layout:
    """Where the axes of the input are now."""

    def __init__(self, rank: int) -> None:
        self.order = list(range(rank))

    def bring(self, graph: Graph, axis: int, *tensors: str) -> tuple[str, ...]:
        """Return tensors in which an axis, the one that is pooled next, is not the last."""
        if self.order[-1] != axis:
            return tensors
        rank = len(self.order)
        self.order = [axis, *self.order[:-1]]
        return tuple(
            graph.node("Transpose", tensor, perm=[rank - 1, *range(rank - 1)]) for tensor in tensors
        )

    def at(self, axis: int) -> int:
        """Return where an axis of the input is."""
        return self.order.index(axis)

    def behind(self, axis: int) -> int:
        """Return how many axes lie behind it."""
        return len(self.order) - 1 - self.order.index(axis)

    def back(self, graph: Graph, tensor: str) -> str:
        """Return a tensor with its axes in the order of the input."""
        if self.order == sorted(self.order):
            return tensor
        restored: str = graph.node(
            "Transpose", tensor, perm=[self.order.index(axis) for axis in range(len(self.order))]
        )
        return restored
