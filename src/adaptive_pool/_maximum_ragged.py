"""Maxima of ragged batches: the public functions. Their path is that of `_ragged.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack, overload

import numpy as np
import numpy.typing as npt

from ._arrays import Array
from ._maximum import Triple
from ._options import AllRaggedTypes, RaggedTypes, described
from ._problem import DataFormat, Pair, Size
from ._ragged import Arrays, maximum_ragged
from ._ragged_backward import maximum_ragged_backward
from ._windows import Windows


@overload
def adaptive_max_pool1d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: Literal[False] = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[RaggedTypes],
) -> Array: ...
@overload
def adaptive_max_pool1d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: Literal[True],
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[RaggedTypes],
) -> Pair: ...
@overload
def adaptive_max_pool1d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    return_counts: bool = False,
    **options: Unpack[RaggedTypes],
) -> Array | Pair | Triple: ...
@described
def adaptive_max_pool1d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllRaggedTypes],
) -> Array | Pair | Triple:
    """Maximum of each array of a list over windows that cut one axis into a given number of parts.

    The arrays may have different lengths on the pooled axis. Each is pooled as
    `adaptive_max_pool1d` pools it alone. Threads share the work of all items, of which the largest
    is begun first; with `where` and the options after it, items are pooled one by one.

    Parameters
    ----------
    arrays : list or tuple of array_like, or ndarray of objects
        Items of shape ``(..., W)`` or, with "channels_last", ``(..., W, C)``, of one dtype, which
        agree except on the pooled axes. Each is what `adaptive_max_pool1d` takes;
        items without elements need `empty`.
    output_size : int or sequence of one int or None
        Lengths ``(OW)`` of the result of each item.
    return_indices : bool
        Whether to return the positions of the maxima too.
    index_dtype : dtype
        int64, or int32 if the pooled axes of no item hold more than ``2**31`` elements.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis of each item is pooled. "channels_last": the axis before the
        channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil"}, one (starts, ends), or ndarray
        The rule that cuts the pooled axis of each item, see `pool_windows`. Or the windows
        themselves, which must fit all items.
    where : list of array_like of bool, optional
        Which elements count: for each item a mask in any shape that broadcasts to it, or None.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which wins over every number, or is left out. Of integers it says
        nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count.
    empty : scalar, optional
        What a window becomes none of whose elements count. By default NaN and, where the result
        holds integers, an error.
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
    values : ndarray, shape ``(N, ..., OW)`` or, with "channels_last", ``(N, ..., OW, C)``
        The maxima, in the dtype of the items. `out`, if given.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes of each item; -1 for a window
        that is `empty`.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window.

    Raises
    ------
    TypeError
        If `arrays` is no list, a dtype is not supported, an array has a mask, or an argument is of
        the wrong type.
    ValueError
        If there are no items, they do not agree, or wherever `adaptive_max_pool1d` raises it; the
        error names the item. Nothing has been written then.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_max_pool1d_ragged_backward : its gradient, which needs the indices.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; windows, ties and NaN are those of PyTorch's operator for single arrays.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.adaptive_max_pool1d_ragged([[1.0, 2.0, 3.0], [5.0, 7.0]], 1)
    array([[3.],
           [7.]])
    """
    return maximum_ragged(
        "adaptive_max_pool1d_ragged",
        1,
        arrays,
        output_size,
        return_indices,
        index_dtype,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )


def adaptive_max_pool1d_ragged_backward(
    grad_output: npt.ArrayLike,
    indices: npt.ArrayLike,
    input_shapes: Sequence[Sequence[int]],
    *,
    data_format: DataFormat = "channels_first",
    out: Sequence[Array] | None = None,
    num_threads: int | None = None,
) -> list[Array]:
    """Gradients of `adaptive_max_pool1d_ragged` with respect to its arrays.

    Each is what `adaptive_max_pool1d_backward` gives of that item alone.

    Parameters
    ----------
    grad_output : array_like, shape ``(N, ..., OW)``, or ``(N, ..., OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    indices : array_like of int32 or int64, of the same shape
        Positions within the pooled axes of each item, as the operation returns them.
    input_shapes : list or tuple of sequences of int
        Shapes of the `N` items, such as ``[x.shape for x in arrays]``.
    data_format : {"channels_first", "channels_last"}
        As it was given to the operation.
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
        If the dtype of `grad_output` is not one of the four float types, that of `indices` is not
        int32 or int64, an array has a mask, or an argument is of the wrong type.
    ValueError
        If the shapes do not agree, an index is under -1 or past the pooled axes of its item, or
        `out` does not fit. Nothing has been written then.

    See Also
    --------
    adaptive_max_pool1d_ragged : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map; here the map that picks the elements at `indices`.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> x = [[0.0, 4.0], [3.0, 1.0, 2.0]]
    >>> y, indices = ap.adaptive_max_pool1d_ragged(x, 1, return_indices=True)
    >>> ap.adaptive_max_pool1d_ragged_backward([[1.0], [2.0]], indices, [(2,), (3,)])
    [array([0., 1.]), array([2., 0., 0.])]
    """
    return maximum_ragged_backward(
        "adaptive_max_pool1d_ragged_backward",
        1,
        grad_output,
        indices,
        input_shapes,
        data_format,
        out,
        num_threads,
    )


@overload
def adaptive_max_pool2d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: Literal[False] = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[RaggedTypes],
) -> Array: ...
@overload
def adaptive_max_pool2d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: Literal[True],
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[RaggedTypes],
) -> Pair: ...
@overload
def adaptive_max_pool2d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    return_counts: bool = False,
    **options: Unpack[RaggedTypes],
) -> Array | Pair | Triple: ...
@described
def adaptive_max_pool2d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllRaggedTypes],
) -> Array | Pair | Triple:
    """Maximum of each array of a list over windows that cut two axes into a given number of parts.

    The arrays may have different lengths on the pooled axes. Each is pooled as
    `adaptive_max_pool2d` pools it alone. Threads share the work of all items, of which the largest
    is begun first; with `where` and the options after it, items are pooled one by one.

    Parameters
    ----------
    arrays : list or tuple of array_like, or ndarray of objects
        Items of shape ``(..., H, W)`` or, with "channels_last", ``(..., H, W, C)``, of one dtype,
        which agree except on the pooled axes. Each is what `adaptive_max_pool2d` takes;
        items without elements need `empty`.
    output_size : int or sequence of 2 int or None
        Lengths ``(OH, OW)`` of the result of each item.
    return_indices : bool
        Whether to return the positions of the maxima too.
    index_dtype : dtype
        int64, or int32 if the pooled axes of no item hold more than ``2**31`` elements.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes of each item are pooled. "channels_last": the two before
        the channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil"}, 2 (starts, ends), or ndarray
        The rule that cuts the pooled axes of each item, see `pool_windows`. Or the windows
        themselves, which must fit all items.
    where : list of array_like of bool, optional
        Which elements count: for each item a mask in any shape that broadcasts to it, or None.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which wins over every number, or is left out. Of integers it says
        nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count.
    empty : scalar, optional
        What a window becomes none of whose elements count. By default NaN and, where the result
        holds integers, an error.
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
    values : ndarray, shape ``(N, ..., OH, OW)`` or, with "channels_last", ``(N, ..., OH, OW, C)``
        The maxima, in the dtype of the items. `out`, if given.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes of each item; -1 for a window
        that is `empty`.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window.

    Raises
    ------
    TypeError
        If `arrays` is no list, a dtype is not supported, an array has a mask, or an argument is of
        the wrong type.
    ValueError
        If there are no items, they do not agree, or wherever `adaptive_max_pool2d` raises it; the
        error names the item. Nothing has been written then.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_max_pool2d_ragged_backward : its gradient, which needs the indices.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; windows, ties and NaN are those of PyTorch's operator for single arrays.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> pictures = [np.zeros((480, 640, 3), np.uint8), np.zeros((300, 200, 3), np.uint8)]
    >>> ap.adaptive_max_pool2d_ragged(pictures, 7, data_format="channels_last").shape
    (2, 7, 7, 3)
    """
    return maximum_ragged(
        "adaptive_max_pool2d_ragged",
        2,
        arrays,
        output_size,
        return_indices,
        index_dtype,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )


def adaptive_max_pool2d_ragged_backward(
    grad_output: npt.ArrayLike,
    indices: npt.ArrayLike,
    input_shapes: Sequence[Sequence[int]],
    *,
    data_format: DataFormat = "channels_first",
    out: Sequence[Array] | None = None,
    num_threads: int | None = None,
) -> list[Array]:
    """Gradients of `adaptive_max_pool2d_ragged` with respect to its arrays.

    Each is what `adaptive_max_pool2d_backward` gives of that item alone.

    Parameters
    ----------
    grad_output : array_like, shape ``(N, ..., OH, OW)``, or ``(N, ..., OH, OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    indices : array_like of int32 or int64, of the same shape
        Positions within the pooled axes of each item, as the operation returns them.
    input_shapes : list or tuple of sequences of int
        Shapes of the `N` items, such as ``[x.shape for x in arrays]``.
    data_format : {"channels_first", "channels_last"}
        As it was given to the operation.
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
        If the dtype of `grad_output` is not one of the four float types, that of `indices` is not
        int32 or int64, an array has a mask, or an argument is of the wrong type.
    ValueError
        If the shapes do not agree, an index is under -1 or past the pooled axes of its item, or
        `out` does not fit. Nothing has been written then.

    See Also
    --------
    adaptive_max_pool2d_ragged : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map; here the map that picks the elements at `indices`.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = [np.array([[0.0, 4.0]]), np.array([[3.0, 1.0], [2.0, 0.0]])]
    >>> y, indices = ap.adaptive_max_pool2d_ragged(x, 1, return_indices=True)
    >>> grads = ap.adaptive_max_pool2d_ragged_backward(y, indices, [a.shape for a in x])
    >>> grads[1]
    array([[3., 0.],
           [0., 0.]])
    """
    return maximum_ragged_backward(
        "adaptive_max_pool2d_ragged_backward",
        2,
        grad_output,
        indices,
        input_shapes,
        data_format,
        out,
        num_threads,
    )


@overload
def adaptive_max_pool3d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: Literal[False] = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[RaggedTypes],
) -> Array: ...
@overload
def adaptive_max_pool3d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: Literal[True],
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Pair | None = None,
    num_threads: int | None = None,
    return_counts: Literal[False] = False,
    **options: Unpack[RaggedTypes],
) -> Pair: ...
@overload
def adaptive_max_pool3d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    return_counts: bool = False,
    **options: Unpack[RaggedTypes],
) -> Array | Pair | Triple: ...
@described
def adaptive_max_pool3d_ragged(
    arrays: Arrays,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    out: Array | Pair | None = None,
    num_threads: int | None = None,
    **options: Unpack[AllRaggedTypes],
) -> Array | Pair | Triple:
    """Maximum of each array of a list over windows that cut three axes into as many as wanted.

    The arrays may have different lengths on the pooled axes. Each is pooled as
    `adaptive_max_pool3d` pools it alone. Threads share the work of all items, of which the largest
    is begun first; with `where` and the options after it, items are pooled one by one.

    Parameters
    ----------
    arrays : list or tuple of array_like, or ndarray of objects
        Items of shape ``(..., D, H, W)`` or, with "channels_last", ``(..., D, H, W, C)``, of one
        dtype, which agree except on the pooled axes. Each is what `adaptive_max_pool3d` takes;
        items without elements need `empty`.
    output_size : int or sequence of 3 int or None
        Lengths ``(OD, OH, OW)`` of the result of each item.
    return_indices : bool
        Whether to return the positions of the maxima too.
    index_dtype : dtype
        int64, or int32 if the pooled axes of no item hold more than ``2**31`` elements.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes of each item are pooled. "channels_last": the three
        before the channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil"}, 3 (starts, ends), or ndarray
        The rule that cuts the pooled axes of each item, see `pool_windows`. Or the windows
        themselves, which must fit all items.
    where : list of array_like of bool, optional
        Which elements count: for each item a mask in any shape that broadcasts to it, or None.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which wins over every number, or is left out. Of integers it says
        nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count.
    empty : scalar, optional
        What a window becomes none of whose elements count. By default NaN and, where the result
        holds integers, an error.
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
    values : ndarray, shape ``(N, ..., OD, OH, OW)`` or ``(N, ..., OD, OH, OW, C)``
        The maxima, in the dtype of the items. `out`, if given.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes of each item; -1 for a window
        that is `empty`.
    counts : ndarray of int64, of the same shape
        Only with `return_counts`: how many elements count in each window.

    Raises
    ------
    TypeError
        If `arrays` is no list, a dtype is not supported, an array has a mask, or an argument is of
        the wrong type.
    ValueError
        If there are no items, they do not agree, or wherever `adaptive_max_pool3d` raises it; the
        error names the item. Nothing has been written then.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_max_pool3d_ragged_backward : its gradient, which needs the indices.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; windows, ties and NaN are those of PyTorch's operator for single arrays.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> films = [np.zeros((9, 16, 16)), np.zeros((5, 8, 12))]
    >>> ap.adaptive_max_pool3d_ragged(films, (1, 4, 4)).shape
    (2, 1, 4, 4)
    """
    return maximum_ragged(
        "adaptive_max_pool3d_ragged",
        3,
        arrays,
        output_size,
        return_indices,
        index_dtype,
        data_format,
        windows,
        out,
        num_threads,
        options,
    )


def adaptive_max_pool3d_ragged_backward(
    grad_output: npt.ArrayLike,
    indices: npt.ArrayLike,
    input_shapes: Sequence[Sequence[int]],
    *,
    data_format: DataFormat = "channels_first",
    out: Sequence[Array] | None = None,
    num_threads: int | None = None,
) -> list[Array]:
    """Gradients of `adaptive_max_pool3d_ragged` with respect to its arrays.

    Each is what `adaptive_max_pool3d_backward` gives of that item alone.

    Parameters
    ----------
    grad_output : array_like, shape ``(N, ..., OD, OH, OW)``, or ``(N, ..., OD, OH, OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    indices : array_like of int32 or int64, of the same shape
        Positions within the pooled axes of each item, as the operation returns them.
    input_shapes : list or tuple of sequences of int
        Shapes of the `N` items, such as ``[x.shape for x in arrays]``.
    data_format : {"channels_first", "channels_last"}
        As it was given to the operation.
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
        If the dtype of `grad_output` is not one of the four float types, that of `indices` is not
        int32 or int64, an array has a mask, or an argument is of the wrong type.
    ValueError
        If the shapes do not agree, an index is under -1 or past the pooled axes of its item, or
        `out` does not fit. Nothing has been written then.

    See Also
    --------
    adaptive_max_pool3d_ragged : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map; here the map that picks the elements at `indices`.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = [np.ones((1, 1, 2)), np.arange(4.0).reshape(1, 2, 2)]
    >>> y, indices = ap.adaptive_max_pool3d_ragged(x, 1, return_indices=True)
    >>> grads = ap.adaptive_max_pool3d_ragged_backward(y, indices, [a.shape for a in x])
    >>> grads[0]
    array([[[1., 0.]]])
    """
    return maximum_ragged_backward(
        "adaptive_max_pool3d_ragged_backward",
        3,
        grad_output,
        indices,
        input_shapes,
        data_format,
        out,
        num_threads,
    )
