from typing import final

import numpy as np
from numpy.typing import NDArray

_Table = (
    tuple[NDArray[np.int64], NDArray[np.int64]]
    | tuple[
        NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int, int, int
    ]
)

@final
class Parts:
    def __new__(
        cls,
        function: str,
        names: str,
        first_axis: int,
        sizes: tuple[int, ...],
        counts: tuple[int, ...],
        samples: int,
        rows: NDArray[np.int64],
        rule: str,
        tables: tuple[_Table | None, ...],
    ) -> Parts: ...
    @property
    def at_once(self) -> bool: ...
    @property
    def count(self) -> int: ...
    @property
    def largest(self) -> int: ...
    @property
    def elements(self) -> float: ...
    def count_elements(self, axis: int, out: NDArray[np.int64], /) -> None: ...
    def store_units(self, out: NDArray[np.int64], /) -> None: ...
    def fill_short(self, least: int, filler: bytes, /) -> None: ...
