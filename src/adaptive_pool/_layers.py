"""Callables over the functions: they hold arguments and no state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy.typing as npt

from . import _average, _maximum
from ._arrays import Array, as_array
from ._problem import (
    DataFormat,
    Size,
    as_bool,
    check_data_format,
    normalize_size,
)
from ._windows import Windows, explicit_table, rule_or_pairs

Pullback = Callable[[npt.ArrayLike], Array]


class _Layer:
    """What the six layers share: arguments, representation, equality."""

    _ndim: ClassVar[int]
    _names: ClassVar[tuple[str, ...]] = ("output_size", "data_format", "windows")

    def __init__(
        self,
        output_size: Size,
        *,
        data_format: DataFormat = "channels_first",
        windows: Windows = "torch",
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

    def _arguments(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._names)

    def __repr__(self) -> str:
        defaults = {
            "return_indices": False,
            "data_format": "channels_first",
            "windows": "torch",
        }
        options = "".join(
            f", {name}={value!r}"
            for name, value in zip(self._names[1:], self._arguments()[1:], strict=True)
            if value != defaults[name]
        )
        return f"{type(self).__name__}({self.output_size!r}{options})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self._arguments() == other._arguments()

    def __hash__(self) -> int:
        return hash((type(self), *self._arguments()))


class _AverageLayer(_Layer):
    _forward: ClassVar[Callable[..., Array]]
    _backward: ClassVar[Callable[..., Array]]

    def __call__(self, x: npt.ArrayLike) -> Array:
        return type(self)._forward(
            x, self.output_size, data_format=self.data_format, windows=self.windows
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
            Maps the gradient with respect to `y` to the gradient with respect to `x`.
        """
        x = as_array(type(self).__name__, "x", x)
        input_shape = x.shape

        def pullback(grad_output: npt.ArrayLike) -> Array:
            return type(self)._backward(
                grad_output,
                input_shape,
                data_format=self.data_format,
                windows=self.windows,
            )

        return self(x), pullback


class _MaximumLayer(_Layer):
    _names = ("output_size", "return_indices", "data_format", "windows")
    _forward: ClassVar[Callable[..., Any]]
    _backward: ClassVar[Callable[..., Array]]

    def __init__(
        self,
        output_size: Size,
        *,
        return_indices: bool = False,
        data_format: DataFormat = "channels_first",
        windows: Windows = "torch",
    ) -> None:
        super().__init__(output_size, data_format=data_format, windows=windows)
        self.return_indices = as_bool(type(self).__name__, "return_indices", return_indices)

    def _pool(self, x: npt.ArrayLike, return_indices: bool) -> Any:
        return type(self)._forward(
            x,
            self.output_size,
            return_indices=return_indices,
            data_format=self.data_format,
            windows=self.windows,
        )

    def __call__(self, x: npt.ArrayLike) -> Any:
        return self._pool(x, self.return_indices)

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
            Maps the gradient with respect to `y` to the gradient with respect to `x`. It holds the
            indices of the maxima, not `x`.
        """
        x = as_array(type(self).__name__, "x", x)
        input_shape = x.shape
        y, indices = self._pool(x, return_indices=True)

        def pullback(grad_output: npt.ArrayLike) -> Array:
            return type(self)._backward(
                grad_output, indices, input_shape, data_format=self.data_format
            )

        return y, pullback


class AdaptiveAvgPool1d(_AverageLayer):
    """Adaptive average pooling over 1 axis with fixed arguments, as a callable.

    Parameters
    ----------
    output_size : int or sequence of one int or None
        As for `adaptive_avg_pool1d`.
    data_format : {"channels_first", "channels_last"}
        As for `adaptive_avg_pool1d`.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of one (starts, ends)
        As for `adaptive_avg_pool1d`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.
    Everything about dtypes, ties, NaN and empty axes is said at `adaptive_avg_pool1d`.

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
    """Adaptive average pooling over 2 axes with fixed arguments, as a callable.

    Parameters
    ----------
    output_size : int or sequence of 2 int or None
        As for `adaptive_avg_pool2d`.
    data_format : {"channels_first", "channels_last"}
        As for `adaptive_avg_pool2d`.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of 2 (starts, ends)
        As for `adaptive_avg_pool2d`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.
    Everything about dtypes, ties, NaN and empty axes is said at `adaptive_avg_pool2d`.

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
    """Adaptive average pooling over 3 axes with fixed arguments, as a callable.

    Parameters
    ----------
    output_size : int or sequence of 3 int or None
        As for `adaptive_avg_pool3d`.
    data_format : {"channels_first", "channels_last"}
        As for `adaptive_avg_pool3d`.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of 3 (starts, ends)
        As for `adaptive_avg_pool3d`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.
    Everything about dtypes, ties, NaN and empty axes is said at `adaptive_avg_pool3d`.

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
    """Adaptive max pooling over 1 axis with fixed arguments, as a callable.

    Parameters
    ----------
    output_size : int or sequence of one int or None
        As for `adaptive_max_pool1d`.
    return_indices : bool
        Whether calling the layer returns the pair of maxima and indices.
    data_format : {"channels_first", "channels_last"}
        As for `adaptive_max_pool1d`.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of one (starts, ends)
        As for `adaptive_max_pool1d`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.
    Everything about dtypes, ties, NaN and empty axes is said at `adaptive_max_pool1d`.

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
    """Adaptive max pooling over 2 axes with fixed arguments, as a callable.

    Parameters
    ----------
    output_size : int or sequence of 2 int or None
        As for `adaptive_max_pool2d`.
    return_indices : bool
        Whether calling the layer returns the pair of maxima and indices.
    data_format : {"channels_first", "channels_last"}
        As for `adaptive_max_pool2d`.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of 2 (starts, ends)
        As for `adaptive_max_pool2d`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.
    Everything about dtypes, ties, NaN and empty axes is said at `adaptive_max_pool2d`.

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
    """Adaptive max pooling over 3 axes with fixed arguments, as a callable.

    Parameters
    ----------
    output_size : int or sequence of 3 int or None
        As for `adaptive_max_pool3d`.
    return_indices : bool
        Whether calling the layer returns the pair of maxima and indices.
    data_format : {"channels_first", "channels_last"}
        As for `adaptive_max_pool3d`.
    windows : {"torch", "split", "uniform", "ceil"} or sequence of 3 (starts, ends)
        As for `adaptive_max_pool3d`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, as far as that can be told without an array.

    Notes
    -----
    A layer has no state: it can be pickled, compared, used as a key, and shared by threads.
    Everything about dtypes, ties, NaN and empty axes is said at `adaptive_max_pool3d`.

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
