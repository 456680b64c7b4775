"""The public namespace, its documentation, and what importing it costs."""

import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys

import pytest

import adaptive_pool as ap

# These need libraries of their own: tests/adaptors.
ADAPTORS = ["autograd", "dask", "jax", "onnx", "xarray"]
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(ap.__path__, "adaptive_pool.")
    if "._kernels." not in name
    and "__main__" not in name
    and "._cli" not in name
    and name.split(".")[1] not in ADAPTORS
]
# Where what is public is defined: these have examples.
PUBLIC = {getattr(getattr(ap, name), "__module__", None) for name in ap.__all__}


def test_all_is_exactly_what_is_public():
    public = {n for n, v in vars(ap).items() if not n.startswith("_") and not inspect.ismodule(v)}
    assert public == set(ap.__all__)
    assert ap.__all__ == sorted(ap.__all__)


def test_every_operation_has_six_functions():
    expected = {
        f"adaptive_{operation}_pool{ndim}d{suffix}"
        for operation in ("avg", "max")
        for ndim in (1, 2, 3)
        for suffix in ("", "_backward")
    }
    assert expected <= set(ap.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    failed, attempted = doctest.testmod(importlib.import_module(name))
    assert failed == 0
    assert attempted or name not in PUBLIC


@pytest.mark.parametrize(
    "name", [n for n in ap.__all__ if n.startswith(("adaptive_", "spatial_", "pyramid"))]
)
def test_docstrings_are_complete(name):
    check_docstring(getattr(ap, name))


@pytest.mark.parametrize("name", ap.pictures.__all__)
def test_docstrings_of_pictures_are_complete(name):
    check_docstring(getattr(ap.pictures, name))


def check_docstring(function):
    doc = inspect.getdoc(function)
    for section in ("Parameters", "Returns", "Raises", "References", "Examples"):
        assert f"\n{section}\n---" in doc
    for parameter in inspect.signature(function).parameters:
        assert f"\n{parameter} : " in doc or re.search(rf"\n(\w+, )*{parameter}(, \w+)* : ", doc)


@pytest.mark.parametrize(
    "name",
    [n for n in ap.__all__ if re.fullmatch(r"adaptive_?(avg|max)_?pool\dd", n.lower())],
)
def test_the_layout_of_pictures_comes_first(name):
    """The default pools the colours of (H, W, 3), as the layout is never guessed."""
    opening = inspect.getdoc(getattr(ap, name)).split("\nParameters\n")[0]
    assert 'needs ``data_format="channels_last"``' in " ".join(opening.split())


def test_import_loads_numpy_only_and_starts_no_thread():
    code = """
import os, sys
import numpy
before = set(sys.modules)
threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
import adaptive_pool
after = len(os.listdir("/proc/self/task")) if threads else 0
added = {m.partition(".")[0] for m in set(sys.modules) - before}
added = {m for m in added if m not in sys.stdlib_module_names and "cython" not in m}
print(sorted(added - {"numpy"}), after - threads)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["['adaptive_pool']", "0"]


def test_config():
    config = ap.config()
    assert {"version", "isa", "isas_built", "openmp", "num_threads", "cpu_limit"} <= set(config)
    assert config["isa"] in config["isas_built"]
    assert config["num_threads"] == ap.get_num_threads()
    assert config["version"] == ap.__version__
    assert config["arithmetic"] == "exact"


def test_show_config(capsys):
    ap.show_config()
    text = capsys.readouterr().out
    assert [line.split()[0] for line in text.splitlines()] == list(ap.config())
