"""No memory for the kernels: MemoryError, `out` untouched, nothing lost, the next call right."""

import importlib.util
import platform
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).parents[1] / "stress" / "failing_allocations.py"

if not DRIVER.exists():
    pytest.skip("the drivers in stress/ are not part of an sdist", allow_module_level=True)
if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
    pytest.skip("an allocator is preloaded, that of glibc", allow_module_level=True)

spec = importlib.util.spec_from_file_location(DRIVER.stem, DRIVER)
driver = importlib.util.module_from_spec(spec)
spec.loader.exec_module(driver)

if driver.compiler_found() is None:
    pytest.skip("the allocator is built with a C compiler, there is none", allow_module_level=True)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return driver.build(tmp_path_factory.mktemp("allocator"))


@pytest.mark.parametrize("name", driver.CASES)
def test_every_block_of_a_kernel(library, name):
    assert driver.run(name, library, driver.KERNELS) >= driver.CASES[name]().blocks
