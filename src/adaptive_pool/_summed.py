"""Gradients of several results of one input: their sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from . import _dtypes
from ._arrays import Array
from ._objects import no_memory
from ._problem import check_out, deliver


def sum_of_gradients(
    function: str, gradients: Sequence[Callable[[], Array]], out: Array | None
) -> Array:
    """Return the sum of gradients, added in their order, in `out` if that is given.

    There is memory for two of them at a time.
    """
    try:
        total = gradients[0]()
        for make in gradients[1:]:
            gradient = make()
            if gradient.dtype != total.dtype:
                raise TypeError(
                    f"{function}: gradients must have one dtype, got "
                    f"{_dtypes.text_of(total.dtype)} and {_dtypes.text_of(gradient.dtype)}"
                )
            with np.errstate(all="ignore"):
                np.add(total, gradient, out=total)
        if out is None:
            return total
        check_out(function, "out", out, total.shape, total.dtype)
        return deliver(total, out, out)
    except MemoryError as error:
        raise no_memory(function, error) from error
