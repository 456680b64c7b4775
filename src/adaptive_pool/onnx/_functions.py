"""The functions of this library by what they pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _average, _maximum


def function_of(kind: str, ndim: int) -> Callable[..., Any]:
    """Return what pools `ndim` axes: averages, or maxima."""
    module = _average if kind == "avg" else _maximum
    function: Callable[..., Any] = getattr(module, f"adaptive_{kind}_pool{ndim}d")
    return function
