"""Max pooling: the public functions, and the one path they share.

docstring -> problem -> allocate -> kernel. `_kernels/maximum/` defines which element wins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, Unpack, overload

import numpy as np
import numpy.typing as npt

from . import _dtypes
from ._arrays import Array, as_array, native
from ._counted import maximum_counted
from ._counting import counting_of
from ._kernels import maximum
from ._kernels.call.elements import ELEMENTS
from ._kernels.call.known import Signature, call
from ._kernels.call.problem import Problem
from ._objects import is_a, no_memory
from ._options import AllOptionTypes, OptionTypes, described, options_of
from ._parts import PartsProblem
from ._problem import (
    DataFormat,
    Pair,
    Size,
    as_bool,
    check_data_format,
    deliver,
    keep,
    make_problem,
    normalize_size,
    pooled_axes,
    result_array,
    share_memory,
)
from ._threads import threads_for
from ._windows import Windows, check_unweighted

Triple: TypeAlias = tuple[Array, Array, Array]


def pair_of(function: str, out: Any) -> Pair:
    """Return the two arrays that take maxima and indices."""
    pair = tuple(tuple.__iter__(out)) if is_a(out, tuple) else ()
    if len(pair) != 2 or pair[0] is None or pair[1] is None:
        raise TypeError(f"{function}: out must be a pair of arrays with return_indices=True")
    return pair


def _maximum(
    signature: Signature | None,
    function: str,
    ndim: int,
    x: npt.ArrayLike,
    output_size: Size,
    return_indices: bool,
    index_dtype: npt.DTypeLike,
    data_format: DataFormat,
    windows: Windows,
    out: Any,
    num_threads: int | None,
    given: Mapping[str, Any],
    types: type = AllOptionTypes,
) -> Array | Pair | Triple:
    try:
        options = options_of(function, given, types)
        check_unweighted(function, windows)
        x = as_array(function, "x", x)
        sizes = normalize_size(function, ndim, output_size)
        wanted = as_bool(function, "return_indices", return_indices)
        positions = _dtypes.as_dtype(function, "index_dtype", index_dtype) if wanted else None
        x_shape, dtype = x.shape, x.dtype  # once, for another thread may change them
        name = _dtypes.check_dtype(function, "x", dtype, _dtypes.SUPPORTED)
        dtype = _dtypes.native(dtype)
        itemsize = max(dtype.itemsize, positions.itemsize if positions is not None else 0)
        if positions is not None:  # before there are tables
            data_format = check_data_format(function, data_format)
            first = pooled_axes(function, ndim, x_shape, data_format, "x")
            plane = math.prod(x_shape[first : first + ndim])
            _dtypes.check_index_dtype(function, positions, plane)
        problem: Problem | PartsProblem
        if options is None:
            problem = make_problem(function, x_shape, sizes, data_format, windows, itemsize)
        else:
            problem = PartsProblem(
                function, x_shape, sizes, data_format, windows, itemsize, options
            )
            problem.settle(options.empty, dtype)
        counting = None if options is None else counting_of(function, options, x_shape, dtype)
        work = int(problem.elements * dtype.itemsize)
        threads = threads_for(function, num_threads, work)
        x = native(x)
        shape = problem.output_shape
        read = (x,) if counting is None or counting.where is None else (x, counting.where)
        indices = None
        if out is None:
            y = np.empty(shape, dtype)
            if positions is not None:
                indices = np.empty(shape, positions)
        elif positions is None:
            y = result_array(function, "out", out, shape, dtype, problem, *read)
        else:
            values, places = pair_of(function, out)
            y = result_array(function, "out[0]", values, shape, dtype, problem, *read)
            indices = result_array(function, "out[1]", places, shape, positions, problem, *read)
            if share_memory(values, places):
                raise ValueError(f"{function}: out[0] and out[1] must not share memory")
        if out is not None and isinstance(problem, PartsProblem) and problem.stores_apart(counting):
            y = np.empty(shape, dtype)
            indices = None if positions is None else np.empty(shape, positions)
        if (tables := problem.cut()) is not None:
            rest = (tables, ELEMENTS[name])
            if isinstance(problem, PartsProblem) and counting is not None:
                maximum_counted(problem, x, y, indices, counting, ELEMENTS[name], threads)
            elif isinstance(problem, PartsProblem):
                problem.count_all()
                places_of_parts = None if indices is None else problem.expand(indices)
                maximum(problem.expand(x), problem.expand(y), places_of_parts, *rest, threads)
            else:
                maximum(x, y, indices, *rest, threads)
                inputs = ((x_shape, dtype),)
                results = ((shape, dtype), None if positions is None else (shape, positions))
                shared = (sizes, itemsize, dtype.itemsize)
                keep(signature, problem, maximum, inputs, results, rest, work, shared)
        result: Any = out if out is not None else y if indices is None else (y, indices)
        if isinstance(problem, PartsProblem):
            result = problem.with_counts(result)
        if out is None:
            return result  # type: ignore[no-any-return]
        if indices is None:
            return deliver(y, out, result)  # type: ignore[no-any-return]
        deliver(y, values, None)
        return deliver(indices, places, result)  # type: ignore[no-any-return]
    except MemoryError as error:
        raise no_memory(function, error) from error


@overload
def adaptive_max_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[False] = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[OptionTypes],
) -> Array: ...
@overload
def adaptive_max_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[True],
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[OptionTypes],
) -> Pair: ...
@overload
def adaptive_max_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[False] = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[OptionTypes],
) -> Pair: ...
@overload
def adaptive_max_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[True],
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[OptionTypes],
) -> Triple: ...
@overload
def adaptive_max_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: bool,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[OptionTypes],
) -> Array | Pair: ...
@overload
def adaptive_max_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    return_counts: bool,
    **options: Unpack[OptionTypes],
) -> Array | Pair | Triple: ...
@described
def adaptive_max_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllOptionTypes],
) -> Array | Pair | Triple:
    """Maximum over windows that cut one axis into a given number of parts.

    The last axis is pooled, whatever its length. A signal of shape ``(W, C)``, with its channels
    last, needs ``data_format="channels_last"``; without it the channels are pooled, and no error
    says so.

    ``y[..., i] = max(x[..., w0(i):w1(i)])``, with the window borders of `pool_windows`. Of equal
    elements the first in row-major order wins; -0.0 and 0.0 are equal. NaN wins over every number,
    and of several NaNs the last.

    Parameters
    ----------
    x : array_like, shape ``(..., W)`` or, with "channels_last", ``(..., W, C)``
        Whatever `numpy.asarray` takes, CPU arrays with ``__dlpack__``, and bfloat16 tensors of
        PyTorch once ``ml_dtypes`` is imported. Any number of leading axes, including zero. bool,
        integers of 8 to 64 bits, float16, bfloat16, float32 or float64; foreign byte order is
        converted. `x` is read in place, or in small pieces where its innermost run is not
        contiguous, and never written.
    output_size : int or sequence of one int or None
        Lengths ``(OW,)`` of the result. An int is the length of the one axis, None keeps an axis as
        it is, and 0 gives an empty result.
    return_indices : bool
        Whether to return the positions of the maxima too. They take time only if you ask for them.
    index_dtype : dtype
        int64, or int32 if the pooled axes hold at most ``2**31`` elements.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of one (starts, ends) or ndarray
        The rule that cuts the pooled axes, see `pool_windows`. Or the windows themselves, with None
        as `output_size`: one pair of integer arrays in a list, as `block_windows` gives it, or one
        array of shape ``(1, 2, number of windows)``.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The others are left out
        of windows. It is read as it is, never expanded.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which wins over every number, or is left out. Of integers it says
        nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count. The dtype of
        `x` must have it exactly; NaN means that NaN is left out.
    lengths : array_like of int, shape ``(N,)``, optional
        For padded batches: of sample ``n`` of the leading axis only ``x[n, ..., :lengths[n]]`` is
        pooled, as if alone, to the bit; the rest is not read. With windows that are given, what
        lies beyond does not count.
    regions : array_like of int, shape ``(K, 3)``, optional
        Parts to pool in the place of whole samples; they may overlap. A row is a sample of the
        leading axis, then start and end on each pooled axis. The result has `K` for that axis. Each
        is pooled as if alone, to the bit. Not together with `lengths`.
    empty : scalar, optional
        What a window becomes none of whose elements count. By default NaN and, where the result
        holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    out : ndarray, or pair of ndarray with `return_indices`, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap `x`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    values : ndarray, shape ``(..., OW)`` or, with "channels_last", ``(..., OW, C)``
        The maxima, in the dtype of `x`. `out`, if given.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes of `x`, ``w``, the same
        numbers in both layouts; -1 for a window that is `empty`.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window.

    Raises
    ------
    TypeError
        If a dtype is not supported (complex, object, string, datetime, structured), an array has a
        mask, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, the result is too large to address, a window
        would be empty (an empty pooled axis, or a rule that does not fit the sizes), or `out` does
        not fit.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_max_pool1d_backward : its gradient, which needs the indices.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; windows, ties and NaN are those of PyTorch's operator of this name.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.adaptive_max_pool1d([0, 4, 1, 4, 2], 2, return_indices=True)
    (array([4, 4]), array([1, 3]))
    """
    return call(
        _maximum,
        "adaptive_max_pool1d",
        1,
        x,
        output_size,
        return_indices,
        index_dtype,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )


@overload
def adaptive_max_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[False] = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[OptionTypes],
) -> Array: ...
@overload
def adaptive_max_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[True],
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[OptionTypes],
) -> Pair: ...
@overload
def adaptive_max_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[False] = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[OptionTypes],
) -> Pair: ...
@overload
def adaptive_max_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[True],
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[OptionTypes],
) -> Triple: ...
@overload
def adaptive_max_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: bool,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[OptionTypes],
) -> Array | Pair: ...
@overload
def adaptive_max_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    return_counts: bool,
    **options: Unpack[OptionTypes],
) -> Array | Pair | Triple: ...
@described
def adaptive_max_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllOptionTypes],
) -> Array | Pair | Triple:
    """Maximum over windows that cut two axes into a given number of parts.

    The last two axes are pooled, whatever their lengths. A picture of shape ``(H, W, 3)``, such as
    Pillow's, needs ``data_format="channels_last"``; without it columns and colours are pooled, and
    no error says so.

    ``y[..., i, j] = max(x[..., h0(i):h1(i), w0(j):w1(j)])``, with the window borders of
    `pool_windows`. Of equal elements the first in row-major order wins; -0.0 and 0.0 are equal. NaN
    wins over every number, and of several NaNs the last.

    Parameters
    ----------
    x : array_like, shape ``(..., H, W)`` or, with "channels_last", ``(..., H, W, C)``
        Whatever `numpy.asarray` takes, CPU arrays with ``__dlpack__``, and bfloat16 tensors of
        PyTorch once ``ml_dtypes`` is imported. Any number of leading axes, including zero. bool,
        integers of 8 to 64 bits, float16, bfloat16, float32 or float64; foreign byte order is
        converted. `x` is read in place, or in small pieces where its innermost run is not
        contiguous, and never written.
    output_size : int or sequence of 2 int or None
        Lengths ``(OH, OW)`` of the result. One int is for both axes, None keeps an axis as it is,
        and 0 gives an empty result.
    return_indices : bool
        Whether to return the positions of the maxima too. They take time only if you ask for them.
    index_dtype : dtype
        int64, or int32 if the pooled axes hold at most ``2**31`` elements.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of 2 (starts, ends) or ndarray
        The rule that cuts the pooled axes, see `pool_windows`. Or the windows themselves, with None
        as `output_size`: a pair of integer arrays for each pooled axis, as `block_windows` gives
        it, or one array of shape ``(2, 2, number of windows)``.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The others are left out
        of windows. It is read as it is, never expanded.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which wins over every number, or is left out. Of integers it says
        nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count. The dtype of
        `x` must have it exactly; NaN means that NaN is left out.
    lengths : array_like of int, shape ``(N,)`` or ``(N, 2)``, optional
        For padded batches: how much of each sample of the leading axis is pooled, from the
        beginning of both pooled axes on: one length for all of them, or one for each. A sample is
        pooled as if alone, to the bit; the rest is not read. With windows that are given, what
        lies beyond does not count.
    regions : array_like of int, shape ``(K, 5)``, optional
        Parts to pool in the place of whole samples; they may overlap. A row is a sample of the
        leading axis, then start and end on each pooled axis. The result has `K` for that axis. Each
        is pooled as if alone, to the bit. Not together with `lengths`.
    empty : scalar, optional
        What a window becomes none of whose elements count. By default NaN and, where the result
        holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    out : ndarray, or pair of ndarray with `return_indices`, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap `x`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    values : ndarray, shape ``(..., OH, OW)`` or, with "channels_last", ``(..., OH, OW, C)``
        The maxima, in the dtype of `x`. `out`, if given.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes of `x`, ``h*W + w``, the same
        numbers in both layouts; -1 for a window that is `empty`.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window.

    Raises
    ------
    TypeError
        If a dtype is not supported (complex, object, string, datetime, structured), an array has a
        mask, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, the result is too large to address, a window
        would be empty (an empty pooled axis, or a rule that does not fit the sizes), or `out` does
        not fit.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_max_pool2d_backward : its gradient, which needs the indices.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; windows, ties and NaN are those of PyTorch's operator of this name.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.arange(20).reshape(4, 5)
    >>> ap.adaptive_max_pool2d(x, (2, 3), return_indices=True)
    (array([[ 6,  8,  9],
           [16, 18, 19]]), array([[ 6,  8,  9],
           [16, 18, 19]]))
    """
    return call(
        _maximum,
        "adaptive_max_pool2d",
        2,
        x,
        output_size,
        return_indices,
        index_dtype,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )


@overload
def adaptive_max_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[False] = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[OptionTypes],
) -> Array: ...
@overload
def adaptive_max_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[True],
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[OptionTypes],
) -> Pair: ...
@overload
def adaptive_max_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[False] = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[OptionTypes],
) -> Pair: ...
@overload
def adaptive_max_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[True],
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[OptionTypes],
) -> Triple: ...
@overload
def adaptive_max_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: bool,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[OptionTypes],
) -> Array | Pair: ...
@overload
def adaptive_max_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    return_counts: bool,
    **options: Unpack[OptionTypes],
) -> Array | Pair | Triple: ...
@described
def adaptive_max_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllOptionTypes],
) -> Array | Pair | Triple:
    """Maximum over windows that cut three axes into a given number of parts.

    The last three axes are pooled, whatever their lengths. A film or volume of shape
    ``(D, H, W, 3)`` needs ``data_format="channels_last"``; without it rows, columns and colours are
    pooled, and no error says so.

    ``y[..., i, j, k] = max(x[..., d0(i):d1(i), h0(j):h1(j), w0(k):w1(k)])``, with the window
    borders of `pool_windows`. Of equal elements the first in row-major order wins; -0.0 and 0.0 are
    equal. NaN wins over every number, and of several NaNs the last.

    Parameters
    ----------
    x : array_like, shape ``(..., D, H, W)`` or, with "channels_last", ``(..., D, H, W, C)``
        Whatever `numpy.asarray` takes, CPU arrays with ``__dlpack__``, and bfloat16 tensors of
        PyTorch once ``ml_dtypes`` is imported. Any number of leading axes, including zero. bool,
        integers of 8 to 64 bits, float16, bfloat16, float32 or float64; foreign byte order is
        converted. `x` is read in place, or in small pieces where its innermost run is not
        contiguous, and never written.
    output_size : int or sequence of 3 int or None
        Lengths ``(OD, OH, OW)`` of the result. One int is for all three axes, None keeps an axis as
        it is, and 0 gives an empty result.
    return_indices : bool
        Whether to return the positions of the maxima too. They take time only if you ask for them.
    index_dtype : dtype
        int64, or int32 if the pooled axes hold at most ``2**31`` elements.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of 3 (starts, ends) or ndarray
        The rule that cuts the pooled axes, see `pool_windows`. Or the windows themselves, with None
        as `output_size`: a pair of integer arrays for each pooled axis, as `block_windows` gives
        it, or one array of shape ``(3, 2, number of windows)``.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The others are left out
        of windows. It is read as it is, never expanded.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which wins over every number, or is left out. Of integers it says
        nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count. The dtype of
        `x` must have it exactly; NaN means that NaN is left out.
    lengths : array_like of int, shape ``(N,)`` or ``(N, 3)``, optional
        For padded batches: how much of each sample of the leading axis is pooled, from the
        beginning of all three pooled axes on: one length for all of them, or one for each. A
        sample is pooled as if alone, to the bit; the rest is not read. With windows that are given,
        what lies beyond does not count.
    regions : array_like of int, shape ``(K, 7)``, optional
        Parts to pool in the place of whole samples; they may overlap. A row is a sample of the
        leading axis, then start and end on each pooled axis. The result has `K` for that axis. Each
        is pooled as if alone, to the bit. Not together with `lengths`.
    empty : scalar, optional
        What a window becomes none of whose elements count. By default NaN and, where the result
        holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    out : ndarray, or pair of ndarray with `return_indices`, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap `x`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    values : ndarray, shape ``(..., OD, OH, OW)`` or, with "channels_last", ``(..., OD, OH, OW, C)``
        The maxima, in the dtype of `x`. `out`, if given.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes of `x`, ``(d*H + h)*W + w``,
        the same numbers in both layouts; -1 for a window that is `empty`.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window.

    Raises
    ------
    TypeError
        If a dtype is not supported (complex, object, string, datetime, structured), an array has a
        mask, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, the result is too large to address, a window
        would be empty (an empty pooled axis, or a rule that does not fit the sizes), or `out` does
        not fit.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_max_pool3d_backward : its gradient, which needs the indices.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; windows, ties and NaN are those of PyTorch's operator of this name.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.arange(24).reshape(2, 3, 4)
    >>> ap.adaptive_max_pool3d(x, (1, 1, 2))
    array([[[21, 23]]])
    """
    return call(
        _maximum,
        "adaptive_max_pool3d",
        3,
        x,
        output_size,
        return_indices,
        index_dtype,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )
