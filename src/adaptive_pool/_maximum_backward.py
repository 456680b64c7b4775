"""Gradients of max pooling: the public functions. Their path is that of `_scatter.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy.typing as npt

from ._arrays import Array
from ._kernels.call.known import call
from ._options import RegionTypes, described
from ._problem import (
    DataFormat,
)
from ._scatter import maximum_backward_at


@described
def adaptive_max_pool1d_backward(
    grad_output: npt.ArrayLike,
    indices: npt.ArrayLike,
    input_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[RegionTypes],
) -> Array:
    """Gradient of `adaptive_max_pool1d` with respect to its input.

    Each window adds its gradient to the element at its index; all other elements get 0. Windows
    with the index -1 have no element and add nothing. Gradients that meet at an element are added
    in row-major order of the windows, in float32 for float16 and bfloat16, else in their own type.
    NaN and infinity reach only the element at their index.

    Parameters
    ----------
    grad_output : array_like, shape ``(..., OW)`` or, with "channels_last", ``(..., OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    indices : array_like of int32 or int64, of the same shape
        Positions within the pooled axes, ``w``, as `adaptive_max_pool1d` returns them. All are
        checked before anything is written.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``. It has the axes of `grad_output`, and the same
        lengths except on the pooled axes.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis.
    regions : array_like of int, shape ``(K, 3)``, optional
        As they were given to the operation; `grad_output` has `K` for its leading axis. What
        several regions hold gets the sum, and what none holds 0.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap the
        inputs.
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
        If the dtype of `grad_output` is not one of the four float types, that of `indices` is not
        int32 or int64, an array has a mask, or an argument is of the wrong type.
    ValueError
        If the shapes do not agree, an index is under -1 or past the pooled axes, or `out` does not
        fit. Nothing has been written then, unless another thread changes `indices` during the call.

    See Also
    --------
    adaptive_max_pool1d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map; here the map that picks the elements at `indices`.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> y, indices = ap.adaptive_max_pool1d([0.0, 4.0, 1.0, 2.0], 3, return_indices=True)
    >>> ap.adaptive_max_pool1d_backward([1.0, 1.0, 1.0], indices, (4,))
    array([0., 2., 0., 1.])
    """
    return call(
        maximum_backward_at,
        "adaptive_max_pool1d_backward",
        1,
        grad_output,
        indices,
        input_shape,
        data_format,
        out,
        num_threads,
        options,
    )


@described
def adaptive_max_pool2d_backward(
    grad_output: npt.ArrayLike,
    indices: npt.ArrayLike,
    input_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[RegionTypes],
) -> Array:
    """Gradient of `adaptive_max_pool2d` with respect to its input.

    Each window adds its gradient to the element at its index; all other elements get 0. Windows
    with the index -1 have no element and add nothing. Gradients that meet at an element are added
    in row-major order of the windows, in float32 for float16 and bfloat16, else in their own type.
    NaN and infinity reach only the element at their index.

    Parameters
    ----------
    grad_output : array_like, shape ``(..., OH, OW)`` or, with "channels_last", ``(..., OH, OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    indices : array_like of int32 or int64, of the same shape
        Positions within the pooled axes, ``h*W + w``, as `adaptive_max_pool2d` returns them. All
        are checked before anything is written.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``. It has the axes of `grad_output`, and the same
        lengths except on the pooled axes.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis.
    regions : array_like of int, shape ``(K, 5)``, optional
        As they were given to the operation; `grad_output` has `K` for its leading axis. What
        several regions hold gets the sum, and what none holds 0.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap the
        inputs.
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
        If the dtype of `grad_output` is not one of the four float types, that of `indices` is not
        int32 or int64, an array has a mask, or an argument is of the wrong type.
    ValueError
        If the shapes do not agree, an index is under -1 or past the pooled axes, or `out` does not
        fit. Nothing has been written then, unless another thread changes `indices` during the call.

    See Also
    --------
    adaptive_max_pool2d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map; here the map that picks the elements at `indices`.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.array([[0.0, 4.0], [1.0, 2.0]])
    >>> y, indices = ap.adaptive_max_pool2d(x, (2, 1), return_indices=True)
    >>> ap.adaptive_max_pool2d_backward(np.ones((2, 1)), indices, (2, 2))
    array([[0., 1.],
           [0., 1.]])
    """
    return call(
        maximum_backward_at,
        "adaptive_max_pool2d_backward",
        2,
        grad_output,
        indices,
        input_shape,
        data_format,
        out,
        num_threads,
        options,
    )


@described
def adaptive_max_pool3d_backward(
    grad_output: npt.ArrayLike,
    indices: npt.ArrayLike,
    input_shape: Sequence[int],
    *,
    data_format: DataFormat = "channels_first",
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Unpack[RegionTypes],
) -> Array:
    """Gradient of `adaptive_max_pool3d` with respect to its input.

    Each window adds its gradient to the element at its index; all other elements get 0. Windows
    with the index -1 have no element and add nothing. Gradients that meet at an element are added
    in row-major order of the windows, in float32 for float16 and bfloat16, else in their own type.
    NaN and infinity reach only the element at their index.

    Parameters
    ----------
    grad_output : array_like, shape ``(..., OD, OH, OW)``, or ``(..., OD, OH, OW, C)``
        Gradient of the result: float16, bfloat16, float32 or float64.
    indices : array_like of int32 or int64, of the same shape
        Positions within the pooled axes, ``(d*H + h)*W + w``, as `adaptive_max_pool3d` returns
        them. All are checked before anything is written.
    input_shape : sequence of int
        Shape of the input, such as ``x.shape``. It has the axes of `grad_output`, and the same
        lengths except on the pooled axes.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis.
    regions : array_like of int, shape ``(K, 7)``, optional
        As they were given to the operation; `grad_output` has `K` for its leading axis. What
        several regions hold gets the sum, and what none holds 0.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides. It may overlap the
        inputs.
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
        If the dtype of `grad_output` is not one of the four float types, that of `indices` is not
        int32 or int64, an array has a mask, or an argument is of the wrong type.
    ValueError
        If the shapes do not agree, an index is under -1 or past the pooled axes, or `out` does not
        fit. Nothing has been written then, unless another thread changes `indices` during the call.

    See Also
    --------
    adaptive_max_pool3d : the operation itself.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2, for the
    adjoint of a linear map; here the map that picks the elements at `indices`.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.arange(8.0).reshape(2, 2, 2)
    >>> y, indices = ap.adaptive_max_pool3d(x, 1, return_indices=True)
    >>> ap.adaptive_max_pool3d_backward(np.ones((1, 1, 1)), indices, (2, 2, 2))
    array([[[0., 0.],
            [0., 0.]],
    <BLANKLINE>
           [[0., 0.],
            [0., 1.]]])
    """
    return call(
        maximum_backward_at,
        "adaptive_max_pool3d_backward",
        3,
        grad_output,
        indices,
        input_shape,
        data_format,
        out,
        num_threads,
        options,
    )
