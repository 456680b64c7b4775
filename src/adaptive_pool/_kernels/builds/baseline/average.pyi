from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...call.parts import Parts
from ...call.tables import Windows
from ...call.work import Work

ISA: str

def average(
    x: NDArray[Any],
    out: NDArray[Any],
    windows: Windows | Parts,
    element: int,
    out_element: int,
    num_threads: int,
) -> None: ...
def average_work(element: int, out_element: int, is_large: bool) -> Work: ...
def scaled_average_work(
    element: int, out_element: int, least: float, most: float
) -> Work: ...
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
