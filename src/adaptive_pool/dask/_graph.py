"""From a call to a graph: checked at once, by the functions of the package; computed later."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _dtypes
from .._arrays import as_array
from .._counted import check_windows
from .._counting import counting_of
from .._extras import needs
from .._kernels.call.problem import Problem
from .._options import AllAverageTypes, AllOptionTypes, Options, options_of
from .._parts import PartsProblem
from .._problem import (
    DataFormat,
    Size,
    as_bool,
    check_data_format,
    make_problem,
    normalize_size,
    pooled_axes,
)
from .._scaled import channel_axis_of, scaled_dtype, scaling_of
from .._threads import as_threads
from .._windows import Weighed, Windows, check_unweighted
from ._cut import Range, Span, chunks_within, cut_outputs, slabs_of, tables_of
from ._fold import add_slab, average_of_sums, compare_slab, is_numbered, maximum_of_slabs
from ._tasks import Block, Call, pool_block

with needs("dask"):
    import dask
    import dask.array as da
    from dask.highlevelgraph import HighLevelGraph
    from dask.utils import parse_bytes

# Slices of one chunk and some lines of its neighbours are not worth cutting.
_CHUNKS_PER_TASK = 2


def _dask_array(function: str, name: str, x: Any) -> Any:
    """Return `x`, or raise unless it is a Dask array of arrays of NumPy with known chunks."""
    if not isinstance(x, da.Array):
        raise TypeError(
            f"{function}: {name} must be a Dask array, got {type(x).__name__}; the function of "
            "this name in adaptive_pool pools arrays in memory"
        )
    as_array(function, name, x._meta)
    if any(math.isnan(size) for axis in x.chunks for size in axis):
        raise ValueError(
            f"{function}: {name} has chunks of unknown size, got chunks {x.chunks}; call its "
            "compute_chunk_sizes() first"
        )
    return x


def _limit(function: str, given: int | str | None) -> int:
    """Return the most bytes of input that a task should have."""
    if given is None:
        return _CHUNKS_PER_TASK * int(parse_bytes(dask.config.get("array.chunk-size")))
    if isinstance(given, bool) or not isinstance(given, (int, str)):
        raise TypeError(
            f"{function}: limit must be a number of bytes or a text such as '256 MiB', "
            f"got {type(given).__name__}"
        )
    try:
        limit = int(parse_bytes(given))
    except ValueError:
        limit = 0
    if limit < 1:
        raise ValueError(f"{function}: limit must be at least 1 byte, got {given!r}")
    return limit


def _options(function: str, given: Mapping[str, Any], types: type) -> Options:
    if given.get("regions") is not None:
        raise TypeError(f"{function}: regions are for arrays in memory")
    return options_of(function, given, types) or Options()


def _stand_in(options: Options) -> Options:
    """Return options with a mask that takes no memory, for checks."""
    where = options.where
    if where is None:
        return options
    if not isinstance(where, da.Array):
        where = as_array("", "where", where)
    return options._replace(where=np.broadcast_to(np.zeros((), where.dtype), where.shape))


def _geometry(
    function: str,
    shape: tuple[int, ...],
    sizes: tuple[int | None, ...],
    data_format: DataFormat,
    windows: Windows,
    dtype: np.dtype[Any],
    itemsize: int,
    options: Options,
) -> Problem | PartsProblem:
    """Check a geometry as calls in memory do; `dtype` is that of the pooled numbers."""
    others = options.without_scaling()
    if others is None:
        return make_problem(function, shape, sizes, data_format, windows, itemsize)
    problem = PartsProblem(function, shape, sizes, data_format, windows, itemsize, others)
    problem.settle(others.empty, dtype)
    return problem


def average(
    function: str,
    ndim: int,
    x: Any,
    output_size: Size,
    data_format: DataFormat,
    windows: Windows,
    dtype: npt.DTypeLike | None,
    limit: int | str | None,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> Any:
    """Return the graph of averages."""
    options = _options(function, given, AllAverageTypes)
    x = _dask_array(function, "x", x)
    sizes = normalize_size(function, ndim, output_size)
    wanted = None if dtype is None else _dtypes.as_dtype(function, "dtype", dtype)
    _dtypes.check_dtype(function, "x", x.dtype, _dtypes.SUPPORTED)
    native = _dtypes.native(x.dtype)
    if options.scales:
        y_dtype = scaled_dtype(function, native, wanted)
    else:
        y_dtype = _dtypes.mean_dtype(function, native, wanted)
    pooled = np.dtype(np.float64) if options.scales else y_dtype
    data_format = check_data_format(function, data_format)
    checked = _stand_in(options)
    problem = _geometry(
        function, x.shape, sizes, data_format, windows, pooled, y_dtype.itemsize, checked
    )
    counting = counting_of(function, checked, x.shape, native)
    if problem.plane > _dtypes.LARGEST_EXACT_WINDOW and (tables := problem.cut()) is not None:
        _dtypes.check_exact_sum(function, native, int(tables.largest))
    if counting is not None and isinstance(problem, PartsProblem):
        check_windows(problem)
    arrays: dict[str, Any] = {}
    if options.scales:
        axis = channel_axis_of(ndim, x.ndim, data_format)
        arrays.update(scaling_of(function, options, x.shape, axis)._asdict())
    return _collections(
        function, ndim, x, sizes, data_format, windows, y_dtype, None, limit, num_threads,
        options, problem, arrays, pooled,
    )  # fmt: skip


def maximum(
    function: str,
    ndim: int,
    x: Any,
    output_size: Size,
    return_indices: bool,
    index_dtype: npt.DTypeLike,
    data_format: DataFormat,
    windows: Windows,
    limit: int | str | None,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> Any:
    """Return the graph of maxima."""
    options = _options(function, given, AllOptionTypes)
    check_unweighted(function, windows)
    x = _dask_array(function, "x", x)
    sizes = normalize_size(function, ndim, output_size)
    positions = None
    if as_bool(function, "return_indices", return_indices):
        positions = _dtypes.as_dtype(function, "index_dtype", index_dtype)
    _dtypes.check_dtype(function, "x", x.dtype, _dtypes.SUPPORTED)
    native = _dtypes.native(x.dtype)
    data_format = check_data_format(function, data_format)
    if positions is not None:
        first = pooled_axes(function, ndim, x.shape, data_format, "x")
        _dtypes.check_index_dtype(function, positions, math.prod(x.shape[first : first + ndim]))
    checked = _stand_in(options)
    problem = _geometry(
        function, x.shape, sizes, data_format, windows, native, native.itemsize, checked
    )
    counting = counting_of(function, checked, x.shape, native)
    if counting is not None and isinstance(problem, PartsProblem):
        check_windows(problem)
    return _collections(
        function, ndim, x, sizes, data_format, windows, native, positions, limit, num_threads,
        options, problem, {}, native,
    )  # fmt: skip


def _collections(
    function: str,
    ndim: int,
    x: Any,
    sizes: tuple[int | None, ...],
    data_format: DataFormat,
    windows: Windows,
    dtype: np.dtype[Any],
    index_dtype: np.dtype[Any] | None,
    limit: int | str | None,
    num_threads: int | None,
    options: Options,
    problem: Problem | PartsProblem,
    arrays: Mapping[str, Any],
    pooled_dtype: np.dtype[Any],
) -> Any:
    """Return the results of a call that was checked, as Dask arrays."""
    most = _limit(function, limit)
    as_threads(function, num_threads)
    first = pooled_axes(function, ndim, x.shape, data_format, "x")
    is_average = function.startswith("adaptive_avg")
    shape = problem.output_shape
    counts = shape[first : first + ndim]
    plane, chunks = x.shape[first : first + ndim], x.chunks[first : first + ndim]
    is_open = dtype.kind in "iu" and options.empty is None
    call = Call(
        function, ndim, data_format, plane, dtype, index_dtype, num_threads, is_average, False,
        {k: v for k, v in options._asdict().items() if k in _PLAIN and v is not None},
        least=problem.least if isinstance(problem, PartsProblem) else 1,
        filler=None if is_open else _filler(problem, pooled_dtype),
    )  # fmt: skip
    results = [dtype]
    results += [] if index_dtype is None else [index_dtype]
    results += [np.dtype(np.int64)] if call.wants_counts else []
    if 0 in shape:
        made = tuple(
            da.zeros(shape, dtype=kind, chunks=_whole(x, first, counts)) for kind in results
        )
        return made if len(made) > 1 else made[0]
    others = math.prod(
        max(axis) for k, axis in enumerate(x.chunks) if not first <= k < first + ndim
    )
    is_cut = options.lengths is None and 0 not in plane
    spans: list[list[Span]] = [[] for _ in range(ndim)]
    if is_cut:
        tables = tables_of(function, plane, counts, windows)
        itemsizes = (x.dtype.itemsize, dtype.itemsize)
        spans = cut_outputs(tables, chunks, others, itemsizes, most)
        call = _replace(call, is_whole=_is_whole(tables, plane))
    else:
        call = _replace(call, output_size=sizes, windows=windows)
    where = options.where
    if where is not None:
        where = da.broadcast_to(da.asarray(where), x.shape).rechunk(x.chunks)
    return _Graph(call, x, where, first, spans, arrays, options.lengths, counts, most).build(
        results, (windows, sizes, options)
    )


_PLAIN = ("nan_policy", "nodata", "empty", "min_count", "return_counts")  # options but arrays


def _replace(call: Call, **changes: Any) -> Call:
    return Call(**{**call.__dict__, **changes})


def _filler(problem: Problem | PartsProblem, dtype: np.dtype[Any]) -> bytes:
    return problem.filler if isinstance(problem, PartsProblem) else bytes(dtype.itemsize)


def _is_whole(tables: Sequence[Any], plane: Sequence[int]) -> bool:
    """Whether elements of windows are numbered through: see `windows_of_block`."""
    starts, ends = tables[-1][:2]
    weighed = any(isinstance(table, Weighed) and len(table.firsts) > 0 for table in tables)
    return len(starts) == 1 and int(ends[0] - starts[0]) == plane[-1] and not weighed


def _whole(x: Any, first: int, counts: Sequence[int]) -> tuple[Any, ...]:
    """Return the chunks of a result whose pooled axes are not cut."""
    pooled = [(count,) for count in counts]
    return (*x.chunks[:first], *pooled, *x.chunks[first + len(counts) :])


class _Graph:
    """The tasks of a call, and the arrays that they make."""

    def __init__(
        self,
        call: Call,
        x: Any,
        where: Any,
        first: int,
        spans: list[list[Span]],
        arrays: Mapping[str, Any],
        lengths: Any,
        counts: tuple[int, ...],
        limit: int,
    ) -> None:
        self.call, self.x, self.where, self.first, self.spans = call, x, where, first, spans
        self.arrays, self.limit, self.counts = arrays, limit, counts
        self.lengths = None if lengths is None else np.asarray(lengths)
        self.last = first + call.ndim
        self.tasks: dict[Any, Any] = {}

    def build(self, results: list[np.dtype[Any]], said: Any) -> Any:
        """Return an array for each result; only one by itself."""
        call, x = self.call, self.x
        token = dask.base.tokenize(
            call.function, x.name, None if self.where is None else self.where.name, said,
            str(call.dtype), str(call.index_dtype), call.num_threads, self.limit, call.data_format,
        )  # fmt: skip
        self.token = token
        name = f"{call.function}-{token}"
        sources = [x] if self.where is None else [x, self.where]
        pooled = [
            tuple(span.count for span in axis) if axis else (count,)
            for axis, count in zip(self.spans, self.counts, strict=True)
        ]
        chunks = (*x.chunks[: self.first], *pooled, *x.chunks[self.last :])
        for index in itertools.product(*(range(len(axis)) for axis in chunks)):
            self.tasks[(name, *index)] = self._task(index)
        graph = HighLevelGraph.from_collections(name, self.tasks, dependencies=sources)
        if len(results) == 1:
            return self._array(graph, name, chunks, results[0])
        layers, needed = dict(graph.layers), dict(graph.dependencies)
        names = [f"{call.function}-{what}-{token}" for what in range(len(results))]
        indices = list(itertools.product(*(range(len(axis)) for axis in chunks)))
        for k, each in enumerate(names):
            layers[each] = {(each, *i): (operator.getitem, (name, *i), k) for i in indices}
            needed[each] = {name}
        graph = HighLevelGraph(layers, needed)
        return tuple(
            self._array(graph, each, chunks, kind)
            for each, kind in zip(names, results, strict=True)
        )

    def _array(self, graph: Any, name: str, chunks: Any, dtype: np.dtype[Any]) -> Any:
        return da.Array(graph, name, chunks, meta=np.empty((0,) * self.x.ndim, dtype))

    def _task(self, index: tuple[int, ...]) -> Any:
        """Return the task of a block, and store those that it needs."""
        call, pooled = self.call, index[self.first : self.last]
        spans = [axis[k] for axis, k in zip(self.spans, pooled, strict=True) if axis]
        block = Block(spans, self._arrays_of(index))
        if not spans:
            inputs: list[Range] = [(0, size) for size in call.sizes]
            return self._call(partial(pool_block, call, block, self.first), index, inputs)
        inputs = [span.inputs for span in spans]
        slabs = self._slabs(index, spans)
        if len(slabs) < 2:
            return self._call(partial(pool_block, call, block, self.first), index, inputs)
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
        others = [*range(self.first), *range(self.last, self.x.ndim)]
        row = self.x.dtype.itemsize * math.prod(self.x.chunks[k][index[k]] for k in others)
        sizes = math.prod(span.size for span in spans)
        counts = [span.count for span in spans]
        is_one = math.prod(counts[:-1]) == 1
        if row * sizes <= self.limit or not is_one or isinstance(spans[0].windows, Weighed):
            return []
        if is_numbered(self.call, spans) and counts[-1] > 1:
            return []
        chunks = self.x.chunks[self.first : self.last]
        return slabs_of([span.inputs for span in spans], chunks, row, self.limit)

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

    def _call(self, task: Callable[..., Any], index: tuple[int, ...], inputs: list[Range]) -> Any:
        return (task, *self._sources(index, inputs))

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
        held = chunks_within(x.chunks[self.first + axis], inputs[axis])
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
