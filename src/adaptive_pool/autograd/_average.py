"""Average pooling for autograd: the public functions."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from .._problem import DataFormat, Size
from .._windows import Windows
from ._rules import average, options_of


def adaptive_avg_pool1d(
    x: Any,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    where: npt.ArrayLike | None = None,
    lengths: npt.ArrayLike | None = None,
    empty: float | None = None,
    min_count: int = 1,
    dtype: npt.DTypeLike | None = None,
    num_threads: int | None = None,
) -> Any:
    """Average over windows that cut one axis into a given number of parts.

    What `adaptive_pool.adaptive_avg_pool1d` computes, to the bit, for autograd. NaN and infinity
    propagate as in arithmetic, forward and backward.

    Parameters
    ----------
    x : array_like, shape ``(..., W)`` or, with "channels_last", ``(..., W, C)``
        Any number of leading axes, including zero. bool, integers of 8 to 64 bits, float16,
        bfloat16, float32 or float64.
    output_size : int or sequence of one int or None
        Lengths of the pooled axes of the result. An int is the length of the one axis, None keeps
        an axis as it is, and 0 gives an empty result.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil", "area"}, one (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: one pair of integer arrays in a list, or one array
        of shape ``(1, 2, number of windows)``.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The gradient of others is
        0. To leave out NaN, pass ``~autograd.numpy.isnan(x)``.
    lengths : array_like of int, shape ``(N,)``, optional
        For padded batches: of sample ``n`` of the leading axis only ``x[n, ..., :lengths[n]]`` is
        pooled, as if alone. The gradient of the rest is 0. With `lengths`, an average needs a size
        for each axis, or windows.
    empty : scalar, optional
        What a window becomes in which too few elements count, by default NaN. It passes no gradient
        on.
    min_count : int
        Elements that must count in a window.
    dtype : dtype, optional
        Type of the result: any of the four float types or, for integers, that integer type (rounded
        half to even). By default that of `x` for floats, float32 for bool and integers of 8 and 16
        bits, float64 for wider ones.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads`. The result is the same
        for any number.

    Returns
    -------
    ndarray, shape ``(..., OW)`` or, with "channels_last", ``(..., OW, C)``
        Integer means are exact and rounded once. Float means, in their own dtype, are off by at
        most one ulp, measured at the mean of the absolute values in the window. Gradients have the
        dtype of `x`; of integers, that of the means.

    Raises
    ------
    TypeError
        If a dtype is not supported, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, a window would be empty, or `lengths` come with
        a size of None.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> import adaptive_pool.autograd as pool
    >>> x = np.array([1.0, 3.0, 5.0, 7.0])
    >>> pool.adaptive_avg_pool1d(x, 2)
    array([2., 6.])
    >>> grad(lambda x: pool.adaptive_avg_pool1d(x, 2)[0])(x)
    array([0.5, 0.5, 0. , 0. ])
    """
    options = options_of(
        data_format=data_format, windows=windows, where=where, lengths=lengths, empty=empty,
        min_count=min_count, dtype=dtype, num_threads=num_threads,
    )  # fmt: skip
    return average(x, 1, output_size, options)


def adaptive_avg_pool2d(
    x: Any,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    where: npt.ArrayLike | None = None,
    lengths: npt.ArrayLike | None = None,
    empty: float | None = None,
    min_count: int = 1,
    dtype: npt.DTypeLike | None = None,
    num_threads: int | None = None,
) -> Any:
    """Average over windows that cut two axes into given numbers of parts.

    What `adaptive_pool.adaptive_avg_pool2d` computes, to the bit, for autograd. NaN and infinity
    propagate as in arithmetic, forward and backward.

    Parameters
    ----------
    x : array_like, shape ``(..., H, W)`` or, with "channels_last", ``(..., H, W, C)``
        Any number of leading axes, including zero. bool, integers of 8 to 64 bits, float16,
        bfloat16, float32 or float64.
    output_size : int or sequence of 2 ints or None
        Lengths of the pooled axes of the result. An int is for all of them, None keeps an axis as
        it is, and 0 gives an empty result.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 2 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: a pair of integer arrays for each pooled axis, or
        one array of shape ``(2, 2, number of windows)``.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The gradient of others is
        0. To leave out NaN, pass ``~autograd.numpy.isnan(x)``.
    lengths : array_like of int, shape ``(N,)`` or ``(N, 2)``, optional
        For padded batches: how much of each sample of the leading axis is pooled, from the
        beginning of both pooled axes on. The gradient of the rest is 0. With `lengths`, an average
        needs a size for each axis, or windows.
    empty : scalar, optional
        What a window becomes in which too few elements count, by default NaN. It passes no gradient
        on.
    min_count : int
        Elements that must count in a window.
    dtype : dtype, optional
        Type of the result: any of the four float types or, for integers, that integer type (rounded
        half to even). By default that of `x` for floats, float32 for bool and integers of 8 and 16
        bits, float64 for wider ones.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads`. The result is the same
        for any number.

    Returns
    -------
    ndarray, shape ``(..., OH, OW)`` or, with "channels_last", ``(..., OH, OW, C)``
        Integer means are exact and rounded once. Float means, in their own dtype, are off by at
        most one ulp, measured at the mean of the absolute values in the window. Gradients have the
        dtype of `x`; of integers, that of the means.

    Raises
    ------
    TypeError
        If a dtype is not supported, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, a window would be empty, or `lengths` come with
        a size of None.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> import adaptive_pool.autograd as pool
    >>> x = np.arange(8.0).reshape(2, 4)
    >>> pool.adaptive_avg_pool2d(x, (1, 2))
    array([[2.5, 4.5]])
    >>> grad(lambda x: pool.adaptive_avg_pool2d(x, (1, 2))[0, 0])(x)
    array([[0.25, 0.25, 0.  , 0.  ],
           [0.25, 0.25, 0.  , 0.  ]])
    """
    options = options_of(
        data_format=data_format, windows=windows, where=where, lengths=lengths, empty=empty,
        min_count=min_count, dtype=dtype, num_threads=num_threads,
    )  # fmt: skip
    return average(x, 2, output_size, options)


def adaptive_avg_pool3d(
    x: Any,
    output_size: Size,
    *,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    where: npt.ArrayLike | None = None,
    lengths: npt.ArrayLike | None = None,
    empty: float | None = None,
    min_count: int = 1,
    dtype: npt.DTypeLike | None = None,
    num_threads: int | None = None,
) -> Any:
    """Average over windows that cut three axes into given numbers of parts.

    What `adaptive_pool.adaptive_avg_pool3d` computes, to the bit, for autograd. NaN and infinity
    propagate as in arithmetic, forward and backward.

    Parameters
    ----------
    x : array_like, shape ``(..., D, H, W)``, or ``(..., D, H, W, C)``
        Any number of leading axes, including zero. bool, integers of 8 to 64 bits, float16,
        bfloat16, float32 or float64.
    output_size : int or sequence of 3 ints or None
        Lengths of the pooled axes of the result. An int is for all of them, None keeps an axis as
        it is, and 0 gives an empty result.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis.
    windows : {"torch", "split", "uniform", "ceil", "area"}, 3 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: a pair of integer arrays for each pooled axis, or
        one array of shape ``(3, 2, number of windows)``.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The gradient of others is
        0. To leave out NaN, pass ``~autograd.numpy.isnan(x)``.
    lengths : array_like of int, shape ``(N,)`` or ``(N, 3)``, optional
        For padded batches: how much of each sample of the leading axis is pooled, from the
        beginning of all pooled axes on. The gradient of the rest is 0. With `lengths`, an average
        needs a size for each axis, or windows.
    empty : scalar, optional
        What a window becomes in which too few elements count, by default NaN. It passes no gradient
        on.
    min_count : int
        Elements that must count in a window.
    dtype : dtype, optional
        Type of the result: any of the four float types or, for integers, that integer type (rounded
        half to even). By default that of `x` for floats, float32 for bool and integers of 8 and 16
        bits, float64 for wider ones.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads`. The result is the same
        for any number.

    Returns
    -------
    ndarray, shape ``(..., OD, OH, OW)``, or ``(..., OD, OH, OW, C)``
        Integer means are exact and rounded once. Float means, in their own dtype, are off by at
        most one ulp, measured at the mean of the absolute values in the window. Gradients have the
        dtype of `x`; of integers, that of the means.

    Raises
    ------
    TypeError
        If a dtype is not supported, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, a window would be empty, or `lengths` come with
        a size of None.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> import adaptive_pool.autograd as pool
    >>> x = np.arange(8.0).reshape(2, 2, 2)
    >>> grad(lambda x: pool.adaptive_avg_pool3d(x, (2, 1, 1))[0, 0, 0])(x)
    array([[[0.25, 0.25],
            [0.25, 0.25]],
    <BLANKLINE>
           [[0.  , 0.  ],
            [0.  , 0.  ]]])
    """
    options = options_of(
        data_format=data_format, windows=windows, where=where, lengths=lengths, empty=empty,
        min_count=min_count, dtype=dtype, num_threads=num_threads,
    )  # fmt: skip
    return average(x, 3, output_size, options)
