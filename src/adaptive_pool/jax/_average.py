"""Average pooling for arrays of JAX: the public functions."""

from __future__ import annotations

from typing import Any

import jax
import numpy.typing as npt

from .._problem import DataFormat, Size
from .._windows import Windows
from ._checks import of_average
from ._primitives import average


def adaptive_avg_pool1d(
    x: Any,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    num_threads: int | None = None,
) -> jax.Array:
    """Average over windows that cut one axis into a given number of parts.

    What `adaptive_pool.adaptive_avg_pool1d` computes, to the bit, for arrays of JAX. NaN and
    infinity propagate as in arithmetic, forward and backward.

    Parameters
    ----------
    x : array_like, shape ``(..., W)`` or, with "channels_last", ``(..., W, C)``
        An array of JAX, or what ``jax.numpy.asarray`` takes. Any number of leading axes, including
        zero. bool, integers of 8 to 64 bits, float16, bfloat16, float32 or float64.
    output_size : int or sequence of one int or None
        Lengths of the pooled axes of the result. An int is the length of the one axis, None keeps
        an axis as it is, and 0 gives an empty result. It is no array of JAX: shapes are known while
        a function is traced.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil", "area"}, one (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: one pair of integer arrays in a list, or one array
        of shape ``(1, 2, number of windows)``.
    dtype : dtype, optional
        Type of the result: any of the four float types or, for integers, that integer type (rounded
        half to even). By default that of `x` for floats, float32 for bool and integers of 8 and 16
        bits, and for wider ones float64 or, without ``jax_enable_x64``, float32.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads` when it is computed. The
        result is the same for any number.

    Returns
    -------
    jax.Array, shape ``(..., OW)`` or, with "channels_last", ``(..., OW, C)``
        Integer means are exact and rounded once. Float means, in their own dtype, are off by at
        most one ulp, measured at the mean of the absolute values in the window. Gradients have the
        dtype of `x`.

    Raises
    ------
    TypeError
        If a dtype is not supported, `dtype` has 64 bits and JAX has not, or an argument is of the
        wrong type.
    ValueError
        If `x` has too few axes, a size is negative, or a window would be empty. All this is found
        while a function is traced.

    Examples
    --------
    >>> import jax
    >>> import adaptive_pool.jax as pool
    >>> x = jax.numpy.array([1.0, 3.0, 5.0, 7.0])
    >>> pool.adaptive_avg_pool1d(x, 2)
    Array([2., 6.], dtype=float32)
    >>> jax.grad(lambda x: pool.adaptive_avg_pool1d(x, 2)[0])(x)
    Array([0.5, 0.5, 0. , 0. ], dtype=float32)
    """
    x, params = of_average(
        "adaptive_avg_pool1d", 1, x, output_size, data_format, windows, dtype, num_threads
    )
    return average.bind(x, **params)


def adaptive_avg_pool2d(
    x: Any,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    num_threads: int | None = None,
) -> jax.Array:
    """Average over windows that cut two axes into given numbers of parts.

    What `adaptive_pool.adaptive_avg_pool2d` computes, to the bit, for arrays of JAX. NaN and
    infinity propagate as in arithmetic, forward and backward.

    Parameters
    ----------
    x : array_like, shape ``(..., H, W)`` or, with "channels_last", ``(..., H, W, C)``
        An array of JAX, or what ``jax.numpy.asarray`` takes. Any number of leading axes, including
        zero. bool, integers of 8 to 64 bits, float16, bfloat16, float32 or float64.
    output_size : int or sequence of 2 ints or None
        Lengths of the pooled axes of the result. An int is for all of them, None keeps an axis as
        it is, and 0 gives an empty result. It is no array of JAX: shapes are known while a function
        is traced.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 2 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: a pair of integer arrays for each pooled axis, or
        one array of shape ``(2, 2, number of windows)``.
    dtype : dtype, optional
        Type of the result: any of the four float types or, for integers, that integer type (rounded
        half to even). By default that of `x` for floats, float32 for bool and integers of 8 and 16
        bits, and for wider ones float64 or, without ``jax_enable_x64``, float32.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads` when it is computed. The
        result is the same for any number.

    Returns
    -------
    jax.Array, shape ``(..., OH, OW)`` or, with "channels_last", ``(..., OH, OW, C)``
        Integer means are exact and rounded once. Float means, in their own dtype, are off by at
        most one ulp, measured at the mean of the absolute values in the window. Gradients have the
        dtype of `x`.

    Raises
    ------
    TypeError
        If a dtype is not supported, `dtype` has 64 bits and JAX has not, or an argument is of the
        wrong type.
    ValueError
        If `x` has too few axes, a size is negative, or a window would be empty. All this is found
        while a function is traced.

    Examples
    --------
    >>> import jax
    >>> import adaptive_pool.jax as pool
    >>> x = jax.numpy.arange(8.0).reshape(2, 4)
    >>> jax.jit(lambda x: pool.adaptive_avg_pool2d(x, (1, 2)))(x)
    Array([[2.5, 4.5]], dtype=float32)
    >>> jax.grad(lambda x: pool.adaptive_avg_pool2d(x, (1, 2))[0, 0])(x)
    Array([[0.25, 0.25, 0.  , 0.  ],
           [0.25, 0.25, 0.  , 0.  ]], dtype=float32)
    """
    x, params = of_average(
        "adaptive_avg_pool2d", 2, x, output_size, data_format, windows, dtype, num_threads
    )
    return average.bind(x, **params)


def adaptive_avg_pool3d(
    x: Any,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    dtype: npt.DTypeLike | None = None,
    num_threads: int | None = None,
) -> jax.Array:
    """Average over windows that cut three axes into given numbers of parts.

    What `adaptive_pool.adaptive_avg_pool3d` computes, to the bit, for arrays of JAX. NaN and
    infinity propagate as in arithmetic, forward and backward.

    Parameters
    ----------
    x : array_like, shape ``(..., D, H, W)``, or ``(..., D, H, W, C)``
        An array of JAX, or what ``jax.numpy.asarray`` takes. Any number of leading axes, including
        zero. bool, integers of 8 to 64 bits, float16, bfloat16, float32 or float64.
    output_size : int or sequence of 3 ints or None
        Lengths of the pooled axes of the result. An int is for all of them, None keeps an axis as
        it is, and 0 gives an empty result. It is no array of JAX: shapes are known while a function
        is traced.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 3 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: a pair of integer arrays for each pooled axis, or
        one array of shape ``(3, 2, number of windows)``.
    dtype : dtype, optional
        Type of the result: any of the four float types or, for integers, that integer type (rounded
        half to even). By default that of `x` for floats, float32 for bool and integers of 8 and 16
        bits, and for wider ones float64 or, without ``jax_enable_x64``, float32.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads` when it is computed. The
        result is the same for any number.

    Returns
    -------
    jax.Array, shape ``(..., OD, OH, OW)``, or ``(..., OD, OH, OW, C)``
        Integer means are exact and rounded once. Float means, in their own dtype, are off by at
        most one ulp, measured at the mean of the absolute values in the window. Gradients have the
        dtype of `x`.

    Raises
    ------
    TypeError
        If a dtype is not supported, `dtype` has 64 bits and JAX has not, or an argument is of the
        wrong type.
    ValueError
        If `x` has too few axes, a size is negative, or a window would be empty. All this is found
        while a function is traced.

    Examples
    --------
    >>> import jax
    >>> import adaptive_pool.jax as pool
    >>> x = jax.numpy.arange(8.0).reshape(2, 2, 2)
    >>> pool.adaptive_avg_pool3d(x, (2, 1, 1))
    Array([[[1.5]],
    <BLANKLINE>
           [[5.5]]], dtype=float32)
    """
    x, params = of_average(
        "adaptive_avg_pool3d", 3, x, output_size, data_format, windows, dtype, num_threads
    )
    return average.bind(x, **params)
