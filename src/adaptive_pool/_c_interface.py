"""The C interface: what is asked of it, checked by the rules for calls from Python.

`_kernels/call/c_interface.pyx` has the table of functions, and `include/adaptive_pool.h` says what
they do.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import _dtypes
from ._kernels import (
    average_backward_kernel,
    average_kernel,
    maximum_backward_kernel,
    maximum_kernel,
)
from ._kernels.call import c_interface
from ._kernels.call.elements import ELEMENTS
from ._kernels.call.kernel import Kernel
from ._kernels.call.problem import Problem
from ._kernels.call.tables import Windows as CutWindows
from ._problem import DataFormat, make_problem
from ._threads import threads_for
from ._windows import Windows, check_unweighted

_AVERAGE, _MAXIMUM, _AVERAGE_BACKWARD, _MAXIMUM_BACKWARD = range(4)
_NAMES = (
    "adaptive_avg_pool{}d",
    "adaptive_max_pool{}d",
    "adaptive_avg_pool{}d_backward",
    "adaptive_max_pool{}d_backward",
)
# By their numbers in the header, where 0 stands for the default.
_DTYPES = (
    "", "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16",
    "bfloat16", "float32", "float64",
)  # fmt: skip


class _Array(NamedTuple):
    number: int  # among the caller's
    itemsize: int
    aligned: bool  # whether it must be
    shape: tuple[int, ...]


class _Described(NamedTuple):
    """A problem as it is run."""

    kernel: Kernel
    windows: CutWindows | None  # None: there is nothing to compute
    arrays: list[_Array]  # in the order of the kernel
    first_axis: int
    plane: int
    checked: int  # which of the arrays are indices to be checked, or -1
    clears: bool  # whether the first array is all zeros then
    threads: int


def get_include() -> str:
    """Return the folder of the header of the C interface, ``adaptive_pool.h``.

    Returns
    -------
    str
        For ``include_dirs`` of a setuptools extension, or the ``-I`` of a compiler.

    Examples
    --------
    >>> import os
    >>> import adaptive_pool as ap
    >>> os.listdir(ap.get_include())
    ['adaptive_pool.h']
    """
    return str(Path(__file__).parent / "include")


def _dtype(function: str, name: str, number: int) -> np.dtype[Any] | None:
    """Return the dtype of a number in the header; 0 is None."""
    if not 0 <= number < len(_DTYPES):
        raise ValueError(f"{function}: {name} must be 0 to {len(_DTYPES) - 1}, got {number}")
    return _dtypes.as_dtype(function, name, _DTYPES[number]) if number else None


def _describe(
    operation: int,
    dtype: int,
    result_dtype: int,
    index_dtype: int,
    shape: tuple[int, ...],
    ndim: int,
    channels_last: int,
    output_size: tuple[int, ...],
    windows: Windows,
) -> _Described:
    if operation not in range(len(_NAMES)):
        raise ValueError(f"describe: operation must be 0 to {len(_NAMES) - 1}, got {operation}")
    function = _NAMES[operation].format(ndim)
    is_average = operation in (_AVERAGE, _AVERAGE_BACKWARD)
    is_gradient = operation in (_AVERAGE_BACKWARD, _MAXIMUM_BACKWARD)
    x_dtype = _dtype(function, "dtype", dtype)
    if x_dtype is None:
        raise ValueError(f"{function}: dtype must be given")
    supported = _dtypes.FLOATS if is_gradient else _dtypes.SUPPORTED
    name = _dtypes.check_dtype(function, "x", x_dtype, supported)
    if not is_average:
        check_unweighted(function, windows)
    if min(shape) < 0 or min(output_size) < -1:
        raise ValueError(
            f"{function}: no length may be negative, got shape {shape} and output_size "
            f"{output_size}; -1 keeps an axis"
        )
    if math.prod([max(size, 1) for size in shape]) * x_dtype.itemsize > sys.maxsize:
        raise ValueError(f"{function}: x of shape {shape} is too large to address")
    result = x_dtype
    if operation == _AVERAGE:
        result = _dtypes.mean_dtype(
            function, x_dtype, _dtype(function, "result_dtype", result_dtype)
        )
    elif result_dtype not in (0, dtype):
        raise ValueError(f"{function}: result_dtype is for averages, others have that of x")
    places = _dtype(function, "index_dtype", index_dtype)
    if operation == _MAXIMUM_BACKWARD and places is None:
        places = np.dtype(np.int64)
    if is_average and places is not None:
        raise ValueError(f"{function}: index_dtype is for maxima")
    data_format: DataFormat = "channels_last" if channels_last else "channels_first"
    sizes = tuple([None if size == -1 else size for size in output_size])
    itemsize = max(result.itemsize, places.itemsize if places is not None else 0)
    problem = make_problem(function, shape, sizes, data_format, windows, itemsize, "x")
    if places is not None:
        _dtypes.check_index_dtype(function, places, problem.plane)
    tables = problem.cut() if 0 not in shape else None
    if operation == _AVERAGE and tables is not None:
        _dtypes.check_exact_sum(function, x_dtype, int(tables.largest))
    work = int(problem.elements * x_dtype.itemsize) // (2 if is_gradient else 1)
    return _Described(
        _kernel_of(operation, name, _dtypes.name_of(result), places is not None, tables),
        tables,
        _arrays_of(operation, problem, x_dtype, result, places),
        problem.first_axis,
        problem.plane,
        2 if operation == _MAXIMUM_BACKWARD else -1,
        is_gradient and tables is None and 0 not in shape,
        threads_for(function, None, work),
    )


def _kernel_of(
    operation: int, name: str, result: str, indexed: bool, tables: CutWindows | None
) -> Kernel:
    element = ELEMENTS[name]
    if operation == _AVERAGE:
        return average_kernel(element, ELEMENTS[result], True)
    if operation == _MAXIMUM:
        return maximum_kernel(element, indexed)
    if operation == _AVERAGE_BACKWARD:
        return average_backward_kernel(element, [] if tables is None else [tables])
    return maximum_backward_kernel(element)


def _arrays_of(
    operation: int,
    problem: Problem,
    x: np.dtype[Any],
    result: np.dtype[Any],
    places: np.dtype[Any] | None,
) -> list[_Array]:
    whole, pooled = problem.input_shape, problem.output_shape
    if operation == _AVERAGE_BACKWARD:
        return [_Array(1, x.itemsize, True, whole), _Array(0, x.itemsize, True, pooled)]
    if operation == _MAXIMUM_BACKWARD and places is not None:
        return [
            _Array(2, x.itemsize, True, whole),
            _Array(0, x.itemsize, True, pooled),
            _Array(1, places.itemsize, True, pooled),
        ]
    arrays = [_Array(0, x.itemsize, False, whole), _Array(1, result.itemsize, True, pooled)]
    if places is not None:
        arrays.append(_Array(2, places.itemsize, True, pooled))
    return arrays


c_interface.prepare(_describe)
_C_API = c_interface.capsule
