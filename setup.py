"""The compiled part of the build: what pyproject.toml cannot say.

Each source is translated once (compiling/translation.py) and compiled for each build of it, with
the flags of compiling/flags.py. What is compiled is kept in build/, under a key of the C source and
the whole command: the same is never compiled again, and other flags or variables never get it.
"""

import os
import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError

sys.path.insert(0, str(Path(__file__).resolve().parent / "compiling"))
import flags
from translation import digest, translate_all, with_headers
from variables import ABI3, BUILDS, DEBUG, OPENMP, last_flags

DIRECTIVES = {
    "language_level": 3,
    "binding": False,
    "boundscheck": DEBUG,
    "wraparound": False,  # a negative index is an error where bounds are checked
    "initializedcheck": DEBUG,
    "nonecheck": DEBUG,
    "cdivision": not DEBUG,
}
PACKAGE = "adaptive_pool._kernels"
# What takes longest comes first. The kernels are built for each level, all others once.
KERNELS = ["average", "maximum", "average_backward", "maximum_backward"]
OTHERS = ["threads.parallel", "call.known", "call.parts", "call.part_runs", "call.item_runs"]
OTHERS += ["call.result_runs", "call.boxes", "call.kernel", "call.problem", "call.canonical"]
OTHERS += ["call.tables", "call.elements", "call.cpu", "call.xla", "call.c_interface"]


class BuildKernels(build_ext):
    """Translation, flags once the compiler is known, and what was compiled before."""

    def build_extensions(self) -> None:
        remove_modules(Path(self.build_lib))  # of a build with other variables
        sources = {module_of(e.sources[0]): e.sources[0] for e in self.extensions}
        translated = translate_all(sources, DIRECTIVES)
        for extension in self.extensions:
            self.set_flags(extension)
            # A copy for each build: objects lie where their sources do.
            made = translated[module_of(extension.sources[0])]
            copy = Path(self.build_temp, extension.name, made.name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            extension.sources = [str(shutil.copyfile(made, copy))]
        if left_out := flags.clean(self.compiler):
            print("left out of the compiler's flags:", *left_out, flush=True)
        self.parallel = os.cpu_count()
        super().build_extensions()

    def set_flags(self, extension: Extension) -> None:
        level, module = extension.name.split(".")[-2:]
        compiler, linker = flags.ours(self.compiler, level, module, DEBUG, OPENMP)
        extension.include_dirs = [flags.KERNELS, flags.INCLUDE]
        extension.extra_compile_args = [*compiler, *last_flags()]
        extension.extra_link_args = [*linker, *last_flags()]
        extension.define_macros = [("AP_ISA", f'"{level}"')] if level in BUILDS else []
        if level.startswith("x86_64"):
            extension.define_macros.append(("AP_USES_AVX", None))
        if module == "cpu":
            extension.define_macros = [("AP_VERSION", f'"{self.distribution.get_version()}"')]
        if ABI3:
            extension.define_macros.append(("Py_LIMITED_API", "0x030B0000"))
            extension.py_limited_api = True

    def build_extension(self, extension: Extension) -> None:
        """Compile, or take what the same command has made of the same source before."""
        result = Path(self.get_ext_fullpath(extension.name))
        result.parent.mkdir(parents=True, exist_ok=True)
        files = [path.read_bytes() for path in with_headers(Path(extension.sources[0]))]
        args = [extension.extra_compile_args, extension.extra_link_args, extension.define_macros]
        key = digest(sys.version, result.name, *files, flags.commands(self.compiler), args)
        kept = Path("build/compiled", key, result.name)
        if not kept.exists():
            print(f"compiling {extension.name}", flush=True)
            self.compile_extension(extension)
            flags.check_linked(result)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(result, kept.with_suffix(".part")).replace(kept)
        shutil.copy(kept, result)

    def compile_extension(self, extension: Extension) -> None:
        try:
            super().build_extension(extension)
        except (CompileError, LinkError) as error:
            if not OPENMP or not extension.name.endswith(".parallel"):
                raise
            raise CompileError(
                f"{error}\nIf this compiler has no OpenMP, set ADAPTIVE_POOL_NO_OPENMP=1: the"
                " package then uses threads of its own."
            ) from error

    def copy_extensions_to_source(self) -> None:
        remove_modules(Path("src"))
        super().copy_extensions_to_source()


def remove_modules(root: Path) -> None:
    """Remove what earlier builds have left, or it might be imported instead of what is built."""
    for path in (root / "adaptive_pool/_kernels").rglob("*"):
        if path.suffix in {".so", ".pyd"}:
            path.unlink()


def module_of(source: str) -> str:
    """Return the name that a source is translated under, whatever it is built for."""
    folder, name = Path(source).with_suffix("").parts[-2:]
    return f"{PACKAGE}.{folder}.{name}"


if __name__ == "__main__":
    sources = {f"builds.{level}.{name}": f"{name}/{name}" for name in KERNELS for level in BUILDS}
    sources |= {name: name.replace(".", "/") for name in OTHERS}
    setup(
        ext_modules=[
            Extension(f"{PACKAGE}.{name}", [f"{flags.KERNELS}/{source}.pyx"])
            for name, source in sources.items()
        ],
        cmdclass={"build_ext": BuildKernels},
        options={"bdist_wheel": {"py_limited_api": "cp311"}} if ABI3 else {},
    )
