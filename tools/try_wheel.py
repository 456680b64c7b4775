"""An installed wheel pools, with nothing but NumPy beside it.

    python tools/try_wheel.py

On Linux the OpenMP that runs must be the wheel's own copy.
"""

import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import numpy as np

import adaptive_pool as ap

site = Path(sysconfig.get_path("platlib"))
assert Path(ap.__file__).parent == site / "adaptive_pool", ap.__file__
beside = {d.name for d in metadata.distributions(path=[str(site)])} - {"pip", "setuptools"}
assert beside == {"adaptive-pool", "numpy"}, beside

x = np.arange(2 * 600 * 600, dtype=np.float32).reshape(2, 600, 600)
assert (ap.adaptive_avg_pool2d(x, 1).ravel() == x.mean((1, 2), np.float64)).all()
assert (ap.adaptive_max_pool2d(x, (3, 2))[1, 2] == x[1, -1, [299, 599]]).all()
assert ap.config()["arithmetic"] == "exact", ap.config()["arithmetic"]
assert ap.__version__ == metadata.version("adaptive-pool")

if sys.platform == "linux":
    assert ap.config()["openmp"]
    maps = Path("/proc/self/maps").read_text().splitlines()
    loaded = {line.split()[-1] for line in maps if "libgomp" in line}
    assert [Path(path).parent for path in loaded] == [site / "adaptive_pool.libs"], loaded
ap.show_config()
