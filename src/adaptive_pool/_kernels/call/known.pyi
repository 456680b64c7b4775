from collections.abc import Callable
from typing import Any, TypeVar, final

import numpy as np

from .problem import Problem

_Result = TypeVar("_Result")
_Array = tuple[tuple[int, ...], np.dtype[Any]]

def prepare(
    kind: type, empty: Callable[..., Any], choose_threads: Callable[..., int], below: int, /
) -> None: ...
def learn(dtype: np.dtype[Any], /) -> None: ...
def forget_all() -> None: ...
def call(general: Callable[..., _Result], /, *arguments: object) -> _Result: ...
@final
class Signature:
    def keep(
        self,
        kernel: Callable[..., object],
        inputs: tuple[_Array, ...],
        results: tuple[_Array | None, ...],
        rest: tuple[object, ...],
        windows: int,
        work: float,
        shared: tuple[tuple[int | None, ...], int, int] | None,
        problem: Problem,
    ) -> None: ...
