"""Arrays that are not in memory are refused before anything of them is read.

The libraries are made up here, so that no test needs them; tests/adaptors has the real
ones.
"""

import re
import sys
import types

import numpy as np
import pytest

import adaptive_pool as ap
from adaptive_pool import pictures

ONES = np.ones((4, 4), np.float32)


def lazy(module, name, monkeypatch):
    """An array of a class of that name, in a module that is loaded, that must not be read."""

    def read(*_, **__):
        raise AssertionError("it was read")

    kind = type(name, (), {"__array__": read, "__getitem__": read, "shape": (4, 4)})
    monkeypatch.setitem(sys.modules, module, types.SimpleNamespace(**{name: kind}))
    return kind()


KINDS = {
    (
        "dask.array",
        "Array",
    ): "a Dask array, .*: pool it with adaptive_pool.dask, .*.asarray(x)",
    ("zarr", "Array"): "a Zarr array, .* dask.array.from_zarr(x) with .* numpy.asarray(x)",
    ("h5py", "Dataset"): "an HDF5 dataset, .* dask.array.from_array(x) with .* numpy.asarray(x)",
    ("netCDF4", "Variable"): "a netCDF variable, .*: pool parts of it, or load it first, x[...]",
    ("tensorstore", "TensorStore"): "a TensorStore, .*: pool parts of it, .* numpy.asarray(x)",
    ("cubed", "Array"): "a Cubed array, .*: pool parts of it, .* numpy.asarray(x)",
    ("blosc2", "NDArray"): "a Blosc2 array, .*: pool parts of it, .* numpy.asarray(x)",
    ("nibabel.arrayproxy", "ArrayProxy"): "an image in a file, .* numpy.asarray(x)",
}


@pytest.mark.parametrize(("kind", "message"), KINDS.items(), ids=[".".join(k) for k in KINDS])
def test_what_is_said(kind, message, monkeypatch):
    x = lazy(*kind, monkeypatch)
    pattern = re.escape(message).replace(re.escape(".*"), ".*")
    with pytest.raises(TypeError, match=f"^adaptive_avg_pool2d: x is {pattern}$"):
        ap.adaptive_avg_pool2d(x, 2)


PLACES = {
    "x": ("x", lambda x: ap.adaptive_max_pool2d(x, 2)),
    "subclass": ("x", lambda x: ap.adaptive_max_pool2d(type("Mine", (type(x),), {})(), 2)),
    "in-a-list": ("x", lambda x: ap.adaptive_avg_pool2d([x, x], 2)),
    "in-lists": ("x", lambda x: ap.adaptive_avg_pool2d([[ONES, ONES], [ONES, x]], 2)),
    "gradient": ("grad_output", lambda x: ap.adaptive_avg_pool2d_backward(x, (8, 8))),
    "indices": ("indices", lambda x: ap.adaptive_max_pool2d_backward(ONES, x, (8, 8))),
    "where": ("where", lambda x: ap.adaptive_avg_pool2d(ONES, 2, where=x)),
    "lengths": ("lengths", lambda x: ap.adaptive_avg_pool1d(ONES, 2, lengths=x)),
    "scale": ("scale", lambda x: ap.adaptive_avg_pool2d(ONES, 2, scale=x)),
    "windows": ("starts", lambda x: ap.adaptive_avg_pool1d(ONES, None, windows=[(x, [4])])),
    "layer": ("x", ap.AdaptiveAvgPool2d(2)),
    "vjp": ("x", ap.AdaptiveAvgPool2d(2).vjp),
    "pyramid": ("x", lambda x: ap.pyramid(x, 2)),
    "spatial": ("x", ap.spatial_pyramid_pool2d),
    "both": ("x", lambda x: ap.adaptive_avg_max_pool2d(x, 2)),
    "unpool": ("values", lambda x: ap.adaptive_max_unpool2d(x, ONES, (8, 8))),
    "ragged": ("arrays[1]", lambda x: ap.adaptive_avg_pool2d_ragged([ONES, x], 2)),
    "ragged-where": (
        "where",
        lambda x: ap.adaptive_avg_pool2d_ragged([ONES, ONES], 2, where=[None, x]),
    ),
    "packed": ("values", lambda x: ap.adaptive_avg_pool1d_packed(x, [0, 4], 2)),
    "offsets": ("offsets", lambda x: ap.adaptive_avg_pool1d_packed(ONES, x, 2)),
    "pictures": ("pictures[0]", lambda x: pictures.to_tensor([x], 2)),
}


@pytest.mark.parametrize(("name", "call"), PLACES.values(), ids=PLACES)
def test_every_place(name, call, monkeypatch):
    x = lazy("zarr", "Array", monkeypatch)
    with pytest.raises(TypeError, match=rf"{re.escape(name)} is a Zarr array, .*numpy.asarray"):
        call(x)


def test_out(monkeypatch):
    with pytest.raises(TypeError, match="out must be a NumPy array, got Array"):
        ap.adaptive_avg_pool2d(ONES, 2, out=lazy("zarr", "Array", monkeypatch))


def test_the_name_alone_is_not_enough(monkeypatch):
    """An array of a class of the same name, of another library."""
    lazy("zarr", "Array", monkeypatch)
    x = type("Array", (), {"__array__": lambda self, dtype=None, copy=None: ONES})()
    assert ap.adaptive_avg_pool2d(x, 1).tolist() == [[1.0]]


def test_files_that_numpy_maps(tmp_path):
    """They are read in place, page by page."""
    np.save(tmp_path / "x.npy", ONES)
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert ap.adaptive_avg_pool2d(x, 1).tolist() == [[1.0]]
