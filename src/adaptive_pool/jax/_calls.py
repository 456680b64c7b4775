"""A call as text, and the call that a text describes, run on arrays of NumPy.

XLA keeps the text in compiled programs, which may be stored and run by another process: it says
all that arrays do not. Nothing here knows JAX.
"""

from __future__ import annotations

import functools
import json
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from .._arrays import Array
from .._functions import AVERAGE, AVERAGE_BACKWARD, MAXIMUM, MAXIMUM_BACKWARD
from .._objects import shown
from .._problem import axes_pooled

Kind: TypeAlias = Literal["average", "average_backward", "maximum", "maximum_backward"]
Arrays: TypeAlias = tuple[Array, ...]


class Pooling(NamedTuple):
    """How arrays are pooled; how many outputs there are, their shapes say."""

    ndim: int
    data_format: str
    windows: Any  # the name of a rule, or for each pooled axis starts and ends
    num_threads: int | None

    def axes(self, rank: int) -> slice:
        """Return the pooled axes of an array of so many axes."""
        return axes_pooled(self.ndim, rank, self.data_format)

    def sizes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the lengths of the pooled axes."""
        return shape[self.axes(len(shape))]

    def resized(self, shape: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[int, ...]:
        """Return a shape with other lengths of the pooled axes."""
        axes = self.axes(len(shape))
        return (*shape[: axes.start], *sizes, *shape[axes.stop :])


def text_of(kind: Kind, pooling: Pooling) -> str:
    """Write down a call."""
    return json.dumps([kind, *pooling])


@functools.lru_cache(maxsize=1024)
def _read(text: bytes) -> tuple[Kind, Pooling]:
    kind, *fields = json.loads(text)
    if kind not in get_args(Kind):
        raise ValueError(f"adaptive_pool.jax: there is no call {shown(kind)}")
    pooling = Pooling(*fields)
    if isinstance(pooling.windows, str):
        return kind, pooling
    tables = [(np.array(starts), np.array(ends)) for starts, ends in pooling.windows]
    return kind, pooling._replace(windows=tables)


def run(text: bytes, inputs: Arrays, outputs: Arrays) -> None:
    """Run the call that was written down."""
    kind, pooling = _read(text)
    of = pooling.ndim - 1
    layout: Any = {"data_format": pooling.data_format, "num_threads": pooling.num_threads}
    first, windows = outputs[0], pooling.windows
    sizes = pooling.sizes(first.shape)
    if kind == "average":
        AVERAGE[of](*inputs, sizes, windows=windows, dtype=first.dtype, out=first, **layout)
    elif kind == "average_backward":
        AVERAGE_BACKWARD[of](*inputs, first.shape, windows=windows, out=first, **layout)
    elif kind == "maximum_backward":
        MAXIMUM_BACKWARD[of](*inputs, first.shape, out=first, **layout)
    elif len(outputs) == 1:
        MAXIMUM[of](*inputs, sizes, windows=windows, out=first, **layout)
    else:
        layout |= {"return_indices": True, "index_dtype": outputs[1].dtype}
        MAXIMUM[of](*inputs, sizes, windows=windows, out=outputs, **layout)
