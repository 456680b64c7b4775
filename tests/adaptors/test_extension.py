"""The example of an extension builds against the installed package, and its own tests pass."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "extension"
# What makes a module of the C code on the page.
MODULE = """
static PyObject *call(PyObject *module, PyObject *args)
{
    Py_buffer x, y;
    int status, raises;
    if (!PyArg_ParseTuple(args, "y*w*p", &x, &y, &raises))
        return NULL;
    if (raises)
        PyErr_SetString(PyExc_KeyError, "of the caller");
    status = pool(x.buf, y.buf);
    PyBuffer_Release(&x);
    PyBuffer_Release(&y);
    return raises ? NULL : PyLong_FromLong(status);
}

static PyMethodDef methods[] = {{"pool", call, METH_VARARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "page", "", 0, methods};

PyMODINIT_FUNC PyInit_page(void)
{
    api = adaptive_pool_import();
    return api == NULL ? NULL : PyModule_Create(&module);
}
"""
SETUP = """
import adaptive_pool
from setuptools import Extension, setup

setup(
    name="page",
    ext_modules=[
        Extension(
            "page",
            ["page.c"],
            include_dirs=[adaptive_pool.get_include()],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            extra_compile_args=["-Wall", "-Wextra", "-Werror", "-std=c99", "-Wno-unused-parameter",
                                "-Wno-missing-field-initializers"],
            py_limited_api=True,
        )
    ],
)
"""
USE = """
import numpy as np, page, adaptive_pool as ap
x, y = np.random.default_rng(0).random((64, 14, 14), np.float32), np.empty((64, 7, 7), np.float32)
assert page.pool(x, y, False) == 0
assert y.tobytes() == ap.adaptive_avg_pool2d(x, 7).tobytes()
y[...] = 0
try:
    page.pool(x, y, True)
except KeyError as error:  # what the caller has raised before is still raised
    assert error.args == ("of the caller",) and error.__context__ is None
assert y.tobytes() == ap.adaptive_avg_pool2d(x, 7).tobytes()
"""


def run(*command, **given):
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        **given,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folders of the example's source and of what it was installed to."""
    pytest.importorskip("Cython", reason="building the example needs it")
    folder = tmp_path_factory.mktemp("extension")
    source, site = folder / "source", folder / "site"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("build", "*.so", "cuts.c"))
    options = ["--no-build-isolation", "--no-deps", "--no-index"]
    run("-m", "pip", "install", *options, "--target", site, source)
    return source, site


def test_the_tests_of_the_example_pass(built):
    source, site = built
    paths = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths}
    assert " passed" in run("-m", "pytest", "-q", source, cwd=source, env=environment)


def test_the_extensions_are_for_every_python(built):
    names = sorted(path.name for path in (built[1] / "film_cuts").glob("*.so"))
    assert names == ["cuts.abi3.so", "grey.abi3.so"]


def test_the_page_compiles_and_pools(tmp_path):
    page = (ROOT / "docs" / "how-to" / "c-interface.md").read_text("utf-8")
    [code] = re.findall(r"```c\n(.*?)```", page, re.DOTALL)
    (tmp_path / "page.c").write_text("#include <stdio.h>\n" + code + MODULE, "utf-8")
    (tmp_path / "setup.py").write_text(SETUP, "utf-8")
    run("setup.py", "-q", "build_ext", "--inplace", cwd=tmp_path)
    run("-c", USE, cwd=tmp_path)
