"""Imported in unusual ways: frozen, vendored under another name, without metadata, incomplete."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import adaptive_pool as ap
from adaptive_pool import _kernels

PROGRAM = """
import numpy as np
{imported}
assert (ap.adaptive_avg_pool2d(np.ones((2, 9, 7), np.float32), (4, 3)) == 1).all()
assert (ap.adaptive_max_pool1d(np.arange(6), 3) == [1, 3, 5]).all()
config = ap.config()
print(ap.__version__, config["version"], config["isa"], *config["isas_built"], config["arithmetic"])
"""
VERSION = ap.__version__
SAYS = [VERSION, VERSION, _kernels.isa, *_kernels.isas_built, "exact"]

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="there are no processes")


def run(code, folder, **variables):
    """Run code where what is in the folder is imported first."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=os.environ | variables, timeout=600,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip


def copy(target, *left_out):
    """Copy the package, without what has such names."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyx", "*.pxd", *left_out)
    shutil.copytree(Path(ap.__file__).parent, target / "adaptive_pool", ignore=ignored)
    libraries = Path(ap.__file__).parents[1] / "adaptive_pool.libs"
    if libraries.exists():  # of a wheel
        shutil.copytree(libraries, target / "adaptive_pool.libs")
    return target / "adaptive_pool"


def compiled(name):
    return [f"{name}.*{suffix}" for suffix in ("so", "pyd")]


def test_version():
    assert importlib.metadata.version("adaptive-pool") == VERSION
    assert ap.config()["version"] == VERSION


def test_vendored_and_without_metadata(tmp_path):
    """Under another name, where `adaptive_pool` itself cannot be imported, nor metadata asked."""
    copy(tmp_path / "vendor")
    imported = """
import sys, importlib.metadata as metadata
sys.modules["adaptive_pool"] = None
def distribution(name): raise metadata.PackageNotFoundError(name)
metadata.distribution = metadata.version = distribution
from vendor import adaptive_pool as ap
"""
    done = run(PROGRAM.format(imported=imported), tmp_path)
    assert done.stdout.split() == SAYS


@pytest.mark.parametrize("first", ["ap", "theirs"])
def test_vendored_beside_another_copy(tmp_path, first):
    """Each has modules of its own, whichever is imported first."""
    copy(tmp_path / "vendor")
    imports = ["import adaptive_pool as ap", "from vendor import adaptive_pool as theirs"]
    code = f"""
import sys
{chr(10).join(imports if first == "ap" else reversed(imports))}
assert ap is not theirs and sys.modules["adaptive_pool"] is ap
for copy in (ap, theirs):
    for name in ("call.tables", "call.canonical", f"builds.{{ap.config()['isa']}}.average"):
        module = sys.modules[f"{{copy.__name__}}._kernels.{{name}}"]
        assert module.__file__.startswith(copy.__path__[0]), module
    assert copy.config()["arithmetic"] == "exact"
"""
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif("x86_64_v3" not in _kernels.isas_built, reason="there is one build here")
def test_without_the_folder_of_a_build(tmp_path):
    copy(tmp_path, "x86_64_v3", "x86_64_v4")
    code = PROGRAM.format(imported="import adaptive_pool as ap")
    done = run(code, tmp_path, ADAPTIVE_POOL_ISA="")
    assert done.stdout.split() == [VERSION, VERSION, "baseline", "baseline", "exact"]
    done = run(code, tmp_path, ADAPTIVE_POOL_ISA="x86_64_v3")
    assert "is not built here, expected one of ['baseline']" in done.stdout


def test_without_any_kernels(tmp_path):
    copy(tmp_path, *compiled("average"))
    done = run("import adaptive_pool", tmp_path, ADAPTIVE_POOL_ISA="")
    assert done.returncode == 1
    assert "ImportError: adaptive_pool has no kernels that run on this processor" in done.stdout
    assert "StopIteration" not in done.stdout


@pytest.mark.parametrize("missing", ["*", "canonical", "tables"])
def test_without_compiled_modules(tmp_path, missing):
    copy(tmp_path, *compiled(missing))
    done = run("import adaptive_pool", tmp_path)
    assert done.returncode == 1
    last = done.stdout.splitlines()[-1]
    assert last.startswith("ImportError: the compiled modules of adaptive_pool cannot be imported")
    assert "python -m pip install ." in last


def test_in_a_zip_file(tmp_path):
    copy(tmp_path / "unzipped")
    shutil.make_archive(tmp_path / "package", "zip", tmp_path / "unzipped")
    done = run("import sys; sys.path.insert(0, 'package.zip'); import adaptive_pool", tmp_path)
    assert "do not load from zip files" in done.stdout.splitlines()[-1]


@pytest.mark.skipif(
    sys.platform != "linux" or not ap.config()["openmp"], reason="libgomp is not used here"
)
def test_without_libgomp(tmp_path):
    package = copy(tmp_path)
    [module] = (package / "_kernels/threads").glob("parallel.*so")
    # As if the library were not on this machine: nobody has it under this name.
    named = re.sub(rb"libgomp[^\0]*(?=\0)", lambda m: m[0][:-1] + b"9", module.read_bytes())
    module.write_bytes(named)
    done = run("import adaptive_pool", tmp_path)
    last = done.stdout.splitlines()[-1]
    assert last.startswith("ImportError: adaptive_pool was built with OpenMP, whose library")
    assert "apt install libgomp1" in last
    assert "ADAPTIVE_POOL_NO_OPENMP=1 python -m pip install ." in last


# What a frozen program imports, and the libraries that it holds for that beside NumPy.
FROZEN = {
    "adaptive_pool": [],
    "adaptive_pool.array_api": [],
    "adaptive_pool.autograd": ["autograd"],
}
# What is recognised without being imported, or imported by adaptors alone.
LIBRARIES = [
    "PIL", "autograd", "blosc2", "cubed", "cupy", "dask", "h5py", "jax", "ml_dtypes", "mlx",
    "netCDF4", "nibabel", "onnx", "onnxruntime", "tensorstore", "torch", "xarray", "zarr",
]  # fmt: skip


@pytest.mark.parametrize(("module", "held"), FROZEN.items(), ids=FROZEN)
def test_frozen(tmp_path, module, held):
    """A program that PyInstaller packs holds every build, and runs without Python beside it.

    It holds no library that nothing of it imports, though all could be found.
    """
    pytest.importorskip("PyInstaller", reason="PyInstaller is not installed")
    for name in held:
        pytest.importorskip(name, reason=f"{name} is not installed")
    program, libraries = tmp_path / "program.py", tmp_path / "libraries"
    libraries.mkdir()
    for name in set(LIBRARIES) - set(held):
        (libraries / f"{name}.py").touch()
    program.write_text(PROGRAM.format(imported=f"import {module}, adaptive_pool as ap"))
    subprocess.run(
        [
            sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=ERROR",
            "--paths", Path(ap.__file__).parents[1], "--paths", libraries, program,
        ],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    alone = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [tmp_path / "dist/program/program"], env=alone, text=True, capture_output=True, check=True
    )
    assert done.stdout.split() == SAYS
    contents = (tmp_path / "build/program/PYZ-00.toc").read_text("utf-8")
    roots = set(re.findall(r"\('(\w+)", contents))
    assert "adaptive_pool" in roots
    assert roots & set(LIBRARIES) == set(held)
