from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

class Windows:
    def __init__(
        self, axes: Iterable[tuple[int, NDArray[np.int64], NDArray[np.int64]]]
    ) -> None: ...
