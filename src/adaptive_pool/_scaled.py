"""Averages that are scaled on their way to memory: mean * scale + offset.

All three are float64, each operation is rounded once, and the result once more to what is stored.
`_kernels/call/boxes.pyx` computes means in scratch, a box at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import _dtypes
from ._arrays import Array, as_array
from ._items import run_in_turn
from ._kernels import scaled_average_kernel
from ._kernels.call.elements import ELEMENTS
from ._kernels.call.problem import Problem
from ._options import Options

INTEGERS = ("int8", "uint8", "int16", "uint16")  # that results may be, besides floats


class Scaling(NamedTuple):
    """What means are multiplied by, and what is added: numbers, or one for each channel."""

    scale: Array
    offset: Array

    def spread(self, shape: tuple[int, ...], channel_axis: int) -> tuple[Array, Array]:
        """Return both in the shape of a result; nothing is copied."""
        behind = (1,) * (len(shape) - 1 - channel_axis)
        scale, offset = (
            np.broadcast_to(x.reshape(x.shape + behind) if x.ndim else x, shape) for x in self
        )
        return scale, offset


def channel_axis_of(ndim: int, axes: int, data_format: str) -> int:
    """Return the axis of channels of an array with so many axes; -1 if there is none."""
    return axes - 1 - (ndim if data_format == "channels_first" else 0)


def scaling_of(
    function: str, options: Options, shape: tuple[int, ...], channel_axis: int
) -> Scaling:
    """Return how results of an array of that shape are scaled, checked."""
    channels = shape[channel_axis] if channel_axis >= 0 else None
    return Scaling(
        numbers_of(function, "scale", options.scale, 1.0, channels),
        numbers_of(function, "offset", options.offset, 0.0, channels),
    )


def numbers_of(function: str, name: str, given: Any, default: float, channels: int | None) -> Array:
    """Return a number, or one for each channel, as float64."""
    numbers = as_array(function, name, default if given is None else given)
    _dtypes.check_dtype(function, name, numbers.dtype, _dtypes.SUPPORTED)
    if numbers.ndim > 0 and numbers.shape != (channels,):
        each = "" if channels is None else f", or one for each of {channels} channels"
        raise ValueError(f"{function}: {name} must be a number{each}; got shape {numbers.shape}")
    return numbers.astype(np.float64)


def scaled_dtype(function: str, x: np.dtype[Any], dtype: np.dtype[Any] | None) -> np.dtype[Any]:
    """Return the dtype of scaled averages of `x`s, where the caller asks for `dtype`."""
    if dtype is None:
        return _dtypes.mean_dtype(function, x, None)
    allowed = (*_dtypes.FLOATS, *INTEGERS)
    if _dtypes.name_of(dtype) not in allowed or not dtype.isnative:
        raise TypeError(
            f"{function}: dtype must be one of {', '.join(allowed)} for means that are scaled, "
            f"got {_dtypes.text_of(dtype)}"
        )
    return dtype


def store_scaled(
    items: Sequence[int],
    arrays_of: Callable[[int], tuple[Array, Array]],
    problems: Sequence[Problem],
    scaling: Scaling,
    channel_axis: int,
    threads: int,
) -> None:
    """Pool items of these numbers, each an input and its result; none of them is empty."""
    x, y = arrays_of(items[0])
    least = most = 0.0
    if y.dtype.kind in "iu":
        least, most = float(np.iinfo(y.dtype).min), float(np.iinfo(y.dtype).max)
    kernel = scaled_average_kernel(
        ELEMENTS[_dtypes.name_of(x.dtype)], ELEMENTS[_dtypes.name_of(y.dtype)], least, most
    )

    spread: dict[tuple[int, ...], tuple[Array, Array]] = {}  # of results of a shape

    def with_factors(k: int) -> tuple[Array, ...]:
        shape = problems[k].output_shape
        if shape not in spread:
            spread[shape] = scaling.spread(shape, channel_axis)
        return (*arrays_of(k), *spread[shape])

    run_in_turn(lambda _: kernel, items, with_factors, problems, threads)
