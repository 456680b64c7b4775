from typing import Any

from numpy.typing import NDArray

from ...call.parts import Parts
from ...call.tables import Windows

ISA: str

def average(
    x: NDArray[Any],
    out: NDArray[Any],
    windows: Windows | Parts,
    element: int,
    out_element: int,
    num_threads: int,
) -> None: ...
