"""Average pooling: the public functions, and the one path they share.

docstring -> problem -> allocate -> kernel. `_kernels/average/` defines what a mean is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Unpack, overload

import numpy as np
import numpy.typing as npt

from . import _dtypes
from ._arrays import Array, as_array, native
from ._counted import average_counted
from ._counting import counting_of
from ._kernels import average
from ._kernels.call.elements import ELEMENTS
from ._kernels.call.known import Signature, call
from ._kernels.call.problem import Problem
from ._objects import no_memory
from ._options import AllAverageTypes, AverageTypes, Options, described, options_of
from ._parts import PartsProblem
from ._problem import (
    DataFormat,
    Pair,
    Size,
    as_bool,
    deliver,
    keep,
    make_problem,
    normalize_size,
    result_array,
)
from ._scaled import channel_axis_of, scaled_dtype, scaling_of, store_scaled
from ._threads import threads_for
from ._windows import Windows, as_size


def _average(
    signature: Signature | None,
    function: str,
    ndim: int,
    x: npt.ArrayLike,
    output_size: Size,
    data_format: DataFormat,
    windows: Windows,
    dtype: npt.DTypeLike | None,
    out: Array | None,
    num_threads: int | None,
    given: Mapping[str, Any],
    types: type = AllAverageTypes,
) -> Array | Pair:
    try:
        options = options_of(function, given, types)
        x = as_array(function, "x", x)
        sizes = normalize_size(function, ndim, output_size)
        if dtype is not None:
            dtype = _dtypes.as_dtype(function, "dtype", dtype)
        if options is not None and options.scales:
            return _scaled(
                function, ndim, x, sizes, data_format, windows, dtype, out, num_threads, options
            )
        x_shape, x_dtype = x.shape, x.dtype  # once, for another thread may change them
        name = _dtypes.check_dtype(function, "x", x_dtype, _dtypes.SUPPORTED)
        x_dtype = _dtypes.native(x_dtype)
        y_dtype = _dtypes.mean_dtype(function, x_dtype, dtype)
        problem: Problem | PartsProblem
        if options is None:
            problem = make_problem(function, x_shape, sizes, data_format, windows, y_dtype.itemsize)
        else:
            problem = PartsProblem(
                function, x_shape, sizes, data_format, windows, y_dtype.itemsize, options
            )
            problem.settle(options.empty, y_dtype)
        counting = None if options is None else counting_of(function, options, x_shape, x_dtype)
        if problem.plane > _dtypes.LARGEST_EXACT_WINDOW and (tables := problem.cut()) is not None:
            _dtypes.check_exact_sum(function, x_dtype, int(tables.largest))
        work = int(problem.elements * x_dtype.itemsize)
        threads = threads_for(function, num_threads, work)
        x = native(x)
        shape = problem.output_shape
        read = (x,) if counting is None or counting.where is None else (x, counting.where)
        if out is None:
            y = np.empty(shape, y_dtype)
        else:
            y = result_array(function, "out", out, shape, y_dtype, problem, *read)
            if isinstance(problem, PartsProblem) and problem.stores_apart(counting):
                y = np.empty(shape, y_dtype)
        if (tables := problem.cut()) is not None:
            rest = (tables, ELEMENTS[name], ELEMENTS[_dtypes.name_of(y_dtype)])
            if isinstance(problem, PartsProblem) and counting is not None:
                average_counted(problem, x, y, counting, rest[1:], threads)
            elif isinstance(problem, PartsProblem):
                problem.count_all()
                average(problem.expand(x), problem.expand(y), *rest, threads)
            else:
                average(x, y, *rest, threads)
                inputs, results = ((x_shape, x_dtype),), ((shape, y_dtype),)
                shared = (sizes, y_dtype.itemsize, x_dtype.itemsize)
                keep(signature, problem, average, inputs, results, rest, work, shared)
        result: Any = y if out is None else out
        if isinstance(problem, PartsProblem):
            result = problem.with_counts(result)
        return result if out is None else deliver(y, out, result)  # type: ignore[no-any-return]
    except MemoryError as error:
        raise no_memory(function, error) from error


def _scaled(
    function: str,
    ndim: int,
    x: Array,
    sizes: tuple[int | None, ...],
    data_format: DataFormat,
    windows: Windows,
    dtype: np.dtype[Any] | None,
    out: Array | None,
    num_threads: int | None,
    options: Options,
) -> Array | Pair:
    """Average, and scale the means."""
    _dtypes.check_dtype(function, "x", x.dtype, _dtypes.SUPPORTED)
    y_dtype = scaled_dtype(function, _dtypes.native(x.dtype), dtype)
    counts: list[Array] = []
    if (others := options.without_scaling()) is not None:
        x, *counts = _counted_means(
            function, ndim, x, sizes, data_format, windows, y_dtype, num_threads, others
        )
        sizes, windows = (None,) * ndim, "torch"  # and now each mean by itself
    x_shape, x_dtype = x.shape, _dtypes.native(x.dtype)
    problem = make_problem(function, x_shape, sizes, data_format, windows, y_dtype.itemsize)
    axis = channel_axis_of(ndim, len(x_shape), data_format)
    scaling = scaling_of(function, options, x_shape, axis)
    work = int(problem.elements * x_dtype.itemsize)
    threads = threads_for(function, num_threads, work)
    x, shape = native(x), problem.output_shape
    if out is None:
        y = np.empty(shape, y_dtype)
    else:
        y = result_array(function, "out", out, shape, y_dtype, problem, x)
    if (tables := problem.cut()) is not None:
        _dtypes.check_exact_sum(function, x_dtype, int(tables.largest))
        store_scaled([0], lambda _: (x, y), [problem], scaling, axis, threads)
    answer: Any = y if out is None else deliver(y, out, out)
    return (answer, *counts) if counts else answer


def _counted_means(
    function: str,
    ndim: int,
    x: Array,
    sizes: tuple[int | None, ...],
    data_format: DataFormat,
    windows: Windows,
    y_dtype: np.dtype[Any],
    num_threads: int | None,
    options: Options,
) -> tuple[Array, ...]:
    """Return means of float64 with options, and counts if they are wanted."""
    is_open = y_dtype.kind in "iu" and options.empty is None  # what windows without elements become
    given = {**options._asdict(), "return_counts": True}
    means, counts = _average(
        None, function, ndim, x, sizes, data_format, windows, np.float64, None, num_threads, given,
        Options,
    )  # fmt: skip
    least = max(as_size(function, "min_count", options.min_count), 1)
    if is_open and (counts < least).any():
        raise ValueError(
            f"{function}: a window has fewer elements that count than {least}, and {y_dtype} has "
            f"no NaN for it; say with empty what it becomes"
        )
    return (
        (means, counts) if as_bool(function, "return_counts", options.return_counts) else (means,)
    )


@overload
def adaptive_avg_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[AverageTypes],
) -> Array: ...
@overload
def adaptive_avg_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[AverageTypes],
) -> Pair: ...
@overload
def adaptive_avg_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: bool,
    **options: Unpack[AverageTypes],
) -> Array | Pair: ...
@described
def adaptive_avg_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllAverageTypes],
) -> Array | Pair:
    """Average over windows that cut one axis into a given number of parts.

    The last axis is pooled, whatever its length. A signal of shape ``(W, C)``, with its channels
    last, needs ``data_format="channels_last"``; without it the channels are pooled, and no error
    says so.

    ``y[..., i] = mean(x[..., w0(i):w1(i)])``, with the window borders of `pool_windows`. NaN and
    infinity propagate as in arithmetic; all NaN results have the same bits.

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
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, one (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `pool_windows`. Or the windows themselves, with None
        as `output_size`: one pair of integer arrays in a list, as `block_windows` gives it, or one
        array of shape ``(1, 2, number of windows)``.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The others are left out
        of sums and counts. It is read as it is, never expanded.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which makes a mean NaN, or is left out. Of integers it says nothing.
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
        What a window becomes none of whose elements count, before it is scaled. By default NaN and,
        where the result holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too. Where `windows` is
        "area", the weight that must count, as `counts` has it.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    scale : scalar or array_like of shape ``(C,)``, optional
        What means are multiplied by, all or those of each channel, before they are stored: as
        float64, ``mean * scale + offset``. Channels are the axis before the pooled ones, or the
        last one with "channels_last".
    offset : scalar or array_like of shape ``(C,)``, optional
        What is added then.
    dtype : dtype, optional
        Type of the result: any of the four float types or, for integers, that integer type (rounded
        half to even). By default that of `x` for floats, float32 for bool and integers of 8 and 16
        bits, float64 for wider ones. With `scale` or `offset`: one of the four float types, or
        int8, uint8, int16 or uint16, of any `x`; integers are rounded half to even, numbers beyond
        their range become the nearest in it, and NaN becomes 0.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap `x`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    means : ndarray, shape ``(..., OW)`` or, with "channels_last", ``(..., OW, C)``
        Integer means are exact and rounded once. Float means, in their own dtype, are off by at
        most one ulp (unit in the last place), measured at the mean of the absolute values in the
        window. `out`, if given.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window. Where `windows` is
        "area", what these weigh: the product of their `area_weights` along the pooled axes, in
        units of one over the product of the numbers of outputs.

    Raises
    ------
    TypeError
        If a dtype is not supported (complex, object, string, datetime, structured), an array has a
        mask, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, the result is too large to address, a window
        would be empty (an empty pooled axis, or a rule that does not fit the sizes), a window of
        32- or 64-bit integers has more than ``2**30`` elements, or `out` does not fit.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_avg_pool1d_backward : its gradient.

    Notes
    -----
    Masked arrays are refused. The mean of what is not masked is that of ``x.data`` with
    ``where=~numpy.ma.getmaskarray(x)``.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; the default windows are those of PyTorch's operator of this name.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.adaptive_avg_pool1d([0.0, 1.0, 2.0, 3.0, 4.0], 3)
    array([0.5, 2. , 3.5])
    """
    return call(
        _average,
        "adaptive_avg_pool1d",
        1,
        x,
        output_size,
        data_format,
        windows,
        dtype,
        out,
        num_threads,
        options,
    )


@overload
def adaptive_avg_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[AverageTypes],
) -> Array: ...
@overload
def adaptive_avg_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[AverageTypes],
) -> Pair: ...
@overload
def adaptive_avg_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: bool,
    **options: Unpack[AverageTypes],
) -> Array | Pair: ...
@described
def adaptive_avg_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllAverageTypes],
) -> Array | Pair:
    """Average over windows that cut two axes into a given number of parts.

    The last two axes are pooled, whatever their lengths. A picture of shape ``(H, W, 3)``, such as
    Pillow's, needs ``data_format="channels_last"``; without it columns and colours are pooled, and
    no error says so.

    ``y[..., i, j] = mean(x[..., h0(i):h1(i), w0(j):w1(j)])``, with the window borders of
    `pool_windows`. NaN and infinity propagate as in arithmetic; all NaN results have the same bits.

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
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 2 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `pool_windows`. Or the windows themselves, with None
        as `output_size`: a pair of integer arrays for each pooled axis, as `block_windows` gives
        it, or one array of shape ``(2, 2, number of windows)``.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The others are left out
        of sums and counts. It is read as it is, never expanded.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which makes a mean NaN, or is left out. Of integers it says nothing.
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
        What a window becomes none of whose elements count, before it is scaled. By default NaN and,
        where the result holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too. Where `windows` is
        "area", the weight that must count, as `counts` has it.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    scale : scalar or array_like of shape ``(C,)``, optional
        What means are multiplied by, all or those of each channel, before they are stored: as
        float64, ``mean * scale + offset``. Channels are the axis before the pooled ones, or the
        last one with "channels_last".
    offset : scalar or array_like of shape ``(C,)``, optional
        What is added then.
    dtype : dtype, optional
        Type of the result: any of the four float types or, for integers, that integer type (rounded
        half to even). By default that of `x` for floats, float32 for bool and integers of 8 and 16
        bits, float64 for wider ones. With `scale` or `offset`: one of the four float types, or
        int8, uint8, int16 or uint16, of any `x`; integers are rounded half to even, numbers beyond
        their range become the nearest in it, and NaN becomes 0.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap `x`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    means : ndarray, shape ``(..., OH, OW)`` or, with "channels_last", ``(..., OH, OW, C)``
        Integer means are exact and rounded once. Float means, in their own dtype, are off by at
        most one ulp (unit in the last place), measured at the mean of the absolute values in the
        window. `out`, if given.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window. Where `windows` is
        "area", what these weigh: the product of their `area_weights` along the pooled axes, in
        units of one over the product of the numbers of outputs.

    Raises
    ------
    TypeError
        If a dtype is not supported (complex, object, string, datetime, structured), an array has a
        mask, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, the result is too large to address, a window
        would be empty (an empty pooled axis, or a rule that does not fit the sizes), a window of
        32- or 64-bit integers has more than ``2**30`` elements, or `out` does not fit.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_avg_pool2d_backward : its gradient.

    Notes
    -----
    Masked arrays are refused. The mean of what is not masked is that of ``x.data`` with
    ``where=~numpy.ma.getmaskarray(x)``.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; the default windows are those of PyTorch's operator of this name.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.arange(20, dtype=np.float32).reshape(4, 5)
    >>> ap.adaptive_avg_pool2d(x, (2, 3))
    array([[ 3. ,  4.5,  6. ],
           [13. , 14.5, 16. ]], dtype=float32)
    """
    return call(
        _average,
        "adaptive_avg_pool2d",
        2,
        x,
        output_size,
        data_format,
        windows,
        dtype,
        out,
        num_threads,
        options,
    )


@overload
def adaptive_avg_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[AverageTypes],
) -> Array: ...
@overload
def adaptive_avg_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[AverageTypes],
) -> Pair: ...
@overload
def adaptive_avg_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: bool,
    **options: Unpack[AverageTypes],
) -> Array | Pair: ...
@described
def adaptive_avg_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllAverageTypes],
) -> Array | Pair:
    """Average over windows that cut three axes into a given number of parts.

    The last three axes are pooled, whatever their lengths. A film or volume of shape
    ``(D, H, W, 3)`` needs ``data_format="channels_last"``; without it rows, columns and colours are
    pooled, and no error says so.

    ``y[..., i, j, k] = mean(x[..., d0(i):d1(i), h0(j):h1(j), w0(k):w1(k)])``, with the window
    borders of `pool_windows`. NaN and infinity propagate as in arithmetic; all NaN results have the
    same bits.

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
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 3 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `pool_windows`. Or the windows themselves, with None
        as `output_size`: a pair of integer arrays for each pooled axis, as `block_windows` gives
        it, or one array of shape ``(3, 2, number of windows)``.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The others are left out
        of sums and counts. It is read as it is, never expanded.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which makes a mean NaN, or is left out. Of integers it says nothing.
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
        What a window becomes none of whose elements count, before it is scaled. By default NaN and,
        where the result holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too. Where `windows` is
        "area", the weight that must count, as `counts` has it.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    scale : scalar or array_like of shape ``(C,)``, optional
        What means are multiplied by, all or those of each channel, before they are stored: as
        float64, ``mean * scale + offset``. Channels are the axis before the pooled ones, or the
        last one with "channels_last".
    offset : scalar or array_like of shape ``(C,)``, optional
        What is added then.
    dtype : dtype, optional
        Type of the result: any of the four float types or, for integers, that integer type (rounded
        half to even). By default that of `x` for floats, float32 for bool and integers of 8 and 16
        bits, float64 for wider ones. With `scale` or `offset`: one of the four float types, or
        int8, uint8, int16 or uint16, of any `x`; integers are rounded half to even, numbers beyond
        their range become the nearest in it, and NaN becomes 0.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap `x`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    means : ndarray, shape ``(..., OD, OH, OW)`` or, with "channels_last", ``(..., OD, OH, OW, C)``
        Integer means are exact and rounded once. Float means, in their own dtype, are off by at
        most one ulp (unit in the last place), measured at the mean of the absolute values in the
        window. `out`, if given.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window. Where `windows` is
        "area", what these weigh: the product of their `area_weights` along the pooled axes, in
        units of one over the product of the numbers of outputs.

    Raises
    ------
    TypeError
        If a dtype is not supported (complex, object, string, datetime, structured), an array has a
        mask, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, the result is too large to address, a window
        would be empty (an empty pooled axis, or a rule that does not fit the sizes), a window of
        32- or 64-bit integers has more than ``2**30`` elements, or `out` does not fit.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_avg_pool3d_backward : its gradient.

    Notes
    -----
    Masked arrays are refused. The mean of what is not masked is that of ``x.data`` with
    ``where=~numpy.ma.getmaskarray(x)``.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; the default windows are those of PyTorch's operator of this name.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    >>> ap.adaptive_avg_pool3d(x, (1, 1, 2))
    array([[[10.5, 12.5]]], dtype=float32)
    """
    return call(
        _average,
        "adaptive_avg_pool3d",
        3,
        x,
        output_size,
        data_format,
        windows,
        dtype,
        out,
        num_threads,
        options,
    )
