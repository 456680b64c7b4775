"""What a library has to offer to be timed: one small class with one `prepare(case)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np
from cases import Case

Call = Callable[[], Any]


def flat(results: Iterable[Any]) -> list[Any]:
    """Return arrays, and those of tuples and lists among them, in one list."""
    found: list[Any] = []
    for result in results:
        found += flat(result) if isinstance(result, tuple | list) else [result]
    return found


class Library:
    """A library, imported by `__init__` in a process of its own and told its number of threads.

    `windows`, `weights` and `levels` say what its results are compared with: see `check.py`.
    """

    module: ClassVar[str]  # what is imported, to see whether it is there
    distribution: ClassVar[str]  # what is installed, to ask for its version
    needs: ClassVar[tuple[str, ...]] = ()  # what else has to be there
    windows: ClassVar[str] = "torch"  # which inputs feed which outputs
    weights: ClassVar[float] = 0.0  # relative error of the weights of a float mean
    levels: ClassVar[float] = 0.5  # how far an integer mean may be from the exact one: rounded once

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def prepare(self, case: Case) -> Call | None:
        """Make the input and return what is timed, or None if the library has no such operation."""
        raise NotImplementedError

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:  # noqa: ARG002
        """Return a result as arrays in the layout of the case: halves as float32."""
        results = flat([result])
        halves = [r.dtype.itemsize == 2 and r.dtype.kind not in "iu" for r in results]
        return [r.astype(np.float32) if h else r for r, h in zip(results, halves, strict=True)]
