"""How ``adaptive-pool pool`` pools what was read: inputs alike in one call, others one by one."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from .._average import adaptive_avg_pool2d
from .._average_ragged import adaptive_avg_pool2d_ragged
from .._maximum import adaptive_max_pool2d
from .._maximum_ragged import adaptive_max_pool2d_ragged
from .._problem import Array
from ..pictures import Layout
from .alpha import Pooling, Transparent, as_channel, visible_maximum, weighted_mean
from .errors import CommandError, Skipped
from .files import Input
from .normalising import asked_for
from .output import Output, Picture
from .strips import Large, Size, pool_in_strips

# Bytes of inputs and results that are pooled together: more would not be faster.
_MOST_BYTES = 2**26
# Bytes. No result has longer elements.
_ITEMSIZE = 8


class Pooler:
    """Pools inputs as the arguments say."""

    def __init__(self, arguments: argparse.Namespace, output: Output) -> None:
        self._size: Size = arguments.size
        self._maxima = arguments.mode == "max"
        self._data_format = arguments.data_format
        self._windows = arguments.windows
        self._threads = arguments.threads
        self._to_picture = isinstance(output, Picture)
        self._normalising = asked_for(arguments, to_picture=self._to_picture)
        # What is normalised after it was pooled is not rounded in between.
        self._dtype = "float64" if self._normalising else _dtype(arguments, output)
        self._channels_last = arguments.data_format == "channels_last"
        self._layout: Layout = arguments.layout or ("NHWC" if self._channels_last else "NCHW")
        self._takes_alpha = output.takes_alpha if isinstance(output, Picture) else _no_alpha

    def one(self, array: Input) -> Array:
        """Return the result of one input."""
        if self._normalising is None:
            return self._laid_out(self._one(array), channels_last=self._channels_last)
        if isinstance(array, np.ndarray) and array.ndim == 3:
            result: Array = self.together([array])[0]
            return result
        dtype = array.colours.dtype if isinstance(array, Transparent) else array.dtype
        means = self._one(array)
        means = means if self._channels_last else np.moveaxis(means, -3, -1)
        return self._laid_out(self._normalising.normalised(means, dtype), channels_last=True)

    def together(self, arrays: list[Array]) -> Array:
        """Return the results of arrays alike, the same bits as one by one."""
        if self._normalising is not None:
            if not self._channels_last:
                arrays = [np.moveaxis(array, 0, -1) for array in arrays]
            height, width = self._size
            size = (height or 0, width or 0)  # they are not None, or it would not be asked for
            return self._normalising.tensor(
                arrays, size, self._windows, self._layout, self._threads
            )
        if self._maxima:
            pooled = adaptive_max_pool2d_ragged(
                arrays,
                self._size,
                data_format=self._data_format,
                windows=self._windows,
                num_threads=self._threads,
            )
        else:
            pooled = adaptive_avg_pool2d_ragged(
                arrays,
                self._size,
                data_format=self._data_format,
                windows=self._windows,
                dtype=self._dtype_for(arrays[0]),
                num_threads=self._threads,
            )
        return self._laid_out(pooled, channels_last=self._channels_last)

    def _one(self, array: Input) -> Array:
        if isinstance(array, Large):
            return pool_in_strips(array, self._pool, self._size, self._windows, self._data_format)
        return self._transparent(array) if isinstance(array, Transparent) else self._pool(array)

    def _laid_out(self, pooled: Array, *, channels_last: bool) -> Array:
        """Return results in the layout of the output."""
        if channels_last == (self._layout == "NHWC"):
            return pooled
        return np.moveaxis(pooled, -1, -3) if channels_last else np.moveaxis(pooled, -3, -1)

    def alike(self, array: Input) -> object:
        """Return what those have in common that are pooled together, or None: one by one."""
        if not isinstance(array, np.ndarray) or array.ndim != 3 or None in self._size:
            return None
        channels = array.shape[0 if self._data_format == "channels_first" else -1]
        return array.dtype, channels

    def bytes_for(self, array: Array) -> int:
        """Return how much an array of three axes and its result may take, all in memory."""
        height, width = self._size
        channels: int = array.shape[0 if self._data_format == "channels_first" else -1]
        return int(array.nbytes) + (height or 0) * (width or 0) * channels * _ITEMSIZE

    def _dtype_for(self, array: Array) -> np.dtype | None:
        if self._dtype is None and self._to_picture:
            return np.dtype(np.uint16 if array.dtype == np.uint16 else np.uint8)
        return None if self._dtype is None else np.dtype(self._dtype)

    def _pool(self, array: Array, size: Size | None = None) -> Array:
        size = self._size if size is None else size
        if self._maxima:
            return adaptive_max_pool2d(
                array,
                size,
                data_format=self._data_format,
                windows=self._windows,
                num_threads=self._threads,
            )
        return adaptive_avg_pool2d(
            array,
            size,
            data_format=self._data_format,
            windows=self._windows,
            dtype=self._dtype_for(array),
            num_threads=self._threads,
        )

    def _transparent(self, picture: Transparent) -> Array:
        pooling = Pooling(self._size, self._windows, self._threads)
        if self._maxima:
            pooled = visible_maximum(picture, pooling)
        else:
            pooled = weighted_mean(picture, pooling, self._dtype_for(picture.colours))
        channel = 0 if self._data_format == "channels_first" else -1
        pooled = np.moveaxis(pooled, -1, channel)
        if not self._takes_alpha(picture.colours.dtype):
            return pooled
        alpha = as_channel(picture.colours, picture.weights)
        return np.concatenate([pooled, self._pool(np.expand_dims(alpha, channel))], channel)


def _dtype(arguments: argparse.Namespace, output: Output) -> str | None:
    """Return the dtype to ask of averages."""
    dtype: str | None = arguments.dtype
    if arguments.mode == "max" and dtype is not None:
        raise CommandError("--dtype is for --mode avg: maxima have the dtype of the input")
    if not isinstance(output, Picture):
        return dtype
    if dtype not in (None, "uint8", "uint16"):
        raise CommandError(f"a picture holds uint8 or uint16, got --dtype {dtype}")
    return dtype


def _no_alpha(_: np.dtype) -> bool:
    return False


class _Waiting(NamedTuple):
    name: str
    short: str
    array: Input


class Batch:
    """Inputs that were read and wait to be pooled together, at most `most` of them."""

    def __init__(self, pooler: Pooler, output: Output, skipped: Skipped, most: int) -> None:
        self._pooler, self._output, self._skipped = pooler, output, skipped
        self._most = most
        self._waiting: list[_Waiting] = []
        self._kind: object = None
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, name: str, short: str, array: Input) -> None:
        """Take an input, and pool those before it if they are of another kind."""
        kind = self._pooler.alike(array)
        if kind is None or kind != self._kind:
            self.pool()
        self._kind = kind
        self._waiting.append(_Waiting(name, short, array))
        if isinstance(array, np.ndarray) and kind is not None:
            self._bytes += self._pooler.bytes_for(array)
        if kind is None or len(self) >= self._most or self._bytes >= _MOST_BYTES:
            self.pool()

    def pool(self) -> None:
        """Pool all that wait, in their order."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        for item, result in zip(waiting, self._together(waiting), strict=True):
            with self._skipped.attempt(item.name):
                pooled = self._pooler.one(item.array) if result is None else result
                self._output.add(item.name, item.short, pooled)

    def _together(self, waiting: list[_Waiting]) -> Iterable[Array | None]:
        """Return the results, or None for each where one call does not do for all.

        If it fails, that of an input by itself says which one it was.
        """
        if len(waiting) > 1:
            with contextlib.suppress(Exception):
                return list(self._pooler.together([item.array for item in waiting]))  # type: ignore[misc]
        return [None] * len(waiting)
