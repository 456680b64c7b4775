from typing import Any

from numpy.typing import NDArray

from ...call.parts import Parts
from ...call.tables import Windows

ISA: str

def maximum(
    x: NDArray[Any],
    out: NDArray[Any],
    indices: NDArray[Any] | None,
    windows: Windows | Parts,
    element: int,
    num_threads: int,
) -> None: ...
