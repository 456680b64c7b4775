"""GDAL, through rasterio: reading a smaller raster with the resampling `average`."""

import warnings

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.io import MemoryFile

import adaptive_pool as ap

from .figures import RANDOM, Claims, about, by_area, floats, integers, ulps

REQUIRES = ("rasterio==1.4.4", "numpy==2.4.6")


def read(x, shape, nodata=None):
    """Write a raster of one band, and read it smaller."""
    profile = {"height": x.shape[0], "width": x.shape[1], "count": 1, "dtype": x.dtype}
    warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
    with MemoryFile() as file:
        with file.open(driver="GTiff", nodata=nodata, **profile) as raster:
            raster.write(x, 1)
        with file.open() as raster:
            return raster.read(1, out_shape=shape, resampling=Resampling.average)


def claims() -> Claims:
    """Yield the statements of the page."""
    version = rasterio.__version__, rasterio.__gdal_version__
    yield "Run with rasterio 1.4.4 (GDAL 3.10.3)", version == ("1.4.4", "3.10.3"), version
    x = floats(1200, 1200)
    seen = max(
        ulps(read(x, (size, size)), ap.adaptive_avg_pool2d(x, size, dtype=np.float64))
        for size in (600, 400, 12, 1)
    )
    y = floats(480, 640)
    seen = max(seen, ulps(read(y, (224, 224)), by_area(y, (224, 224)) / y.size))
    row = "| `d.read(1, out_shape=(h, w), resampling=Resampling.average)`"
    row += ' | `ap.adaptive_avg_pool2d(x, (h, w), windows="area")` | float32: off by 2 ulp |'
    yield row, about(seen, 1.2), seen
    holds = True
    for dtype in (np.uint8, np.int16, np.uint16):
        for shape in ((30, 33), (20, 22), (15, 11), (6, 6)):
            x = integers(60, 66, dtype=dtype)
            exact = ap.adaptive_avg_pool2d(x, shape, dtype=np.float64)
            holds &= bool(
                np.all(read(x, shape) == np.copysign(np.floor(np.abs(exact) + 0.5), exact))
            )
    row = "| the same, of integers | with `dtype=x.dtype` | whole factors: equal, but halves go away from zero there"
    yield row, holds, holds
    for dtype in (np.uint8, np.uint16):
        x = integers(480, 640, dtype=dtype)
        whole, rest = np.divmod(by_area(x, (224, 224)), x.size)
        off = read(x, (224, 224)).astype(np.int64) - whole - (2 * rest > x.size)
        holds &= bool(np.all((off == 0) | (2 * rest == x.size)))
    yield "others: equal but for halves |", holds, holds
    seen = read(np.array([[0, 10, 20, 30, 40]], np.float32), (1, 3)).tolist()
    text = "A pixel on a border counts in part: 0, 10, 20, 30, 40 to 3 gives 4, 20, 36"
    yield text, seen == [[4, 20, 36]], seen
    ours = ap.adaptive_avg_pool1d(np.array([[0, 10, 20, 30, 40]], np.float32), 3).tolist()
    yield "(with the default windows 5, 20, 35)", ours == [[5, 20, 35]], ours
    seen = read(np.array([[1, -9, 3, 4]], np.float32), (1, 2), nodata=-9).tolist()
    x = floats(60, 66)
    x[RANDOM.random(x.shape) < 0.3] = -9
    theirs = read(x, (25, 31), nodata=-9)
    ours = ap.adaptive_avg_pool2d(x, (25, 31), windows="area", nodata=-9, empty=-9)
    holds = seen == [[1, 3.5]] and bool(np.abs(theirs - ours).max() < 1e-6)
    row = "| a no-data value in the file | with `nodata=d.nodata` | the same pixels count |"
    yield row, holds, (seen, np.abs(theirs - ours).max())
    seen = read(np.array([[1, 3]], np.uint8), (1, 1), nodata=2).tolist()
    yield "1 and 3 have the average 3 where 2 is the no-data value", seen == [[3]], seen
