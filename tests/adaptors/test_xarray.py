"""The accessor `pool`: dimensions by name, coordinates along with the data."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("xarray", reason="the adaptor is for xarray")

import xarray as xr

import adaptive_pool as ap
import adaptive_pool.xarray


def grid(rng, **sizes):
    x = rng.standard_normal(tuple(sizes.values()))
    return xr.DataArray(x, {dim: np.arange(n) * 1.5 for dim, n in sizes.items()}, name="t")


def test_sizes_by_name_and_by_mapping(rng):
    da = grid(rng, time=2, y=7, x=9)
    y = da.pool.avg(x=4, y=3)
    np.testing.assert_array_equal(y.values, ap.adaptive_avg_pool2d(da.values, (3, 4)))
    assert y.dims == ("time", "y", "x")
    xr.testing.assert_identical(y, da.pool.avg({"y": 3, "x": 4}))
    xr.testing.assert_identical(da.pool.avg(y=3, x=None), da.pool.avg(y=3))


@pytest.mark.parametrize("order", [*itertools.permutations(("time", "y", "x"))], ids=" ".join)
@pytest.mark.parametrize("dims", [("y",), ("time", "x"), ("x", "time"), ("x", "y", "time")])
def test_dimensions_keep_their_order_wherever_they_stand(rng, order, dims):
    da = grid(rng, time=4, y=7, x=9).transpose(*order)
    y = da.pool.avg(dict.fromkeys(dims, 2))
    pooled = [dim for dim in order if dim in dims]
    others = [dim for dim in order if dim not in dims]
    last = da.transpose(*others, *pooled).values
    function = getattr(ap, f"adaptive_avg_pool{len(dims)}d")
    expected = xr.DataArray(function(last, 2), dims=(*others, *pooled)).transpose(*order)
    assert y.dims == order
    np.testing.assert_array_equal(y.values, expected.values)


def test_names_and_attributes_stay(rng):
    da = grid(rng, y=4, x=4).assign_attrs(units="K")
    da.x.attrs["units"] = "m"
    y = da.pool.max(x=2)
    assert (y.name, y.attrs, y.x.attrs) == ("t", {"units": "K"}, {"units": "m"})
    assert da.sizes == {"y": 4, "x": 4}


@pytest.mark.parametrize("factors", [{"y": 2}, {"y": 3, "x": 4}, {"time": 2, "x": 2}])
@pytest.mark.parametrize("reduce", ["mean", "max"])
def test_sizes_that_divide_are_as_by_coarsen(rng, factors, reduce):
    da = grid(rng, time=4, y=12, x=8)
    da = da.where(rng.random(da.shape) > 0.3)
    da = da.assign_coords(lon=(("y", "x"), rng.random((12, 8))), run=("time", list("abcd")))
    da = da if "time" not in factors else da.drop_vars("run")
    y = da.pool.coarsen_to({dim: da.sizes[dim] // f for dim, f in factors.items()}, reduce=reduce)
    expected = getattr(da.coarsen(factors), reduce)()
    # Both add 32 numbers below 4 at most: 32 roundings of 2**-53 of a sum of 128 on either side.
    xr.testing.assert_allclose(y, expected, rtol=0, atol=2 * 32 * 2.0**-53 * 128)
    assert set(y.coords) == set(expected.coords)


def test_coarsen_to_takes_sizes_that_do_not_divide():
    da = xr.DataArray([1.0, 2.0, np.nan, 4.0, 5.0], dims="x")
    np.testing.assert_array_equal(da.pool.coarsen_to(x=2).values, [1.5, 4.5])
    assert np.isnan(da.pool.coarsen_to(x=2, skipna=False).values[0])
    assert da.pool.coarsen_to(x=2, reduce="max").values.tolist() == [2.0, 5.0]
    with pytest.raises(ValueError, match="'split' leaves window 5 empty for input size 5"):
        da.pool.coarsen_to(x=6)
    with pytest.raises(ValueError, match="reduce must be 'mean' or 'max', got 'min'"):
        da.pool.coarsen_to(x=2, reduce="min")


def test_coordinates_are_means_of_their_windows():
    da = xr.DataArray(np.arange(5.0), {"x": [0.0, 1, 2, 3, 10]})
    assert da.pool.avg(x=2).x.values.tolist() == [1.0, 5.0]
    assert da.pool.max(x=2).x.values.tolist() == [1.0, 5.0]
    area = da.pool.avg(x=2, windows="area")
    assert area.x.values.tolist() == [(0 + 1 + 1) / 2.5, (1 + 3 + 10) / 2.5]
    assert da.pool.avg(windows={"x": ([0, 1], [1, 5])}).x.values.tolist() == [0.0, 4.0]


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16"])
def test_integer_coordinates_become_float64(dtype):
    da = xr.DataArray(np.zeros(4), {"x": np.array([0, 1, 2, 4], dtype)})
    assert da.pool.avg(x=2).x.values.tolist() == [0.5, 3.0]
    assert da.pool.avg(x=2).x.dtype == np.float64


def test_times_are_averaged_exactly():
    hours = np.array(["2000-01-01T00", "2000-01-01T06", "2000-01-02", "NaT"], "M8[ns]")
    da = xr.DataArray(np.zeros(4), {"step": ("t", hours - hours[0]), "t": hours}, ("t",))
    y = da.pool.avg(t=2)
    assert y.t.values[0] == np.datetime64("2000-01-01T03", "ns")
    assert y.step.values[0] == np.timedelta64(3, "h")
    assert np.isnat(y.t.values[1])
    assert np.isnat(y.step.values[1])
    quarters = xr.DataArray(np.zeros(3), {"t": hours[:3]}).pool.avg(t=2, windows="area")
    assert quarters.t.values.tolist() == [
        np.datetime64("2000-01-01T02", "ns").item(), np.datetime64("2000-01-01T18", "ns").item()
    ]  # fmt: skip


def test_coordinates_over_several_dimensions_are_averaged_over_those_pooled(rng):
    lat = rng.random((4, 6))
    da = xr.DataArray(np.zeros((4, 6)), {"lat": (("y", "x"), lat)}, ("y", "x"))
    y = da.pool.avg(y=2, x=4, windows="area").lat
    np.testing.assert_array_equal(y.values, ap.adaptive_avg_pool2d(lat, (2, 4), windows="area"))
    np.testing.assert_array_equal(da.pool.avg(y=2).lat.values, ap.adaptive_avg_pool1d(lat.T, 2).T)


def test_coordinates_without_means_are_left_out_and_others_stay():
    da = xr.DataArray(
        np.zeros((2, 4)),
        {"y": ["a", "b"], "x": list("abcd"), "flag": ("x", [True] * 4), "height": 2.0},
        ("y", "x"),
    )
    assert set(da.pool.avg(x=2).coords) == {"y", "height"}
    assert set(da.pool.avg(y=1).coords) == {"x", "flag", "height"}


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="there are no longer floats")
def test_coordinates_of_longer_floats_are_left_out():
    da = xr.DataArray(np.zeros(4), {"long": ("x", np.ones(4, np.longdouble))}, "x")
    assert set(da.pool.avg(x=2).coords) == set()


def test_dimensions_of_size_none_keep_their_labels():
    da = xr.DataArray(np.zeros((2, 4)), {"y": ["a", "b"], "x": [1, 2, 3, 4]}, ("y", "x"))
    xr.testing.assert_identical(da.pool.avg(y=None, x=2), da.pool.avg(x=2))
    assert da.pool.avg(y=None, x=2).y.values.tolist() == ["a", "b"]
    assert da.pool.max(y=1, x=None).x.dtype == np.int64


def test_an_index_of_several_levels_stays_or_goes_as_a_whole():
    da = xr.DataArray(
        np.zeros((4, 6)), {"a": ("z", [0, 0, 1, 1]), "b": ("z", list("cdcd"))}, ("z", "x")
    )
    da = da.set_index(z=["a", "b"])
    assert da.pool.avg(x=2).indexes["z"].names == ["a", "b"]
    assert set(da.pool.avg(z=2).coords) == {"a"}


@pytest.mark.parametrize("stored", ["as coordinate", "as data"])
@pytest.mark.parametrize("named", ["attribute", "suffix"])
@pytest.mark.parametrize("kind", ["f8", "M8[ns]"])
def test_bounds_go_from_the_first_to_the_last(named, kind, stored):
    edges = np.array([0, 1, 3, 6, 10]).astype(kind)
    name = "cells" if named == "attribute" else "x_bnds"
    pairs = {name: (("x", "nv"), np.stack([edges[:-1], edges[1:]], 1))}
    ds = xr.Dataset({"t": ("x", np.zeros(4))}, {"x": edges[:-1]})
    ds = ds.assign_coords(pairs) if stored == "as coordinate" else ds.assign(pairs)
    if named == "attribute":
        ds.x.attrs["bounds"] = "cells"
    wanted = np.array([[0, 3], [3, 10]]).astype(kind)
    np.testing.assert_array_equal(ds.pool.avg(x=2)[name].values, wanted)
    halves = ds.pool.avg(x=8, windows="area")[name].values
    np.testing.assert_array_equal(halves[[0, 7], [0, 1]], edges[[0, -1]])
    np.testing.assert_array_equal(halves[6:].ravel()[1:3], np.array([8, 8]).astype(kind))


def test_bounds_of_long_times_are_exact():
    years = np.arange("1700", "2201", dtype="M8[Y]").astype("M8[ns]")
    cells = np.stack([years[:-1], years[1:]], axis=1)
    ds = xr.Dataset({"v": ("t", np.zeros(500)), "t_bnds": (("t", "nv"), cells)})
    bounds = ds.pool.avg(t=300, windows="area").t_bnds.values
    ticks, lengths = cells.astype(np.int64).tolist(), np.diff(cells.astype(np.int64)).ravel()
    borders = [divmod(500 * k, 300) for k in range(300)]
    wanted = [ticks[k][0] + int(lengths[k]) * part // 300 for k, part in borders]
    assert bounds[:, 0].astype(np.int64).tolist() == wanted
    assert bounds[:-1, 1].tolist() == bounds[1:, 0].tolist()


def test_bounds_are_found_where_files_decode_all_coordinates():
    edges = np.array([0.0, 1, 3, 6, 10])
    cells = np.stack([edges[:-1], edges[1:]], 1)
    ds = xr.Dataset({"v": ("x", np.zeros(4)), "cells": (("x", "nv"), cells)}, {"x": edges[:-1]})
    ds.x.attrs["bounds"] = "cells"
    ds = xr.decode_cf(ds, decode_coords="all")
    assert ds.pool.avg(x=2).cells.values.tolist() == [[0, 3], [3, 10]]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["in order", "turned"])
def test_bounds_of_falling_coordinates(order):
    edges = np.array([10.0, 6, 3, 1, 0])
    pairs = np.stack([edges[:-1], edges[1:]], 1)[:, order]
    ds = xr.Dataset({"t": ("y", np.zeros(4)), "y_bnds": (("y", "nv"), pairs)})
    expected = np.array([[10.0, 3], [3, 0]])[:, order]
    np.testing.assert_array_equal(ds.pool.avg(y=2).y_bnds.values, expected)


@pytest.mark.parametrize("operation", ["avg", "max"])
def test_options_are_those_of_arrays(rng, operation):
    da = grid(rng, time=2, y=7, x=9)
    da = da.where(rng.random(da.shape) > 0.3)
    where = xr.DataArray(rng.random((9, 7)) > 0.4, {"x": da.x, "y": da.y}, ("x", "y"))
    options = {"nan_policy": "omit", "empty": -1.0, "min_count": 2, "return_counts": True}
    y, counts = getattr(da.pool, operation)(y=3, x=4, where=where, **options)
    function = getattr(ap, f"adaptive_{operation}_pool2d")
    expected = function(da.values, (3, 4), where=where.values.T, **options)
    np.testing.assert_array_equal(y.values, expected[0])
    np.testing.assert_array_equal(counts.values, expected[1])
    assert counts.dtype == np.int64


def test_a_dimension_named_like_an_argument_needs_the_mapping():
    da = xr.DataArray([[1.0, 3.0]], dims=("y", "windows"))
    assert da.pool.avg({"windows": 1}).values.tolist() == [[2.0]]


def test_datasets_pool_what_has_the_dimensions(rng):
    t, edges = grid(rng, y=4, x=6), np.arange(7.0)
    ds = xr.Dataset(
        {
            "t": t,
            "p": t.isel(x=0, drop=True),
            "s": 3,
            "x_bnds": (("x", "nv"), np.stack([edges[:-1], edges[1:]], 1)),
        },
        attrs={"title": "a"},
    )
    y = ds.pool.avg(x=3)
    xr.testing.assert_identical(y.t, t.pool.avg(x=3))
    xr.testing.assert_identical(y.p, ds.p)
    assert y.x_bnds.values.tolist() == [[0, 2], [2, 4], [4, 6]]
    assert (int(y.s), y.attrs, y.x.values.tolist()) == (3, {"title": "a"}, [0.75, 3.75, 6.75])
    with pytest.raises(TypeError, match="return_counts is for a DataArray, got a Dataset"):
        ds.pool.avg(x=3, return_counts=True)


@pytest.mark.parametrize("rule", ["torch", "split", "area"])
def test_lazy_arrays_stay_lazy_with_the_same_bits(rng, rule):
    da_array = pytest.importorskip("dask.array", reason="for lazy arrays")
    da = grid(rng, time=4, y=12, x=9)
    lazy = da.chunk(time=3, y=5, x=4).assign_coords(
        q=(("y", "x"), da_array.ones((12, 9), chunks=5))
    )
    y = lazy.pool.avg(x=4, time=3, windows=rule)
    assert isinstance(y.data, da_array.Array)
    assert isinstance(y.q.data, da_array.Array)
    expected = da.pool.avg(x=4, time=3, windows=rule)
    xr.testing.assert_identical(y.drop_vars("q").compute(scheduler="synchronous"), expected)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda p: p.avg(z=3), r"pool.avg: there is no dimension 'z', which was given 3, among"),
        (lambda p: p.max(windows={"z": ([0], [1])}), "pool.max: there is no dimension 'z'"),
        (lambda p: p.avg(), "for one to three dimensions of .*, got 0"),
        (lambda p: p.avg(y=-2), "pool.avg: size of 'y' must not be negative, got -2"),
        (lambda p: p.avg({"y": 2}, x=2), "pool.avg: pass sizes as a mapping or by name, not both"),
        (lambda p: p.avg(y=2, windows="tiles"), "unknown window rule 'tiles'"),
        (lambda p: p.max(y=2, windows="area"), "windows 'area' weigh elements"),
        (lambda p: p.avg(y=2, windows={"x": ([0], [1])}), "no windows for dimension 'y'"),
        (lambda p: p.avg(y=3, windows={"y": ([0], [1])}), "size 3 of dimension 'y' does not agree"),
        (lambda p: p.avg(y=2, where=xr.DataArray([True], dims="z")), "dimension 'z' of length 1"),
        (lambda p: p.avg(y=2, where=xr.DataArray([True] * 4, {"y": [9, 8, 7, 6]})), "align"),
        (lambda p: p.avg(y=9, windows="ceil"), "'ceil' leaves window 4 empty"),
        (lambda p: p.avg(y=None), "for one to three dimensions of .*, got 0"),
        (lambda p: p.avg(y=2, where=np.ones(3, bool)), r"pool.avg: where must be bools .*\(4, 4\)"),
    ],
)  # fmt: skip
def test_errors_name_dimension_and_value(rng, call, text):
    with pytest.raises(ValueError, match=text):
        call(grid(rng, y=4, x=4).pool)


@pytest.mark.parametrize("sizes", [3, [2, 3]])
def test_sizes_are_a_mapping(rng, sizes):
    with pytest.raises(TypeError, match=r"pool.avg: sizes must be a mapping of dimensions, got"):
        grid(rng, y=4, x=4).pool.avg(sizes)


def test_a_mask_is_no_dataset(rng):
    da = grid(rng, y=4, x=4)
    with pytest.raises(TypeError, match=r"pool.avg: where must be bools"):
        da.pool.avg(y=2, where=(da > 0).to_dataset())


def test_errors_of_a_dataset_name_the_variable(rng):
    ds = grid(rng, y=4).to_dataset().assign(kind=("y", list("abcd")))
    with pytest.raises(TypeError) as caught:
        ds.pool.avg(y=2)
    assert caught.value.__notes__ == ["pool.avg: this is about the variable 'kind'"]


def test_empty_dimensions_and_enlarged_ones():
    da = xr.DataArray(np.ones((0, 2)), {"x": [1.0, 2.0]}, ("y", "x"))
    assert da.pool.avg(x=3).sizes == {"y": 0, "x": 3}
    assert da.pool.avg(x=3).x.values.tolist() == [1.0, 1.5, 2.0]
    with pytest.raises(ValueError, match="empty"):
        da.pool.avg(y=1)


def test_the_accessor_imports_no_dask():
    code = "import adaptive_pool.xarray, sys; print('adaptive_pool.dask' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
