from typing import Any

from numpy.typing import NDArray

from ...call.kernel import Kernel
from ...call.parts import Parts
from ...call.tables import Windows

ISA: str

def any_outside(
    indices: NDArray[Any], windows: Windows, plane: int, num_threads: int
) -> bool: ...
def maximum_backward(
    grad_output: NDArray[Any],
    indices: NDArray[Any],
    grad_input: NDArray[Any],
    windows: Windows | Parts,
    element: int,
    num_threads: int,
) -> bool: ...
def maximum_backward_kernel(element: int) -> Kernel: ...
def maximum_unpool(
    values: NDArray[Any],
    indices: NDArray[Any],
    out: NDArray[Any],
    windows: Windows | Parts,
    element: int,
    num_threads: int,
) -> bool: ...
