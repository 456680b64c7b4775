"""How compiled modules find each other where the package has another name, as in a vendored copy.

They import each other as `adaptive_pool._kernels.*`: Cython writes the full name into the C file,
and enters each module under it into `sys.modules`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

OWN = "adaptive_pool"


def _take_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == OWN or name.startswith(f"{OWN}.")]
    return {name: sys.modules.pop(name) for name in names}


@contextmanager
def as_adaptive_pool(package: str) -> Iterator[None]:
    """Let modules imported here find those of this package, and not those of another copy."""
    if package == OWN:
        yield
        return
    others = _take_out()
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]:
        sys.modules[OWN + name.removeprefix(package)] = sys.modules[name]
    try:
        yield
    finally:
        _take_out()
        sys.modules.update(others)
