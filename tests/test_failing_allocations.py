"""No memory for the kernels: MemoryError, `out` untouched, nothing lost, the next call right."""

import platform
import sys

import failing_allocations as driver
import pytest

if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
    pytest.skip("an allocator is preloaded, that of glibc", allow_module_level=True)

if driver.compiler_found() is None:
    pytest.skip("the allocator is built with a C compiler, there is none", allow_module_level=True)

# The blocks of other cases, for other elements or in another order.
AGAIN = [
    "average-1d-own-windows", "average-3d", "average-packs-of-halves", "average-two-threads-packs",
    "average-places-two-threads", "maximum-values-alone", "maximum-channels-last",
    "maximum-places-two-threads", "average-backward-channels-last", "average-backward-places",
    "maximum-backward-places-two-threads", "average-area-packs", "average-area-float64",
    "average-area-two-threads", "average-backward-area-channels-last",
]  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return driver.build(tmp_path_factory.mktemp("allocator"))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in AGAIN else [])
        for name in driver.CASES
    ],
)
def test_every_block_of_a_kernel(library, name):
    assert driver.run(name, library, driver.KERNELS) >= driver.CASES[name]().blocks
