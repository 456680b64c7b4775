"""Several output sizes at once: the public functions. Their path is that of `_several_sizes.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, Unpack

import numpy as np
import numpy.typing as npt

from ._arrays import Array
from ._options import OptionTypes, described
from ._problem import DataFormat, Size
from ._several_sizes import pool_sizes, pool_sizes_backward
from ._windows import Rule, Windows

Reduce: TypeAlias = Literal["avg", "max"]


@described
def spatial_pyramid_pool1d(
    x: npt.ArrayLike,
    sizes: Sequence[Size] | None = (1, 2, 3, 6),
    reduce: Reduce | Sequence[Reduce] = "avg",
    flatten: bool = False,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Rule | Sequence[Windows] = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Any = None,
    num_threads: int | None = None,
    **options: Unpack[OptionTypes],
) -> Any:
    """Pool one axis to several output sizes: spatial pyramid pooling, and the bins of PSPNet.

    The last axis is pooled. With channels behind it needs ``data_format="channels_last"``.

    Results are to the bit those of `adaptive_avg_pool1d` and `adaptive_max_pool1d`; a large input
    is read from memory once for all of them, piece by piece, while a piece is in the cache. Maxima
    without indices of windows that are made of other windows, as halves are of sixths, are taken
    from the maxima of those. With `where` and the options after it, the input is read for each
    result.

    Parameters
    ----------
    x : array_like, shape ``(..., C, W)`` or, with "channels_last", ``(..., W, C)``
        As `adaptive_avg_pool1d` takes it: any number of leading axes, including zero. With
        `flatten` there must be a channel axis.
    sizes : sequence of output sizes, optional
        One for each result: an int, or None. None as a whole takes them from `windows`.
    reduce : {"avg", "max"}, or a sequence of both
        What becomes of windows. Of two, the results of all sizes come for the first, then those of
        all sizes for the second.
    flatten : bool
        Whether to return one array, in which the channel axis and the pooled axes of each result
        are one axis, and results follow each other along it.
    return_indices : bool
        Whether to return where in the input the maxima stand, too.
    index_dtype : dtype
        Type of the indices, int64 or int32.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, or a sequence of windows
        The rule that cuts the pooled axes, see `pool_windows`. Or one entry for each of `sizes`: a
        rule, or windows as `adaptive_avg_pool1d` takes them.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, or is left out. Of integers it says nothing.
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
    dtype : dtype, optional
        Type of the means, as for `adaptive_avg_pool1d`. Maxima have that of `x`.
    out : sequence of ndarray, or ndarray with `flatten`, optional
        Arrays for the results, or the one array, of exactly their shapes and dtypes, with any
        strides. They may overlap `x`, but not each other. Not together with `return_indices`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. Results are the same for any number.

    Returns
    -------
    results : list of ndarray, shapes ``(..., C, OW)``, or ``(..., OW, C)``
        Of each reduction in the order of `reduce`, those of each size in the order of `sizes`. With
        `flatten` one array of shape ``(..., L)``: what `numpy.concatenate` makes of each, its last
        2 axes flattened. `out`, if given.
    indices : list of ndarray of `index_dtype`
        Only with `return_indices`: of the maxima of each size, flat positions within the pooled
        axes, -1 where nothing counts. They are never flattened.

    Raises
    ------
    TypeError
        If a dtype is not supported, an array has a mask, means and maxima differ in dtype and are
        to be flattened, or an argument is of the wrong type.
    ValueError
        If there are no sizes, `reduce` is neither, or wherever `adaptive_avg_pool1d` or
        `adaptive_max_pool1d` raises it. Nothing has been written then.
    MemoryError
        If there is no memory for the results or the tables of windows.

    See Also
    --------
    spatial_pyramid_pool1d_backward : its gradient.
    adaptive_avg_max_pool1d : average and maximum of one size.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; H. Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017, for the sizes 1, 2, 3
    and 6.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.array([1, 2, 3, 6], dtype=np.float32)
    >>> ap.spatial_pyramid_pool1d(x, (1, 2))
    [array([3.], dtype=float32), array([1.5, 4.5], dtype=float32)]
    """
    return pool_sizes(
        "spatial_pyramid_pool1d",
        1,
        x,
        sizes,
        reduce,
        flatten,
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
def spatial_pyramid_pool2d(
    x: npt.ArrayLike,
    sizes: Sequence[Size] | None = (1, 2, 3, 6),
    reduce: Reduce | Sequence[Reduce] = "avg",
    flatten: bool = False,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Rule | Sequence[Windows] = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Any = None,
    num_threads: int | None = None,
    **options: Unpack[OptionTypes],
) -> Any:
    """Pool two axes to several output sizes: spatial pyramid pooling, and the bins of PSPNet.

    The last two axes are pooled. A picture of shape ``(H, W, 3)`` needs
    ``data_format="channels_last"``.

    Results are to the bit those of `adaptive_avg_pool2d` and `adaptive_max_pool2d`; a large input
    is read from memory once for all of them, piece by piece, while a piece is in the cache. Maxima
    without indices of windows that are made of other windows, as halves are of sixths, are taken
    from the maxima of those. With `where` and the options after it, the input is read for each
    result.

    Parameters
    ----------
    x : array_like, shape ``(..., C, H, W)`` or, with "channels_last", ``(..., H, W, C)``
        As `adaptive_avg_pool2d` takes it: any number of leading axes, including zero. With
        `flatten` there must be a channel axis.
    sizes : sequence of output sizes, optional
        One for each result: an int, 2 int or None, or None. None as a whole takes them from
        `windows`.
    reduce : {"avg", "max"}, or a sequence of both
        What becomes of windows. Of two, the results of all sizes come for the first, then those of
        all sizes for the second.
    flatten : bool
        Whether to return one array, in which the channel axis and the pooled axes of each result
        are one axis, and results follow each other along it.
    return_indices : bool
        Whether to return where in the input the maxima stand, too.
    index_dtype : dtype
        Type of the indices, int64 or int32.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, or a sequence of windows
        The rule that cuts the pooled axes, see `pool_windows`. Or one entry for each of `sizes`: a
        rule, or windows as `adaptive_avg_pool2d` takes them.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, or is left out. Of integers it says nothing.
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
    dtype : dtype, optional
        Type of the means, as for `adaptive_avg_pool2d`. Maxima have that of `x`.
    out : sequence of ndarray, or ndarray with `flatten`, optional
        Arrays for the results, or the one array, of exactly their shapes and dtypes, with any
        strides. They may overlap `x`, but not each other. Not together with `return_indices`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. Results are the same for any number.

    Returns
    -------
    results : list of ndarray, shapes ``(..., C, OH, OW)``, or ``(..., OH, OW, C)``
        Of each reduction in the order of `reduce`, those of each size in the order of `sizes`. With
        `flatten` one array of shape ``(..., L)``: what `numpy.concatenate` makes of each, its last
        3 axes flattened. `out`, if given.
    indices : list of ndarray of `index_dtype`
        Only with `return_indices`: of the maxima of each size, flat positions within the pooled
        axes, -1 where nothing counts. They are never flattened.

    Raises
    ------
    TypeError
        If a dtype is not supported, an array has a mask, means and maxima differ in dtype and are
        to be flattened, or an argument is of the wrong type.
    ValueError
        If there are no sizes, `reduce` is neither, or wherever `adaptive_avg_pool2d` or
        `adaptive_max_pool2d` raises it. Nothing has been written then.
    MemoryError
        If there is no memory for the results or the tables of windows.

    See Also
    --------
    spatial_pyramid_pool2d_backward : its gradient.
    adaptive_avg_max_pool2d : average and maximum of one size.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; H. Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017, for the sizes 1, 2, 3
    and 6.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.arange(36, dtype=np.float32).reshape(1, 6, 6)
    >>> one, two = ap.spatial_pyramid_pool2d(x, (1, 2))
    >>> two
    array([[[ 7., 10.],
            [25., 28.]]], dtype=float32)

    The vector that a fully connected layer takes, whatever the size of the picture:

    >>> ap.spatial_pyramid_pool2d(x, (1, 2), reduce="max", flatten=True)
    array([35., 14., 17., 32., 35.], dtype=float32)

    Rows, columns and tiles of a page:

    >>> sizes = [(None, 1), (1, None), 2]
    >>> [y.shape for y in ap.spatial_pyramid_pool2d(x, sizes)]
    [(1, 6, 1), (1, 1, 6), (1, 2, 2)]
    """
    return pool_sizes(
        "spatial_pyramid_pool2d",
        2,
        x,
        sizes,
        reduce,
        flatten,
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
def spatial_pyramid_pool3d(
    x: npt.ArrayLike,
    sizes: Sequence[Size] | None = (1, 2, 3, 6),
    reduce: Reduce | Sequence[Reduce] = "avg",
    flatten: bool = False,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Rule | Sequence[Windows] = "torch",
    dtype: npt.DTypeLike | None = None,
    out: Any = None,
    num_threads: int | None = None,
    **options: Unpack[OptionTypes],
) -> Any:
    """Pool three axes to several output sizes: spatial pyramid pooling, and the bins of PSPNet.

    The last three axes are pooled. A film or volume of shape ``(D, H, W, 3)`` needs
    ``data_format="channels_last"``.

    Results are to the bit those of `adaptive_avg_pool3d` and `adaptive_max_pool3d`; a large input
    is read from memory once for all of them, piece by piece, while a piece is in the cache. Maxima
    without indices of windows that are made of other windows, as halves are of sixths, are taken
    from the maxima of those. With `where` and the options after it, the input is read for each
    result.

    Parameters
    ----------
    x : array_like, shape ``(..., C, D, H, W)`` or, with "channels_last", ``(..., D, H, W, C)``
        As `adaptive_avg_pool3d` takes it: any number of leading axes, including zero. With
        `flatten` there must be a channel axis.
    sizes : sequence of output sizes, optional
        One for each result: an int, 3 int or None, or None. None as a whole takes them from
        `windows`.
    reduce : {"avg", "max"}, or a sequence of both
        What becomes of windows. Of two, the results of all sizes come for the first, then those of
        all sizes for the second.
    flatten : bool
        Whether to return one array, in which the channel axis and the pooled axes of each result
        are one axis, and results follow each other along it.
    return_indices : bool
        Whether to return where in the input the maxima stand, too.
    index_dtype : dtype
        Type of the indices, int64 or int32.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis. It is never guessed from shapes or strides.
    windows : {"torch", "split", "uniform", "ceil", "area"}, or a sequence of windows
        The rule that cuts the pooled axes, see `pool_windows`. Or one entry for each of `sizes`: a
        rule, or windows as `adaptive_avg_pool3d` takes them.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, or is left out. Of integers it says nothing.
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
    dtype : dtype, optional
        Type of the means, as for `adaptive_avg_pool3d`. Maxima have that of `x`.
    out : sequence of ndarray, or ndarray with `flatten`, optional
        Arrays for the results, or the one array, of exactly their shapes and dtypes, with any
        strides. They may overlap `x`, but not each other. Not together with `return_indices`.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. Results are the same for any number.

    Returns
    -------
    results : list of ndarray, shapes ``(..., C, OD, OH, OW)``, or ``(..., OD, OH, OW, C)``
        Of each reduction in the order of `reduce`, those of each size in the order of `sizes`. With
        `flatten` one array of shape ``(..., L)``: what `numpy.concatenate` makes of each, its last
        4 axes flattened. `out`, if given.
    indices : list of ndarray of `index_dtype`
        Only with `return_indices`: of the maxima of each size, flat positions within the pooled
        axes, -1 where nothing counts. They are never flattened.

    Raises
    ------
    TypeError
        If a dtype is not supported, an array has a mask, means and maxima differ in dtype and are
        to be flattened, or an argument is of the wrong type.
    ValueError
        If there are no sizes, `reduce` is neither, or wherever `adaptive_avg_pool3d` or
        `adaptive_max_pool3d` raises it. Nothing has been written then.
    MemoryError
        If there is no memory for the results or the tables of windows.

    See Also
    --------
    spatial_pyramid_pool3d_backward : its gradient.
    adaptive_avg_max_pool3d : average and maximum of one size.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014; H. Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017, for the sizes 1, 2, 3
    and 6.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)
    >>> ap.spatial_pyramid_pool3d(x, (1, (2, 1, 1)), reduce="max", flatten=True)
    array([7., 3., 7.], dtype=float32)
    """
    return pool_sizes(
        "spatial_pyramid_pool3d",
        3,
        x,
        sizes,
        reduce,
        flatten,
        return_indices,
        index_dtype,
        data_format,
        windows,
        dtype,
        out,
        num_threads,
        options,
    )


def spatial_pyramid_pool1d_backward(
    grad_outputs: Any,
    input_shape: Sequence[int],
    sizes: Sequence[Size] | None = (1, 2, 3, 6),
    *,
    reduce: Reduce | Sequence[Reduce] = "avg",
    indices: Sequence[npt.ArrayLike] | None = None,
    flatten: bool = False,
    data_format: DataFormat = "channels_first",
    windows: Rule | Sequence[Windows] = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """Gradient of `spatial_pyramid_pool1d`: the sum of the gradients of all results.

    Each is what `adaptive_avg_pool1d_backward` or `adaptive_max_pool1d_backward` gives. They are
    added in the order of the results, and each sum is rounded. NaN and infinity reach only the
    elements of their window.

    Parameters
    ----------
    grad_outputs : sequence of array_like, or array_like with `flatten`
        Gradients of the results, of their shapes and one dtype: float16, bfloat16, float32 or
        float64.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``.
    sizes : sequence of output sizes, optional
        As they were given to the operation.
    reduce : {"avg", "max"}, or a sequence of both
        Likewise.
    indices : sequence of array_like of int32 or int64, optional
        Where the maxima of each size stand, -1 where nothing counts, as `spatial_pyramid_pool1d`
        returns them with `return_indices`. Needed for maxima.
    flatten : bool
        As it was given to the operation.
    data_format : {"channels_first", "channels_last"}
        Likewise.
    windows : {"torch", "split", "uniform", "ceil", "area"}, or a sequence of windows
        Likewise.
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
        If gradients are not of one of the four float types, and all of the same; `indices` are
        missing; or an argument is of the wrong type.
    ValueError
        If there are not as many gradients as results, the shapes do not agree, the windows do not
        fit them, an index lies outside, or `out` does not fit. Nothing has been written then.
    MemoryError
        If there is no memory for two gradients.

    See Also
    --------
    spatial_pyramid_pool1d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> ap.spatial_pyramid_pool1d_backward([np.array([4.0]), np.array([1.0, 2.0])], (4,), (1, 2))
    array([1.5, 1.5, 2. , 2. ])
    """
    return pool_sizes_backward(
        "spatial_pyramid_pool1d_backward",
        1,
        grad_outputs,
        input_shape,
        sizes,
        reduce,
        indices,
        flatten,
        data_format,
        windows,
        out,
        num_threads,
    )


def spatial_pyramid_pool2d_backward(
    grad_outputs: Any,
    input_shape: Sequence[int],
    sizes: Sequence[Size] | None = (1, 2, 3, 6),
    *,
    reduce: Reduce | Sequence[Reduce] = "avg",
    indices: Sequence[npt.ArrayLike] | None = None,
    flatten: bool = False,
    data_format: DataFormat = "channels_first",
    windows: Rule | Sequence[Windows] = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """Gradient of `spatial_pyramid_pool2d`: the sum of the gradients of all results.

    Each is what `adaptive_avg_pool2d_backward` or `adaptive_max_pool2d_backward` gives. They are
    added in the order of the results, and each sum is rounded. NaN and infinity reach only the
    elements of their window.

    Parameters
    ----------
    grad_outputs : sequence of array_like, or array_like with `flatten`
        Gradients of the results, of their shapes and one dtype: float16, bfloat16, float32 or
        float64.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``.
    sizes : sequence of output sizes, optional
        As they were given to the operation.
    reduce : {"avg", "max"}, or a sequence of both
        Likewise.
    indices : sequence of array_like of int32 or int64, optional
        Where the maxima of each size stand, -1 where nothing counts, as `spatial_pyramid_pool2d`
        returns them with `return_indices`. Needed for maxima.
    flatten : bool
        As it was given to the operation.
    data_format : {"channels_first", "channels_last"}
        Likewise.
    windows : {"torch", "split", "uniform", "ceil", "area"}, or a sequence of windows
        Likewise.
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
        If gradients are not of one of the four float types, and all of the same; `indices` are
        missing; or an argument is of the wrong type.
    ValueError
        If there are not as many gradients as results, the shapes do not agree, the windows do not
        fit them, an index lies outside, or `out` does not fit. Nothing has been written then.
    MemoryError
        If there is no memory for two gradients.

    See Also
    --------
    spatial_pyramid_pool2d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> gradients = [np.array([[4.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])]
    >>> ap.spatial_pyramid_pool2d_backward(gradients, (2, 2), (1, 2))
    array([[2., 3.],
           [4., 5.]])
    """
    return pool_sizes_backward(
        "spatial_pyramid_pool2d_backward",
        2,
        grad_outputs,
        input_shape,
        sizes,
        reduce,
        indices,
        flatten,
        data_format,
        windows,
        out,
        num_threads,
    )


def spatial_pyramid_pool3d_backward(
    grad_outputs: Any,
    input_shape: Sequence[int],
    sizes: Sequence[Size] | None = (1, 2, 3, 6),
    *,
    reduce: Reduce | Sequence[Reduce] = "avg",
    indices: Sequence[npt.ArrayLike] | None = None,
    flatten: bool = False,
    data_format: DataFormat = "channels_first",
    windows: Rule | Sequence[Windows] = "torch",
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """Gradient of `spatial_pyramid_pool3d`: the sum of the gradients of all results.

    Each is what `adaptive_avg_pool3d_backward` or `adaptive_max_pool3d_backward` gives. They are
    added in the order of the results, and each sum is rounded. NaN and infinity reach only the
    elements of their window.

    Parameters
    ----------
    grad_outputs : sequence of array_like, or array_like with `flatten`
        Gradients of the results, of their shapes and one dtype: float16, bfloat16, float32 or
        float64.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``.
    sizes : sequence of output sizes, optional
        As they were given to the operation.
    reduce : {"avg", "max"}, or a sequence of both
        Likewise.
    indices : sequence of array_like of int32 or int64, optional
        Where the maxima of each size stand, -1 where nothing counts, as `spatial_pyramid_pool3d`
        returns them with `return_indices`. Needed for maxima.
    flatten : bool
        As it was given to the operation.
    data_format : {"channels_first", "channels_last"}
        Likewise.
    windows : {"torch", "split", "uniform", "ceil", "area"}, or a sequence of windows
        Likewise.
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
        If gradients are not of one of the four float types, and all of the same; `indices` are
        missing; or an argument is of the wrong type.
    ValueError
        If there are not as many gradients as results, the shapes do not agree, the windows do not
        fit them, an index lies outside, or `out` does not fit. Nothing has been written then.
    MemoryError
        If there is no memory for two gradients.

    See Also
    --------
    spatial_pyramid_pool3d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> gradients = np.array([8.0, 1.0, 2.0])
    >>> sizes = (1, (1, 1, 2))
    >>> ap.spatial_pyramid_pool3d_backward(gradients, (1, 1, 2, 2), sizes, flatten=True)
    array([[[[2.5, 3. ],
             [2.5, 3. ]]]])
    """
    return pool_sizes_backward(
        "spatial_pyramid_pool3d_backward",
        3,
        grad_outputs,
        input_shape,
        sizes,
        reduce,
        indices,
        flatten,
        data_format,
        windows,
        out,
        num_threads,
    )
