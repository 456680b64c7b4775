"""The variables of the environment that change a build; CONTRIBUTING.md lists them."""

import os
import platform
import sysconfig

import flags


def switch(name: str) -> bool:
    """Whether a variable of the environment is 1; where it is not set, 0 or empty it is off."""
    value = os.environ.get(name) or "0"
    if value not in {"0", "1"}:
        raise SystemExit(f"{name} is 0 or 1, got {value!r}")
    return value == "1"


# Without OpenMP, threads are the package's own pool; without abi3, the build is for one version of
# Python.
OPENMP = flags.TARGET.startswith(("linux", "win")) and not switch("ADAPTIVE_POOL_NO_OPENMP")
DEBUG = switch("ADAPTIVE_POOL_DEBUG")
ABI3 = (
    not switch("ADAPTIVE_POOL_NO_ABI3")
    and platform.python_implementation() == "CPython"
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
)
BUILDS = os.environ.get("ADAPTIVE_POOL_BUILDS", " ".join(flags.LEVELS)).split()
for name in BUILDS:
    if name not in flags.LEVELS:
        raise SystemExit(f"ADAPTIVE_POOL_BUILDS: {name!r} is not one of {list(flags.LEVELS)}")


def last_flags() -> list[str]:
    """Return what ADAPTIVE_POOL_FLAGS says. It comes last, so nothing unsafe may be there."""
    wanted = os.environ.get("ADAPTIVE_POOL_FLAGS", "").split()
    for flag in flags.without_unsafe(wanted)[1]:
        raise SystemExit(f"ADAPTIVE_POOL_FLAGS: {flag} {flags.reason_against(flag) or 'is unsafe'}")
    return wanted
