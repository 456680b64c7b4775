"""Gradients of ragged batches: each is to the bit that of its item alone.

Without options all items are one list of jobs, as forward (`_ragged.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy.typing as npt

from . import _dtypes
from ._arrays import Array, as_array, readable
from ._average_backward import _average_backward
from ._items import largest_first, result_of_items, run_in_turn
from ._kernels import any_outside, average_backward_kernel, maximum_backward_kernel
from ._kernels.call.elements import ELEMENTS
from ._kernels.call.problem import Problem
from ._objects import no_memory
from ._options import RaggedGradientTypes, options_of
from ._problem import DataFormat, check_gradient, make_problem, normalize_shape
from ._ragged import as_list, for_each, options_of_each
from ._scatter import outside_error
from ._targets import check_apart, deliver_all
from ._threads import as_threads, threads_for
from ._windows import Windows


class _Batch(NamedTuple):
    """Gradients of all items, and what each is of."""

    gradients: Array
    name: str  # of their dtype
    problems: list[Problem]


def _gradients_of(
    function: str, grad_output: npt.ArrayLike, input_shapes: Any
) -> tuple[Array, list[Any]]:
    """Return gradients of all items, and their shapes."""
    gradients = as_array(function, "grad_output", grad_output)
    _dtypes.check_dtype(function, "grad_output", gradients.dtype, _dtypes.FLOATS)
    shapes = as_list(function, "input_shapes", input_shapes, "shapes")
    if gradients.ndim == 0 or len(gradients) != len(shapes):
        raise ValueError(
            f"{function}: grad_output must have an item for each of {len(shapes)} shapes, got "
            f"shape {gradients.shape}"
        )
    return gradients, shapes


def _batch_of(
    function: str,
    ndim: int,
    gradients: Array,
    shapes: list[Any],
    data_format: DataFormat,
    windows: Windows | None,
) -> _Batch:
    """Check the geometry of each item. Without windows, only that of the plane is known."""
    name, itemsize = _dtypes.name_of(gradients.dtype), gradients.dtype.itemsize
    known: dict[tuple[int, ...], Problem] = {}
    problems: list[Problem] = []
    for k, given in enumerate(shapes):
        what = f"{function}: input_shapes[{k}]"
        shape = normalize_shape(what, given)
        if shape not in known:
            each = gradients.shape[1:]
            first = check_gradient(what, ndim, each, shape, data_format, itemsize)
            sizes = each[first : first + ndim]
            if windows is None:
                known[shape] = Problem(what, shape, first, sizes, None, itemsize)
            else:
                known[shape] = make_problem(
                    what, shape, sizes, data_format, windows, itemsize, "input_shape"
                )
        problems.append(known[shape])
    return _Batch(readable(gradients), name, problems)


def _results_of(
    function: str, batch: _Batch, read: list[Array], targets: list[Any] | None
) -> list[Array]:
    """Return arrays to store gradients in."""
    count, dtype = len(batch.problems), batch.gradients.dtype
    merges = all(x.flags.c_contiguous for x in read)
    results = [
        result_of_items(
            function, f"out[{k}]", target, each.input_shape, dtype, count, read, merges=merges
        )
        for k, (target, each) in enumerate(
            zip(targets or [None] * count, batch.problems, strict=True)
        )
    ]
    if targets is not None:
        check_apart(function, targets)
    return results


def _run(
    function: str,
    batch: _Batch,
    places: Array | None,
    targets: list[Any] | None,
    num_threads: int | None,
) -> list[Array]:
    """Return the gradients of all items; those of maxima stand at `places`."""
    gradients, problems, element = batch.gradients, batch.problems, ELEMENTS[batch.name]
    work = sum(each.elements for each in problems) * gradients.dtype.itemsize
    threads = threads_for(function, num_threads, int(work) // 2)
    read = [gradients] if places is None else [gradients, places]
    results = _results_of(function, batch, read, targets)
    order = largest_first([each.elements for each in problems])
    some = [k for k in order if problems[k].computes and 0 not in problems[k].input_shape]
    if places is None:
        run_in_turn(
            lambda tables: average_backward_kernel(element, tables),
            some,
            lambda k: (results[k], gradients[k]),
            problems,
            threads,
        )
    else:
        if targets is not None:  # before anything of the caller's is written
            theirs = [k for k in some if results[k] is targets[k]]
            _check_places(function, batch, places, theirs, threads)
        kernel = maximum_backward_kernel(element)
        outside = run_in_turn(
            lambda _: kernel,
            some,
            lambda k: (results[k], gradients[k], places[k]),
            problems,
            threads,
        )
        if outside:
            _check_places(function, batch, places, some, threads)
            raise _outside(function, some[0], batch, places)  # it has been changed meanwhile
    for k in set(order) - set(some):
        results[k][...] = 0
    return results


def _check_places(
    function: str, batch: _Batch, places: Array, items: list[int], threads: int
) -> None:
    """Raise for the first item that has an index outside its plane."""
    for k in sorted(items):
        windows = batch.problems[k].cut()
        if windows is not None and any_outside(
            places[k], windows, batch.problems[k].plane, threads
        ):
            raise _outside(function, k, batch, places)


def _outside(function: str, k: int, batch: _Batch, places: Array) -> ValueError:
    problem, names = batch.problems[k], ("grad_output", "input_shape")
    return outside_error(
        f"{function}: input_shapes[{k}]", places[k], problem.plane, problem.input_shape, names
    )


def average_ragged_backward(
    function: str,
    ndim: int,
    grad_output: npt.ArrayLike,
    input_shapes: Any,
    data_format: DataFormat,
    windows: Windows,
    out: Any,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> list[Array]:
    """Return the gradient of each item."""
    try:
        options = options_of(function, given, RaggedGradientTypes)
        num_threads = as_threads(function, num_threads)
        gradients, shapes = _gradients_of(function, grad_output, input_shapes)
        targets = None if out is None else for_each(function, "out", out, len(shapes))
        if options is None:
            batch = _batch_of(function, ndim, gradients, shapes, data_format, windows)
            results = _run(function, batch, None, targets, num_threads)
        else:
            each = options_of_each(function, given, ("where", "x"), len(shapes))
            results = [
                _average_backward(
                    None, f"{function}: input_shapes[{k}]", ndim, gradients[k], shape,
                    data_format, windows, None, num_threads, each[k],
                )
                for k, shape in enumerate(shapes)
            ]  # fmt: skip
        return _deliver_each(function, results, targets)
    except MemoryError as error:
        raise no_memory(function, error) from error


def maximum_ragged_backward(
    function: str,
    ndim: int,
    grad_output: npt.ArrayLike,
    indices: npt.ArrayLike,
    input_shapes: Any,
    data_format: DataFormat,
    out: Any,
    num_threads: int | None,
) -> list[Array]:
    """Return the gradient of each item, likewise."""
    try:
        num_threads = as_threads(function, num_threads)
        gradients, shapes = _gradients_of(function, grad_output, input_shapes)
        places = as_array(function, "indices", indices)
        _dtypes.check_dtype(function, "indices", places.dtype, _dtypes.INDICES)
        if places.shape != gradients.shape:
            raise ValueError(
                f"{function}: indices must have the shape of grad_output {gradients.shape}, got "
                f"{places.shape}"
            )
        targets = None if out is None else for_each(function, "out", out, len(shapes))
        batch = _batch_of(function, ndim, gradients, shapes, data_format, None)
        results = _run(function, batch, readable(places), targets, num_threads)
        return _deliver_each(function, results, targets)
    except MemoryError as error:
        raise no_memory(function, error) from error


def _deliver_each(function: str, results: list[Array], targets: list[Any] | None) -> list[Array]:
    if targets is None:
        return results
    deliver_all(function, results, targets)
    return targets
