"""Arguments looked at while JAX traces, by the core's own rules and with its errors."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import _dtypes
from .._objects import said
from .._problem import (
    DataFormat,
    Size,
    as_bool,
    check_data_format,
    make_problem,
    normalize_size,
)
from .._threads import threads_for
from .._windows import Windows, as_size, check_unweighted
from ._calls import Pooling
from ._primitives import index_dtype


def _described(
    function: str,
    ndim: int,
    shape: tuple[int, ...],
    output_size: Size,
    data_format: DataFormat,
    windows: Windows,
    itemsize: int,
    num_threads: int | None,
) -> dict[str, Any]:
    """Return the geometry of a call as parameters of a primitive."""
    sizes = normalize_size(function, ndim, output_size)
    problem = make_problem(function, shape, sizes, data_format, windows, itemsize)
    if num_threads is not None:
        num_threads = as_size(function, "num_threads", num_threads)
        threads_for(function, num_threads, 0)
    tables: Any = problem.windows
    if isinstance(tables, tuple):
        tables = tuple((tuple(s.tolist()), tuple(e.tolist())) for s, e in tables)
    pooling = Pooling(ndim, check_data_format(function, data_format), tables, num_threads)
    return {"pooling": pooling, "sizes": problem.output_size}


def _array_of(function: str, x: Any) -> tuple[Any, np.dtype[Any]]:
    """Return `x` as an array, and its dtype, or raise unless it can be pooled."""
    try:
        x = jnp.asarray(x)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{function}: x is not an array: {said(error)}") from error
    dtype = _dtypes.as_dtype(function, "the dtype of x", x.dtype)  # keys have none of NumPy
    _dtypes.check_dtype(function, "x", dtype, _dtypes.SUPPORTED)
    return x, dtype


def _check_enabled(function: str, name: str, dtype: np.dtype[Any]) -> None:
    """Raise for 64 bits where JAX would make 32 of them."""
    if jax.dtypes.canonicalize_dtype(dtype) != dtype:
        raise TypeError(f"{function}: {name} {dtype} needs the setting jax_enable_x64")


def of_average(
    function: str,
    ndim: int,
    x: Any,
    output_size: Size,
    data_format: DataFormat,
    windows: Windows,
    dtype: Any,
    num_threads: int | None,
) -> tuple[Any, dict[str, Any]]:
    """Return the array and the parameters of an average."""
    x, given = _array_of(function, x)
    wanted = None if dtype is None else _dtypes.as_dtype(function, "dtype", dtype)
    result = _dtypes.mean_dtype(function, given, wanted)
    if wanted is None:  # float64 for wide integers, if there is float64
        result = jax.dtypes.canonicalize_dtype(result)
    _check_enabled(function, "dtype", result)
    params = _described(
        function, ndim, x.shape, output_size, data_format, windows, result.itemsize, num_threads
    )
    return x, {**params, "dtype": result}


def of_maximum(
    function: str,
    ndim: int,
    x: Any,
    output_size: Size,
    return_indices: bool,
    dtype: Any,
    data_format: DataFormat,
    windows: Windows,
    num_threads: int | None,
) -> tuple[Any, dict[str, Any]]:
    """Return the array and the parameters of a maximum."""
    x, given = _array_of(function, x)
    check_unweighted(function, windows)
    params = _described(
        function, ndim, x.shape, output_size, data_format, windows, given.itemsize, num_threads
    )
    if not as_bool(function, "return_indices", return_indices):
        return x, {**params, "dtype": None}
    positions = index_dtype()
    if dtype is not None:
        positions = _dtypes.as_dtype(function, "index_dtype", dtype)
        _check_enabled(function, "index_dtype", positions)
    plane = math.prod(params["pooling"].sizes(x.shape))
    _dtypes.check_index_dtype(function, positions, plane)
    return x, {**params, "dtype": positions}
