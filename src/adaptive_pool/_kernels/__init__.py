"""The compiled code. It knows canonical problems; of Python arguments, only which it saw before.

`builds` holds what was built of the sources in the other folders, for which processors. One
build is chosen, once, when the package is imported: the best for this processor, or the one that
the environment variable ``ADAPTIVE_POOL_ISA`` names. ``isa`` says which, ``isas_built``
what there is. All give the same bits.

Every compiled module is imported by its full name here, even where only other compiled modules use
it: programs that pack an application into one file look for such statements.
"""

from __future__ import annotations

import importlib.util
import os
import struct
from typing import TYPE_CHECKING

from ._names import as_adaptive_pool

# Made of bits: reading "5e-324" would be arithmetic with subnormals.
_SMALLEST: float = struct.unpack("<d", b"\x01" + bytes(7))[0]
_LARGE = float.fromhex("0x1p1000")


def subnormals_are_kept() -> bool:
    """Whether this thread computes with subnormals. Asking traps in no thread for underflow."""
    return _SMALLEST * _LARGE > 0


def _advice(error: ImportError) -> str:
    """Say what to do when a compiled module cannot be imported."""
    text = str(error)
    if "gomp" in text or "libomp" in text or "vcomp" in text:
        return (
            f"adaptive_pool was built with OpenMP, whose library is not on this machine: {text}."
            " Install it (Debian and Ubuntu: apt install libgomp1; Fedora: dnf install libgomp;"
            " Alpine: apk add libgomp), or build adaptive_pool without it:"
            " ADAPTIVE_POOL_NO_OPENMP=1 python -m pip install ."
        )
    return (
        f"the compiled modules of adaptive_pool cannot be imported: {text}. They are made by"
        " `python -m pip install .`, for one platform and Python, and do not load from zip files."
    )


_kept_before = subnormals_are_kept()
_package = __name__.rpartition(".")[0]

try:
    with as_adaptive_pool(_package):
        from .call import tables  # isort: skip  # which others use
        from .call import canonical, cpu, elements, known, problem  # isort: skip
        from .threads import parallel  # isort: skip
        from .call import parts  # isort: skip
        from .call import part_runs  # isort: skip
        from .call import kernel  # isort: skip
        from .call import boxes, c_interface, item_runs, result_runs  # isort: skip
except ImportError as _error:
    raise ImportError(_advice(_error), name=_error.name, path=_error.path) from _error

# From the best to the most common.
_RUNS = {
    "x86_64_v4": cpu.has_x86_64_v4(),
    "x86_64_v3": cpu.has_x86_64_v3(),
    "baseline": True,
}
_IS_CHOSEN = {**_RUNS, "x86_64_v4": cpu.gains_by_x86_64_v4()}


def _is_built(name: str) -> bool:
    try:
        return importlib.util.find_spec(f"{__name__}.builds.{name}.average") is not None
    except ModuleNotFoundError:  # not even the folder: left out of a packed application
        return False


isas_built = tuple(filter(_is_built, _RUNS))


def _choose(wanted: str | None) -> str:
    if wanted and wanted not in isas_built:
        raise ImportError(
            f"ADAPTIVE_POOL_ISA={wanted!r} is not built here, expected one of {list(isas_built)}"
        )
    if wanted and not _RUNS[wanted]:
        raise ImportError(f"ADAPTIVE_POOL_ISA={wanted!r} does not run on this processor")
    if wanted:
        return wanted
    for chosen in (_IS_CHOSEN, _RUNS):
        for name in isas_built:
            if chosen[name]:
                return name
    raise ImportError(
        f"adaptive_pool has no kernels that run on this processor: built are {list(isas_built)},"
        f" expected one of {[name for name in _RUNS if _RUNS[name]]}. Install a wheel for this"
        " platform, or build it here: python -m pip install ."
    )


isa = _choose(os.environ.get("ADAPTIVE_POOL_ISA"))

with as_adaptive_pool(_package):
    if TYPE_CHECKING or isa == "baseline":
        from .builds.baseline.average import (
            SPARE_SUMS,
            add_lines,
            average,
            average_counted,
            average_kernel,
            means_of_sums,
            scaled_average_kernel,
        )
        from .builds.baseline.average_backward import (
            average_backward,
            average_backward_counted,
            average_backward_kernel,
            count,
        )
        from .builds.baseline.maximum import maximum, maximum_counted, maximum_kernel
        from .builds.baseline.maximum_backward import (
            any_outside,
            maximum_backward,
            maximum_backward_kernel,
            maximum_unpool,
        )
    elif isa == "x86_64_v3":
        from .builds.x86_64_v3.average import (
            SPARE_SUMS,
            add_lines,
            average,
            average_counted,
            average_kernel,
            means_of_sums,
            scaled_average_kernel,
        )
        from .builds.x86_64_v3.average_backward import (
            average_backward,
            average_backward_counted,
            average_backward_kernel,
            count,
        )
        from .builds.x86_64_v3.maximum import maximum, maximum_counted, maximum_kernel
        from .builds.x86_64_v3.maximum_backward import (
            any_outside,
            maximum_backward,
            maximum_backward_kernel,
            maximum_unpool,
        )
    elif isa == "x86_64_v4":
        from .builds.x86_64_v4.average import (
            SPARE_SUMS,
            add_lines,
            average,
            average_counted,
            average_kernel,
            means_of_sums,
            scaled_average_kernel,
        )
        from .builds.x86_64_v4.average_backward import (
            average_backward,
            average_backward_counted,
            average_backward_kernel,
            count,
        )
        from .builds.x86_64_v4.maximum import maximum, maximum_counted, maximum_kernel
        from .builds.x86_64_v4.maximum_backward import (
            any_outside,
            maximum_backward,
            maximum_backward_kernel,
            maximum_unpool,
        )

# Built with -ffast-math, they would set the processor to flush subnormals to zero.
changed_subnormals = _kept_before and not subnormals_are_kept()

__all__ = [
    "SPARE_SUMS",
    "add_lines",
    "any_outside",
    "average",
    "average_backward",
    "average_backward_counted",
    "average_backward_kernel",
    "average_counted",
    "average_kernel",
    "boxes",
    "c_interface",
    "canonical",
    "changed_subnormals",
    "count",
    "cpu",
    "elements",
    "isa",
    "isas_built",
    "item_runs",
    "kernel",
    "known",
    "maximum",
    "maximum_backward",
    "maximum_backward_kernel",
    "maximum_counted",
    "maximum_kernel",
    "maximum_unpool",
    "means_of_sums",
    "parallel",
    "part_runs",
    "parts",
    "problem",
    "result_runs",
    "scaled_average_kernel",
    "subnormals_are_kept",
    "tables",
]
