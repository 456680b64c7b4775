"""Real arrays that are not in memory: refused, and nothing of them is read or computed."""

import re

import numpy as np
import pytest

import adaptive_pool as ap
from adaptive_pool import array_api

pytestmark = pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")

ONES = np.ones((8, 8), np.float32)


def never():
    raise AssertionError("it was read")


def dask_array(folder):
    dask = pytest.importorskip("dask", reason="Dask is not installed")
    array = pytest.importorskip("dask.array", reason="Dask is not installed")
    return array.from_delayed(dask.delayed(never)(), (8, 8), np.float32)


def zarr_array(folder):
    zarr = pytest.importorskip("zarr", reason="Zarr is not installed")
    zarr.open(str(folder / "x.zarr"), mode="w", shape=(8, 8), dtype="f4")[...] = ONES
    return zarr.open(str(folder / "x.zarr"), mode="r")


def hdf5_dataset(folder):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    file = h5py.File(folder / "x.h5", "w")
    file["x"] = ONES
    return file["x"]


def netcdf_variable(folder):
    netcdf = pytest.importorskip("netCDF4", reason="netCDF4 is not installed")
    file = netcdf.Dataset(folder / "x.nc", "w")
    for name in "hw":
        file.createDimension(name, 8)
    variable = file.createVariable("x", "f4", ("h", "w"))
    variable[:] = ONES
    return variable


def tensorstore_of_zarr(folder):
    tensorstore = pytest.importorskip("tensorstore", reason="tensorstore is not installed")
    spec = {"driver": "zarr", "kvstore": {"driver": "file", "path": str(folder / "x.zarr")}}
    store = tensorstore.open(
        spec, create=True, delete_existing=True, dtype="float32", shape=(8, 8)
    ).result()
    store.write(ONES).result()
    return store


def cubed_array(folder):
    pytest.importorskip("cubed", reason="Cubed is not installed")
    return pytest.importorskip("cubed.array_api").asarray(ONES)


def blosc2_array(folder):
    return pytest.importorskip("blosc2", reason="Blosc2 is not installed").asarray(ONES)


def image_of_nibabel(folder):
    nibabel = pytest.importorskip("nibabel", reason="nibabel is not installed")
    nibabel.save(nibabel.Nifti1Image(ONES, np.eye(4)), folder / "x.nii")
    return nibabel.load(folder / "x.nii").dataobj


def xarray_chunked(folder):
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    return xarray.DataArray(dask_array(folder))


def xarray_in_a_file(folder):
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    pytest.importorskip("zarr", minversion="3", reason="Zarr 3 is not installed")
    xarray.Dataset({"x": (("h", "w"), ONES)}).to_zarr(folder / "x.zarr")
    return xarray.open_zarr(folder / "x.zarr", chunks=None)["x"]


def part_of_that(folder):
    return xarray_in_a_file(folder)[:4]


def variable_of_that(folder):
    return xarray_in_a_file(folder).variable


KINDS = {
    dask_array: "a Dask array",
    zarr_array: "a Zarr array",
    hdf5_dataset: "an HDF5 dataset",
    netcdf_variable: "a netCDF variable",
    tensorstore_of_zarr: "a TensorStore",
    cubed_array: "a Cubed array",
    blosc2_array: "a Blosc2 array",
    image_of_nibabel: "an image in a file",
    xarray_chunked: "a chunked array of xarray",
    xarray_in_a_file: "an array of xarray in a file",
    part_of_that: "an array of xarray in a file",
    variable_of_that: "an array of xarray in a file",
}
IDS = [make.__name__ for make in KINDS]


@pytest.mark.parametrize(("make", "what"), KINDS.items(), ids=IDS)
def test_it_is_refused(make, what, tmp_path):
    x = make(tmp_path)
    for module in (ap, array_api):
        with pytest.raises(TypeError, match=f"^adaptive_avg_pool2d: x is {what}, which would be"):
            module.adaptive_avg_pool2d(x, 2)
    with pytest.raises(TypeError, match=rf"arrays\[1\] is {what}"):
        ap.adaptive_avg_pool2d_ragged([ONES, x], 2)
    with pytest.raises(TypeError, match=f"x is {what}"):
        ap.adaptive_avg_pool2d([x, x], 2)


@pytest.mark.parametrize("make", [m for m in KINDS if m not in (dask_array, xarray_chunked)])
def test_the_advice_is_right(make, tmp_path):
    """The call that the message names loads it, and then it is pooled."""
    x = make(tmp_path)
    with pytest.raises(TypeError) as caught:
        ap.adaptive_max_pool2d(x, 2)
    advice = re.search(r"or load it first, (.*)$", str(caught.value))
    loaded = eval(advice[1], {"numpy": np, "x": x})
    if isinstance(loaded, np.ma.MaskedArray):  # netCDF4 makes one, here with no mask
        loaded = loaded.filled()
    assert ap.adaptive_max_pool2d(loaded, 2).tolist() == [[1, 1], [1, 1]]


def test_no_chunk_is_read():
    zarr = pytest.importorskip("zarr", minversion="3", reason="Zarr 3 is not installed")

    class Counting(zarr.storage.MemoryStore):
        reads = 0

        async def get(self, *arguments, **options):
            Counting.reads += 1
            return await super().get(*arguments, **options)

    x = zarr.create_array(store=Counting(), shape=(8, 8), chunks=(4, 4), dtype="f4")
    x[...] = 1
    Counting.reads = 0
    with pytest.raises(TypeError, match="x is a Zarr array"):
        ap.adaptive_avg_pool2d(x, 2)
    assert Counting.reads == 0
    assert ap.adaptive_avg_pool2d(np.asarray(x), 1).tolist() == [[1.0]]
    assert Counting.reads == 4


def test_a_store_for_dask():
    """What the messages of Zarr and HDF5 lead to."""
    zarr = pytest.importorskip("zarr", minversion="3", reason="Zarr 3 is not installed")
    dask_array = pytest.importorskip("dask.array", reason="Dask is not installed")
    x = dask_array.from_zarr(zarr.array(ONES))
    with pytest.raises(TypeError, match="pool it with adaptive_pool.dask"):
        ap.adaptive_avg_pool2d(x, 2)


@pytest.mark.parametrize("load", ["load", "compute"])
def test_arrays_of_xarray_in_memory(load, tmp_path):
    loaded = getattr(xarray_in_a_file(tmp_path), load)()
    for x in (loaded, loaded.variable, loaded[:4], loaded.T):
        y = ap.adaptive_avg_pool2d(x, 2)
        assert (type(y), y.tolist()) == (np.ndarray, [[1, 1], [1, 1]])


def test_a_subclass_of_xarray_that_raises():
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")

    class Broken(xarray.DataArray):
        __slots__ = ()

        @property
        def chunks(self):
            raise RuntimeError

    answer = ap.adaptive_avg_pool2d(Broken(ONES), 1)
    np.testing.assert_array_equal(answer, ap.adaptive_avg_pool2d(ONES, 1))


def test_coordinates_are_in_memory():
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    x = xarray.Dataset(coords={"w": np.arange(4.0)})["w"]  # an index of pandas
    assert ap.adaptive_avg_pool1d(x, 2).tolist() == [0.5, 2.5]


def test_a_part_is_pooled(tmp_path):
    """The other advice."""
    for make in (zarr_array, hdf5_dataset):
        assert ap.adaptive_avg_pool2d(make(tmp_path)[:4, :4], 1).tolist() == [[1.0]]
