"""Callables over the functions: they hold arguments and no state.

What belongs to a batch, the options, is passed at each call and never kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Unpack, overload

import numpy as np
import numpy.typing as npt

from . import _average, _average_backward, _dtypes, _maximum, _scatter
from ._arrays import Array, as_array
from ._kernels.call.known import call
from ._options import AllOptionTypes, Options, OptionTypes, described
from ._problem import DataFormat, Pair, Size, as_bool, check_data_format, normalize_size
from ._threads import threads_for
from ._windows import Windows, as_size, check_unweighted, explicit_table, rule_or_pairs

Pullback = Callable[[npt.ArrayLike], Array]

_NAN = Options().nan_policy  # by default


class _Layer:
    """What the six layers share: arguments, representation, equality."""

    _ndim: ClassVar[int]
    _function: ClassVar[str]  # the names of what a call does, and its gradient
    _gradient: ClassVar[str]
    _defaults: ClassVar[dict[str, Any]]  # of all arguments but output_size, in their order

    # For layers that were pickled before there was this argument.
    num_threads: int | None = None

    def __init__(
        self,
        output_size: Size,
        data_format: DataFormat,
        windows: Windows,
        num_threads: int | None,
    ) -> None:
        name = type(self).__name__
        sizes = normalize_size(name, self._ndim, output_size)
        given = rule_or_pairs(name, self._ndim, windows)
        if not isinstance(given, str):  # plain integers, to be compared and written down
            tables = [explicit_table(name, axis, 2**62, pair) for axis, pair in enumerate(given)]
            given = tuple((tuple(s.tolist()), tuple(e.tolist())) for s, e in tables)
        self.output_size: Size = sizes[0] if len(set(sizes)) == 1 else sizes
        self.data_format: DataFormat = check_data_format(name, data_format)
        self.windows: Windows = given  # type: ignore[assignment]
        if num_threads is not None:
            self.num_threads = as_size(name, "num_threads", num_threads)
            threads_for(name, self.num_threads, 0)  # raises for a number that no call can take

    def _vjp(self, x: Array, options: Any) -> Any:
        raise NotImplementedError

    @overload
    def vjp(
        self,
        x: npt.ArrayLike,
        *,
        return_counts: Literal[False] = False,
        **options: Unpack[OptionTypes],
    ) -> tuple[Array, Pullback]: ...
    @overload
    def vjp(
        self, x: npt.ArrayLike, *, return_counts: Literal[True], **options: Unpack[OptionTypes]
    ) -> tuple[Array, Array, Pullback]: ...
    @overload
    def vjp(
        self, x: npt.ArrayLike, *, return_counts: bool, **options: Unpack[OptionTypes]
    ) -> tuple[Array, Pullback] | tuple[Array, Array, Pullback]: ...
    @described
    def vjp(
        self, x: npt.ArrayLike, **options: Unpack[AllOptionTypes]
    ) -> tuple[Array, Pullback] | tuple[Array, Array, Pullback]:
        """Pool `x`; return the result and its vector-Jacobian product.

        Parameters
        ----------
        x : array_like
            What calling the layer takes.
        where, nan_policy, nodata, lengths, regions, empty, min_count, return_counts : optional
            Likewise. In the gradient, elements that do not count get 0, and windows that are
            `empty` pass none on.

        Returns
        -------
        y : ndarray
            Means or maxima; maxima come without indices, whatever the layer returns at a call.
        counts : ndarray of int64, of the same shape
            Only with `return_counts`: how many elements count in each window.
        pullback : callable
            Maps the gradient with respect to `y` to the gradient with respect to `x`, in the dtype
            of the gradient that it is given. That of a maximum holds the indices, and `regions`.
            That of an average holds the options and, for `nodata` or ``nan_policy="omit"``, `x`.
            Arrays are held as they are, not copied: change them after the last gradient.

        Raises
        ------
        TypeError, ValueError
            What calling the layer raises. For an average with `lengths` also if `output_size`
            keeps an axis (None), unless windows are given: its gradient would not know that.

        Examples
        --------
        >>> import numpy as np
        >>> import adaptive_pool as ap
        >>> x = np.array([[1.0, 3.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0]])
        >>> y, pullback = ap.AdaptiveAvgPool1d(1).vjp(x, lengths=[2, 4])
        >>> pullback(y)
        array([[1.   , 1.   , 0.   , 0.   ],
               [0.625, 0.625, 0.625, 0.625]])
        >>> y, counts, pullback = ap.AdaptiveMaxPool1d(2).vjp(x, min_count=2, return_counts=True)
        >>> pullback(np.ones_like(y))
        array([[0., 1., 1., 0.],
               [0., 1., 0., 1.]])
        """
        return self._vjp(as_array(type(self).__name__, "x", x), options)  # type: ignore[no-any-return]

    def _arguments(self) -> tuple[Any, ...]:
        return (self.output_size, *(getattr(self, name) for name in self._defaults))

    def __repr__(self) -> str:
        options = "".join(
            f", {name}={getattr(self, name)!r}"
            for name, default in self._defaults.items()
            if getattr(self, name) != default
        )
        return f"{type(self).__name__}({self.output_size!r}{options})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self._arguments() == other._arguments()

    def __hash__(self) -> int:
        return hash((type(self), *self._arguments()))


class _AverageLayer(_Layer):
    _defaults: ClassVar[dict[str, Any]] = {
        "data_format": "channels_first",
        "windows": "torch",
        "dtype": None,
        "num_threads": None,
    }

    # For layers that were pickled before there was this argument. It is kept by name, to be written
    # down, and to be unpickled where nothing has imported bfloat16.
    dtype: str | None = None

    def __init__(
        self,
        output_size: Size,
        *,
        data_format: DataFormat = "channels_first",
        windows: Windows = "torch",
        dtype: npt.DTypeLike | None = None,
        num_threads: int | None = None,
    ) -> None:
        super().__init__(output_size, data_format, windows, num_threads)
        if dtype is not None:
            self.dtype = _dtypes.name_of_mean(type(self).__name__, dtype)

    def _pool(self, x: npt.ArrayLike, out: Array | None, options: Any) -> Any:
        return call(  # as in the function, whose own call would take longer
            _average._average,
            self._function,
            self._ndim,
            x,
            self.output_size,
            self.data_format,
            self.windows,
            self.dtype,
            out,
            self.num_threads,
            options,
        )

    @overload
    def __call__(
        self,
        x: npt.ArrayLike,
        *,
        out: Array | None = None,
        return_counts: Literal[False] = False,
        **options: Unpack[OptionTypes],
    ) -> Array: ...
    @overload
    def __call__(
        self,
        x: npt.ArrayLike,
        *,
        out: Array | None = None,
        return_counts: Literal[True],
        **options: Unpack[OptionTypes],
    ) -> Pair: ...
    @overload
    def __call__(
        self,
        x: npt.ArrayLike,
        *,
        out: Array | None = None,
        return_counts: bool,
        **options: Unpack[OptionTypes],
    ) -> Array | Pair: ...
    @described
    def __call__(
        self, x: npt.ArrayLike, *, out: Array | None = None, **options: Unpack[AllOptionTypes]
    ) -> Array | Pair:
        """Pool `x`.

        Parameters
        ----------
        x : array_like
            What the function takes. The options below are those of the function.
        where, nan_policy, nodata, lengths, regions, empty, min_count, return_counts : optional
            What counts, over what is pooled, and what comes of it.
        out : ndarray, optional
            Array for the means.

        Returns
        -------
        means : ndarray
            `out`, if given.
        counts : ndarray of int64, of the same shape
            Only with `return_counts`: how many elements count in each window.

        Raises
        ------
        TypeError, ValueError, MemoryError
            What the function raises, in its name.

        Examples
        --------
        >>> import numpy as np
        >>> import adaptive_pool as ap
        >>> layer = ap.AdaptiveAvgPool1d(2)
        >>> layer(np.arange(8.0).reshape(2, 4), lengths=[2, 4])
        array([[0. , 1. ],
               [4.5, 6.5]])
        """
        return self._pool(x, out, options)  # type: ignore[no-any-return]

    def _vjp(self, x: Array, options: Any) -> Any:
        name = type(self).__name__
        input_shape = x.shape
        result = self._pool(x, None, options)
        passed = self._of_gradient(x, options) if options else options
        y = result[0] if type(result) is tuple else result
        output_shape = y.shape

        def pullback(grad_output: npt.ArrayLike) -> Array:
            grad_output = as_array(name, "grad_output", grad_output)
            if grad_output.shape != output_shape:  # a rule has windows for any number of outputs
                raise ValueError(
                    f"{name}: grad_output must have the shape {output_shape} of the result, "
                    f"got shape {grad_output.shape}"
                )
            return call(
                _average_backward._average_backward,
                self._gradient,
                self._ndim,
                grad_output,
                input_shape,
                self.data_format,
                self.windows,
                None,
                self.num_threads,
                passed,
            )

        return (y, pullback) if y is result else (*result, pullback)

    def _of_gradient(self, x: Array, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options of the gradient; it needs `x` if that says what counts."""
        passed = {k: v for k, v in options.items() if k not in ("empty", "return_counts")}
        if options.get("nodata") is not None or options.get("nan_policy", _NAN) != _NAN:
            passed["x"] = x
        sizes = self.output_size if isinstance(self.output_size, tuple) else (self.output_size,)
        if options.get("lengths") is not None and None in sizes and isinstance(self.windows, str):
            raise ValueError(
                f"{type(self).__name__}: the gradient for lengths needs an output_size for each "
                f"pooled axis, or windows, got {self.output_size}"
            )
        return passed


class _MaximumLayer(_Layer):
    _defaults: ClassVar[dict[str, Any]] = {
        "return_indices": False,
        "index_dtype": "int64",
        "data_format": "channels_first",
        "windows": "torch",
        "num_threads": None,
    }

    # For layers that were pickled before there was this argument.
    index_dtype: str = "int64"

    def __init__(
        self,
        output_size: Size,
        *,
        return_indices: bool = False,
        index_dtype: npt.DTypeLike = np.int64,
        data_format: DataFormat = "channels_first",
        windows: Windows = "torch",
        num_threads: int | None = None,
    ) -> None:
        name = type(self).__name__
        check_unweighted(name, windows)
        super().__init__(output_size, data_format, windows, num_threads)
        self.return_indices = as_bool(name, "return_indices", return_indices)
        self.index_dtype = _dtypes.name_of_indices(name, index_dtype)

    def _pool(self, x: npt.ArrayLike, return_indices: bool, out: Any, options: Any) -> Any:
        return call(
            _maximum._maximum,
            self._function,
            self._ndim,
            x,
            self.output_size,
            return_indices,
            self.index_dtype,
            self.data_format,
            self.windows,
            out,
            self.num_threads,
            options,
        )

    @described
    def __call__(
        self,
        x: npt.ArrayLike,
        *,
        out: Array | Pair | None = None,
        **options: Unpack[AllOptionTypes],
    ) -> Any:
        """Pool `x`.

        Parameters
        ----------
        x : array_like
            What the function takes. The options below are those of the function.
        where, nan_policy, nodata, lengths, regions, empty, min_count, return_counts : optional
            What counts, over what is pooled, and what comes of it.
        out : ndarray, or pair of ndarray for a layer that returns indices, optional
            Array for the maxima, or arrays for maxima and indices.

        Returns
        -------
        values : ndarray
            `out`, if given.
        indices : ndarray, of the same shape
            Only of a layer that returns them.
        counts : ndarray of int64, of the same shape
            Only with `return_counts`: how many elements count in each window.

        Raises
        ------
        TypeError, ValueError, MemoryError
            What the function raises, in its name.

        Examples
        --------
        >>> import numpy as np
        >>> import adaptive_pool as ap
        >>> layer = ap.AdaptiveMaxPool1d(1, return_indices=True)
        >>> values, indices, counts = layer([1.0, np.nan, 3.0], nodata=3, nan_policy="omit",
        ...                                 return_counts=True)
        >>> print(values, indices, counts)
        [1.] [0] [1]
        """
        return self._pool(x, self.return_indices, out, options)

    def _vjp(self, x: Array, options: Any) -> Any:
        input_shape = x.shape
        result = self._pool(x, True, None, options)
        y, indices = result[0], result[1]
        # Indices say the rest: -1 for windows without elements.
        passed = {k: v for k, v in options.items() if k == "regions"} if options else options

        def pullback(grad_output: npt.ArrayLike) -> Array:
            return call(
                _scatter.maximum_backward_at,
                self._gradient,
                self._ndim,
                grad_output,
                indices,
                input_shape,
                self.data_format,
                None,
                self.num_threads,
                passed,
            )

        return (y, *result[2:], pullback) if options else (y, pullback)


class AdaptiveAvgPool1d(_AverageLayer):
    """Adaptive average pooling over one axis, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. Options of a batch are
    passed along: ``layer(x, lengths=lengths)``. It pools the last axis; a signal of shape
    ``(W, C)`` needs ``data_format="channels_last"``.

    Parameters
    ----------
    output_size : int or sequence of one int or None
        Lengths ``(OW,)`` of the result. An int is the length of the one axis, None keeps an axis as
        it is.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of one (starts, ends) or ndarray
        The rule that cuts the pooled axes, see `pool_windows`, or the windows themselves.
    dtype : dtype, optional
        Type of the result, by default that which the function chooses. The layer keeps its name.
    num_threads : int, optional
        The most threads to use, by default what `get_num_threads` says at each call.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    See Also
    --------
    adaptive_avg_pool1d : the function, with all about dtypes, NaN and empty axes.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> layer = ap.AdaptiveAvgPool1d(4)
    >>> layer(np.ones((2, 3, 9))).shape
    (2, 3, 4)
    >>> y, pullback = layer.vjp(np.ones((2, 3, 9)))
    >>> pullback(np.ones_like(y)).shape
    (2, 3, 9)
    """

    _ndim = 1
    _function = "adaptive_avg_pool1d"
    _gradient = "adaptive_avg_pool1d_backward"


class AdaptiveAvgPool2d(_AverageLayer):
    """Adaptive average pooling over two axes, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. Options of a batch are
    passed along: ``layer(x, lengths=lengths)``. It pools the last two axes; a picture of shape
    ``(H, W, 3)`` needs ``data_format="channels_last"``.

    Parameters
    ----------
    output_size : int or sequence of 2 int or None
        Lengths ``(OH, OW)`` of the result. One int is for both axes, None keeps an axis as it is.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of 2 (starts, ends) or ndarray
        The rule that cuts the pooled axes, see `pool_windows`, or the windows themselves.
    dtype : dtype, optional
        Type of the result, by default that which the function chooses. The layer keeps its name.
    num_threads : int, optional
        The most threads to use, by default what `get_num_threads` says at each call.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    See Also
    --------
    adaptive_avg_pool2d : the function, with all about dtypes, NaN and empty axes.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> layer = ap.AdaptiveAvgPool2d((4, None))
    >>> layer(np.ones((2, 3, 9, 9))).shape
    (2, 3, 4, 9)
    >>> y, pullback = layer.vjp(np.ones((2, 3, 9, 9)))
    >>> pullback(np.ones_like(y)).shape
    (2, 3, 9, 9)
    """

    _ndim = 2
    _function = "adaptive_avg_pool2d"
    _gradient = "adaptive_avg_pool2d_backward"


class AdaptiveAvgPool3d(_AverageLayer):
    """Adaptive average pooling over three axes, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. Options of a batch are
    passed along: ``layer(x, lengths=lengths)``. It pools the last three axes; a film of shape
    ``(D, H, W, 3)`` needs ``data_format="channels_last"``.

    Parameters
    ----------
    output_size : int or sequence of 3 int or None
        Lengths ``(OD, OH, OW)`` of the result. One int is for all three axes, None keeps an axis as
        it is.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of 3 (starts, ends) or ndarray
        The rule that cuts the pooled axes, see `pool_windows`, or the windows themselves.
    dtype : dtype, optional
        Type of the result, by default that which the function chooses. The layer keeps its name.
    num_threads : int, optional
        The most threads to use, by default what `get_num_threads` says at each call.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    See Also
    --------
    adaptive_avg_pool3d : the function, with all about dtypes, NaN and empty axes.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> layer = ap.AdaptiveAvgPool3d((4, 2, None))
    >>> layer(np.ones((2, 3, 9, 9, 9))).shape
    (2, 3, 4, 2, 9)
    >>> y, pullback = layer.vjp(np.ones((2, 3, 9, 9, 9)))
    >>> pullback(np.ones_like(y)).shape
    (2, 3, 9, 9, 9)
    """

    _ndim = 3
    _function = "adaptive_avg_pool3d"
    _gradient = "adaptive_avg_pool3d_backward"


class AdaptiveMaxPool1d(_MaximumLayer):
    """Adaptive max pooling over one axis, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. Options of a batch are
    passed along: ``layer(x, lengths=lengths)``. It pools the last axis; a signal of shape
    ``(W, C)`` needs ``data_format="channels_last"``.

    Parameters
    ----------
    output_size : int or sequence of one int or None
        Lengths ``(OW,)`` of the result. An int is the length of the one axis, None keeps an axis as
        it is.
    return_indices : bool
        Whether a call returns the pair of maxima and indices.
    index_dtype : dtype
        int64 or int32. The layer keeps its name.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last axis is pooled. "channels_last": the axis before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of one (starts, ends) or ndarray
        The rule that cuts the pooled axes, see `pool_windows`, or the windows themselves.
    num_threads : int, optional
        The most threads to use, by default what `get_num_threads` says at each call.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    See Also
    --------
    adaptive_max_pool1d : the function, with all about dtypes, NaN and empty axes.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> layer = ap.AdaptiveMaxPool1d(4)
    >>> layer(np.ones((2, 3, 9))).shape
    (2, 3, 4)
    >>> y, pullback = layer.vjp(np.ones((2, 3, 9)))
    >>> pullback(np.ones_like(y)).shape
    (2, 3, 9)
    """

    _ndim = 1
    _function = "adaptive_max_pool1d"
    _gradient = "adaptive_max_pool1d_backward"


class AdaptiveMaxPool2d(_MaximumLayer):
    """Adaptive max pooling over two axes, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. Options of a batch are
    passed along: ``layer(x, lengths=lengths)``. It pools the last two axes; a picture of shape
    ``(H, W, 3)`` needs ``data_format="channels_last"``.

    Parameters
    ----------
    output_size : int or sequence of 2 int or None
        Lengths ``(OH, OW)`` of the result. One int is for both axes, None keeps an axis as it is.
    return_indices : bool
        Whether a call returns the pair of maxima and indices.
    index_dtype : dtype
        int64 or int32. The layer keeps its name.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last two axes are pooled. "channels_last": the two before the channel
        axis.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of 2 (starts, ends) or ndarray
        The rule that cuts the pooled axes, see `pool_windows`, or the windows themselves.
    num_threads : int, optional
        The most threads to use, by default what `get_num_threads` says at each call.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    See Also
    --------
    adaptive_max_pool2d : the function, with all about dtypes, NaN and empty axes.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> layer = ap.AdaptiveMaxPool2d((4, None))
    >>> layer(np.ones((2, 3, 9, 9))).shape
    (2, 3, 4, 9)
    >>> y, pullback = layer.vjp(np.ones((2, 3, 9, 9)))
    >>> pullback(np.ones_like(y)).shape
    (2, 3, 9, 9)
    """

    _ndim = 2
    _function = "adaptive_max_pool2d"
    _gradient = "adaptive_max_pool2d_backward"


class AdaptiveMaxPool3d(_MaximumLayer):
    """Adaptive max pooling over three axes, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. Options of a batch are
    passed along: ``layer(x, lengths=lengths)``. It pools the last three axes; a film of shape
    ``(D, H, W, 3)`` needs ``data_format="channels_last"``.

    Parameters
    ----------
    output_size : int or sequence of 3 int or None
        Lengths ``(OD, OH, OW)`` of the result. One int is for all three axes, None keeps an axis as
        it is.
    return_indices : bool
        Whether a call returns the pair of maxima and indices.
    index_dtype : dtype
        int64 or int32. The layer keeps its name.
    data_format : {"channels_first", "channels_last"}
        "channels_first": the last three axes are pooled. "channels_last": the three before the
        channel axis.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of 3 (starts, ends) or ndarray
        The rule that cuts the pooled axes, see `pool_windows`, or the windows themselves.
    num_threads : int, optional
        The most threads to use, by default what `get_num_threads` says at each call.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    See Also
    --------
    adaptive_max_pool3d : the function, with all about dtypes, NaN and empty axes.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> layer = ap.AdaptiveMaxPool3d((4, 2, None))
    >>> layer(np.ones((2, 3, 9, 9, 9))).shape
    (2, 3, 4, 2, 9)
    >>> y, pullback = layer.vjp(np.ones((2, 3, 9, 9, 9)))
    >>> pullback(np.ones_like(y)).shape
    (2, 3, 9, 9, 9)
    """

    _ndim = 3
    _function = "adaptive_max_pool3d"
    _gradient = "adaptive_max_pool3d_backward"
