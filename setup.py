"""The compiled part of the build: what pyproject.toml cannot say."""

import os
import platform
import sysconfig

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError

KERNELS = "src/adaptive_pool/_kernels"

TARGET = sysconfig.get_platform()  # of what is built for, which need not be what builds


def switch(name: str) -> bool:
    """Whether a variable of the environment is 1; where it is not set, 0 or empty it is off."""
    value = os.environ.get(name) or "0"
    if value not in {"0", "1"}:
        raise SystemExit(f"{name} is 0 or 1, got {value!r}")
    return value == "1"


# Without OpenMP, threads are the package's own pool; without abi3, the build is for one version of
# Python. ADAPTIVE_POOL_FLAGS are flags for compiler and linker, after all others. Those in CFLAGS
# come before: what a distribution sets for all it builds must not take away -O3.
OPENMP = TARGET.startswith(("linux", "win")) and not switch("ADAPTIVE_POOL_NO_OPENMP")
DEBUG = switch("ADAPTIVE_POOL_DEBUG")
# Builds of the kernels beside the baseline: a name, and the flags of the compiler.
LEVELS = {"baseline": []}
if TARGET == "linux-x86_64":
    LEVELS["x86_64_v3"] = ["-march=x86-64-v3"]
if "ADAPTIVE_POOL_BUILDS" in os.environ:  # only some of them
    LEVELS = {name: LEVELS[name] for name in os.environ["ADAPTIVE_POOL_BUILDS"].split()}
ABI3 = (
    not switch("ADAPTIVE_POOL_NO_ABI3")
    and platform.python_implementation() == "CPython"
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
)

DIRECTIVES = {
    "language_level": 3,
    "binding": False,
    "boundscheck": DEBUG,
    "wraparound": False,  # a negative index is an error where bounds are checked
    "initializedcheck": DEBUG,
    "nonecheck": DEBUG,
    "cdivision": not DEBUG,
    "embedsignature": False,
}

# Contraction to FMA would make bits depend on the CPU; neither errno nor floating-point traps are
# used, and giving them up lets more loops vectorise. Never -ffast-math: it drops NaN and -0.0.
SPEED = {"unix": ["-O3", "-g0"], "msvc": ["/O2"]}
if DEBUG:
    SPEED = {"unix": ["-O0", "-g", "-UNDEBUG"], "msvc": ["/Od", "/UNDEBUG"]}
FLAGS = {
    "unix": [*SPEED["unix"], "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"],
    "msvc": [*SPEED["msvc"], "/fp:precise"],
}
# Of `parallel`, the one module that starts threads.
OPENMP_FLAGS = {"unix": (["-fopenmp"], ["-fopenmp"]), "msvc": (["/openmp"], [])}
POOL_FLAGS = {} if TARGET.startswith("emscripten") else {"unix": (["-pthread"], ["-pthread"])}
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

    def build_extension(self, extension: Extension) -> None:
        try:
            super().build_extension(extension)
        except (CompileError, LinkError) as error:
            if not OPENMP or not extension.name.endswith(".parallel"):
                raise
            raise CompileError(
                f"{error}\nIf this compiler has no OpenMP, set ADAPTIVE_POOL_NO_OPENMP=1: the"
                " package then uses threads of its own."
            ) from error


def modules(names: list[str], package: str) -> list[Extension]:
    """One build of some sources; a folder of C files each, or builds would take each other's."""
    return cythonize(
        [
            Extension(f"{package}.{name}", [f"{KERNELS}/{name}.pyx"], include_dirs=[KERNELS])
            for name in names
        ],
        compiler_directives=DIRECTIVES,
        build_dir=f"build/{'debug/' if DEBUG else ''}{package}",
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
