from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from .tables import Windows

_Table = (
    tuple[NDArray[np.int64], NDArray[np.int64]]
    | tuple[
        NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int, int, int
    ]
)

def check_addressable(function: str, shape: tuple[int, ...], itemsize: int, /) -> None: ...
def check_not_empty(function: str, size: int, count: int, rule: str, /) -> None: ...
@final
class Problem:
    @property
    def input_shape(self) -> tuple[int, ...]: ...
    @property
    def output_shape(self) -> tuple[int, ...]: ...
    @property
    def input_size(self) -> tuple[int, ...]: ...
    @property
    def output_size(self) -> tuple[int, ...]: ...
    @property
    def elements(self) -> float: ...
    @property
    def computes(self) -> bool: ...
    @property
    def at_once(self) -> bool: ...
    @property
    def first_axis(self) -> int: ...
    @property
    def others(self) -> int: ...
    @property
    def windows(self) -> str | tuple[Any, ...] | None: ...
    @property
    def plane(self) -> int: ...
    def __new__(
        cls,
        function: str,
        input_shape: tuple[int, ...],
        first_axis: int,
        counts: tuple[int | None, ...],
        windows: str | tuple[_Table, ...] | None,
        itemsize: int,
    ) -> Self: ...
    def cut(self) -> Windows | None: ...
