from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...call.kernel import Kernel
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
def average_backward_kernel(element: int, windows: list[Windows]) -> Kernel: ...
def count(
    where: NDArray[np.bool_] | None,
    x: NDArray[Any] | None,
    results: NDArray[np.int64] | NDArray[np.float64],
    parts: Parts,
    x_element: int,
    omits: bool,
    nodata: bytes | None,
    shares: bool,
    divides: bool,
    num_threads: int,
) -> None: ...
def average_backward_counted(
    shares: NDArray[np.float64],
    grad_input: NDArray[Any],
    where: NDArray[np.bool_] | None,
    x: NDArray[Any] | None,
    parts: Parts,
    element: int,
    x_element: int,
    omits: bool,
    nodata: bytes | None,
    num_threads: int,
) -> None: ...
