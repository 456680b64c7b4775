from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...call.kernel import Kernel
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
def maximum_kernel(element: int, indexed: bool) -> Kernel: ...
def maximum_counted(
    x: NDArray[Any],
    out: NDArray[Any],
    indices: NDArray[Any] | None,
    where: NDArray[np.bool_] | None,
    parts: Parts,
    element: int,
    lowest: bytes,
    omits: bool,
    nodata: bytes | None,
    num_threads: int,
) -> bool: ...
