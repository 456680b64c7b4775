"""The flags of compiler and linker, and which flags from outside are left out.

What a distribution sets for all its packages (`CFLAGS`, `LDFLAGS`, `CC`, Python's own flags) comes
before ours. Flags that would change results, or make the baseline run on some processors only, are
taken out of it; ours follow, for compilers that do such things without being told. What still gets
through is an error of `arithmetic.h`, of `check_linked`, or is reported by the tests of the build.
"""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

TARGET = sysconfig.get_platform()  # of what is built for, which need not be what builds
X86 = re.search(r"x86_64|amd64|i.86|win32|universal2", TARGET) is not None

KERNELS = "src/adaptive_pool/_kernels"
INCLUDE = "src/adaptive_pool/include"
HEADER = f"{KERNELS}/arithmetic.h"

# Exact arithmetic. What -ffast-math stands for is taken back one by one: -fno-fast-math does not
# take back what was asked for by its own name. Contraction to FMA would make bits depend on the
# processor. Neither errno nor traps of floating point are used; without them more loops vectorise.
EXACT = {
    "unix": [
        "-fno-lto",
        "-fno-fast-math",
        "-fno-unsafe-math-optimizations",
        "-fno-associative-math",
        "-fno-reciprocal-math",
        "-fno-finite-math-only",
        "-fsigned-zeros",
        "-ffp-contract=off",
        "-fno-math-errno",
        "-fno-trapping-math",
    ],
    "msvc": ["/fp:precise"],
}
AT_THE_LINK = ["-fno-lto", "-fno-fast-math", "-fno-unsafe-math-optimizations"]
# CFLAGS takes the place of Python's own flags: what we need of those is here too.
SPEED = {"unix": ["-O3", "-g0", "-DNDEBUG", "-fwrapv"], "msvc": ["/O2"]}
# Modules that compute nothing large; -O3 would make them half as large again.
SMALL = ("cpu", "elements", "tables", "xla")
DEBUG_SPEED = {"unix": ["-O0", "-g", "-UNDEBUG"], "msvc": ["/Od", "/UNDEBUG"]}
# Builds of the kernels. A compiler's own default may be above the baseline: it is asked for.
LEVELS = {"baseline": []}
if re.fullmatch(r"linux-i.86", TARGET):  # the 387 has more precision than the types have
    LEVELS = {"baseline": ["-msse2", "-mfpmath=sse"]}
if TARGET == "linux-x86_64":
    LEVELS = {
        "baseline": ["-march=x86-64"],
        "x86_64_v3": ["-march=x86-64-v3"],
        "x86_64_v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
    }
# Of `parallel`, the one module that starts threads: for the compiler, for the linker.
OPENMP_FLAGS = {"unix": (["-fopenmp"], ["-fopenmp"]), "msvc": (["/openmp"], [])}
POOL_FLAGS = {} if TARGET.startswith("emscripten") else {"unix": (["-pthread"], ["-pthread"])}

# Whole flags, of GCC, Clang, MSVC, Intel's and NVIDIA's compilers.
UNSAFE = {
    "changes results": r"""
        [-/]Ofast|[-/]fast|-ffast-math|-funsafe-math-optimizations|-fassociative-math
        |-freciprocal-math|-ffinite-math-only|-fno-signed-zeros|-fno-honor-(nans|infinities)
        |-fapprox-func|-fsingle-precision-constant|-fexcess-precision=fast|-fcx-.*
        |-f?fp-contract=(?!off$).*|-f?fp-model=(?!(precise|strict)$).*|-ffp-eval-method=.*
        |-fdenormal-fp-math.*|[-/]fp:(?!(precise|strict)$).*|-fimf-.*|-no-(prec|ftz)-.*|-Mflushz
        |-Mfprelaxed.*|-mfpmath=(?!sse$).*|-mdaz-ftz|-mrecip.*|-mpc(32|64|80)
        |-mlow-precision.*|-m?(enable-unsafe-fp-math|enable-no-.*|reassociate)
        |[-/]Q?ftz
    """,
    "compiles anew at the link": r"-flto.*|-fwhole-program|-fwhopr.*|-ipo.*|[-/]Qipo.*",
    "starts threads": r"""
        -ftree-parallelize-loops=.*|-floop-parallelize-all|[-/]Q?parallel
        |-fopenmp(=.*)?|-fopenacc.*|[-/][Qq]?openmp(:.*)?
    """,
    "is for some processors only": r"""
        -m(arch|cpu)=native.*|-xHost|[-/]Qx.*|-tp=native
        """
    + r"""
        |-m(arch|cpu)=.*|-m(no-)?(3dnow|abm|adx|amx|apx|avx|bmi|f16c|fma|lzcnt|mmx|movbe|popcnt|s?sse
        |sse|tbm|vaes|vpclmul|xop).*|-a?x(CORE|SSE|AVX|COMMON|[A-Z]+LAKE).*|-tp=.*|[-/]arch:.*
    """
    * X86,
}
PATTERNS = {reason: re.compile(re.sub(r"\s", "", text)) for reason, text in UNSAFE.items()}
MSVC_READS = ("CL", "_CL_", "LINK", "_LINK_")
# The next word belongs to these.
PREFIX = re.compile(
    r"-X(clang|compiler|preprocessor|assembler|linker|arch_.*)|-mllvm|-fp-model|-tp"
)


def reason_against(flag: str) -> str | None:
    """Why a flag is left out, or None: it stays."""
    return next((reason for reason, p in PATTERNS.items() if p.fullmatch(flag)), None)


def without_unsafe(flags: list[str]) -> tuple[list[str], list[str]]:
    """Return the flags that stay, and those that are left out."""
    stay, out = [], []
    words = iter(flags)
    for word in words:
        flag = [word]
        if PREFIX.fullmatch(word):
            flag += [following] if (following := next(words, "")) else []
        unsafe = reason_against("=".join(flag)) or reason_against(flag[-1])
        (out if unsafe else stay).extend(flag)
    return stay, out


def ours(
    compiler: object, level: str, module: str, debug: bool, openmp: bool
) -> tuple[list[str], list[str]]:
    """Return the package's own flags: for the compiler, for its linker."""
    kind = "msvc" if compiler.compiler_type == "msvc" else "unix"
    speed = (DEBUG_SPEED if debug else SPEED)[kind]
    if module in SMALL and speed[0] == "-O3":
        speed = ["-Os", *speed[1:]]
    threads = (OPENMP_FLAGS if openmp else POOL_FLAGS).get(kind, ([], []))
    compiled, linked = threads if module == "parallel" else ([], [])
    compiled = [*speed, *EXACT[kind], *LEVELS.get(level, LEVELS["baseline"]), *compiled]
    if kind == "msvc":
        return [f"/FI{HEADER}", *compiled], linked
    if re.match(r"icp?[cx]", Path(compiler.compiler_so[0]).name):  # Intel's are not exact unasked
        compiled.append("-fp-model=precise")
    return ["-include", HEADER, *compiled], [speed[0], *AT_THE_LINK, *linked]


def commands(compiler: object) -> dict[str, object]:
    """Return the commands of a compiler, and the flags that MSVC reads by itself."""
    found = {name: getattr(compiler, name, None) for name in compiler.executables}
    return found | {name: os.environ[name] for name in MSVC_READS if name in os.environ}


def clean(compiler: object) -> list[str]:
    """Take unsafe flags out of all that `commands` names; return them."""
    left_out = []
    for name, value in commands(compiler).items():
        if isinstance(value, list):
            stay, out = without_unsafe(value)
            setattr(compiler, name, stay)
        elif name in MSVC_READS and compiler.compiler_type == "msvc":
            stay, out = without_unsafe(value.split())
            os.environ[name] = " ".join(stay)
        else:
            continue
        left_out += out
    return sorted(set(left_out))


def check_linked(path: Path) -> None:
    """Load what was linked: with what GCC and Clang add for -ffast-math, that flushes subnormals.

    Its name may have been stripped, so the name alone does not tell. Where a module cannot be
    loaded, as of another platform or with a sanitizer, nothing more is known.
    """
    loaded = subprocess.run(
        [sys.executable, "-c", _LOAD, path], capture_output=True, text=True, check=False
    )
    if "flushes" in loaded.stdout or b"set_fast_math" in path.read_bytes():
        raise SystemExit(
            f"{path}: crtfastmath.o was linked, so importing the package would flush subnormals of"
            " the whole process to zero. Link without -ffast-math, -Ofast,"
            " -funsafe-math-optimizations and -mdaz-ftz; adaptive_pool's own flags could not take"
            " them back."
        )


_LOAD = """
import ctypes, sys
ctypes.CDLL(sys.argv[1])
print("keeps" if sys.float_info.min / 2 > 0 else "flushes")
"""
