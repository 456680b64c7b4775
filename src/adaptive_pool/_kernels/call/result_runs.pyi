from typing import Any

from numpy.typing import NDArray

from .tables import Windows
from .work import Work

def run_results(
    arrays: list[tuple[NDArray[Any], ...]],
    windows: list[Windows],
    works: tuple[Work, ...],
    num_threads: int,
) -> None: ...
