from typing import Any

from numpy.typing import NDArray

from .tables import Windows
from .work import Work

def run_boxes(
    arrays: list[tuple[NDArray[Any], ...]], windows: list[Windows], work: Work, num_threads: int
) -> None: ...
