"""The compiled part of the build: what pyproject.toml cannot say."""

import os
import platform
import sys
import sysconfig

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = "src/adaptive_pool/_kernels"

# ADAPTIVE_POOL_NO_OPENMP=1 builds serial kernels; ADAPTIVE_POOL_NO_ABI3=1 builds for one version
# of Python.
OPENMP = os.environ.get("ADAPTIVE_POOL_NO_OPENMP") != "1" and sys.platform in {"linux", "win32"}
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
OPENMP_FLAGS = {"unix": (["-fopenmp"], ["-fopenmp"]), "msvc": (["/openmp"], [])}


class BuildKernels(build_ext):
    """Compiler flags, once the compiler is known."""

    def build_extensions(self) -> None:
        kind = self.compiler.compiler_type
        compile_args, link_args = list(FLAGS.get(kind, [])), []
        if OPENMP:
            compile_args += OPENMP_FLAGS.get(kind, ([], []))[0]
            link_args += OPENMP_FLAGS.get(kind, ([], []))[1]
        for extension in self.extensions:
            extension.extra_compile_args = compile_args
            extension.extra_link_args = link_args
            if ABI3:
                extension.define_macros = [("Py_LIMITED_API", "0x030B0000")]
                extension.py_limited_api = True
        super().build_extensions()


setup(
    ext_modules=cythonize(
        [Extension("adaptive_pool._kernels.*", [f"{KERNELS}/*.pyx"])],
        compiler_directives=DIRECTIVES,
    ),
    cmdclass={"build_ext": BuildKernels},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if ABI3 else {},
)
