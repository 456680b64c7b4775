"""The compiled part of the build: what pyproject.toml cannot say."""

import os
import platform
import sys
import sysconfig

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = "src/adaptive_pool/_kernels"

# ADAPTIVE_POOL_NO_OPENMP=1 leaves the threads to the package's own pool; ADAPTIVE_POOL_NO_ABI3=1
# builds for one version of Python; ADAPTIVE_POOL_FLAGS are flags for compiler and linker, after all
# others. Those in CFLAGS come before: what a distribution sets for all it builds must not take away
# -O3.
OPENMP = os.environ.get("ADAPTIVE_POOL_NO_OPENMP") != "1" and sys.platform in {"linux", "win32"}
# Builds of the kernels beside the baseline: a name, and the flags of the compiler.
LEVELS = {"baseline": []}
if sysconfig.get_platform() == "linux-x86_64":
    LEVELS["x86_64_v3"] = ["-march=x86-64-v3"]
if "ADAPTIVE_POOL_BUILDS" in os.environ:  # only some of them
    LEVELS = {name: LEVELS[name] for name in os.environ["ADAPTIVE_POOL_BUILDS"].split()}
ABI3 = (
    os.environ.get("ADAPTIVE_POOL_NO_ABI3") != "1"
    and platform.python_implementation() == "CPython"
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
)

DIRECTIVES = {
    "language_level": 3,
    "binding": False,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "embedsignature": False,
}

# Contraction to FMA would make bits depend on the CPU; neither errno nor floating-point traps are
# used, and giving them up lets more loops vectorise. Never -ffast-math: it drops NaN and -0.0.
FLAGS = {
    "unix": ["-O3", "-g0", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"],
    "msvc": ["/O2", "/fp:precise"],
}
# Of `parallel`, the one module that starts threads.
OPENMP_FLAGS = {"unix": (["-fopenmp"], ["-fopenmp"]), "msvc": (["/openmp"], [])}
POOL_FLAGS = {"unix": (["-pthread"], ["-pthread"])}
LAST_FLAGS = os.environ.get("ADAPTIVE_POOL_FLAGS", "").split()


class BuildKernels(build_ext):
    """Compiler flags, once the compiler is known."""

    def build_extensions(self) -> None:
        kind = self.compiler.compiler_type
        threads = (OPENMP_FLAGS if OPENMP else POOL_FLAGS).get(kind, ([], []))
        for extension in self.extensions:
            level = extension.name.split(".")[2]
            extra = threads if level == "parallel" else ([], [])
            extension.extra_compile_args = (
                FLAGS.get(kind, []) + extra[0] + LEVELS.get(level, []) + LAST_FLAGS
            )
            extension.extra_link_args = extra[1] + LAST_FLAGS
            extension.define_macros = [("AP_ISA", f'"{level}"')] if level in LEVELS else []
            if ABI3:
                extension.define_macros.append(("Py_LIMITED_API", "0x030B0000"))
                extension.py_limited_api = True
        self.parallel = os.cpu_count()
        super().build_extensions()


def modules(names: list[str], package: str) -> list[Extension]:
    """One build of some sources; a folder of C files each, or builds would overwrite each other."""
    return cythonize(
        [Extension(f"{package}.{name}", [f"{KERNELS}/{name}.pyx"]) for name in names],
        compiler_directives=DIRECTIVES,
        build_dir=f"build/{package}",
    )


PACKAGE = "adaptive_pool._kernels"
ONCE = ["canonical", "cpu", "elements", "parallel", "tables"]
PER_LEVEL = ["average", "average_backward", "maximum", "maximum_backward"]

setup(
    ext_modules=modules(ONCE, PACKAGE)
    + [extension for level in LEVELS for extension in modules(PER_LEVEL, f"{PACKAGE}.{level}")],
    cmdclass={"build_ext": BuildKernels},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if ABI3 else {},
)
