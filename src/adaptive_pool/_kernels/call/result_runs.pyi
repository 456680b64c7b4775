from typing import Any

from numpy.typing import NDArray

from .kernel import Kernel
from .tables import Windows

def run_results(
    arrays: list[tuple[NDArray[Any], ...]],
    windows: list[Windows],
    kernels: tuple[Kernel, ...],
    num_threads: int,
) -> None: ...
