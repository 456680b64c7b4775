"""A module that needs an extra says which, if it is not installed."""

import subprocess
import sys

import pytest

# What each adaptor imports first.
ADAPTORS = {
    "autograd": "autograd",
    "dask": "dask",
    "jax": "jax",
    "onnx": "onnx",
    "xarray": "xarray",
}


@pytest.mark.parametrize("name", ADAPTORS)
def test_an_adaptor_without_its_library_names_the_extra(name):
    code = f"import sys; sys.modules[{ADAPTORS[name]!r}] = None; import adaptive_pool.{name}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: adaptive_pool.{name}: {ADAPTORS[name]} is not installed: "
        f'pip install "adaptive-pool[{name}]"'
    )
