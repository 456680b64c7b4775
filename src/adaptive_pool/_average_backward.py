"""Gradients of average pooling: the public functions, and the one path they share.

docstring -> problem -> allocate -> kernel. `_kernels/average_backward/` defines what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from . import _dtypes
from ._arrays import Array, as_array, readable
from ._counted import average_backward_counted
from ._counting import counting_of_gradient
from ._kernels import average_backward
from ._kernels.call.elements import ELEMENTS
from ._kernels.call.known import Signature, call
from ._kernels.call.problem import Problem
from ._objects import no_memory
from ._options import GradientTypes, described, options_of
from ._parts import PartsProblem
from ._problem import (
    DataFormat,
    check_gradient,
    deliver,
    keep,
    make_problem,
    normalize_shape,
    result_array,
)
from ._threads import threads_for
from ._windows import Windows


def _average_backward(
    signature: Signature | None,
    function: str,
    ndim: int,
    grad_output: npt.ArrayLike,
    input_shape: Sequence[int],
    data_format: DataFormat,
    windows: Windows,
    out: Array | None,
    num_threads: int | None,
    given: Mapping[str, Any],
    types: type = GradientTypes,
) -> Array:
    try:
        options = options_of(function, given, types)
        gradient = as_array(function, "grad_output", grad_output)
        target_shape = normalize_shape(function, input_shape)
        shape, dtype = gradient.shape, gradient.dtype  # once, for another thread may change them
        name = _dtypes.check_dtype(function, "grad_output", dtype, _dtypes.FLOATS)
        dtype = _dtypes.native(dtype)
        samples = options is None or (options.regions is None and options.offsets is None)
        first = check_gradient(
            function, ndim, shape, target_shape, data_format, dtype.itemsize, samples=samples
        )
        sizes = shape[first : first + ndim]
        geometry = (function, target_shape, sizes, data_format, windows, dtype.itemsize)
        problem: Problem | PartsProblem
        counting = x = None
        if options is None:
            problem = make_problem(*geometry, "input_shape")
        else:
            problem = PartsProblem(*geometry, options, "input_shape")
            problem.check_gradient(shape, "grad_output")
            counting, x = counting_of_gradient(function, options, target_shape)
            if counting is None:
                gradient = problem.without_short(gradient)
        work = int(problem.elements * dtype.itemsize) // 2  # writing takes half the time of reading
        threads = threads_for(function, num_threads, work)
        gradient = readable(gradient)
        if out is None:
            result = np.empty(target_shape, dtype)
        else:
            where = None if counting is None else counting.where
            read = [array for array in (gradient, x, where) if array is not None]
            result = result_array(function, "out", out, target_shape, dtype, problem, *read)
        if (tables := problem.cut()) is None or 0 in target_shape:
            result[...] = 0
        else:
            rest = (tables, ELEMENTS[name])
            if isinstance(problem, PartsProblem) and counting is not None:
                average_backward_counted(
                    problem, gradient, result, x, counting, ELEMENTS[name], threads
                )
            elif isinstance(problem, PartsProblem):
                average_backward(problem.expand(gradient), problem.expand(result), *rest, threads)
            else:
                average_backward(gradient, result, *rest, threads)
                inputs, results = ((shape, dtype),), ((target_shape, dtype),)
                keep(signature, problem, average_backward, inputs, results, rest, work)
            if isinstance(problem, PartsProblem):
                problem.clear_rest(result)
        return result if out is None else deliver(result, out, out)
    except MemoryError as error:
        raise no_memory(function, error) from error


@described
def adaptive_avg_pool1d_backward(
    grad_output: npt.ArrayLike,
    input_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[GradientTypes],
) -> Array:
    """Gradient of `adaptive_avg_pool1d` with respect to its input: the exact adjoint.

    Each input element gets, from every window that holds it, the gradient of that window divided by
    the number of elements in the window, of those that count. These parts are added in float64, in
    a fixed order, and rounded once. Elements that no window holds, or that do not count, get 0. NaN
    and infinity reach only the elements of their window.

    Parameters
    ----------
    grad_output : array_like, shape ``(..., OW)`` or, with "channels_last", ``(..., OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``. It has the axes of `grad_output`, and the same
        lengths except on the pooled axes.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, one (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `pool_windows`. Or the windows themselves: one pair
        of integer arrays in a list, as `block_windows` gives it, or one array of shape
        ``(1, 2, number of windows)``.
    where : array_like of bool, optional
        As it was given to the operation. What does not count gets 0, and each window shares its
        gradient among the elements that do.
    nan_policy : {"propagate", "omit"}
        As it was given to the operation, for which `x` is needed.
    nodata : scalar, optional
        Likewise.
    x : array_like, shape `input_shape`, optional
        The input, of any dtype. It is read only for what `nan_policy` and `nodata` leave out.
    lengths : array_like of int, shape ``(N,)``, optional
        As they were given to the operation. What lies beyond them gets 0. The gradient of an
        axis that was kept (None) needs `windows` of one element each.
    regions : array_like of int, shape ``(K, 3)``, optional
        As they were given to the operation; `grad_output` has `K` for its leading axis. What
        several regions hold gets the sum, and what none holds 0.
    min_count : int
        As it was given to the operation. Windows with fewer elements that count pass no gradient
        on.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap
        `grad_output`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    ndarray, shape `input_shape`, dtype of `grad_output`
        Zeros where the gradient is empty. `out`, if given.

    Raises
    ------
    TypeError
        If the dtype is not one of the four float types, an array has a mask, an argument is of the
        wrong type, or `x` is missing where `nan_policy` or `nodata` needs it.
    ValueError
        If the shapes do not agree, the windows do not fit them, or `out` does not fit. Nothing has
        been written then.

    See Also
    --------
    adaptive_avg_pool1d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.adaptive_avg_pool1d_backward([1.0, 1.0, 1.0], (4,))
    array([0.5, 1. , 1. , 0.5])
    """
    return call(
        _average_backward,
        "adaptive_avg_pool1d_backward",
        1,
        grad_output,
        input_shape,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )


@described
def adaptive_avg_pool2d_backward(
    grad_output: npt.ArrayLike,
    input_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[GradientTypes],
) -> Array:
    """Gradient of `adaptive_avg_pool2d` with respect to its input: the exact adjoint.

    Each input element gets, from every window that holds it, the gradient of that window divided by
    the number of elements in the window, of those that count. These parts are added in float64, in
    a fixed order, and rounded once. Elements that no window holds, or that do not count, get 0. NaN
    and infinity reach only the elements of their window.

    Parameters
    ----------
    grad_output : array_like, shape ``(..., OH, OW)`` or, with "channels_last", ``(..., OH, OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``. It has the axes of `grad_output`, and the same
        lengths except on the pooled axes.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 2 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `pool_windows`. Or the windows themselves: a pair of
        integer arrays for each pooled axis, as `block_windows` gives it, or one array of shape
        ``(2, 2, number of windows)``.
    where : array_like of bool, optional
        As it was given to the operation. What does not count gets 0, and each window shares its
        gradient among the elements that do.
    nan_policy : {"propagate", "omit"}
        As it was given to the operation, for which `x` is needed.
    nodata : scalar, optional
        Likewise.
    x : array_like, shape `input_shape`, optional
        The input, of any dtype. It is read only for what `nan_policy` and `nodata` leave out.
    lengths : array_like of int, shape ``(N,)`` or ``(N, 2)``, optional
        As they were given to the operation. What lies beyond them gets 0. The gradient of an
        axis that was kept (None) needs `windows` of one element each.
    regions : array_like of int, shape ``(K, 5)``, optional
        As they were given to the operation; `grad_output` has `K` for its leading axis. What
        several regions hold gets the sum, and what none holds 0.
    min_count : int
        As it was given to the operation. Windows with fewer elements that count pass no gradient
        on.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap
        `grad_output`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    ndarray, shape `input_shape`, dtype of `grad_output`
        Zeros where the gradient is empty. `out`, if given.

    Raises
    ------
    TypeError
        If the dtype is not one of the four float types, an array has a mask, an argument is of the
        wrong type, or `x` is missing where `nan_policy` or `nodata` needs it.
    ValueError
        If the shapes do not agree, the windows do not fit them, or `out` does not fit. Nothing has
        been written then.

    See Also
    --------
    adaptive_avg_pool2d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> ap.adaptive_avg_pool2d_backward(np.ones((1, 2)), (2, 4))
    array([[0.25, 0.25, 0.25, 0.25],
           [0.25, 0.25, 0.25, 0.25]])
    """
    return call(
        _average_backward,
        "adaptive_avg_pool2d_backward",
        2,
        grad_output,
        input_shape,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )


@described
def adaptive_avg_pool3d_backward(
    grad_output: npt.ArrayLike,
    input_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[GradientTypes],
) -> Array:
    """Gradient of `adaptive_avg_pool3d` with respect to its input: the exact adjoint.

    Each input element gets, from every window that holds it, the gradient of that window divided by
    the number of elements in the window, of those that count. These parts are added in float64, in
    a fixed order, and rounded once. Elements that no window holds, or that do not count, get 0. NaN
    and infinity reach only the elements of their window.

    Parameters
    ----------
    grad_output : array_like, shape ``(..., OD, OH, OW)``, or ``(..., OD, OH, OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``. It has the axes of `grad_output`, and the same
        lengths except on the pooled axes.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 3 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `pool_windows`. Or the windows themselves: a pair of
        integer arrays for each pooled axis, as `block_windows` gives it, or one array of shape
        ``(3, 2, number of windows)``.
    where : array_like of bool, optional
        As it was given to the operation. What does not count gets 0, and each window shares its
        gradient among the elements that do.
    nan_policy : {"propagate", "omit"}
        As it was given to the operation, for which `x` is needed.
    nodata : scalar, optional
        Likewise.
    x : array_like, shape `input_shape`, optional
        The input, of any dtype. It is read only for what `nan_policy` and `nodata` leave out.
    lengths : array_like of int, shape ``(N,)`` or ``(N, 3)``, optional
        As they were given to the operation. What lies beyond them gets 0. The gradient of an
        axis that was kept (None) needs `windows` of one element each.
    regions : array_like of int, shape ``(K, 7)``, optional
        As they were given to the operation; `grad_output` has `K` for its leading axis. What
        several regions hold gets the sum, and what none holds 0.
    min_count : int
        As it was given to the operation. Windows with fewer elements that count pass no gradient
        on.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap
        `grad_output`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    ndarray, shape `input_shape`, dtype of `grad_output`
        Zeros where the gradient is empty. `out`, if given.

    Raises
    ------
    TypeError
        If the dtype is not one of the four float types, an array has a mask, an argument is of the
        wrong type, or `x` is missing where `nan_policy` or `nodata` needs it.
    ValueError
        If the shapes do not agree, the windows do not fit them, or `out` does not fit. Nothing has
        been written then.

    See Also
    --------
    adaptive_avg_pool3d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> ap.adaptive_avg_pool3d_backward(np.ones((1, 1, 1)), (1, 2, 2))
    array([[[0.25, 0.25],
            [0.25, 0.25]]])
    """
    return call(
        _average_backward,
        "adaptive_avg_pool3d_backward",
        3,
        grad_output,
        input_shape,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )
