"""Pooling of Dask arrays: lazy, in any chunks, with the bits of the same call in memory.

`_cut.py` says which outputs a task computes and what it needs for them, `_graph.py` makes the
graph, `_tasks.py` is what tasks do, and `_fold.py` what they do with windows that are too large
for one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import numpy.typing as npt

from .._options import AllAverageTypes, AllOptionTypes
from .._problem import DataFormat, Size
from .._windows import Windows
from . import _checked, _graph

if TYPE_CHECKING:
    import dask.array as da

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
]


def adaptive_avg_pool1d(
    x: da.Array,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    limit: int | str | None = None,
    num_threads: int | None = 1,
    **options: Unpack[AllAverageTypes],
) -> Any:
    """Average Dask arrays over windows that cut an axis into a given number of parts.

    The lazy form of `adaptive_pool.adaptive_avg_pool1d`, with the same bits for any chunks. Nothing
    is read before the result is computed; arguments are checked at once.

    Parameters
    ----------
    x : dask.array.Array, shape ``(..., W)`` or, with "channels_last", ``(..., W, C)``
        Of any dtype that the function for arrays in memory takes, in chunks of known sizes, also
        along the pooled axes.
    output_size : int or sequence of 1 int or None
        Length of the result. None keeps the axis as it is, and 0 gives an empty result.
    data_format : {"channels_first", "channels_last"}
        Whether the last axis is pooled, or what stands before the channels.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 1 (starts, ends), or ndarray
        The rule that cuts the pooled axes, or the windows themselves, see
        `adaptive_pool.pool_windows`.
    dtype : dtype, optional
        Type of the result, by default as in memory.
    limit : int or str, optional
        The most bytes of `x` that one task should hold, say ``"256 MiB"``; by default twice Dask's
        setting ``array.chunk-size``. Larger windows are pooled slab by slab, which the notes
        describe.
    num_threads : int, optional
        The most threads that a task uses, besides those of Dask; None for `get_num_threads`.
    where : array_like of bool or dask.array.Array, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy, nodata, empty, min_count, return_counts, scale, offset
        As in memory.
    lengths : array_like of int, optional
        As in memory, but as NumPy takes them. Pooled axes are not cut then: a task has whole
        samples.

    Returns
    -------
    means : dask.array.Array
        Its chunks are those of `x` along other axes, and in proportion to them along pooled ones,
        each of at least one output; smaller where a task would have more than `limit`.
    counts : dask.array.Array of int64
        Only with `return_counts`.

    Raises
    ------
    TypeError, ValueError
        At once, for what the function for arrays in memory refuses; if `x` is no Dask array, has
        chunks of unknown size, or `regions` are given. A window with too few elements, where the
        result holds integers, is found when it is computed; if it is numbered, then within its
        chunk.
    OverflowError
        When it is computed: if a sum of float64 overflows in a window that is pooled slab by slab.

    See Also
    --------
    adaptive_pool.adaptive_avg_pool1d : the same in memory, with all options at length.

    Notes
    -----
    A block of outputs is pooled from the slice of `x` that its windows cover, in one task. A window
    that has more than `limit` bytes, in a chunk of the other axes, is pooled slab by slab: some
    lines of its slice at a time, in their order, so that a task holds one slab and the sums so far.
    A slab has one element at least, and Dask keeps the chunks that hold a slab in
    memory while they are needed. Windows that hold elements in part (``windows="area"`` where the
    output size does not divide) are pooled at once, however large they are.

    Examples
    --------
    >>> import dask.array as da
    >>> from adaptive_pool.dask import adaptive_avg_pool1d
    >>> x = da.arange(6, chunks=6, dtype="float32").rechunk(4)
    >>> y = adaptive_avg_pool1d(x, 2)
    >>> y.chunksize
    (1,)
    >>> y.compute()
    array([1., 4.], dtype=float32)
    """
    checked = _checked.average(
        "adaptive_avg_pool1d", 1, x, output_size, data_format, windows, dtype, limit, num_threads,
        options,
    )  # fmt: skip
    return _graph.arrays_of(checked)


def adaptive_avg_pool2d(
    x: da.Array,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    limit: int | str | None = None,
    num_threads: int | None = 1,
    **options: Unpack[AllAverageTypes],
) -> Any:
    """Average Dask arrays over windows that cut two axes into a given number of parts.

    The lazy form of `adaptive_pool.adaptive_avg_pool2d`, with the same bits for any chunks. Nothing
    is read before the result is computed; arguments are checked at once.

    Parameters
    ----------
    x : dask.array.Array, shape ``(..., H, W)`` or, with "channels_last", ``(..., H, W, C)``
        Of any dtype that the function for arrays in memory takes, in chunks of known sizes, also
        along the pooled axes.
    output_size : int or sequence of 2 int or None
        Lengths ``(OH, OW)`` of the result. One int is for both axes, None keeps an axis as it is,
        and 0 gives an empty result.
    data_format : {"channels_first", "channels_last"}
        Whether the last two axes are pooled, or what stands before the channels.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 2 (starts, ends), or ndarray
        The rule that cuts the pooled axes, or the windows themselves, see
        `adaptive_pool.pool_windows`.
    dtype : dtype, optional
        Type of the result, by default as in memory.
    limit : int or str, optional
        The most bytes of `x` that one task should hold, say ``"256 MiB"``; by default twice Dask's
        setting ``array.chunk-size``. Larger windows are pooled slab by slab, which the notes
        describe.
    num_threads : int, optional
        The most threads that a task uses, besides those of Dask; None for `get_num_threads`.
    where : array_like of bool or dask.array.Array, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy, nodata, empty, min_count, return_counts, scale, offset
        As in memory.
    lengths : array_like of int, optional
        As in memory, but as NumPy takes them. Pooled axes are not cut then: a task has whole
        samples.

    Returns
    -------
    means : dask.array.Array
        Its chunks are those of `x` along other axes, and in proportion to them along pooled ones,
        each of at least one output; smaller where a task would have more than `limit`.
    counts : dask.array.Array of int64
        Only with `return_counts`.

    Raises
    ------
    TypeError, ValueError
        At once, for what the function for arrays in memory refuses; if `x` is no Dask array, has
        chunks of unknown size, or `regions` are given. A window with too few elements, where the
        result holds integers, is found when it is computed; if it is numbered, then within its
        chunk.
    OverflowError
        When it is computed: if a sum of float64 overflows in a window that is pooled slab by slab.

    See Also
    --------
    adaptive_pool.adaptive_avg_pool2d : the same in memory, with all options at length.

    Notes
    -----
    A block of outputs is pooled from the slice of `x` that its windows cover, in one task. A window
    that has more than `limit` bytes, in a chunk of the other axes, is pooled slab by slab: some
    lines of its slice at a time, in their order, so that a task holds one slab and the sums so far.
    A slab has one line of the slice at least, and Dask keeps the chunks that hold a slab in
    memory while they are needed. Windows that hold elements in part (``windows="area"`` where the
    output size does not divide) are pooled at once, however large they are.

    Examples
    --------
    >>> import dask.array as da
    >>> from adaptive_pool.dask import adaptive_avg_pool2d
    >>> x = da.arange(20, chunks=20, dtype="float32").reshape(4, 5).rechunk(2)
    >>> y = adaptive_avg_pool2d(x, (2, 3))
    >>> y.chunksize
    (1, 1)
    >>> y.compute()
    array([[ 3. ,  4.5,  6. ],
           [13. , 14.5, 16. ]], dtype=float32)
    """
    checked = _checked.average(
        "adaptive_avg_pool2d", 2, x, output_size, data_format, windows, dtype, limit, num_threads,
        options,
    )  # fmt: skip
    return _graph.arrays_of(checked)


def adaptive_avg_pool3d(
    x: da.Array,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    limit: int | str | None = None,
    num_threads: int | None = 1,
    **options: Unpack[AllAverageTypes],
) -> Any:
    """Average Dask arrays over windows that cut three axes into a given number of parts.

    The lazy form of `adaptive_pool.adaptive_avg_pool3d`, with the same bits for any chunks. Nothing
    is read before the result is computed; arguments are checked at once.

    Parameters
    ----------
    x : dask.array.Array, shape ``(..., D, H, W)`` or, with "channels_last", ``(..., D, H, W, C)``
        Of any dtype that the function for arrays in memory takes, in chunks of known sizes, also
        along the pooled axes.
    output_size : int or sequence of 3 int or None
        Lengths ``(OD, OH, OW)`` of the result. One int is for all three axes, None keeps an axis as
        it is, and 0 gives an empty result.
    data_format : {"channels_first", "channels_last"}
        Whether the last three axes are pooled, or what stands before the channels.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 3 (starts, ends), or ndarray
        The rule that cuts the pooled axes, or the windows themselves, see
        `adaptive_pool.pool_windows`.
    dtype : dtype, optional
        Type of the result, by default as in memory.
    limit : int or str, optional
        The most bytes of `x` that one task should hold, say ``"256 MiB"``; by default twice Dask's
        setting ``array.chunk-size``. Larger windows are pooled slab by slab, which the notes
        describe.
    num_threads : int, optional
        The most threads that a task uses, besides those of Dask; None for `get_num_threads`.
    where : array_like of bool or dask.array.Array, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy, nodata, empty, min_count, return_counts, scale, offset
        As in memory.
    lengths : array_like of int, optional
        As in memory, but as NumPy takes them. Pooled axes are not cut then: a task has whole
        samples.

    Returns
    -------
    means : dask.array.Array
        Its chunks are those of `x` along other axes, and in proportion to them along pooled ones,
        each of at least one output; smaller where a task would have more than `limit`.
    counts : dask.array.Array of int64
        Only with `return_counts`.

    Raises
    ------
    TypeError, ValueError
        At once, for what the function for arrays in memory refuses; if `x` is no Dask array, has
        chunks of unknown size, or `regions` are given. A window with too few elements, where the
        result holds integers, is found when it is computed; if it is numbered, then within its
        chunk.
    OverflowError
        When it is computed: if a sum of float64 overflows in a window that is pooled slab by slab.

    See Also
    --------
    adaptive_pool.adaptive_avg_pool3d : the same in memory, with all options at length.

    Notes
    -----
    A block of outputs is pooled from the slice of `x` that its windows cover, in one task. A window
    that has more than `limit` bytes, in a chunk of the other axes, is pooled slab by slab: some
    lines of its slice at a time, in their order, so that a task holds one slab and the sums so far.
    A slab has one line of the slice at least, and Dask keeps the chunks that hold a slab in
    memory while they are needed. Windows that hold elements in part (``windows="area"`` where the
    output size does not divide) are pooled at once, however large they are.

    Examples
    --------
    >>> import dask.array as da
    >>> from adaptive_pool.dask import adaptive_avg_pool3d
    >>> x = da.arange(24, chunks=24, dtype="float32").reshape(2, 3, 4).rechunk(2)
    >>> y = adaptive_avg_pool3d(x, (1, 1, 2))
    >>> y.chunksize
    (1, 1, 1)
    >>> y.compute()
    array([[[10.5, 12.5]]], dtype=float32)
    """
    checked = _checked.average(
        "adaptive_avg_pool3d", 3, x, output_size, data_format, windows, dtype, limit, num_threads,
        options,
    )  # fmt: skip
    return _graph.arrays_of(checked)


def adaptive_max_pool1d(
    x: da.Array,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    limit: int | str | None = None,
    num_threads: int | None = 1,
    **options: Unpack[AllOptionTypes],
) -> Any:
    """Take maxima of Dask arrays over windows that cut an axis into a given number of parts.

    The lazy form of `adaptive_pool.adaptive_max_pool1d`, with the same bits for any chunks. NaN
    wins, of several the last; of equal elements the first. Nothing is read before the result is
    computed; arguments are checked at once.

    Parameters
    ----------
    x : dask.array.Array, shape ``(..., W)`` or, with "channels_last", ``(..., W, C)``
        Of any dtype that the function for arrays in memory takes, in chunks of known sizes, also
        along the pooled axes.
    output_size : int or sequence of 1 int or None
        Length of the result. None keeps the axis as it is, and 0 gives an empty result.
    return_indices : bool
        Whether to return where the maxima stand, too.
    index_dtype : {numpy.int64, numpy.int32}
        Type of the indices.
    data_format : {"channels_first", "channels_last"}
        Whether the last axis is pooled, or what stands before the channels.
    windows : {"torch", "split", "uniform", "ceil"}, 1 (starts, ends), or ndarray
        The rule that cuts the pooled axes, or the windows themselves, see
        `adaptive_pool.pool_windows`.
    limit : int or str, optional
        The most bytes of `x` that one task should hold, by default twice Dask's setting
        ``array.chunk-size``. Larger windows are pooled slab by slab, see `adaptive_avg_pool1d`.
    num_threads : int, optional
        The most threads that a task uses, besides those of Dask; None for `get_num_threads`.
    where : array_like of bool or dask.array.Array, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy, nodata, empty, min_count, return_counts
        As in memory.
    lengths : array_like of int, optional
        As in memory, but as NumPy takes them. Pooled axes are not cut then: a task has whole
        samples.

    Returns
    -------
    maxima : dask.array.Array
        In chunks like those of `adaptive_avg_pool1d`.
    indices : dask.array.Array
        Only with `return_indices`: flat, in the whole of the pooled axes of `x`; -1 where nothing
        counts.
    counts : dask.array.Array of int64
        Only with `return_counts`.

    Raises
    ------
    TypeError, ValueError
        At once, for what the function for arrays in memory refuses; if `x` is no Dask array, has
        chunks of unknown size, or `regions` are given. A window with too few elements, where the
        result holds integers, is found when it is computed; if it is numbered, then within its
        chunk.

    See Also
    --------
    adaptive_pool.adaptive_max_pool1d : the same in memory, with all options at length.

    Examples
    --------
    >>> import dask.array as da
    >>> from adaptive_pool.dask import adaptive_max_pool1d
    >>> x = da.arange(6, chunks=6, dtype="float32").rechunk(4)
    >>> y, indices = adaptive_max_pool1d(x, 2, return_indices=True)
    >>> indices.compute()
    array([2, 5])
    """
    checked = _checked.maximum(
        "adaptive_max_pool1d", 1, x, output_size, return_indices, index_dtype, data_format,
        windows, limit, num_threads, options,
    )  # fmt: skip
    return _graph.arrays_of(checked)


def adaptive_max_pool2d(
    x: da.Array,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    limit: int | str | None = None,
    num_threads: int | None = 1,
    **options: Unpack[AllOptionTypes],
) -> Any:
    """Take maxima of Dask arrays over windows that cut two axes into a given number of parts.

    The lazy form of `adaptive_pool.adaptive_max_pool2d`, with the same bits for any chunks. NaN
    wins, of several the last; of equal elements the first. Nothing is read before the result is
    computed; arguments are checked at once.

    Parameters
    ----------
    x : dask.array.Array, shape ``(..., H, W)`` or, with "channels_last", ``(..., H, W, C)``
        Of any dtype that the function for arrays in memory takes, in chunks of known sizes, also
        along the pooled axes.
    output_size : int or sequence of 2 int or None
        Lengths ``(OH, OW)`` of the result. One int is for both axes, None keeps an axis as it is,
        and 0 gives an empty result.
    return_indices : bool
        Whether to return where the maxima stand, too.
    index_dtype : {numpy.int64, numpy.int32}
        Type of the indices.
    data_format : {"channels_first", "channels_last"}
        Whether the last two axes are pooled, or what stands before the channels.
    windows : {"torch", "split", "uniform", "ceil"}, 2 (starts, ends), or ndarray
        The rule that cuts the pooled axes, or the windows themselves, see
        `adaptive_pool.pool_windows`.
    limit : int or str, optional
        The most bytes of `x` that one task should hold, by default twice Dask's setting
        ``array.chunk-size``. Larger windows are pooled slab by slab, see `adaptive_avg_pool2d`.
    num_threads : int, optional
        The most threads that a task uses, besides those of Dask; None for `get_num_threads`.
    where : array_like of bool or dask.array.Array, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy, nodata, empty, min_count, return_counts
        As in memory.
    lengths : array_like of int, optional
        As in memory, but as NumPy takes them. Pooled axes are not cut then: a task has whole
        samples.

    Returns
    -------
    maxima : dask.array.Array
        In chunks like those of `adaptive_avg_pool2d`.
    indices : dask.array.Array
        Only with `return_indices`: flat, in the whole of the pooled axes of `x`; -1 where nothing
        counts.
    counts : dask.array.Array of int64
        Only with `return_counts`.

    Raises
    ------
    TypeError, ValueError
        At once, for what the function for arrays in memory refuses; if `x` is no Dask array, has
        chunks of unknown size, or `regions` are given. A window with too few elements, where the
        result holds integers, is found when it is computed; if it is numbered, then within its
        chunk.

    See Also
    --------
    adaptive_pool.adaptive_max_pool2d : the same in memory, with all options at length.

    Examples
    --------
    >>> import dask.array as da
    >>> from adaptive_pool.dask import adaptive_max_pool2d
    >>> x = da.arange(20, chunks=20, dtype="float32").reshape(4, 5).rechunk(2)
    >>> y, indices = adaptive_max_pool2d(x, (2, 3), return_indices=True)
    >>> indices.compute()
    array([[ 6,  8,  9],
           [16, 18, 19]])
    """
    checked = _checked.maximum(
        "adaptive_max_pool2d", 2, x, output_size, return_indices, index_dtype, data_format,
        windows, limit, num_threads, options,
    )  # fmt: skip
    return _graph.arrays_of(checked)


def adaptive_max_pool3d(
    x: da.Array,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    limit: int | str | None = None,
    num_threads: int | None = 1,
    **options: Unpack[AllOptionTypes],
) -> Any:
    """Take maxima of Dask arrays over windows that cut three axes into a given number of parts.

    The lazy form of `adaptive_pool.adaptive_max_pool3d`, with the same bits for any chunks. NaN
    wins, of several the last; of equal elements the first. Nothing is read before the result is
    computed; arguments are checked at once.

    Parameters
    ----------
    x : dask.array.Array, shape ``(..., D, H, W)`` or, with "channels_last", ``(..., D, H, W, C)``
        Of any dtype that the function for arrays in memory takes, in chunks of known sizes, also
        along the pooled axes.
    output_size : int or sequence of 3 int or None
        Lengths ``(OD, OH, OW)`` of the result. One int is for all three axes, None keeps an axis as
        it is, and 0 gives an empty result.
    return_indices : bool
        Whether to return where the maxima stand, too.
    index_dtype : {numpy.int64, numpy.int32}
        Type of the indices.
    data_format : {"channels_first", "channels_last"}
        Whether the last three axes are pooled, or what stands before the channels.
    windows : {"torch", "split", "uniform", "ceil"}, 3 (starts, ends), or ndarray
        The rule that cuts the pooled axes, or the windows themselves, see
        `adaptive_pool.pool_windows`.
    limit : int or str, optional
        The most bytes of `x` that one task should hold, by default twice Dask's setting
        ``array.chunk-size``. Larger windows are pooled slab by slab, see `adaptive_avg_pool3d`.
    num_threads : int, optional
        The most threads that a task uses, besides those of Dask; None for `get_num_threads`.
    where : array_like of bool or dask.array.Array, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy, nodata, empty, min_count, return_counts
        As in memory.
    lengths : array_like of int, optional
        As in memory, but as NumPy takes them. Pooled axes are not cut then: a task has whole
        samples.

    Returns
    -------
    maxima : dask.array.Array
        In chunks like those of `adaptive_avg_pool3d`.
    indices : dask.array.Array
        Only with `return_indices`: flat, in the whole of the pooled axes of `x`; -1 where nothing
        counts.
    counts : dask.array.Array of int64
        Only with `return_counts`.

    Raises
    ------
    TypeError, ValueError
        At once, for what the function for arrays in memory refuses; if `x` is no Dask array, has
        chunks of unknown size, or `regions` are given. A window with too few elements, where the
        result holds integers, is found when it is computed; if it is numbered, then within its
        chunk.

    See Also
    --------
    adaptive_pool.adaptive_max_pool3d : the same in memory, with all options at length.

    Examples
    --------
    >>> import dask.array as da
    >>> from adaptive_pool.dask import adaptive_max_pool3d
    >>> x = da.arange(24, chunks=24, dtype="float32").reshape(2, 3, 4).rechunk(2)
    >>> y, indices = adaptive_max_pool3d(x, (1, 1, 2), return_indices=True)
    >>> indices.compute()
    array([[[21, 23]]])
    """
    checked = _checked.maximum(
        "adaptive_max_pool3d", 3, x, output_size, return_indices, index_dtype, data_format,
        windows, limit, num_threads, options,
    )  # fmt: skip
    return _graph.arrays_of(checked)
