from collections.abc import Callable
from typing import Any

import numpy as np

def handler(
    run: Callable[[bytes, tuple[Any, ...], tuple[Any, ...]], None], bfloat16: np.dtype[Any], /
) -> object: ...
