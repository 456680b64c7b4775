from typing import Any, final

import numpy as np
from numpy.typing import NDArray

LONGEST_TABLE: int
RULES: dict[str, int]

_Table = (
    tuple[NDArray[np.int64], NDArray[np.int64]]
    | tuple[
        NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int, int, int
    ]
)

def are_sizes(value: object, or_none: bool, /) -> bool: ...
def cut(starts: NDArray[np.int64], ends: NDArray[np.int64], size: int, rule: int, /) -> None: ...
def cut_in_blocks(
    starts: NDArray[np.int64], ends: NDArray[np.int64], size: int, block: int, offset: int, /
) -> None: ...
def weigh(firsts: NDArray[np.int64], lasts: NDArray[np.int64], size: int, /) -> None: ...
def first_outside(starts: NDArray[np.int64], ends: NDArray[np.int64], size: int, /) -> int: ...
def windows_by_rule(
    first_axis: int, sizes: tuple[int, ...], counts: tuple[int, ...], rule: int, /
) -> Windows: ...
def windows_given(
    first_axis: int, sizes: tuple[int, ...], tables: tuple[_Table, ...], /
) -> Windows: ...
@final
class Windows:
    @property
    def largest(self) -> float: ...
