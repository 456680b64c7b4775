"""The code on the how-to pages runs, each page in a process of its own.

What the pages need is the extra `demo` and the dependency group `how-to` of pyproject.toml. It is
not imported here: JAX starts threads, and warns when a process that has them forks.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "docs" / "how-to"
# What has to be installed for a page, beside NumPy.
NEEDS = {
    "array-libraries": ["dask", "jax", "ml_dtypes", "torch"],
    "c-interface": [],
    "dask": ["dask"],
    "gradients": ["autograd", "jax"],
    "inter-area": [],
    "onnx": ["onnx", "onnxruntime"],
    "onnx-exports": ["onnx", "onnxruntime", "onnxscript", "torch"],
    "onnx-runtime": ["onnx", "onnxruntime"],
    "packed": [],
    "paa": [],
    "pictures": ["PIL"],
    "pyramid": [],
    "quantised": [],
    "rasters": [],
    "serving": [],
    "token-embeddings": [],
    "xarray": ["dask", "xarray"],
    "zarr": ["zarr"],
}


def run(page):
    command = [sys.executable, "-X", "utf8", "-m", "doctest", page]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_all_pages_are_run():
    assert sorted(page.stem for page in FOLDER.glob("*.md")) == sorted([*NEEDS, "index"])


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_examples(name):
    missing = [module for module in NEEDS[name] if find_spec(module) is None]
    if missing:
        pytest.skip(f"the page needs {', '.join(missing)}: extra `demo`, dependency group `how-to`")
    page = FOLDER / f"{name}.md"
    assert page.read_text("utf-8").count(">>> ") > 2
    done = run(page)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_a_wrong_result_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(">>> 1 + 1\n3\n", "utf-8")
    assert run(page).returncode == 1
