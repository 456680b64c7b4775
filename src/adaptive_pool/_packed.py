"""Packed values: items of different lengths, one after the other along the pooled axis.

Lists of Arrow and jagged tensors of PyTorch lie so. To the kernels they are regions of one sample;
each is to the bit what it would be pooled alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack, overload

import numpy as np
import numpy.typing as npt

from . import _dtypes
from ._arrays import Array, as_array
from ._average import _average
from ._average_backward import _average_backward
from ._counting import mask_of
from ._maximum import Triple, _maximum
from ._options import AllPackedTypes, CountedTypes, PackedGradientTypes, described
from ._problem import (
    DataFormat,
    Pair,
    Size,
    check_data_format,
    check_out,
    check_room_for_axis,
    normalize_shape,
    pooled_axes,
)
from ._scatter import maximum_backward_at
from ._windows import Windows


class _Given(AllPackedTypes, total=False):
    offsets: npt.ArrayLike


class _GivenBack(PackedGradientTypes, total=False):
    offsets: npt.ArrayLike


def _check_axes(function: str, shape: tuple[int, ...], data_format: DataFormat, name: str) -> int:
    """Return the pooled axis, or raise unless there is one, and room for one of samples."""
    data_format = check_data_format(function, data_format)
    axis = pooled_axes(function, 1, shape, data_format, name)
    check_room_for_axis(function, name, shape)
    return axis


def _options_of_sample(
    function: str,
    offsets: npt.ArrayLike,
    options: Mapping[str, Any],
    shape: tuple[int, ...],
    name: str,
) -> dict[str, Any]:
    """Return options, and offsets, for one sample; arrays among them have the shape of values."""
    given = {**options, "offsets": as_array(function, "offsets", offsets)}
    if given.get("where") is not None:
        given["where"] = mask_of(function, given["where"], shape, name)[np.newaxis]
    if given.get("x") is not None:
        x = as_array(function, "x", given["x"])
        if x.shape != shape:
            raise ValueError(
                f"{function}: x must have the shape of the values {shape}, got shape {x.shape}"
            )
        given["x"] = x[np.newaxis]
    return given


def _one_sample(function: str, values: npt.ArrayLike, data_format: DataFormat) -> Array:
    """Return values with an axis for the sample that they are."""
    values = as_array(function, "values", values)
    _dtypes.check_dtype(function, "values", values.dtype, _dtypes.SUPPORTED)
    _check_axes(function, values.shape, data_format, "values")
    return values[np.newaxis]


def _of_one_sample(
    function: str,
    input_shape: Sequence[int],
    grad_output: npt.ArrayLike,
    data_format: DataFormat,
    out: Array | None,
) -> tuple[Array, tuple[int, ...], Array | None]:
    """Return a gradient, the shape of what it is of, and an array for that with such an axis."""
    shape = normalize_shape(function, input_shape)
    axis = _check_axes(function, shape, data_format, "input_shape")
    gradient = as_array(function, "grad_output", grad_output)
    _dtypes.check_dtype(function, "grad_output", gradient.dtype, _dtypes.FLOATS)
    lead, rest = shape[:axis], shape[axis + 1 :]
    of = gradient.shape
    if len(of) != len(shape) + 1 or (of[1 : axis + 1], of[axis + 2 :]) != (lead, rest):
        raise ValueError(
            f"{function}: grad_output must have an axis of items, then those of input_shape "
            f"{shape}, and agree with it except on the pooled axis; got shape {of}"
        )
    if out is not None:
        out = check_out(function, "out", out, shape, _dtypes.native(gradient.dtype))[np.newaxis]
    return gradient, shape, out


@overload
def adaptive_avg_pool1d_packed(
    values: npt.ArrayLike,
    offsets: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[CountedTypes],
) -> Array: ...
@overload
def adaptive_avg_pool1d_packed(
    values: npt.ArrayLike,
    offsets: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[CountedTypes],
) -> Pair: ...
@overload
def adaptive_avg_pool1d_packed(
    values: npt.ArrayLike,
    offsets: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: bool,
    **options: Unpack[CountedTypes],
) -> Array | Pair: ...
@described
def adaptive_avg_pool1d_packed(
    values: npt.ArrayLike,
    offsets: npt.ArrayLike,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllPackedTypes],
) -> Array | Pair:
    """Average each item of packed values over windows that cut it into a given number of parts.

    Items of different lengths lie one after the other along the pooled axis: texts of a batch, say,
    without padding. Item ``n`` is ``values[offsets[n]:offsets[n + 1]]`` where channels are last.
    Each is pooled as `adaptive_avg_pool1d` pools it alone, to the bit.

    Parameters
    ----------
    values : array_like, shape ``(..., total)`` or, with "channels_last", ``(..., total, C)``
        What `adaptive_avg_pool1d` takes. What lies before the first item or behind the last one is
        not read.
    offsets : array_like of int, shape ``(N + 1,)``
        Where each of `N` items starts and, at last, where the last one ends; they must not
        decrease. So are the offsets of Arrow's lists and of PyTorch's jagged tensors. An item may
        be empty.
    output_size : int or sequence of one int
        Length ``(OW,)`` of the result of each item. With 1 it is the mean of the item.
    data_format : {"channels_first", "channels_last"}
        "channels_first": items lie along the last axis. "channels_last": along the axis before the
        channel axis, as packed tokens do. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, one (starts, ends), or ndarray
        The rule that cuts each item, see `pool_windows`. Or the windows themselves, with None as
        `output_size`, from the beginning of each item on; what lies beyond its end does not count.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `values`.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which makes a mean NaN, or is left out. Of integers it says nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count.
    empty : scalar, optional
        What a window becomes none of whose elements count, such as those of an empty item. By
        default NaN and, where the result holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    dtype : dtype, optional
        Type of the result, as in `adaptive_avg_pool1d`.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    means : ndarray, shape ``(N, ..., OW)`` or, with "channels_last", ``(N, ..., OW, C)``
        As exact as those of `adaptive_avg_pool1d`. `out`, if given.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window.

    Raises
    ------
    TypeError
        If a dtype is not supported, an array has a mask, or an argument is of the wrong type.
    ValueError
        If offsets decrease or leave the axis, with the number of the item; and wherever
        `adaptive_avg_pool1d` raises it. Nothing has been written then.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_avg_pool1d_packed_backward : its gradient.

    References
    ----------
    Apache Arrow, "Arrow Columnar Format", variable-size list layout, for the meaning of `offsets`.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.adaptive_avg_pool1d_packed([1.0, 2.0, 3.0, 10.0, 20.0], [0, 3, 5], 1)
    array([[ 2.],
           [15.]])
    """
    function = "adaptive_avg_pool1d_packed"
    x = _one_sample(function, values, data_format)
    given = _options_of_sample(function, offsets, options, x.shape[1:], "values")
    rest = (output_size, data_format, windows, dtype, out, num_threads)
    return _average(None, function, 1, x, *rest, given, _Given)


@described
def adaptive_avg_pool1d_packed_backward(
    grad_output: npt.ArrayLike,
    offsets: npt.ArrayLike,
    input_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[PackedGradientTypes],
) -> Array:
    """Gradient of `adaptive_avg_pool1d_packed` with respect to its values: the exact adjoint.

    Each item gets what `adaptive_avg_pool1d_backward` gives it alone, to the bit. What no item
    holds gets 0.

    Parameters
    ----------
    grad_output : array_like, shape ``(N, ..., OW)`` or, with "channels_last", ``(N, ..., OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    offsets : array_like of int, shape ``(N + 1,)``
        As they were given to the operation.
    input_shape : sequence of int
        Shape of the values, such as ``values.shape``.
    data_format : {"channels_first", "channels_last"}
        As it was given to the operation.
    windows : {"torch", "split", "uniform", "ceil", "area"}, one (starts, ends), or ndarray
        Likewise.
    where : array_like of bool, optional
        As it was given to the operation. What does not count gets 0, and each window shares its
        gradient among the elements that do.
    nan_policy : {"propagate", "omit"}
        As it was given to the operation, for which `x` is needed.
    nodata : scalar, optional
        Likewise.
    x : array_like, shape `input_shape`, optional
        The values, of any dtype. They are read only for what `nan_policy` and `nodata` leave out.
    min_count : int
        As it was given to the operation. Windows with fewer elements that count pass no gradient
        on.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    ndarray, shape `input_shape`, dtype of `grad_output`
        `out`, if given.

    Raises
    ------
    TypeError
        If the dtype is not one of the four float types, an array has a mask, an argument is of the
        wrong type, or `x` is missing where `nan_policy` or `nodata` needs it.
    ValueError
        If the shapes do not agree, offsets decrease or leave the axis, or `out` does not fit.
        Nothing has been written then.

    See Also
    --------
    adaptive_avg_pool1d_packed : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.adaptive_avg_pool1d_packed_backward([[1.0], [1.0]], [0, 4, 6], (6,))
    array([0.25, 0.25, 0.25, 0.25, 0.5 , 0.5 ])
    """
    function = "adaptive_avg_pool1d_packed_backward"
    gradient, shape, target = _of_one_sample(function, input_shape, grad_output, data_format, out)
    given = _options_of_sample(function, offsets, options, shape, "the values")
    rest = (data_format, windows, target, num_threads)
    result = _average_backward(None, function, 1, gradient, (1, *shape), *rest, given, _GivenBack)
    return result[0] if out is None else out


@overload
def adaptive_max_pool1d_packed(
    values: npt.ArrayLike,
    offsets: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[False] = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[CountedTypes],
) -> Array: ...
@overload
def adaptive_max_pool1d_packed(
    values: npt.ArrayLike,
    offsets: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: Literal[True],
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[CountedTypes],
) -> Pair: ...
@overload
def adaptive_max_pool1d_packed(
    values: npt.ArrayLike,
    offsets: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    return_counts: bool = False,
    **options: Unpack[CountedTypes],
) -> Array | Pair | Triple: ...
@described
def adaptive_max_pool1d_packed(
    values: npt.ArrayLike,
    offsets: npt.ArrayLike,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllPackedTypes],
) -> Array | Pair | Triple:
    """Maximum of each item of packed values over windows that cut it into a given number of parts.

    Items of different lengths lie one after the other along the pooled axis, as
    `adaptive_avg_pool1d_packed` says. Each is pooled as `adaptive_max_pool1d` pools it alone.

    Parameters
    ----------
    values : array_like, shape ``(..., total)`` or, with "channels_last", ``(..., total, C)``
        What `adaptive_max_pool1d` takes. What lies before the first item or behind the last one is
        not read.
    offsets : array_like of int, shape ``(N + 1,)``
        Where each of `N` items starts and, at last, where the last one ends; they must not
        decrease. An item may be empty.
    output_size : int or sequence of one int
        Length ``(OW,)`` of the result of each item.
    return_indices : bool
        Whether to return the positions of the maxima too.
    index_dtype : dtype
        int64, or int32 if the pooled axis holds at most ``2**31`` elements.
    data_format : {"channels_first", "channels_last"}
        "channels_first": items lie along the last axis. "channels_last": along the axis before the
        channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of one (starts, ends) or ndarray
        The rule that cuts each item, see `pool_windows`. Or the windows themselves, with None as
        `output_size`, from the beginning of each item on; what lies beyond its end does not count.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `values`.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which wins over every number, or is left out.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count.
    empty : scalar, optional
        What a window becomes none of whose elements count, such as those of an empty item. By
        default NaN and, where the result holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    out : ndarray, or pair of ndarray with `return_indices`, optional
        Array for the result, of exactly its shape and dtype, with any strides.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    maxima : ndarray, shape ``(N, ..., OW)`` or, with "channels_last", ``(N, ..., OW, C)``
        In the dtype of `values`. `out`, if given.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: positions along the pooled axis of `values`, not of the item; -1
        for a window that is `empty`.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window.

    Raises
    ------
    TypeError
        If a dtype is not supported, an array has a mask, or an argument is of the wrong type.
    ValueError
        If offsets decrease or leave the axis, with the number of the item; and wherever
        `adaptive_max_pool1d` raises it. Nothing has been written then.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_max_pool1d_packed_backward : its gradient, which needs the indices.

    References
    ----------
    Apache Arrow, "Arrow Columnar Format", variable-size list layout, for the meaning of `offsets`.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.adaptive_max_pool1d_packed([1.0, 3.0, 2.0, 10.0, 20.0], [0, 3, 5], 1)
    array([[ 3.],
           [20.]])
    """
    function = "adaptive_max_pool1d_packed"
    x = _one_sample(function, values, data_format)
    given = _options_of_sample(function, offsets, options, x.shape[1:], "values")
    rest = (output_size, return_indices, index_dtype, data_format, windows, out, num_threads)
    return _maximum(None, function, 1, x, *rest, given, _Given)


def adaptive_max_pool1d_packed_backward(
    grad_output: npt.ArrayLike,
    indices: npt.ArrayLike,
    offsets: npt.ArrayLike,
    input_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """Gradient of `adaptive_max_pool1d_packed` with respect to its values.

    Each window adds its gradient to the element at its index; all other elements get 0. Windows
    with the index -1 add nothing. Gradients that meet at an element are added item by item, in the
    order of the windows, as `adaptive_max_pool1d_backward` adds them.

    Parameters
    ----------
    grad_output : array_like, shape ``(N, ..., OW)`` or, with "channels_last", ``(N, ..., OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    indices : array_like of int32 or int64, of the same shape
        Positions along the pooled axis of the values, as `adaptive_max_pool1d_packed` returns them.
        All are checked before anything is written.
    offsets : array_like of int, shape ``(N + 1,)``
        As they were given to the operation.
    input_shape : sequence of int
        Shape of the values, such as ``values.shape``.
    data_format : {"channels_first", "channels_last"}
        As it was given to the operation.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    ndarray, shape `input_shape`, dtype of `grad_output`
        `out`, if given.

    Raises
    ------
    TypeError
        If the dtype of `grad_output` is not one of the four float types, that of `indices` is not
        int32 or int64, an array has a mask, or an argument is of the wrong type.
    ValueError
        If the shapes do not agree, offsets decrease or leave the axis, an index is under -1 or past
        it, or `out` does not fit. Nothing has been written then, unless another thread changes
        `indices` during the call.

    See Also
    --------
    adaptive_max_pool1d_packed : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map; here the map that picks the elements at `indices`.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> values, offsets = [1.0, 3.0, 2.0, 10.0, 20.0], [0, 3, 5]
    >>> y, indices = ap.adaptive_max_pool1d_packed(values, offsets, 1, return_indices=True)
    >>> ap.adaptive_max_pool1d_packed_backward([[1.0], [2.0]], indices, offsets, (5,))
    array([0., 1., 0., 0., 2.])
    """
    function = "adaptive_max_pool1d_packed_backward"
    gradient, shape, target = _of_one_sample(function, input_shape, grad_output, data_format, out)
    given = _options_of_sample(function, offsets, {}, shape, "the values")
    rest = (data_format, target, num_threads)
    result = maximum_backward_at(
        None, function, 1, gradient, indices, (1, *shape), *rest, given, _GivenBack
    )
    return result[0] if out is None else out
