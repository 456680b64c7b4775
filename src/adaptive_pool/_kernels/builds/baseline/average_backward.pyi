from typing import Any

from numpy.typing import NDArray

from ...call.parts import Parts
from ...call.tables import Windows

ISA: str

def average_backward(
    grad_output: NDArray[Any],
    grad_input: NDArray[Any],
    windows: Windows | Parts,
    element: int,
    num_threads: int,
) -> None: ...
