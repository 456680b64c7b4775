"""Every check, each in an environment of its own: `nox --list` says which.

nox                           lint, types, project, tests on each Python
nox -s tests-3.12             one of them; what follows `--` goes to pytest
nox -s rehearsal              a release up to the publishing, on Linux; takes an hour
nox -s rehearsal -- --quick   some of the tests only; takes minutes
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nox

PYTHONS = ["3.11", "3.12", "3.13"]
PYPROJECT = nox.project.load_toml("pyproject.toml")
# What wheels are built for.
PROCESSORS = {
    "linux": "x86_64,aarch64",
    "macos": "x86_64,arm64",
    "windows": "AMD64,ARM64",
    "pyodide": "wasm32",
}
WORK = Path("build/rehearsal").resolve()
# Of the tests, those that tell most about a build in a minute.
TELLING = [
    f"tests/test_{name}.py"
    for name in (
        "public", "published", "special_values", "windows", "hostile_input", "objects", "isa",
        "fork", "threads",
    )
]  # fmt: skip
# The extras of the adaptors.
ADAPTORS = ["autograd", "dask", "jax", "onnx", "xarray", "zarr"]
# What must not reach the kernels.
HOSTILE_FLAGS = "-O2 -Ofast -ffast-math -flto -march=native -mfma -ffp-contract=fast"
# Patterns of names that are in wheels, or are not.
IN_WHEELS = [
    "*/licenses/LICENSE", "*/licenses/LICENSES/GPL-3.0.txt", "*/py.typed", "*.pyi",
    "*/include/adaptive_pool.h", "*/__init__.pxd",
    "!*.pyx", "!*/_kernels/*.pxd", "!*.c", "!tests/*",
]  # fmt: skip

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = True

if shutil.which("pyenv"):  # its commands answer for the versions it is told to, which are then all
    versions = subprocess.check_output(["pyenv", "versions", "--bare"], text=True)
    os.environ["PYENV_VERSION"] = ":".join(versions.split())


def group(name: str) -> list[str]:
    """Return the requirements of a dependency group."""
    return nox.project.dependency_groups(PYPROJECT, name)


def package(session: nox.Session, extra: str) -> str:
    """Return what to install: the wheel among the session's arguments, or this checkout."""
    wheel = next((a for a in session.posargs if a.endswith(".whl")), ".")
    return f"{wheel}[{extra}]"


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style of Python and Cython."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("cython-lint", "src")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, and stubs against what is compiled: of this checkout, or `-- some.whl`."""
    session.install(package(session, "demo"), *group("types"))
    session.run("mypy")
    allowed, settings = Path(".ci/stubtest-allowlist").resolve(), Path("pyproject.toml").resolve()
    session.chdir(session.create_tmp())
    config = f"--mypy-config-file={settings}"
    session.run("stubtest", "adaptive_pool", config, "--allowlist", str(allowed))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all the tests, the slow ones too: `-- pytest arguments`."""
    session.install(".[test]", *group("building"))
    session.run("pytest", "-m", "", *session.posargs)


@nox.session(python="3.11", default=False)
def adaptors(session: nox.Session) -> None:
    """Test the adaptors with the libraries they are for, with this checkout, or `-- some.whl`."""
    arguments = [a for a in session.posargs if not a.endswith(".whl")]
    session.install(package(session, ",".join([*ADAPTORS, "test-core"])), *group("adaptors"))
    session.run("pytest", "-m", "", "tests/adaptors", *arguments)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Build the site, in build/docs, warnings are errors: of this checkout, or `-- some.whl`."""
    session.install(package(session, "docs"))
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "build/docs")


@nox.session
def project(session: nox.Session) -> None:
    """Check what says how the project is built, tested and released."""
    session.install(*group("project"))
    session.run("python", "tools/check_version.py")
    session.run("validate-pyproject", "pyproject.toml")
    session.run("repo-review", ".")
    workflows = map(str, Path(".github/workflows").glob("*.yml"))
    for schema, *files in (
        ["github-workflows", *workflows],
        ["dependabot", ".github/dependabot.yml"],
        ["readthedocs", ".readthedocs.yaml"],
    ):
        session.run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)
    session.run("zizmor", "--offline", ".github")
    command = ["cibuildwheel", "--print-build-identifiers", "--archs"]
    for platform, processors in PROCESSORS.items():
        wheels = session.run(*command, processors, "--platform", platform, silent=True, stderr=None)
        session.log(f"{platform}: {wheels.split()}")
        if not wheels.strip():
            session.error(f"no wheel for {platform}")


@nox.session(default=False)
def rehearsal(session: nox.Session) -> None:
    """Build a release and check it, then use its wheel on each Python: `-- [--quick]`."""
    if sys.platform != "linux":
        session.error("auditwheel runs on Linux only")
    quick = "--quick" in session.posargs
    session.install(*group("release"))
    shutil.rmtree(WORK, ignore_errors=True)
    # A copy, for what older builds have left behind would find its way into both.
    clone = WORK / "clone"
    copy_tree(clone)

    # The sdist from the copy, and the wheel from the sdist.
    build(session, clone, "--outdir", WORK / "dist")
    [sdist], [wheel] = (WORK / "dist").glob("*.tar.gz"), (WORK / "dist").glob("*.whl")
    session.run("python", "tools/check_sdist.py", str(sdist))
    if not quick:  # flags of a distribution change no byte
        flags = dict.fromkeys(("CFLAGS", "CPPFLAGS", "LDFLAGS"), HOSTILE_FLAGS)
        build(session, clone, "--wheel", "--outdir", WORK / "direct", env=flags)
        direct = next((WORK / "direct").glob("*.whl"))
        session.run("python", "tools/same_wheels.py", str(wheel), str(direct))

    session.run("auditwheel", "show", str(wheel))
    repair = PYPROJECT["tool"]["cibuildwheel"]["linux"]["repair-wheel-command"]
    session.run(*shlex.split(repair.format(wheel=wheel, dest_dir=WORK / "repaired")))
    [repaired] = map(str, (WORK / "repaired").glob("*.whl"))
    session.log(f"{repaired}: {Path(repaired).stat().st_size:_} bytes")
    check_distributions(session, str(sdist), repaired)

    session.notify("types", [repaired])
    session.notify("docs", [repaired])
    session.notify("adaptors", [repaired])
    for python in PYTHONS:
        session.notify(f"installed-{python}", [repaired, *(TELLING if quick else [])])


def copy_tree(target: Path) -> None:
    """Copy what git tracks, or would."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.check_output(listed, text=True).split("\0")
    for path in filter(Path.is_file, map(Path, names)):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target / path)


def build(session: nox.Session, *arguments: str | Path, env: dict[str, str] | None = None) -> None:
    """Build; warnings are errors."""
    command = ["python", "-m", "build", *map(str, arguments)]
    log = session.run(*command, silent=True, env=env)
    warnings = [
        line
        for line in log.splitlines()
        if re.search("[wW]arning:", line) and "byte-compiling is disabled" not in line
    ]
    if warnings:
        session.error("\n".join(["the build warns", *warnings]))


def check_distributions(session: nox.Session, *paths: str) -> None:
    """Check sdists and wheels, whoever built them."""
    wheels = [path for path in paths if path.endswith(".whl")]
    abi3 = [path for path in wheels if "-abi3-" in path]
    expected = [f"--expected-files={name}" for name in IN_WHEELS]
    session.run("twine", "check", "--strict", *paths)
    session.run("check-wheel-contents", *wheels)
    session.run("abi3audit", "--strict", *abi3)
    session.run("pydistcheck", *(path for path in paths if path not in wheels))
    session.run("pydistcheck", *expected, *wheels)


@nox.session(default=False)
def distributions(session: nox.Session) -> None:
    """Check what is about to be published: `-- dist/*`."""
    session.install(*group("release"))
    check_distributions(session, *session.posargs)


@nox.session(python=PYTHONS, default=False, reuse_venv=False)
def installed(session: nox.Session) -> None:
    """Try a wheel with NumPy alone, then the tests of the sdist: `-- some.whl [arguments]`."""
    wheel, *arguments = session.posargs
    wheel, check = str(Path(wheel).resolve()), str(Path("tools/try_wheel.py").resolve())
    session.install(wheel)
    with tempfile.TemporaryDirectory() as outside:
        sdist = next((WORK / "dist").glob("*.tar.gz"))
        shutil.unpack_archive(sdist, outside, filter="data")
        [tree] = Path(outside).iterdir()
        shutil.rmtree(tree / "src")
        with session.chdir(tree):
            session.run("python", check)
            session.install("--only-binary", ":all:", f"{wheel}[test]")
            session.run("pytest", *(arguments or ["-m", ""]))
