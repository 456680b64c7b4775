"""Flags from outside do not reach the kernels, and nothing is compiled twice or stays stale.

The build of one small module stands for all: every module has the same flags. CI compares whole
wheels, built with and without such flags, byte for byte (noxfile.py, `rehearsal`).
"""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if not (ROOT / "compiling").exists():
    pytest.skip("the sources of the build are not here", allow_module_level=True)

sys.path.insert(0, str(ROOT / "compiling"))
flags = importlib.import_module("flags")
variables = importlib.import_module("variables")
sys.path.pop(0)

# Of GCC and Clang, MSVC, and Intel's and NVIDIA's compilers.
CHANGE_RESULTS = [
    "-Ofast", "-ffast-math", "-funsafe-math-optimizations", "-fassociative-math",
    "-freciprocal-math", "-ffinite-math-only", "-fno-signed-zeros", "-ffp-contract=fast",
    "-ffp-contract=on", "-fsingle-precision-constant", "-mfpmath=387", "-mfpmath=both",
    "-mdaz-ftz", "-mrecip", "-mrecip=all", "-mpc32", "-ffp-model=fast", "-ffp-model=aggressive",
    "-ffp-eval-method=extended", "-fdenormal-fp-math=preserve-sign", "-fapprox-func",
    "-fno-honor-nans", "-fexcess-precision=fast", "-fp-model=fast=2", "-fp:fast", "/fp:fast",
    "/fp:contract", "-fast", "-ftz", "/Qftz", "-Mflushz",
]  # fmt: skip
COMPILE_AT_THE_LINK = ["-flto", "-flto=auto", "-flto=thin", "-flto-partition=none", "-ipo"]
START_THREADS = [
    "-fopenmp", "-fopenmp=libomp", "-fopenacc", "-qopenmp", "/openmp", "/openmp:llvm", "/Qopenmp",
    "-ftree-parallelize-loops=4", "-parallel",
]  # fmt: skip
OF_THIS_MACHINE = ["-march=native", "-mcpu=native", "-xHost"]
ABOVE_THE_BASELINE = [
    "-march=x86-64-v3", "-march=haswell", "-mavx", "-mavx2", "-mavx512f", "-mfma", "-msse4.2",
    "-mssse3", "-mf16c", "-mvaes", "-mbmi2", "-mpopcnt", "-mno-sse2", "/arch:AVX2", "-xCORE-AVX2",
]  # fmt: skip
HARMLESS = [
    "gcc", "-O2", "-O0", "-g", "-fPIC", "-Wall", "-pthread", "-DNDEBUG", "-fstack-protector-strong",
    "-D_FORTIFY_SOURCE=2", "-mtune=native", "-mtune=generic", "-m64", "-m32", "-fwrapv", "-shared",
    "-ffat-lto-objects", "-fno-fast-math", "-ffp-contract=off", "-ffp-model=precise",
    "-fopenmp-simd", "-specs=/usr/lib/hardened", "-Wl,-O1", "-Wl,-z,relro", "-fsanitize=address",
    "/fp:precise", "-arch", "-mmacosx-version-min=11.0", "-mno-omit-leaf-frame-pointer",
    "-mcmodel=large", "-mfpmath=sse", "-mbranch-protection=standard", "-fcf-protection",
    "-x", "c", "-I/usr/include",
]  # fmt: skip


@pytest.mark.parametrize(
    "flag", CHANGE_RESULTS + COMPILE_AT_THE_LINK + START_THREADS + OF_THIS_MACHINE
)
def test_left_out(flag):
    assert flags.without_unsafe(["gcc", flag, "-c"]) == (["gcc", "-c"], [flag])


@pytest.mark.skipif(not flags.X86, reason="a processor of another kind")
@pytest.mark.parametrize("flag", ABOVE_THE_BASELINE)
def test_left_out_for_x86(flag):
    assert flags.without_unsafe(["gcc", flag, "-c"]) == (["gcc", "-c"], [flag])


@pytest.mark.parametrize("flag", HARMLESS)
def test_stays(flag):
    assert flags.without_unsafe(["gcc", flag]) == (["gcc", flag], [])


@pytest.mark.parametrize(
    "pair",
    [
        ["-fp-model", "fast=2"],
        ["-Xclang", "-menable-unsafe-fp-math"],
        ["-tp", "native"],
        ["-mllvm", "-enable-unsafe-fp-math"],
        ["-Xpreprocessor", "-fopenmp"],
    ],
)
def test_pairs_go_together(pair):
    assert flags.without_unsafe(["cc", *pair, "-c"]) == (["cc", "-c"], pair)


@pytest.mark.parametrize(
    "pair",
    [["-fp-model", "precise"], ["-Xclang", "-fcolor-diagnostics"], ["-Xlinker", "--as-needed"]],
)
def test_pairs_stay_together(pair):
    assert flags.without_unsafe(["cc", *pair, "-c"]) == (["cc", *pair, "-c"], [])


@pytest.mark.parametrize("flag", ["-ffast-math", "-Ofast", "-flto", "-march=native", "-fp:fast"])
def test_flags_that_come_last_are_refused(monkeypatch, flag):
    monkeypatch.setenv("ADAPTIVE_POOL_FLAGS", f"-O1 {flag}")
    with pytest.raises(SystemExit, match=f"^ADAPTIVE_POOL_FLAGS: {flag} "):
        variables.last_flags()


@pytest.mark.parametrize("name", ["CL", "_CL_", "LINK", "_LINK_"])
def test_what_msvc_reads_by_itself(monkeypatch, name):
    class Compiler:
        compiler_type, executables = "msvc", {}

    monkeypatch.setenv(name, "/fp:fast /W3 /arch:AVX512" if flags.X86 else "/fp:fast /W3")
    assert "/fp:fast" in flags.clean(Compiler())
    assert os.environ[name] == "/W3"


@pytest.mark.parametrize(
    ("command", "added"),
    [("icx", True), ("/opt/intel/bin/icc", True), ("gcc", False), ("clang-19", False)],
)
def test_intel_compilers_are_asked_for_exact_arithmetic(command, added):
    class Compiler:
        compiler_type, compiler_so = "unix", [command, "-O2"]

    assert (
        "-fp-model=precise" in flags.ours(Compiler, "baseline", "average", False, True)[0]
    ) == added


# One module, built for real by setup.py's own command.

DRIVER = """
import sys
sys.path.insert(0, ".")
import setup as ours
from setuptools import Extension, setup
name = "adaptive_pool._kernels.call.elements"
setup(
    name="one", version="1", cmdclass={"build_ext": ours.BuildKernels}, script_args=["build_ext"],
    ext_modules=[Extension(name, ["src/adaptive_pool/_kernels/call/elements.pyx"])],
)
"""


class Tree:
    def __init__(self, root):
        self.root = root
        for name in ("setup.py", "compiling", "src"):
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__")
                shutil.copytree(ROOT / name, root / name, ignore=ignored)
            else:
                shutil.copy(ROOT / name, root / name)

    def build(self, **variables):
        """Return the exit status, the output, and the module as bytes."""
        outside = ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "LDSHARED", "ADAPTIVE_POOL_FLAGS")
        environment = {k: v for k, v in os.environ.items() if k not in outside}
        done = subprocess.run(
            [sys.executable, "-c", DRIVER], cwd=self.root, env=environment | variables, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False,
        )  # fmt: skip
        made = list(self.root.glob("build/lib*/adaptive_pool/_kernels/call/elements.*"))
        return done.returncode, done.stdout, made[0].read_bytes() if made else None

    def compiler(self, added, when=""):
        """Write a compiler that adds flags after all others; return its path."""
        path = self.root / "cc"
        path.write_text(
            f'#!/bin/sh\ncase " $* " in *"{when}"*) exec gcc "$@" {added};; esac\nexec gcc "$@"\n'
        )
        path.chmod(0o755)
        return str(path)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    pytest.importorskip("Cython", reason="builds need Cython")
    pytest.importorskip("setuptools", reason="builds need setuptools")
    if shutil.which("gcc") is None or sys.platform != "linux":
        pytest.skip("the flags are those of GCC on Linux")
    built = Tree(tmp_path_factory.mktemp("tree"))
    status, output, _ = built.build()
    assert status == 0, output
    return built


HOSTILE = "-Ofast -ffast-math -funsafe-math-optimizations -flto -march=native -fopenmp"
if flags.X86:
    HOSTILE += " -mavx2 -mfma -mfpmath=387 -fsingle-precision-constant -ffp-contract=fast"


@pytest.mark.parametrize(
    ("variable", "before"),
    [
        ("CFLAGS", ""),
        ("CPPFLAGS", ""),
        ("LDFLAGS", ""),
        ("CC", "gcc "),
        ("LDSHARED", "gcc -shared "),
    ],
)
def test_flags_from_outside_change_no_byte(tree, variable, before):
    expected = tree.build(**({variable: before} if before else {}))[2]
    shutil.rmtree(tree.root / "build/compiled")
    status, output, module = tree.build(**{variable: f"{before or ''} {HOSTILE}"})
    assert status == 0, output
    assert "compiling adaptive_pool._kernels.call.elements" in output
    [line] = [line for line in output.splitlines() if line.startswith("left out of the compiler's")]
    assert set(HOSTILE.split()) <= set(line.split())
    assert module == expected


FAILS = [
    ("-ffast-math", "-c", "NaN, infinities, -0.0 and rounding would be lost"),
    ("-ffinite-math-only", "-c", "NaN, infinities, -0.0 and rounding would be lost"),
    ("-fsingle-precision-constant", "-c", "ap_constants_must_be_double"),
    ("-ffast-math", "-shared", "crtfastmath.o was linked"),
    ("-Ofast", "-shared", "crtfastmath.o was linked"),
    ("-ffast-math -s", "-shared", "crtfastmath.o was linked"),  # no name of it is left
]
if flags.TARGET == "linux-x86_64":
    FAILS += [
        ("-mavx2", "-c", "the baseline would need AVX"),
        ("-mfpmath=387", "-c", "with more precision than its type has"),
    ]
else:
    FAILS = [case for case in FAILS if case[1] == "-c"]  # no crtfastmath.o elsewhere


@pytest.mark.parametrize(("flag", "when", "message"), FAILS)
@pytest.mark.slow
def test_flags_that_cannot_be_taken_back_are_errors(tree, flag, when, message):
    status, output, _ = tree.build(CC=tree.compiler(flag, f" {when} "))
    assert status != 0
    assert message in output


@pytest.mark.slow
def test_flags_of_our_own_variable_are_errors(tree):
    status, output, _ = tree.build(ADAPTIVE_POOL_FLAGS="-g -Ofast")
    assert status != 0
    assert "ADAPTIVE_POOL_FLAGS: -Ofast changes results" in output


@pytest.mark.slow
def test_nothing_is_done_twice(tree):
    first = tree.build()[2]
    for path in tree.root.glob("src/**/*.p[yx][xd]"):  # a checkout, or Cython installed anew
        path.touch()
    status, output, second = tree.build()
    assert status == 0
    assert "translating" not in output
    assert "compiling" not in output
    assert first == second


@pytest.mark.slow
def test_other_flags_and_variables_are_compiled_anew(tree):
    usual = tree.build()[2]
    assert "compiling" in tree.build(ADAPTIVE_POOL_FLAGS="-O1 -DAP_OTHER")[1]
    debug = tree.build(ADAPTIVE_POOL_DEBUG="1")
    assert "translating" in debug[1]
    assert debug[2] != usual
    assert tree.build()[2] == usual


@pytest.mark.slow
def test_modules_of_other_variables_do_not_stay(tree):
    tree.build()
    tree.build(ADAPTIVE_POOL_NO_ABI3="1")
    assert len(list(tree.root.glob("build/lib*/adaptive_pool/_kernels/**/*.so"))) == 1


@pytest.mark.slow
def test_a_changed_source_is_translated(tree):
    source = tree.root / "src/adaptive_pool/_kernels/call/elements.pxd"
    text = source.read_text()
    source.write_text(f"{text}\n\ncdef inline int added() noexcept nogil:\n    return 1\n")
    try:
        assert "translating" in tree.build()[1]
    finally:
        source.write_text(text)
    assert "translating" not in tree.build()[1]


@pytest.mark.slow
def test_a_build_that_does_not_exist_is_refused(tree):
    status, output, _ = tree.build(ADAPTIVE_POOL_BUILDS="baseline x86_64_v9")
    assert status != 0
    assert "ADAPTIVE_POOL_BUILDS: 'x86_64_v9' is not one of" in output
