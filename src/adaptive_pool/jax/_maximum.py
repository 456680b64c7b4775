"""Max pooling for arrays of JAX: the public functions."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from .._problem import DataFormat, Size
from .._windows import Windows
from ._checks import of_maximum
from ._primitives import maximum


def adaptive_max_pool1d(
    x: Any,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike | None = None,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    num_threads: int | None = None,
) -> Any:
    """Take the maximum over windows that cut one axis into a given number of parts.

    What `adaptive_pool.adaptive_max_pool1d` computes, to the bit, for arrays of JAX. Of equal
    elements the first in row-major order wins; NaN wins over every number, and of several NaNs the
    last. The gradient of a window goes to the element that won; those that meet at an element are
    added in row-major order of the windows, in float32 for float16 and bfloat16.

    Parameters
    ----------
    x : array_like, shape ``(..., W)`` or, with "channels_last", ``(..., W, C)``
        An array of JAX, or what ``jax.numpy.asarray`` takes. Any number of leading axes, including
        zero. bool, integers of 8 to 64 bits, float16, bfloat16, float32 or float64.
    output_size : int or sequence of one int or None
        Lengths of the pooled axes of the result. An int is the length of the one axis, None keeps
        an axis as it is, and 0 gives an empty result. It is no array of JAX: shapes are known while
        a function is traced.
    return_indices : bool
        Whether to return where the maxima stand, too.
    index_dtype : {int32, int64}, optional
        Type of the indices, by default int64 or, without ``jax_enable_x64``, int32.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil"}, one (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: one pair of integer arrays in a list, or one array
        of shape ``(1, 2, number of windows)``. The rule "area" is for averages.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads` when it is computed. The
        result is the same for any number.

    Returns
    -------
    maxima : jax.Array, shape ``(..., OW)`` or, with "channels_last", ``(..., OW, C)``
        In the dtype of `x`.
    indices : jax.Array of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes, ``w``.

    Raises
    ------
    TypeError
        If a dtype is not supported, `index_dtype` has 64 bits and JAX has not, or an argument is of
        the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, a window would be empty, or indices do not fit
        `index_dtype`. All this is found while a function is traced.

    Examples
    --------
    >>> import jax
    >>> import adaptive_pool.jax as pool
    >>> x = jax.numpy.array([1.0, 3.0, 7.0, 5.0])
    >>> pool.adaptive_max_pool1d(x, 2, return_indices=True)
    (Array([3., 7.], dtype=float32), Array([1, 2], dtype=int32))
    >>> jax.grad(lambda x: pool.adaptive_max_pool1d(x, 2)[0])(x)
    Array([0., 1., 0., 0.], dtype=float32)
    """
    x, params = of_maximum(
        "adaptive_max_pool1d", 1, x, output_size, return_indices, index_dtype, data_format,
        windows, num_threads,
    )  # fmt: skip
    found = maximum.bind(x, **params)
    return tuple(found) if len(found) == 2 else found[0]


def adaptive_max_pool2d(
    x: Any,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike | None = None,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    num_threads: int | None = None,
) -> Any:
    """Take the maximum over windows that cut two axes into given numbers of parts.

    What `adaptive_pool.adaptive_max_pool2d` computes, to the bit, for arrays of JAX. Of equal
    elements the first in row-major order wins; NaN wins over every number, and of several NaNs the
    last. The gradient of a window goes to the element that won; those that meet at an element are
    added in row-major order of the windows, in float32 for float16 and bfloat16.

    Parameters
    ----------
    x : array_like, shape ``(..., H, W)`` or, with "channels_last", ``(..., H, W, C)``
        An array of JAX, or what ``jax.numpy.asarray`` takes. Any number of leading axes, including
        zero. bool, integers of 8 to 64 bits, float16, bfloat16, float32 or float64.
    output_size : int or sequence of 2 ints or None
        Lengths of the pooled axes of the result. An int is for all of them, None keeps an axis as
        it is, and 0 gives an empty result. It is no array of JAX: shapes are known while a function
        is traced.
    return_indices : bool
        Whether to return where the maxima stand, too.
    index_dtype : {int32, int64}, optional
        Type of the indices, by default int64 or, without ``jax_enable_x64``, int32.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil"}, 2 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: a pair of integer arrays for each pooled axis, or
        one array of shape ``(2, 2, number of windows)``. The rule "area" is for averages.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads` when it is computed. The
        result is the same for any number.

    Returns
    -------
    maxima : jax.Array, shape ``(..., OH, OW)`` or, with "channels_last", ``(..., OH, OW, C)``
        In the dtype of `x`.
    indices : jax.Array of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes, ``h*W + w``.

    Raises
    ------
    TypeError
        If a dtype is not supported, `index_dtype` has 64 bits and JAX has not, or an argument is of
        the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, a window would be empty, or indices do not fit
        `index_dtype`. All this is found while a function is traced.

    Examples
    --------
    >>> import jax
    >>> import adaptive_pool.jax as pool
    >>> x = jax.numpy.arange(8.0).reshape(2, 4)
    >>> pool.adaptive_max_pool2d(x, (1, 2), return_indices=True)
    (Array([[5., 7.]], dtype=float32), Array([[5, 7]], dtype=int32))
    >>> jax.grad(lambda x: pool.adaptive_max_pool2d(x, (1, 2))[0, 0])(x)
    Array([[0., 0., 0., 0.],
           [0., 1., 0., 0.]], dtype=float32)
    """
    x, params = of_maximum(
        "adaptive_max_pool2d", 2, x, output_size, return_indices, index_dtype, data_format,
        windows, num_threads,
    )  # fmt: skip
    found = maximum.bind(x, **params)
    return tuple(found) if len(found) == 2 else found[0]


def adaptive_max_pool3d(
    x: Any,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike | None = None,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    num_threads: int | None = None,
) -> Any:
    """Take the maximum over windows that cut three axes into given numbers of parts.

    What `adaptive_pool.adaptive_max_pool3d` computes, to the bit, for arrays of JAX. Of equal
    elements the first in row-major order wins; NaN wins over every number, and of several NaNs the
    last. The gradient of a window goes to the element that won; those that meet at an element are
    added in row-major order of the windows, in float32 for float16 and bfloat16.

    Parameters
    ----------
    x : array_like, shape ``(..., D, H, W)``, or ``(..., D, H, W, C)``
        An array of JAX, or what ``jax.numpy.asarray`` takes. Any number of leading axes, including
        zero. bool, integers of 8 to 64 bits, float16, bfloat16, float32 or float64.
    output_size : int or sequence of 3 ints or None
        Lengths of the pooled axes of the result. An int is for all of them, None keeps an axis as
        it is, and 0 gives an empty result. It is no array of JAX: shapes are known while a function
        is traced.
    return_indices : bool
        Whether to return where the maxima stand, too.
    index_dtype : {int32, int64}, optional
        Type of the indices, by default int64 or, without ``jax_enable_x64``, int32.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis.
    windows : {"torch", "split", "uniform", "ceil"}, 3 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: a pair of integer arrays for each pooled axis, or
        one array of shape ``(3, 2, number of windows)``. The rule "area" is for averages.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads` when it is computed. The
        result is the same for any number.

    Returns
    -------
    maxima : jax.Array, shape ``(..., OD, OH, OW)``, or ``(..., OD, OH, OW, C)``
        In the dtype of `x`.
    indices : jax.Array of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes, ``(d*H + h)*W + w``.

    Raises
    ------
    TypeError
        If a dtype is not supported, `index_dtype` has 64 bits and JAX has not, or an argument is of
        the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, a window would be empty, or indices do not fit
        `index_dtype`. All this is found while a function is traced.

    Examples
    --------
    >>> import jax
    >>> import adaptive_pool.jax as pool
    >>> x = jax.numpy.arange(8.0).reshape(2, 2, 2)
    >>> pool.adaptive_max_pool3d(x, (2, 1, 1))
    Array([[[3.]],
    <BLANKLINE>
           [[7.]]], dtype=float32)
    """
    x, params = of_maximum(
        "adaptive_max_pool3d", 3, x, output_size, return_indices, index_dtype, data_format,
        windows, num_threads,
    )  # fmt: skip
    found = maximum.bind(x, **params)
    return tuple(found) if len(found) == 2 else found[0]
