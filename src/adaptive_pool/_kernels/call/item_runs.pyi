from typing import Any

from numpy.typing import NDArray

from .kernel import Kernel
from .tables import Windows

def run_items(
    arrays: list[tuple[NDArray[Any], ...]], windows: list[Windows], kernel: Kernel, num_threads: int
) -> bool: ...
