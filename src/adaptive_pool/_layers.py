"""Callables over the functions: they hold arguments and no state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from . import _average, _dtypes, _maximum
from ._arrays import Array, as_array
from ._problem import DataFormat, Size, as_bool, check_data_format, normalize_size
from ._threads import threads_for
from ._windows import Windows, as_size, explicit_table, rule_or_pairs

Pullback = Callable[[npt.ArrayLike], Array]


class _Layer:
    """What the six layers share: arguments, representation, equality."""

    _ndim: ClassVar[int]
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
    _forward: ClassVar[Callable[..., Array]]
    _backward: ClassVar[Callable[..., Array]]

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

    def __call__(self, x: npt.ArrayLike, *, out: Array | None = None) -> Array:
        """Pool `x`, into `out` if that is given."""
        return type(self)._forward(
            x,
            self.output_size,
            data_format=self.data_format,
            windows=self.windows,
            dtype=self.dtype,
            out=out,
            num_threads=self.num_threads,
        )

    def vjp(self, x: npt.ArrayLike) -> tuple[Array, Pullback]:
        """Pool `x`; return the result and its vector-Jacobian product.

        Parameters
        ----------
        x : array_like
            What calling the layer takes.

        Returns
        -------
        y : ndarray
            What calling the layer returns.
        pullback : callable
            Maps the gradient with respect to `y` to the gradient with respect to `x`, in the dtype
            of the gradient that it is given.
        """
        name = type(self).__name__
        x = as_array(name, "x", x)
        input_shape = x.shape
        y = self(x)
        output_shape = y.shape

        def pullback(grad_output: npt.ArrayLike) -> Array:
            grad_output = as_array(name, "grad_output", grad_output)
            if grad_output.shape != output_shape:  # a rule has windows for any number of outputs
                raise ValueError(
                    f"{name}: grad_output must have the shape {output_shape} of the result, "
                    f"got shape {grad_output.shape}"
                )
            return type(self)._backward(
                grad_output,
                input_shape,
                data_format=self.data_format,
                windows=self.windows,
                num_threads=self.num_threads,
            )

        return y, pullback


class _MaximumLayer(_Layer):
    _defaults: ClassVar[dict[str, Any]] = {
        "return_indices": False,
        "index_dtype": "int64",
        "data_format": "channels_first",
        "windows": "torch",
        "num_threads": None,
    }
    _forward: ClassVar[Callable[..., Any]]
    _backward: ClassVar[Callable[..., Array]]

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
        super().__init__(output_size, data_format, windows, num_threads)
        name = type(self).__name__
        self.return_indices = as_bool(name, "return_indices", return_indices)
        self.index_dtype = _dtypes.name_of_indices(name, index_dtype)

    def _pool(self, x: npt.ArrayLike, return_indices: bool, out: Any = None) -> Any:
        return type(self)._forward(
            x,
            self.output_size,
            return_indices=return_indices,
            index_dtype=self.index_dtype,
            data_format=self.data_format,
            windows=self.windows,
            out=out,
            num_threads=self.num_threads,
        )

    def __call__(self, x: npt.ArrayLike, *, out: Array | tuple[Array, Array] | None = None) -> Any:
        """Pool `x`, into `out` if that is given: a pair for a layer that returns indices."""
        return self._pool(x, self.return_indices, out)

    def vjp(self, x: npt.ArrayLike) -> tuple[Array, Pullback]:
        """Pool `x`; return the maxima and their vector-Jacobian product.

        Parameters
        ----------
        x : array_like
            What calling the layer takes.

        Returns
        -------
        y : ndarray
            The maxima, without indices.
        pullback : callable
            Maps the gradient with respect to `y` to the gradient with respect to `x`, in the dtype
            of the gradient that it is given. It holds the indices of the maxima, not `x`.
        """
        x = as_array(type(self).__name__, "x", x)
        input_shape = x.shape
        y, indices = self._pool(x, return_indices=True)

        def pullback(grad_output: npt.ArrayLike) -> Array:
            return type(self)._backward(
                grad_output,
                indices,
                input_shape,
                data_format=self.data_format,
                num_threads=self.num_threads,
            )

        return y, pullback


class AdaptiveAvgPool1d(_AverageLayer):
    """Adaptive average pooling over one axis, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. It pools the last axis; a
    signal of shape ``(W, C)`` needs ``data_format="channels_last"``.

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
    _forward = staticmethod(_average.adaptive_avg_pool1d)
    _backward = staticmethod(_average.adaptive_avg_pool1d_backward)


class AdaptiveAvgPool2d(_AverageLayer):
    """Adaptive average pooling over two axes, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. It pools the last two axes;
    a picture of shape ``(H, W, 3)`` needs ``data_format="channels_last"``.

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
    _forward = staticmethod(_average.adaptive_avg_pool2d)
    _backward = staticmethod(_average.adaptive_avg_pool2d_backward)


class AdaptiveAvgPool3d(_AverageLayer):
    """Adaptive average pooling over three axes, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. It pools the last three
    axes; a film of shape ``(D, H, W, 3)`` needs ``data_format="channels_last"``.

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
    _forward = staticmethod(_average.adaptive_avg_pool3d)
    _backward = staticmethod(_average.adaptive_avg_pool3d_backward)


class AdaptiveMaxPool1d(_MaximumLayer):
    """Adaptive max pooling over one axis, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. It pools the last axis; a
    signal of shape ``(W, C)`` needs ``data_format="channels_last"``.

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
    _forward = staticmethod(_maximum.adaptive_max_pool1d)
    _backward = staticmethod(_maximum.adaptive_max_pool1d_backward)


class AdaptiveMaxPool2d(_MaximumLayer):
    """Adaptive max pooling over two axes, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. It pools the last two axes;
    a picture of shape ``(H, W, 3)`` needs ``data_format="channels_last"``.

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
    _forward = staticmethod(_maximum.adaptive_max_pool2d)
    _backward = staticmethod(_maximum.adaptive_max_pool2d_backward)


class AdaptiveMaxPool3d(_MaximumLayer):
    """Adaptive max pooling over three axes, with its arguments kept for many calls.

    Call the layer with an array: ``layer(x)``, or ``layer(x, out=y)``. It pools the last three
    axes; a film of shape ``(D, H, W, 3)`` needs ``data_format="channels_last"``.

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
    _forward = staticmethod(_maximum.adaptive_max_pool3d)
    _backward = staticmethod(_maximum.adaptive_max_pool3d_backward)
