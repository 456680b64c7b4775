"""What was built, what was found, what is in force."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _kernels, _threads
from ._cpus import cpu_limit
from ._kernels import cpu, parallel

__version__ = cpu.VERSION


def config() -> dict[str, Any]:
    """Describe this installation and its settings.

    Returns
    -------
    dict
        ``version`` of adaptive_pool and ``numpy`` of NumPy, ``isa`` (the instruction set of the
        kernels in use), ``isas_built`` (all that were built), ``openmp`` (whether it was built with
        OpenMP), ``threads`` (what runs a call on several threads: "openmp", our own "pool", or
        "none"), ``num_threads`` (`get_num_threads`), ``cpu_limit`` (the CPUs this process may use),
        ``arithmetic`` ("exact", or what is wrong: a few tiny calls compare the kernels with known
        results, since a build with flags such as ``-ffast-math`` would change some of them).

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.config()["isa"] in ap.config()["isas_built"]
    True
    """
    from ._self_check import arithmetic  # for those who ask

    return {
        "version": __version__,
        "numpy": np.__version__,
        "isa": _kernels.isa,
        "isas_built": _kernels.isas_built,
        "openmp": "openmp" in parallel.backends(),
        "threads": parallel.backend(),
        "num_threads": _threads.get_num_threads(),
        "cpu_limit": cpu_limit(),
        "arithmetic": arithmetic(),
    }


def show_config() -> None:
    """Print `config`, one entry a line.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.show_config()  # doctest: +SKIP
    version      0.1.0
    numpy        2.4.6
    isa          x86_64_v3
    isas_built   x86_64_v4, x86_64_v3, baseline
    openmp       True
    threads      pool
    num_threads  2
    cpu_limit    2
    arithmetic   exact
    """
    for name, value in config().items():
        text = ", ".join(value) if isinstance(value, tuple) else value
        print(f"{name:<12} {text}")
