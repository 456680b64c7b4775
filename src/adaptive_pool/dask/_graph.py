"""The graph of a call that was checked: blocks of outputs, and the chunks that each needs."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.highlevelgraph import HighLevelGraph

from .. import _dtypes
from .._scaled import channel_axis_of
from ._checked import Checked
from ._cut import Range, Span, chunks_within, cut_outputs, is_whole, slabs_of, tables_of
from ._fold import add_slab, average_of_sums, compare_slab, is_numbered, maximum_of_slabs
from ._tasks import Block, first_pooled, pool_block


def arrays_of(checked: Checked) -> Any:
    """Return the results of a call as Dask arrays; only one by itself."""
    graph = _Graph(checked)
    results = graph.nothing() if 0 in checked.shape else graph.build()
    return results if len(results) > 1 else results[0]


class _Graph:
    """The tasks of a call, and the arrays that they make."""

    def __init__(self, checked: Checked) -> None:
        self.checked, self.call, self.x = checked, checked.call, checked.x
        self.first = first_pooled(self.call, self.x.ndim)
        self.last = self.first + self.call.ndim
        self.pooled_chunks = self.x.chunks[self.first : self.last]
        self.ends = [[*itertools.accumulate(chunks)] for chunks in self.pooled_chunks]
        self.counts = checked.shape[self.first : self.last]
        self.arrays = checked.arrays
        lengths = checked.options.lengths
        self.lengths = None if lengths is None else np.asarray(lengths)
        self.tasks: dict[Any, Any] = {}

    def nothing(self) -> tuple[Any, ...]:
        """Return results without elements."""
        chunks = self._chunks([(count,) for count in self.counts])
        shape, kinds = self.checked.shape, self.checked.kinds
        return tuple([da.zeros(shape, dtype=kind, chunks=chunks) for kind in kinds])

    def build(self) -> tuple[Any, ...]:
        """Return an array for each result."""
        where = self.checked.options.where
        if where is not None:
            where = da.broadcast_to(da.asarray(where), self.x.shape).rechunk(self.x.chunks)
        self.where = where
        self.token = self._token()
        self.spans = self._cut()
        chunks = self._chunks([tuple(span.count for span in axis) for axis in self.spans])
        name = f"{self.call.function}-{self.token}"
        indices = [*itertools.product(*(range(len(axis)) for axis in chunks))]
        for index in indices:
            self.tasks[(name, *index)] = self._task(index)
        sources = [self.x] if where is None else [self.x, where]
        graph = HighLevelGraph.from_collections(name, self.tasks, dependencies=sources)
        kinds = self.checked.kinds
        if len(kinds) == 1:
            return (self._array(graph, name, chunks, kinds[0]),)
        layers, needed = dict(graph.layers), dict(graph.dependencies)
        names = [f"{self.call.function}-{k}-{self.token}" for k in range(len(kinds))]
        for k, each in enumerate(names):
            layers[each] = {(each, *i): (operator.getitem, (name, *i), k) for i in indices}
            needed[each] = {name}
        graph = HighLevelGraph(layers, needed)
        pairs = zip(names, kinds, strict=True)
        return tuple([self._array(graph, each, chunks, kind) for each, kind in pairs])

    def _token(self) -> str:
        """Return what is the same for equal calls alone."""
        call, checked = self.call, self.checked
        text: str = dask.base.tokenize(
            call.function, self.x.name, call.output_size, call.data_format, checked.windows,
            str(call.dtype), str(call.index_dtype), call.num_threads, checked.limit,
            *checked.options,
        )  # fmt: skip
        return text

    def _cut(self) -> list[list[Span]]:
        """Cut the pooled axes of the result; one piece without windows where that cannot be."""
        call, checked = self.call, self.checked
        if self.lengths is not None or 0 in call.sizes:
            self.call = replace(call, windows=checked.windows)
            sizes = zip(self.counts, call.sizes, strict=True)
            return [[Span((0, count), (0, size), None)] for count, size in sizes]
        tables = tables_of(call.function, call.sizes, self.counts, checked.windows)
        self.call = replace(call, is_whole=is_whole(tables, call.sizes))
        others = [max(axis) for axis in (*self.x.chunks[: self.first], *self.x.chunks[self.last :])]
        itemsizes = (self.x.dtype.itemsize, call.dtype.itemsize)
        return cut_outputs(tables, self.pooled_chunks, math.prod(others), itemsizes, checked.limit)

    def _chunks(self, pooled: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
        """Return the chunks of a result."""
        return (*self.x.chunks[: self.first], *pooled, *self.x.chunks[self.last :])

    def _array(self, graph: Any, name: str, chunks: Any, dtype: np.dtype[Any]) -> Any:
        return da.Array(graph, name, chunks, meta=np.empty((0,) * self.x.ndim, dtype))

    def _task(self, index: tuple[int, ...]) -> Any:
        """Return the task of a block, and store those that it needs."""
        call, pooled = self.call, index[self.first : self.last]
        spans = [axis[k] for axis, k in zip(self.spans, pooled, strict=True)]
        block = Block(spans, self._arrays_of(index))
        inputs = [span.inputs for span in spans]
        slabs = self._slabs(index, spans)
        if len(slabs) < 2:
            return (partial(pool_block, call, block, self.first), *self._sources(index, inputs))
        previous = None
        numbered = is_numbered(call, spans)
        for k, slab in enumerate(slabs):
            step: Callable[..., Any]
            if call.is_average:
                step = partial(add_slab, call, numbered)
            else:
                step = partial(compare_slab, call, Block(_spans_of_slab(spans, slab)))
            key = (f"{call.function}-slab-{self.token}", *index, k)
            self.tasks[key] = (_step, step, previous, *self._sources(index, slab), self.first)
            previous = key
        if call.is_average:
            element = _dtypes.native(self.x.dtype)
            return (partial(average_of_sums, call, numbered, element, block), previous)
        return (partial(maximum_of_slabs, call), previous)

    def _slabs(self, index: tuple[int, ...], spans: Sequence[Span]) -> list[tuple[Range, ...]]:
        """Return what a window is pooled from slab by slab, or nothing where it is so at once."""
        others, limit = [*range(self.first), *range(self.last, self.x.ndim)], self.checked.limit
        row = self.x.dtype.itemsize * math.prod(self.x.chunks[k][index[k]] for k in others)
        sizes = math.prod(span.size for span in spans)
        counts = [span.count for span in spans]
        is_one = math.prod(counts[:-1]) == 1
        if row * sizes <= limit or not is_one or not spans[0].is_plain:
            return []
        if is_numbered(self.call, spans) and counts[-1] > 1:
            return []
        return slabs_of([span.inputs for span in spans], self.pooled_chunks, row, limit)

    def _arrays_of(self, index: tuple[int, ...]) -> dict[str, Any]:
        """Return the options of a block that are arrays."""
        arrays = dict(self.arrays)
        axis = channel_axis_of(self.call.ndim, self.x.ndim, self.call.data_format)
        for name, given in self.arrays.items():
            if given.ndim > 0:
                arrays[name] = given[self._range(axis, index)]
        if self.lengths is not None:
            arrays["lengths"] = self.lengths[self._range(0, index)]
        return arrays

    def _range(self, axis: int, index: tuple[int, ...]) -> slice:
        """Return what a chunk holds of an axis that is not pooled."""
        begin = sum(self.x.chunks[axis][: index[axis]])
        return slice(begin, begin + self.x.chunks[axis][index[axis]])

    def _sources(self, index: tuple[int, ...], inputs: Sequence[Range]) -> Iterator[Any]:
        """Yield the pieces of the input, and of what says which elements count."""
        yield self._pieces(self.x, index, inputs)
        yield None if self.where is None else self._pieces(self.where, index, inputs)

    def _pieces(
        self,
        x: Any,
        index: tuple[int, ...],
        inputs: Sequence[Range],
        axis: int = 0,
        here: tuple[Any, ...] = (),
    ) -> Any:
        """Return the keys of the chunks of a slice, or of parts of them, nested by pooled axes."""
        if axis == len(inputs):
            numbers, slices = (tuple(part) for part in zip(*here, strict=True))
            key = (x.name, *index[: self.first], *numbers, *index[self.last :])
            chunks = x.chunks[self.first : self.last]
            if all(s == slice(0, c[k]) for c, k, s in zip(chunks, numbers, slices, strict=True)):
                return key
            part = (f"{self.call.function}-part-{self.token}", len(self.tasks))
            whole = [slice(None)] * self.first
            self.tasks[part] = (operator.getitem, key, (*whole, *slices))
            return part
        held = chunks_within(self.ends[axis], inputs[axis])
        return [self._pieces(x, index, inputs, axis + 1, (*here, found)) for found in held]


def _step(step: Callable[..., Any], before: Any, x: Any, where: Any, axis: int) -> Any:
    return step(before, x, where, axis)


def _spans_of_slab(spans: Sequence[Span], slab: Sequence[Range]) -> list[Span]:
    """Return the windows of a slab: all of its lines, as along W the block has them."""
    *outer, w = [_all_of(inputs) for inputs in slab]
    return [*outer, spans[-1] if slab[-1] == spans[-1].inputs else w]


def _all_of(inputs: Range) -> Span:
    size = inputs[1] - inputs[0]
    return Span((0, 1), inputs, (np.zeros(1, np.int64), np.full(1, size)))
