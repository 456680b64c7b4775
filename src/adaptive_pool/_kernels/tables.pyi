from collections.abc import Iterable
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

@final
class Windows:
    def __new__(
        cls, axes: Iterable[tuple[int, NDArray[np.int64], NDArray[np.int64]]]
    ) -> Self: ...
