"""Averages and maxima together: the public functions, and the path they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from . import _dtypes
from ._arrays import Array, as_array
from ._average import _average
from ._average_backward import _average_backward
from ._kernels.call.known import call
from ._maximum import _maximum
from ._objects import is_a, no_memory
from ._options import AllOptionTypes, GradientTypes, described, options_of
from ._problem import DataFormat, Size, as_bool, normalize_size
from ._scatter import maximum_backward_at
from ._summed import sum_of_gradients
from ._targets import deliver_all
from ._threads import as_threads
from ._together import is_small, pool_together, wanted_of
from ._windows import Windows, check_unweighted


def _average_maximum(
    function: str,
    ndim: int,
    x: npt.ArrayLike,
    output_size: Size,
    return_indices: bool,
    index_dtype: npt.DTypeLike,
    data_format: DataFormat,
    windows: Windows,
    dtype: npt.DTypeLike | None,
    out: tuple[Array, ...] | None,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> tuple[Array, ...]:
    try:
        options = options_of(function, given, AllOptionTypes)
        check_unweighted(function, windows)
        x = as_array(function, "x", x)
        sizes = normalize_size(function, ndim, output_size)
        wanted = as_bool(function, "return_indices", return_indices)
        positions = _dtypes.as_dtype(function, "index_dtype", index_dtype) if wanted else None
        means = None if dtype is None else _dtypes.as_dtype(function, "dtype", dtype)
        targets = None if out is None else _targets_of(function, out, 3 if wanted else 2)
        num_threads = as_threads(function, num_threads)  # once, for it may have code of its own
        x_shape, x_dtype = x.shape, x.dtype  # likewise, for another thread may change them
        _dtypes.check_dtype(function, "x", x_dtype, _dtypes.SUPPORTED)
        counts: list[Array] = []
        if options is not None or is_small(x):
            results, counts = _one_by_one(
                function, ndim, x, sizes, positions, data_format, windows, means, num_threads, given
            )
        else:
            geometry = (x_shape, _dtypes.native(x_dtype), sizes, data_format, windows)
            both = (
                wanted_of(function, "avg", *geometry, means),
                wanted_of(function, "max", *geometry, None, positions),
            )
            results = pool_together(function, x, both, targets, num_threads)
        delivered = results if targets is None else deliver_all(function, results, targets)
    except MemoryError as error:
        raise no_memory(function, error) from error
    return (*delivered, *counts)


def _targets_of(function: str, out: Any, count: int) -> tuple[Any, ...]:
    targets = tuple(tuple.__iter__(out)) if is_a(out, tuple) else ()
    if len(targets) != count:
        raise TypeError(
            f"{function}: out must be a tuple of {count} arrays: for means, maxima"
            f"{' and indices' if count == 3 else ''}"
        )
    return targets


def _one_by_one(
    function: str,
    ndim: int,
    x: Array,
    sizes: tuple[int | None, ...],
    positions: np.dtype[Any] | None,
    data_format: DataFormat,
    windows: Windows,
    dtype: np.dtype[Any] | None,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> tuple[list[Array], list[Array]]:
    """Return results, and counts if they are wanted, of a call for each."""
    indexed = (positions is not None, np.int64 if positions is None else positions)
    of_maxima = {name: value for name, value in given.items() if name != "return_counts"}
    wants_counts = as_bool(function, "return_counts", given.get("return_counts", False))
    of_means = {**of_maxima, "return_counts": True} if wants_counts else of_maxima
    means: Any = call(
        _average, function, ndim, x, sizes, data_format, windows, dtype, None, num_threads, of_means
    )
    maxima: Any = call(
        _maximum, function, ndim, x, sizes, *indexed, data_format, windows, None, num_threads,
        of_maxima,
    )  # fmt: skip
    means, *counts = means if wants_counts else (means,)
    return [means, *(maxima if positions is not None else (maxima,))], counts


def _average_maximum_backward(
    function: str,
    ndim: int,
    grad_means: npt.ArrayLike,
    grad_maxima: npt.ArrayLike,
    indices: npt.ArrayLike,
    input_shape: Sequence[int],
    data_format: DataFormat,
    windows: Windows,
    out: Array | None,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> Array:
    options_of(function, given, GradientTypes)
    check_unweighted(function, windows)
    num_threads = as_threads(function, num_threads)
    means = as_array(function, "grad_means", grad_means)
    maxima = as_array(function, "grad_maxima", grad_maxima)
    if means.shape != maxima.shape:
        raise ValueError(
            f"{function}: grad_means and grad_maxima must have one shape, got {means.shape} and "
            f"{maxima.shape}"
        )
    regions = {"regions": given["regions"]} if "regions" in given else {}
    return sum_of_gradients(
        function,
        (
            lambda: _average_backward(
                None, f"{function}: grad_means", ndim, means, input_shape, data_format,
                windows, None, num_threads, given,
            ),
            lambda: maximum_backward_at(
                None, f"{function}: grad_maxima", ndim, maxima, indices, input_shape,
                data_format, None, num_threads, regions,
            ),
        ),
        out,
    )  # fmt: skip


@described
def adaptive_avg_max_pool1d(
    x: npt.ArrayLike,
    output_size: Size,
    return_indices: bool = False,
    *,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: tuple[Array, ...] | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllOptionTypes],
) -> tuple[Array, ...]:
    """Average and maximum of the same windows, which cut one axis into a given number of parts.

    The last axis is pooled, whatever its length. A signal of shape ``(W, C)`` needs
    ``data_format="channels_last"``; without it its channels are pooled, and no error says so.

    Results are to the bit those of `adaptive_avg_pool1d` and `adaptive_max_pool1d`; a large input
    is read from memory once for all of them, piece by piece, while a piece is in the cache. With
    `where` and the options after it, it is read for each.

    Parameters
    ----------
    x : array_like, shape ``(..., W)`` or, with "channels_last", ``(..., W, C)``
        As `adaptive_avg_pool1d` takes it.
    output_size : int or sequence of one int or None
        Length ``(OW,)`` of the results. None keeps the axis as it is, and 0 gives empty results.
    return_indices : bool
        Whether to return where in the input the maxima stand, too.
    index_dtype : dtype
        Type of the indices, int64 or int32.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil"}, one (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `pool_windows`, or the windows themselves, with None
        as `output_size`. Not "area", whose windows hold elements in part.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which makes both results NaN, or is left out. Of integers it says
        nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count.
    lengths : array_like of int, shape ``(N,)``, optional
        For padded batches: how much of each sample of the leading axis is pooled, as for
        `adaptive_avg_pool1d`.
    regions : array_like of int, shape ``(K, 3)``, optional
        Parts to pool in the place of whole samples, likewise.
    empty : scalar, optional
        What a window becomes none of whose elements count. By default NaN and, where a result
        holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    dtype : dtype, optional
        Type of the means, as for `adaptive_avg_pool1d`. Maxima have that of `x`.
    out : tuple of ndarray, optional
        Arrays for means, maxima and, if wanted, indices, of exactly their shapes and dtypes, with
        any strides. They may overlap `x`, but not each other.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. Results are the same for any number.

    Returns
    -------
    means : ndarray, shape ``(..., OW)`` or, with "channels_last", ``(..., OW, C)``
        Those of `adaptive_avg_pool1d`. `out[0]`, if given.
    maxima : ndarray, of the same shape, dtype of `x`
        Those of `adaptive_max_pool1d`: of equal elements the first wins, of NaNs the last.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: flat positions ``w`` within the pooled axes, -1 where nothing
        counts.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`.

    Raises
    ------
    TypeError
        If a dtype is not supported, an array has a mask, `out` is no tuple of as many arrays as
        there are results, or another argument is of the wrong type.
    ValueError
        Wherever `adaptive_avg_pool1d` or `adaptive_max_pool1d` raises it. Nothing has been written
        then.
    MemoryError
        If there is no memory for the results or the tables of windows.

    See Also
    --------
    adaptive_avg_max_pool1d_backward : its gradient.
    spatial_pyramid_pool1d : several output sizes.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; the default windows are those of PyTorch's operators for either.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.array([1, 5, 3, 2], dtype=np.float32)
    >>> means, maxima, indices = ap.adaptive_avg_max_pool1d(x, 2, return_indices=True)
    >>> means
    array([3. , 2.5], dtype=float32)
    >>> maxima
    array([5., 3.], dtype=float32)
    >>> indices
    array([1, 2])
    """
    return _average_maximum(
        "adaptive_avg_max_pool1d",
        1,
        x,
        output_size,
        return_indices,
        index_dtype,
        data_format,
        windows,
        dtype,
        out,
        num_threads,
        options,
    )


@described
def adaptive_avg_max_pool2d(
    x: npt.ArrayLike,
    output_size: Size,
    return_indices: bool = False,
    *,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: tuple[Array, ...] | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllOptionTypes],
) -> tuple[Array, ...]:
    """Average and maximum of the same windows, which cut two axes into a given number of parts.

    The last two axes are pooled, whatever their lengths. A picture of shape ``(H, W, 3)`` needs
    ``data_format="channels_last"``; without it columns and colours are pooled, and no error says
    so.

    Results are to the bit those of `adaptive_avg_pool2d` and `adaptive_max_pool2d`; a large input
    is read from memory once for all of them, piece by piece, while a piece is in the cache. With
    `where` and the options after it, it is read for each.

    Parameters
    ----------
    x : array_like, shape ``(..., H, W)`` or, with "channels_last", ``(..., H, W, C)``
        As `adaptive_avg_pool2d` takes it.
    output_size : int or sequence of 2 int or None
        Lengths ``(OH, OW)`` of the results. One int is for all axes, None keeps an axis as it is,
        and 0 gives empty results.
    return_indices : bool
        Whether to return where in the input the maxima stand, too.
    index_dtype : dtype
        Type of the indices, int64 or int32.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil"}, 2 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `pool_windows`, or the windows themselves, with None
        as `output_size`. Not "area", whose windows hold elements in part.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which makes both results NaN, or is left out. Of integers it says
        nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count.
    lengths : array_like of int, shape ``(N,)`` or ``(N, 2)``, optional
        For padded batches: how much of each sample of the leading axis is pooled, as for
        `adaptive_avg_pool2d`.
    regions : array_like of int, shape ``(K, 5)``, optional
        Parts to pool in the place of whole samples, likewise.
    empty : scalar, optional
        What a window becomes none of whose elements count. By default NaN and, where a result
        holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    dtype : dtype, optional
        Type of the means, as for `adaptive_avg_pool2d`. Maxima have that of `x`.
    out : tuple of ndarray, optional
        Arrays for means, maxima and, if wanted, indices, of exactly their shapes and dtypes, with
        any strides. They may overlap `x`, but not each other.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. Results are the same for any number.

    Returns
    -------
    means : ndarray, shape ``(..., OH, OW)`` or, with "channels_last", ``(..., OH, OW, C)``
        Those of `adaptive_avg_pool2d`. `out[0]`, if given.
    maxima : ndarray, of the same shape, dtype of `x`
        Those of `adaptive_max_pool2d`: of equal elements the first wins, of NaNs the last.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: flat positions ``h * W + w`` within the pooled axes, -1 where
        nothing counts.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`.

    Raises
    ------
    TypeError
        If a dtype is not supported, an array has a mask, `out` is no tuple of as many arrays as
        there are results, or another argument is of the wrong type.
    ValueError
        Wherever `adaptive_avg_pool2d` or `adaptive_max_pool2d` raises it. Nothing has been written
        then.
    MemoryError
        If there is no memory for the results or the tables of windows.

    See Also
    --------
    adaptive_avg_max_pool2d_backward : its gradient.
    spatial_pyramid_pool2d : several output sizes.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; the default windows are those of PyTorch's operators for either.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.arange(24, dtype=np.float32).reshape(4, 6)
    >>> means, maxima = ap.adaptive_avg_max_pool2d(x, (2, 2))
    >>> means
    array([[ 4.,  7.],
           [16., 19.]], dtype=float32)
    >>> maxima
    array([[ 8., 11.],
           [20., 23.]], dtype=float32)

    The head of a network that takes both, as one array:

    >>> np.concatenate(ap.adaptive_avg_max_pool2d(x[np.newaxis], 1)).ravel()
    array([11.5, 23. ], dtype=float32)
    """
    return _average_maximum(
        "adaptive_avg_max_pool2d",
        2,
        x,
        output_size,
        return_indices,
        index_dtype,
        data_format,
        windows,
        dtype,
        out,
        num_threads,
        options,
    )


@described
def adaptive_avg_max_pool3d(
    x: npt.ArrayLike,
    output_size: Size,
    return_indices: bool = False,
    *,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: tuple[Array, ...] | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllOptionTypes],
) -> tuple[Array, ...]:
    """Average and maximum of the same windows, which cut three axes into a given number of parts.

    The last three axes are pooled, whatever their lengths. A film or volume of shape ``(D, H, W,
    3)`` needs ``data_format="channels_last"``; without it rows, columns and colours are pooled, and
    no error says so.

    Results are to the bit those of `adaptive_avg_pool3d` and `adaptive_max_pool3d`; a large input
    is read from memory once for all of them, piece by piece, while a piece is in the cache. With
    `where` and the options after it, it is read for each.

    Parameters
    ----------
    x : array_like, shape ``(..., D, H, W)`` or, with "channels_last", ``(..., D, H, W, C)``
        As `adaptive_avg_pool3d` takes it.
    output_size : int or sequence of 3 int or None
        Lengths ``(OD, OH, OW)`` of the results. One int is for all axes, None keeps an axis as it
        is, and 0 gives empty results.
    return_indices : bool
        Whether to return where in the input the maxima stand, too.
    index_dtype : dtype
        Type of the indices, int64 or int32.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil"}, 3 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `pool_windows`, or the windows themselves, with None
        as `output_size`. Not "area", whose windows hold elements in part.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which makes both results NaN, or is left out. Of integers it says
        nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count.
    lengths : array_like of int, shape ``(N,)`` or ``(N, 3)``, optional
        For padded batches: how much of each sample of the leading axis is pooled, as for
        `adaptive_avg_pool3d`.
    regions : array_like of int, shape ``(K, 7)``, optional
        Parts to pool in the place of whole samples, likewise.
    empty : scalar, optional
        What a window becomes none of whose elements count. By default NaN and, where a result
        holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    dtype : dtype, optional
        Type of the means, as for `adaptive_avg_pool3d`. Maxima have that of `x`.
    out : tuple of ndarray, optional
        Arrays for means, maxima and, if wanted, indices, of exactly their shapes and dtypes, with
        any strides. They may overlap `x`, but not each other.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. Results are the same for any number.

    Returns
    -------
    means : ndarray, shape ``(..., OD, OH, OW)`` or, with "channels_last", ``(..., OD, OH, OW, C)``
        Those of `adaptive_avg_pool3d`. `out[0]`, if given.
    maxima : ndarray, of the same shape, dtype of `x`
        Those of `adaptive_max_pool3d`: of equal elements the first wins, of NaNs the last.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: flat positions ``(d * H + h) * W + w`` within the pooled axes,
        -1 where nothing counts.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`.

    Raises
    ------
    TypeError
        If a dtype is not supported, an array has a mask, `out` is no tuple of as many arrays as
        there are results, or another argument is of the wrong type.
    ValueError
        Wherever `adaptive_avg_pool3d` or `adaptive_max_pool3d` raises it. Nothing has been written
        then.
    MemoryError
        If there is no memory for the results or the tables of windows.

    See Also
    --------
    adaptive_avg_max_pool3d_backward : its gradient.
    spatial_pyramid_pool3d : several output sizes.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; the default windows are those of PyTorch's operators for either.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    >>> means, maxima = ap.adaptive_avg_max_pool3d(x, (1, 1, 2))
    >>> means
    array([[[10.5, 12.5]]], dtype=float32)
    >>> maxima
    array([[[21., 23.]]], dtype=float32)
    """
    return _average_maximum(
        "adaptive_avg_max_pool3d",
        3,
        x,
        output_size,
        return_indices,
        index_dtype,
        data_format,
        windows,
        dtype,
        out,
        num_threads,
        options,
    )


@described
def adaptive_avg_max_pool1d_backward(
    grad_means: npt.ArrayLike,
    grad_maxima: npt.ArrayLike,
    indices: npt.ArrayLike,
    input_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[GradientTypes],
) -> Array:
    """Gradient of `adaptive_avg_max_pool1d` with respect to its input: the sum of both.

    It is what `adaptive_avg_pool1d_backward` gives of the means plus what
    `adaptive_max_pool1d_backward` gives of the maxima, rounded once more. NaN and infinity reach
    only the elements of their window.

    Parameters
    ----------
    grad_means : array_like, shape ``(..., OW)`` or, with "channels_last", ``(..., OW, C)``
        Gradient of the means: float16, bfloat16, float32 or float64.
    grad_maxima : array_like, of the same shape and dtype
        Gradient of the maxima.
    indices : array_like of int32 or int64, of the same shape
        Where the maxima stand, -1 where nothing counts, as `adaptive_avg_max_pool1d` returns it
        with `return_indices`.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``.
    data_format : {"channels_first", "channels_last"}
        As it was given to the operation.
    windows : {"torch", "split", "uniform", "ceil"}, one (starts, ends), or ndarray
        Likewise.
    where : array_like of bool, optional
        As it was given to the operation. What does not count gets 0 of the means.
    nan_policy : {"propagate", "omit"}
        As it was given to the operation, for which `x` is needed.
    nodata : scalar, optional
        Likewise.
    x : array_like, optional
        The input, of any dtype. It is read only for what `nan_policy` and `nodata` leave out.
    lengths : array_like of int, optional
        As they were given to the operation.
    regions : array_like of int, optional
        Likewise.
    min_count : int
        As it was given to the operation. Windows with fewer elements that count pass no gradient
        on.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap the
        inputs.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    ndarray, of shape `input_shape`, dtype of the gradients
        `out`, if given.

    Raises
    ------
    TypeError
        If gradients are not of one of the four float types, and both of the same; or `indices` are
        not int32 or int64; or another argument is of the wrong type.
    ValueError
        If the shapes do not agree, the windows do not fit them, an index lies outside, or `out`
        does not fit. Nothing has been written then.
    MemoryError
        If there is no memory for the two gradients.

    See Also
    --------
    adaptive_avg_max_pool1d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.adaptive_avg_max_pool1d_backward([1.0, 1.0], [1.0, 1.0], [1, 2], (4,))
    array([0.5, 1.5, 1.5, 0.5])
    """
    return _average_maximum_backward(
        "adaptive_avg_max_pool1d_backward",
        1,
        grad_means,
        grad_maxima,
        indices,
        input_shape,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )


@described
def adaptive_avg_max_pool2d_backward(
    grad_means: npt.ArrayLike,
    grad_maxima: npt.ArrayLike,
    indices: npt.ArrayLike,
    input_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[GradientTypes],
) -> Array:
    """Gradient of `adaptive_avg_max_pool2d` with respect to its input: the sum of both.

    It is what `adaptive_avg_pool2d_backward` gives of the means plus what
    `adaptive_max_pool2d_backward` gives of the maxima, rounded once more. NaN and infinity reach
    only the elements of their window.

    Parameters
    ----------
    grad_means : array_like, shape ``(..., OH, OW)`` or, with "channels_last", ``(..., OH, OW, C)``
        Gradient of the means: float16, bfloat16, float32 or float64.
    grad_maxima : array_like, of the same shape and dtype
        Gradient of the maxima.
    indices : array_like of int32 or int64, of the same shape
        Where the maxima stand, -1 where nothing counts, as `adaptive_avg_max_pool2d` returns it
        with `return_indices`.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``.
    data_format : {"channels_first", "channels_last"}
        As it was given to the operation.
    windows : {"torch", "split", "uniform", "ceil"}, 2 (starts, ends), or ndarray
        Likewise.
    where : array_like of bool, optional
        As it was given to the operation. What does not count gets 0 of the means.
    nan_policy : {"propagate", "omit"}
        As it was given to the operation, for which `x` is needed.
    nodata : scalar, optional
        Likewise.
    x : array_like, optional
        The input, of any dtype. It is read only for what `nan_policy` and `nodata` leave out.
    lengths : array_like of int, optional
        As they were given to the operation.
    regions : array_like of int, optional
        Likewise.
    min_count : int
        As it was given to the operation. Windows with fewer elements that count pass no gradient
        on.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap the
        inputs.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    ndarray, of shape `input_shape`, dtype of the gradients
        `out`, if given.

    Raises
    ------
    TypeError
        If gradients are not of one of the four float types, and both of the same; or `indices` are
        not int32 or int64; or another argument is of the wrong type.
    ValueError
        If the shapes do not agree, the windows do not fit them, an index lies outside, or `out`
        does not fit. Nothing has been written then.
    MemoryError
        If there is no memory for the two gradients.

    See Also
    --------
    adaptive_avg_max_pool2d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.array([[1.0, 2.0], [4.0, 3.0]])
    >>> means, maxima, indices = ap.adaptive_avg_max_pool2d(x, 1, return_indices=True)
    >>> ap.adaptive_avg_max_pool2d_backward([[4.0]], [[1.0]], indices, x.shape)
    array([[1., 1.],
           [2., 1.]])
    """
    return _average_maximum_backward(
        "adaptive_avg_max_pool2d_backward",
        2,
        grad_means,
        grad_maxima,
        indices,
        input_shape,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )


@described
def adaptive_avg_max_pool3d_backward(
    grad_means: npt.ArrayLike,
    grad_maxima: npt.ArrayLike,
    indices: npt.ArrayLike,
    input_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[GradientTypes],
) -> Array:
    """Gradient of `adaptive_avg_max_pool3d` with respect to its input: the sum of both.

    It is what `adaptive_avg_pool3d_backward` gives of the means plus what
    `adaptive_max_pool3d_backward` gives of the maxima, rounded once more. NaN and infinity reach
    only the elements of their window.

    Parameters
    ----------
    grad_means : array_like, shape ``(..., OD, OH, OW)``, or ``(..., OD, OH, OW, C)``
        Gradient of the means: float16, bfloat16, float32 or float64.
    grad_maxima : array_like, of the same shape and dtype
        Gradient of the maxima.
    indices : array_like of int32 or int64, of the same shape
        Where the maxima stand, -1 where nothing counts, as `adaptive_avg_max_pool3d` returns it
        with `return_indices`.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``.
    data_format : {"channels_first", "channels_last"}
        As it was given to the operation.
    windows : {"torch", "split", "uniform", "ceil"}, 3 (starts, ends), or ndarray
        Likewise.
    where : array_like of bool, optional
        As it was given to the operation. What does not count gets 0 of the means.
    nan_policy : {"propagate", "omit"}
        As it was given to the operation, for which `x` is needed.
    nodata : scalar, optional
        Likewise.
    x : array_like, optional
        The input, of any dtype. It is read only for what `nan_policy` and `nodata` leave out.
    lengths : array_like of int, optional
        As they were given to the operation.
    regions : array_like of int, optional
        Likewise.
    min_count : int
        As it was given to the operation. Windows with fewer elements that count pass no gradient
        on.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap the
        inputs.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    ndarray, of shape `input_shape`, dtype of the gradients
        `out`, if given.

    Raises
    ------
    TypeError
        If gradients are not of one of the four float types, and both of the same; or `indices` are
        not int32 or int64; or another argument is of the wrong type.
    ValueError
        If the shapes do not agree, the windows do not fit them, an index lies outside, or `out`
        does not fit. Nothing has been written then.
    MemoryError
        If there is no memory for the two gradients.

    See Also
    --------
    adaptive_avg_max_pool3d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.adaptive_avg_max_pool3d_backward([[[4.0]]], [[[1.0]]], [[[2]]], (1, 2, 2))
    array([[[1., 1.],
            [2., 1.]]])
    """
    return _average_maximum_backward(
        "adaptive_avg_max_pool3d_backward",
        3,
        grad_means,
        grad_maxima,
        indices,
        input_shape,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )
