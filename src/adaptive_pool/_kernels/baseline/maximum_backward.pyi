from typing import Any

from numpy.typing import NDArray

ISA: str

def any_outside(indices: NDArray[Any], plane: int, num_threads: int) -> bool: ...
def maximum_backward(
    grad_output: NDArray[Any],
    indices: NDArray[Any],
    grad_input: NDArray[Any],
    element: int,
    num_threads: int,
) -> bool: ...
