"""Averages of ragged batches: the public functions. Their path is that of `_ragged.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack, overload

import numpy.typing as npt

from ._arrays import Array
from ._options import AllRaggedAverageTypes, RaggedAverageTypes, RaggedGradientTypes, described
from ._problem import DataFormat, Pair, Size
from ._ragged import Arrays, average_ragged
from ._ragged_backward import average_ragged_backward
from ._windows import Windows


@overload
def adaptive_avg_pool1d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[RaggedAverageTypes],
) -> Array: ...
@overload
def adaptive_avg_pool1d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[RaggedAverageTypes],
) -> Pair: ...
@overload
def adaptive_avg_pool1d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: bool,
    **options: Unpack[RaggedAverageTypes],
) -> Array | Pair: ...
@described
def adaptive_avg_pool1d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllRaggedAverageTypes],
) -> Array | Pair:
    """Average each array of a list over windows that cut one axis into a given number of parts.

    The arrays may have different lengths on the pooled axis: pictures of many sizes, say, that
    become one array. Each is pooled as `adaptive_avg_pool1d` pools it alone, to the bit. Threads
    share the work of all items, of which the largest is begun first; with `where` and the options
    after it, items are pooled one by one.

    Parameters
    ----------
    arrays : list or tuple of array_like, or ndarray of objects
        Items of shape ``(..., W)`` or, with "channels_last", ``(..., W, C)``, of one dtype, which
        agree except on the pooled axes. Each is what `adaptive_avg_pool1d` takes;
        items without elements need `empty`.
    output_size : int or sequence of one int or None
        Lengths ``(OW)`` of the result of each item.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis of each item is pooled. "channels_last": the axis before the
        channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, one (starts, ends), or ndarray
        The rule that cuts the pooled axis of each item, see `pool_windows`. Or the windows
        themselves, which must fit all items.
    where : list of array_like of bool, optional
        Which elements count: for each item a mask in any shape that broadcasts to it, or None.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which makes a mean NaN, or is left out. Of integers it says nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count.
    empty : scalar, optional
        What a window becomes none of whose elements count, before it is scaled. By default NaN and,
        where the result holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    scale : scalar or array_like of shape ``(C,)``, optional
        What means are multiplied by, all or those of each channel, before they are stored: as
        float64, ``mean * scale + offset``. Channels are the axis before the pooled ones, or the
        last one with "channels_last".
    offset : scalar or array_like of shape ``(C,)``, optional
        What is added then.
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
        As exact as those of `adaptive_avg_pool1d`, for each of `N` items. `out`, if given.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window.

    Raises
    ------
    TypeError
        If `arrays` is no list, a dtype is not supported, an array has a mask, or an argument is of
        the wrong type.
    ValueError
        If there are no items, they do not agree, or wherever `adaptive_avg_pool1d` raises it; the
        error names the item. Nothing has been written then.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_avg_pool1d_ragged_backward : its gradient.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; the default windows are those of PyTorch's operator for single arrays.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.adaptive_avg_pool1d_ragged([[1.0, 2.0, 3.0], [5.0, 7.0]], 1)
    array([[2.],
           [6.]])
    """
    return average_ragged(
        "adaptive_avg_pool1d_ragged",
        1,
        arrays,
        output_size,
        data_format,
        windows,
        dtype,
        out,
        num_threads,
        options,
    )


@described
def adaptive_avg_pool1d_ragged_backward(
    grad_output: npt.ArrayLike,
    input_shapes: Sequence[Sequence[int]],
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Sequence[Array] | None = None,
    num_threads: int | None = None,
    **options: Unpack[RaggedGradientTypes],
) -> list[Array]:
    """Gradients of `adaptive_avg_pool1d_ragged` with respect to its arrays: the exact adjoint.

    Each is what `adaptive_avg_pool1d_backward` gives of that item alone, to the bit.

    Parameters
    ----------
    grad_output : array_like, shape ``(N, ..., OW)``, or ``(N, ..., OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    input_shapes : list or tuple of sequences of int
        Shapes of the `N` items, such as ``[x.shape for x in arrays]``.
    data_format : {"channels_first", "channels_last"}
        As it was given to the operation.
    windows : {"torch", "split", "uniform", "ceil", "area"}, one (starts, ends), or ndarray
        Likewise.
    where : list of array_like of bool, optional
        As it was given to the operation. What does not count gets 0.
    nan_policy : {"propagate", "omit"}
        As it was given to the operation, for which `x` is needed.
    nodata : scalar, optional
        Likewise.
    x : list of array_like, optional
        The items, of any dtype. They are read only for what `nan_policy` and `nodata` leave out.
    min_count : int
        As it was given to the operation. Windows with fewer elements that count pass no gradient
        on.
    out : list of ndarray, optional
        Arrays for the results, of exactly their shapes and dtype, with any strides.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    list of ndarray, of the shapes of the items, dtype of `grad_output`
        The arrays of `out`, if given.

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
    adaptive_avg_pool1d_ragged : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.adaptive_avg_pool1d_ragged_backward([[1.0], [1.0]], [(2,), (4,)])
    [array([0.5, 0.5]), array([0.25, 0.25, 0.25, 0.25])]
    """
    return average_ragged_backward(
        "adaptive_avg_pool1d_ragged_backward",
        1,
        grad_output,
        input_shapes,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )


@overload
def adaptive_avg_pool2d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[RaggedAverageTypes],
) -> Array: ...
@overload
def adaptive_avg_pool2d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[RaggedAverageTypes],
) -> Pair: ...
@overload
def adaptive_avg_pool2d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: bool,
    **options: Unpack[RaggedAverageTypes],
) -> Array | Pair: ...
@described
def adaptive_avg_pool2d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllRaggedAverageTypes],
) -> Array | Pair:
    """Average each array of a list over windows that cut two axes into a given number of parts.

    The arrays may have different lengths on the pooled axes: pictures of many sizes, say, that
    become one array. Each is pooled as `adaptive_avg_pool2d` pools it alone, to the bit. Threads
    share the work of all items, of which the largest is begun first; with `where` and the options
    after it, items are pooled one by one.

    Parameters
    ----------
    arrays : list or tuple of array_like, or ndarray of objects
        Items of shape ``(..., H, W)`` or, with "channels_last", ``(..., H, W, C)``, of one dtype,
        which agree except on the pooled axes. Each is what `adaptive_avg_pool2d` takes;
        items without elements need `empty`.
    output_size : int or sequence of 2 int or None
        Lengths ``(OH, OW)`` of the result of each item.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes of each item are pooled. "channels_last": the two before
        the channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 2 (starts, ends), or ndarray
        The rule that cuts the pooled axes of each item, see `pool_windows`. Or the windows
        themselves, which must fit all items.
    where : list of array_like of bool, optional
        Which elements count: for each item a mask in any shape that broadcasts to it, or None.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which makes a mean NaN, or is left out. Of integers it says nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count.
    empty : scalar, optional
        What a window becomes none of whose elements count, before it is scaled. By default NaN and,
        where the result holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    scale : scalar or array_like of shape ``(C,)``, optional
        What means are multiplied by, all or those of each channel, before they are stored: as
        float64, ``mean * scale + offset``. Channels are the axis before the pooled ones, or the
        last one with "channels_last".
    offset : scalar or array_like of shape ``(C,)``, optional
        What is added then.
    dtype : dtype, optional
        Type of the result, as in `adaptive_avg_pool2d`.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    means : ndarray, shape ``(N, ..., OH, OW)`` or, with "channels_last", ``(N, ..., OH, OW, C)``
        As exact as those of `adaptive_avg_pool2d`, for each of `N` items. `out`, if given.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window.

    Raises
    ------
    TypeError
        If `arrays` is no list, a dtype is not supported, an array has a mask, or an argument is of
        the wrong type.
    ValueError
        If there are no items, they do not agree, or wherever `adaptive_avg_pool2d` raises it; the
        error names the item. Nothing has been written then.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_avg_pool2d_ragged_backward : its gradient.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; the default windows are those of PyTorch's operator for single arrays.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> pictures = [np.zeros((480, 640, 3), np.uint8), np.zeros((300, 200, 3), np.uint8)]
    >>> ap.adaptive_avg_pool2d_ragged(pictures, 7, data_format="channels_last").shape
    (2, 7, 7, 3)
    """
    return average_ragged(
        "adaptive_avg_pool2d_ragged",
        2,
        arrays,
        output_size,
        data_format,
        windows,
        dtype,
        out,
        num_threads,
        options,
    )


@described
def adaptive_avg_pool2d_ragged_backward(
    grad_output: npt.ArrayLike,
    input_shapes: Sequence[Sequence[int]],
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Sequence[Array] | None = None,
    num_threads: int | None = None,
    **options: Unpack[RaggedGradientTypes],
) -> list[Array]:
    """Gradients of `adaptive_avg_pool2d_ragged` with respect to its arrays: the exact adjoint.

    Each is what `adaptive_avg_pool2d_backward` gives of that item alone, to the bit.

    Parameters
    ----------
    grad_output : array_like, shape ``(N, ..., OH, OW)``, or ``(N, ..., OH, OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    input_shapes : list or tuple of sequences of int
        Shapes of the `N` items, such as ``[x.shape for x in arrays]``.
    data_format : {"channels_first", "channels_last"}
        As it was given to the operation.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 2 (starts, ends), or ndarray
        Likewise.
    where : list of array_like of bool, optional
        As it was given to the operation. What does not count gets 0.
    nan_policy : {"propagate", "omit"}
        As it was given to the operation, for which `x` is needed.
    nodata : scalar, optional
        Likewise.
    x : list of array_like, optional
        The items, of any dtype. They are read only for what `nan_policy` and `nodata` leave out.
    min_count : int
        As it was given to the operation. Windows with fewer elements that count pass no gradient
        on.
    out : list of ndarray, optional
        Arrays for the results, of exactly their shapes and dtype, with any strides.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    list of ndarray, of the shapes of the items, dtype of `grad_output`
        The arrays of `out`, if given.

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
    adaptive_avg_pool2d_ragged : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> grads = ap.adaptive_avg_pool2d_ragged_backward(np.ones((2, 1, 1)), [(1, 2), (2, 2)])
    >>> grads[1]
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    return average_ragged_backward(
        "adaptive_avg_pool2d_ragged_backward",
        2,
        grad_output,
        input_shapes,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )


@overload
def adaptive_avg_pool3d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[RaggedAverageTypes],
) -> Array: ...
@overload
def adaptive_avg_pool3d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[True],
    **options: Unpack[RaggedAverageTypes],
) -> Pair: ...
@overload
def adaptive_avg_pool3d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: bool,
    **options: Unpack[RaggedAverageTypes],
) -> Array | Pair: ...
@described
def adaptive_avg_pool3d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllRaggedAverageTypes],
) -> Array | Pair:
    """Average each array of a list over windows that cut three axes into a given number of parts.

    The arrays may have different lengths on the pooled axes: pictures of many sizes, say, that
    become one array. Each is pooled as `adaptive_avg_pool3d` pools it alone, to the bit. Threads
    share the work of all items, of which the largest is begun first; with `where` and the options
    after it, items are pooled one by one.

    Parameters
    ----------
    arrays : list or tuple of array_like, or ndarray of objects
        Items of shape ``(..., D, H, W)`` or, with "channels_last", ``(..., D, H, W, C)``, of one
        dtype, which agree except on the pooled axes. Each is what `adaptive_avg_pool3d` takes;
        items without elements need `empty`.
    output_size : int or sequence of 3 int or None
        Lengths ``(OD, OH, OW)`` of the result of each item.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes of each item are pooled. "channels_last": the three
        before the channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 3 (starts, ends), or ndarray
        The rule that cuts the pooled axes of each item, see `pool_windows`. Or the windows
        themselves, which must fit all items.
    where : list of array_like of bool, optional
        Which elements count: for each item a mask in any shape that broadcasts to it, or None.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which makes a mean NaN, or is left out. Of integers it says nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count.
    empty : scalar, optional
        What a window becomes none of whose elements count, before it is scaled. By default NaN and,
        where the result holds integers, an error.
    min_count : int
        Elements that must count in a window: with fewer it becomes `empty` too.
    return_counts : bool
        Whether to return how many elements count in each window, too.
    scale : scalar or array_like of shape ``(C,)``, optional
        What means are multiplied by, all or those of each channel, before they are stored: as
        float64, ``mean * scale + offset``. Channels are the axis before the pooled ones, or the
        last one with "channels_last".
    offset : scalar or array_like of shape ``(C,)``, optional
        What is added then.
    dtype : dtype, optional
        Type of the result, as in `adaptive_avg_pool3d`.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    means : ndarray, shape ``(N, ..., OD, OH, OW)`` or ``(N, ..., OD, OH, OW, C)``
        As exact as those of `adaptive_avg_pool3d`, for each of `N` items. `out`, if given.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window.

    Raises
    ------
    TypeError
        If `arrays` is no list, a dtype is not supported, an array has a mask, or an argument is of
        the wrong type.
    ValueError
        If there are no items, they do not agree, or wherever `adaptive_avg_pool3d` raises it; the
        error names the item. Nothing has been written then.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_avg_pool3d_ragged_backward : its gradient.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; the default windows are those of PyTorch's operator for single arrays.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> films = [np.zeros((9, 16, 16)), np.zeros((5, 8, 12))]
    >>> ap.adaptive_avg_pool3d_ragged(films, (1, 4, 4)).shape
    (2, 1, 4, 4)
    """
    return average_ragged(
        "adaptive_avg_pool3d_ragged",
        3,
        arrays,
        output_size,
        data_format,
        windows,
        dtype,
        out,
        num_threads,
        options,
    )


@described
def adaptive_avg_pool3d_ragged_backward(
    grad_output: npt.ArrayLike,
    input_shapes: Sequence[Sequence[int]],
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Sequence[Array] | None = None,
    num_threads: int | None = None,
    **options: Unpack[RaggedGradientTypes],
) -> list[Array]:
    """Gradients of `adaptive_avg_pool3d_ragged` with respect to its arrays: the exact adjoint.

    Each is what `adaptive_avg_pool3d_backward` gives of that item alone, to the bit.

    Parameters
    ----------
    grad_output : array_like, shape ``(N, ..., OD, OH, OW)``, or ``(N, ..., OD, OH, OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    input_shapes : list or tuple of sequences of int
        Shapes of the `N` items, such as ``[x.shape for x in arrays]``.
    data_format : {"channels_first", "channels_last"}
        As it was given to the operation.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 3 (starts, ends), or ndarray
        Likewise.
    where : list of array_like of bool, optional
        As it was given to the operation. What does not count gets 0.
    nan_policy : {"propagate", "omit"}
        As it was given to the operation, for which `x` is needed.
    nodata : scalar, optional
        Likewise.
    x : list of array_like, optional
        The items, of any dtype. They are read only for what `nan_policy` and `nodata` leave out.
    min_count : int
        As it was given to the operation. Windows with fewer elements that count pass no gradient
        on.
    out : list of ndarray, optional
        Arrays for the results, of exactly their shapes and dtype, with any strides.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    list of ndarray, of the shapes of the items, dtype of `grad_output`
        The arrays of `out`, if given.

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
    adaptive_avg_pool3d_ragged : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> shapes = [(1, 1, 2), (2, 2, 2)]
    >>> grads = ap.adaptive_avg_pool3d_ragged_backward(np.ones((2, 1, 1, 1)), shapes)
    >>> grads[0]
    array([[[0.5, 0.5]]])
    """
    return average_ragged_backward(
        "adaptive_avg_pool3d_ragged_backward",
        3,
        grad_output,
        input_shapes,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )
