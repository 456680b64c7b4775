"""Max pooling for autograd: the public functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._problem import DataFormat, Size
from .._windows import Windows
from ._rules import maximum, options_of


def adaptive_max_pool1d(
    x: Any,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    where: npt.ArrayLike | None = None,
    lengths: npt.ArrayLike | None = None,
    empty: float | None = None,
    min_count: int = 1,
    num_threads: int | None = None,
) -> Any:
    """Take the maximum over windows that cut one axis into a given number of parts.

    What `adaptive_pool.adaptive_max_pool1d` computes, to the bit, for autograd. Of equal elements
    the first in row-major order wins; NaN wins over every number, and of several NaNs the last. The
    gradient of a window goes to the element that won; those that meet at an element are added in
    row-major order of the windows, in float32 for float16 and bfloat16.

    Parameters
    ----------
    x : array_like, shape ``(..., W)`` or, with "channels_last", ``(..., W, C)``
        Any number of leading axes, including zero. bool, integers of 8 to 64 bits, float16,
        bfloat16, float32 or float64.
    output_size : int or sequence of one int or None
        Lengths of the pooled axes of the result. An int is the length of the one axis, None keeps
        an axis as it is, and 0 gives an empty result.
    return_indices : bool
        Whether to return where the maxima stand, too.
    index_dtype : {int32, int64}
        Type of the indices.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil"}, one (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: one pair of integer arrays in a list, or one array
        of shape ``(1, 2, number of windows)``. The rule "area" is for averages.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The gradient of others is
        0. To leave out NaN, pass ``~autograd.numpy.isnan(x)``.
    lengths : array_like of int, shape ``(N,)``, optional
        For padded batches: of sample ``n`` of the leading axis only ``x[n, ..., :lengths[n]]`` is
        pooled, as if alone. The gradient of the rest is 0.
    empty : scalar, optional
        What a window becomes in which too few elements count, by default NaN. It passes no gradient
        on.
    min_count : int
        Elements that must count in a window.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads`. The result is the same
        for any number.

    Returns
    -------
    maxima : ndarray, shape ``(..., OW)`` or, with "channels_last", ``(..., OW, C)``
        In the dtype of `x`.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes, ``w``.

    Raises
    ------
    TypeError
        If a dtype is not supported, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, a window would be empty, or indices do not fit
        `index_dtype`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> import adaptive_pool.autograd as pool
    >>> x = np.array([1.0, 3.0, 7.0, 5.0])
    >>> pool.adaptive_max_pool1d(x, 2, return_indices=True)
    (array([3., 7.]), array([1, 2]))
    >>> grad(lambda x: pool.adaptive_max_pool1d(x, 2)[0])(x)
    array([0., 1., 0., 0.])
    """
    options = options_of(
        data_format=data_format, windows=windows, where=where, lengths=lengths, empty=empty,
        min_count=min_count, index_dtype=index_dtype, num_threads=num_threads,
    )  # fmt: skip
    return maximum(x, 1, output_size, return_indices, options)


def adaptive_max_pool2d(
    x: Any,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    where: npt.ArrayLike | None = None,
    lengths: npt.ArrayLike | None = None,
    empty: float | None = None,
    min_count: int = 1,
    num_threads: int | None = None,
) -> Any:
    """Take the maximum over windows that cut two axes into given numbers of parts.

    What `adaptive_pool.adaptive_max_pool2d` computes, to the bit, for autograd. Of equal elements
    the first in row-major order wins; NaN wins over every number, and of several NaNs the last. The
    gradient of a window goes to the element that won; those that meet at an element are added in
    row-major order of the windows, in float32 for float16 and bfloat16.

    Parameters
    ----------
    x : array_like, shape ``(..., H, W)`` or, with "channels_last", ``(..., H, W, C)``
        Any number of leading axes, including zero. bool, integers of 8 to 64 bits, float16,
        bfloat16, float32 or float64.
    output_size : int or sequence of 2 ints or None
        Lengths of the pooled axes of the result. An int is for all of them, None keeps an axis as
        it is, and 0 gives an empty result.
    return_indices : bool
        Whether to return where the maxima stand, too.
    index_dtype : {int32, int64}
        Type of the indices.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil"}, 2 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: a pair of integer arrays for each pooled axis, or
        one array of shape ``(2, 2, number of windows)``. The rule "area" is for averages.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The gradient of others is
        0. To leave out NaN, pass ``~autograd.numpy.isnan(x)``.
    lengths : array_like of int, shape ``(N,)`` or ``(N, 2)``, optional
        For padded batches: how much of each sample of the leading axis is pooled, from the
        beginning of both pooled axes on. The gradient of the rest is 0.
    empty : scalar, optional
        What a window becomes in which too few elements count, by default NaN. It passes no gradient
        on.
    min_count : int
        Elements that must count in a window.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads`. The result is the same
        for any number.

    Returns
    -------
    maxima : ndarray, shape ``(..., OH, OW)`` or, with "channels_last", ``(..., OH, OW, C)``
        In the dtype of `x`.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes, ``h*W + w``.

    Raises
    ------
    TypeError
        If a dtype is not supported, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, a window would be empty, or indices do not fit
        `index_dtype`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> import adaptive_pool.autograd as pool
    >>> x = np.arange(8.0).reshape(2, 4)
    >>> pool.adaptive_max_pool2d(x, (1, 2))
    array([[5., 7.]])
    >>> grad(lambda x: pool.adaptive_max_pool2d(x, (1, 2))[0, 0])(x)
    array([[0., 0., 0., 0.],
           [0., 1., 0., 0.]])
    """
    options = options_of(
        data_format=data_format, windows=windows, where=where, lengths=lengths, empty=empty,
        min_count=min_count, index_dtype=index_dtype, num_threads=num_threads,
    )  # fmt: skip
    return maximum(x, 2, output_size, return_indices, options)


def adaptive_max_pool3d(
    x: Any,
    output_size: Size,
    *,
    return_indices: bool = False,
    index_dtype: npt.DTypeLike = np.int64,
    data_format: DataFormat = "channels_first",
    windows: Windows = "torch",
    where: npt.ArrayLike | None = None,
    lengths: npt.ArrayLike | None = None,
    empty: float | None = None,
    min_count: int = 1,
    num_threads: int | None = None,
) -> Any:
    """Take the maximum over windows that cut three axes into given numbers of parts.

    What `adaptive_pool.adaptive_max_pool3d` computes, to the bit, for autograd. Of equal elements
    the first in row-major order wins; NaN wins over every number, and of several NaNs the last. The
    gradient of a window goes to the element that won; those that meet at an element are added in
    row-major order of the windows, in float32 for float16 and bfloat16.

    Parameters
    ----------
    x : array_like, shape ``(..., D, H, W)``, or ``(..., D, H, W, C)``
        Any number of leading axes, including zero. bool, integers of 8 to 64 bits, float16,
        bfloat16, float32 or float64.
    output_size : int or sequence of 3 ints or None
        Lengths of the pooled axes of the result. An int is for all of them, None keeps an axis as
        it is, and 0 gives an empty result.
    return_indices : bool
        Whether to return where the maxima stand, too.
    index_dtype : {int32, int64}
        Type of the indices.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis.
    windows : {"torch", "split", "uniform", "ceil"}, 3 (starts, ends), or ndarray
        The rule that cuts the pooled axes, see `adaptive_pool.pool_windows`. Or the windows
        themselves, with None as `output_size`: a pair of integer arrays for each pooled axis, or
        one array of shape ``(3, 2, number of windows)``. The rule "area" is for averages.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`. The gradient of others is
        0. To leave out NaN, pass ``~autograd.numpy.isnan(x)``.
    lengths : array_like of int, shape ``(N,)`` or ``(N, 3)``, optional
        For padded batches: how much of each sample of the leading axis is pooled, from the
        beginning of all pooled axes on. The gradient of the rest is 0.
    empty : scalar, optional
        What a window becomes in which too few elements count, by default NaN. It passes no gradient
        on.
    min_count : int
        Elements that must count in a window.
    num_threads : int, optional
        The most threads to use, by default `adaptive_pool.get_num_threads`. The result is the same
        for any number.

    Returns
    -------
    maxima : ndarray, shape ``(..., OD, OH, OW)``, or ``(..., OD, OH, OW, C)``
        In the dtype of `x`.
    indices : ndarray of `index_dtype`, of the same shape
        Only with `return_indices`: positions within the pooled axes, ``(d*H + h)*W + w``.

    Raises
    ------
    TypeError
        If a dtype is not supported, or an argument is of the wrong type.
    ValueError
        If `x` has too few axes, a size is negative, a window would be empty, or indices do not fit
        `index_dtype`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> import adaptive_pool.autograd as pool
    >>> x = np.arange(8.0).reshape(2, 2, 2)
    >>> grad(lambda x: pool.adaptive_max_pool3d(x, (2, 1, 1))[0, 0, 0])(x)
    array([[[0., 0.],
            [0., 1.]],
    <BLANKLINE>
           [[0., 0.],
            [0., 0.]]])
    """
    options = options_of(
        data_format=data_format, windows=windows, where=where, lengths=lengths, empty=empty,
        min_count=min_count, index_dtype=index_dtype, num_threads=num_threads,
    )  # fmt: skip
    return maximum(x, 3, output_size, return_indices, options)
