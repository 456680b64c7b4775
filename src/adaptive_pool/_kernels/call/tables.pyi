from collections.abc import Sequence
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

def are_sizes(value: object, or_none: bool, /) -> bool: ...
def are_strings(values: tuple[object, ...], count: int, /) -> bool: ...
@final
class Windows:
    @property
    def largest(self) -> float: ...
    def __new__(
        cls, first_axis: int, axes: Sequence[tuple[int, NDArray[np.int64], NDArray[np.int64]]]
    ) -> Self: ...
