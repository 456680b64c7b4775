from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...call.kernel import Kernel
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
SPARE_SUMS: int

def add_lines(x: NDArray[Any], sums: NDArray[Any], element: int) -> None: ...
def means_of_sums(
    sums: NDArray[Any],
    start: int,
    end: int,
    numbers: NDArray[np.float64],
    out: NDArray[Any],
    element: int,
    out_element: int,
) -> None: ...
def average_kernel(element: int, out_element: int, is_large: bool) -> Kernel: ...
def scaled_average_kernel(
    element: int, out_element: int, least: float, most: float
) -> Kernel: ...
def average_counted(
    x: NDArray[Any],
    out: NDArray[Any],
    where: NDArray[np.bool_] | None,
    counts: NDArray[np.int64] | None,
    parts: Parts,
    element: int,
    out_element: int,
    omits: bool,
    nodata: bytes | None,
    num_threads: int,
) -> None: ...
