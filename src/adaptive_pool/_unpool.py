"""Max unpooling: maxima put back where they stood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy.typing as npt

from ._arrays import Array
from ._kernels.call.known import call
from ._options import RegionTypes, described
from ._problem import DataFormat
from ._scatter import unpool_at


@described
def adaptive_max_unpool1d(
    values: npt.ArrayLike,
    indices: npt.ArrayLike,
    output_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[RegionTypes],
) -> Array:
    """Put the maxima of `adaptive_max_pool1d` back where they stood, zeros elsewhere.

    Each value is stored at its index; windows with the index -1 have no element and store nothing.
    Where windows overlap, one element may be the maximum of several: it is stored once, while
    `adaptive_max_pool1d_backward` adds gradients up. If the values that meet at an element are not
    the same, the last in row-major order of the windows stays.

    Parameters
    ----------
    values : array_like, shape ``(..., OW)`` or, with "channels_last", ``(..., OW, C)``
        Of any dtype that can be pooled. NaN is a value like any other and keeps its bits.
    indices : array_like of int32 or int64, of the same shape
        Positions within the pooled axes, ``w``, as `adaptive_max_pool1d` returns them. All are
        checked before anything is written.
    output_shape : sequence of int
        Shape of the result, such as that of the array that was pooled. It has the axes of `values`,
        and the same lengths except on the pooled axes.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis.
    regions : array_like of int, shape ``(K, 3)``, optional
        As they were given to the operation; `values` has `K` for its leading axis. Where regions
        overlap, the last stays.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap the
        inputs.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    ndarray, shape `output_shape`, dtype of `values`
        Zeros where there are no values. `out`, if given.

    Raises
    ------
    TypeError
        If the dtype of `values` is not supported, that of `indices` is not int32 or int64, an array
        has a mask, or an argument is of the wrong type.
    ValueError
        If the shapes do not agree, an index is under -1 or past the pooled axes, or `out` does not
        fit. Nothing has been written then, unless another thread changes `indices` during the call.

    See Also
    --------
    adaptive_max_pool1d : returns values and indices, with ``return_indices=True``.

    References
    ----------
    M. D. Zeiler, G. W. Taylor and R. Fergus, "Adaptive Deconvolutional Networks for Mid and High
    Level Feature Learning", ICCV 2011, for unpooling by the positions of maxima.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> y, indices = ap.adaptive_max_pool1d([3, 4, 1, 2], 2, return_indices=True)
    >>> ap.adaptive_max_unpool1d(y, indices, (4,))
    array([0, 4, 0, 2])
    """
    return call(
        unpool_at,
        "adaptive_max_unpool1d",
        1,
        values,
        indices,
        output_shape,
        data_format,
        out,
        num_threads,
        options,
    )


@described
def adaptive_max_unpool2d(
    values: npt.ArrayLike,
    indices: npt.ArrayLike,
    output_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[RegionTypes],
) -> Array:
    """Put the maxima of `adaptive_max_pool2d` back where they stood, zeros elsewhere.

    Each value is stored at its index; windows with the index -1 have no element and store nothing.
    Where windows overlap, one element may be the maximum of several: it is stored once, while
    `adaptive_max_pool2d_backward` adds gradients up. If the values that meet at an element are not
    the same, the last in row-major order of the windows stays.

    Parameters
    ----------
    values : array_like, shape ``(..., OH, OW)`` or, with "channels_last", ``(..., OH, OW, C)``
        Of any dtype that can be pooled. NaN is a value like any other and keeps its bits.
    indices : array_like of int32 or int64, of the same shape
        Positions within the pooled axes, ``h*W + w``, as `adaptive_max_pool2d` returns them. All
        are checked before anything is written.
    output_shape : sequence of int
        Shape of the result, such as that of the array that was pooled. It has the axes of `values`,
        and the same lengths except on the pooled axes.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis.
    regions : array_like of int, shape ``(K, 5)``, optional
        As they were given to the operation; `values` has `K` for its leading axis. Where regions
        overlap, the last stays.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap the
        inputs.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    ndarray, shape `output_shape`, dtype of `values`
        Zeros where there are no values. `out`, if given.

    Raises
    ------
    TypeError
        If the dtype of `values` is not supported, that of `indices` is not int32 or int64, an array
        has a mask, or an argument is of the wrong type.
    ValueError
        If the shapes do not agree, an index is under -1 or past the pooled axes, or `out` does not
        fit. Nothing has been written then, unless another thread changes `indices` during the call.

    See Also
    --------
    adaptive_max_pool2d : returns values and indices, with ``return_indices=True``.

    References
    ----------
    M. D. Zeiler, G. W. Taylor and R. Fergus, "Adaptive Deconvolutional Networks for Mid and High
    Level Feature Learning", ICCV 2011, for unpooling by the positions of maxima.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.array([[3, 4, 1], [5, 2, 6]])
    >>> y, indices = ap.adaptive_max_pool2d(x, (2, 2), return_indices=True)
    >>> ap.adaptive_max_unpool2d(y, indices, x.shape)
    array([[0, 4, 0],
           [5, 0, 6]])
    """
    return call(
        unpool_at,
        "adaptive_max_unpool2d",
        2,
        values,
        indices,
        output_shape,
        data_format,
        out,
        num_threads,
        options,
    )


@described
def adaptive_max_unpool3d(
    values: npt.ArrayLike,
    indices: npt.ArrayLike,
    output_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[RegionTypes],
) -> Array:
    """Put the maxima of `adaptive_max_pool3d` back where they stood, zeros elsewhere.

    Each value is stored at its index; windows with the index -1 have no element and store nothing.
    Where windows overlap, one element may be the maximum of several: it is stored once, while
    `adaptive_max_pool3d_backward` adds gradients up. If the values that meet at an element are not
    the same, the last in row-major order of the windows stays.

    Parameters
    ----------
    values : array_like, shape ``(..., OD, OH, OW)``, or ``(..., OD, OH, OW, C)``
        Of any dtype that can be pooled. NaN is a value like any other and keeps its bits.
    indices : array_like of int32 or int64, of the same shape
        Positions within the pooled axes, ``(d*H + h)*W + w``, as `adaptive_max_pool3d` returns
        them. All are checked before anything is written.
    output_shape : sequence of int
        Shape of the result, such as that of the array that was pooled. It has the axes of `values`,
        and the same lengths except on the pooled axes.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis.
    regions : array_like of int, shape ``(K, 7)``, optional
        As they were given to the operation; `values` has `K` for its leading axis. Where regions
        overlap, the last stays.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap the
        inputs.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    ndarray, shape `output_shape`, dtype of `values`
        Zeros where there are no values. `out`, if given.

    Raises
    ------
    TypeError
        If the dtype of `values` is not supported, that of `indices` is not int32 or int64, an array
        has a mask, or an argument is of the wrong type.
    ValueError
        If the shapes do not agree, an index is under -1 or past the pooled axes, or `out` does not
        fit. Nothing has been written then, unless another thread changes `indices` during the call.

    See Also
    --------
    adaptive_max_pool3d : returns values and indices, with ``return_indices=True``.

    References
    ----------
    M. D. Zeiler, G. W. Taylor and R. Fergus, "Adaptive Deconvolutional Networks for Mid and High
    Level Feature Learning", ICCV 2011, for unpooling by the positions of maxima.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.arange(8).reshape(2, 2, 2)
    >>> y, indices = ap.adaptive_max_pool3d(x, (2, 1, 1), return_indices=True)
    >>> ap.adaptive_max_unpool3d(y, indices, x.shape)
    array([[[0, 0],
            [0, 3]],
    <BLANKLINE>
           [[0, 0],
            [0, 7]]])
    """
    return call(
        unpool_at,
        "adaptive_max_unpool3d",
        3,
        values,
        indices,
        output_shape,
        data_format,
        out,
        num_threads,
        options,
    )
