"""Dask arrays: the bits of the same call in memory, for any chunks, and nothing before compute."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("dask.array", reason="the adaptor is for Dask")

import dask
import dask.array as da
from cases import DTYPES, dtype_of, random_array, same

import adaptive_pool as ap
from adaptive_pool import dask as lazy

pytestmark = pytest.mark.filterwarnings("ignore::dask.array.core.PerformanceWarning")


@pytest.fixture(autouse=True)
def _in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def functions(name):
    return getattr(lazy, name), getattr(ap, name)


def results_of(computed):
    return computed if isinstance(computed, tuple) else (computed,)


def agree(name, x, chunks, *args, limit=None, **options):
    """The lazy results are those in memory, and their metadata said so."""
    ours, in_memory = functions(name)
    given = dict(options)
    if isinstance(options.get("where"), da.Array):
        given["where"] = options["where"].compute()
    expected = results_of(in_memory(x, *args, **given))
    arrays = results_of(ours(da.from_array(x, chunks=chunks), *args, limit=limit, **options))
    assert [(a.shape, a.dtype) for a in arrays] == [(e.shape, e.dtype) for e in expected]
    computed = dask.compute(*arrays)
    assert same(computed, expected)
    return arrays


def random_chunks(rng, size):
    if size == 0:
        return (0,)
    borders = np.unique(rng.integers(0, size + 1, rng.integers(0, 4)))
    sizes = np.diff([0, *borders, size])
    return tuple(int(n) for n in sizes)  # some of them may be 0


def random_windows(rng, sizes, area):
    """Rules, or tables in any order."""
    kind = rng.choice(["torch", "split", "uniform", "ceil", "given", *(["area"] * 3 * area)])
    if kind == "given":
        tables = []
        for size in sizes:
            starts = rng.integers(0, size, rng.integers(1, 6))
            ends = starts + 1 + (rng.random(len(starts)) * (size - starts)).astype(int)
            tables.append((starts, ends))
        return None, tables
    counts = []
    for size in sizes:
        count = int(rng.integers(1, 1 + (2 * size if kind in ("torch", "area") else size)))
        while kind == "ceil" and -(-size // -(-size // count)) != count:
            count -= 1
        counts.append(None if rng.random() < 0.1 else count)
    return tuple(counts), str(kind)


def random_case(seed):
    rng = np.random.default_rng(seed)
    ndim, average = int(rng.integers(1, 4)), bool(rng.random() < 0.6)
    dtype = dtype_of(DTYPES[seed % len(DTYPES)])
    sizes = tuple(int(n) for n in rng.integers(1, [0, 90, 24, 12][ndim], ndim))
    lead = tuple(int(n) for n in rng.integers(1, 4, rng.integers(0, 3)))
    last = bool(rng.random() < 0.3)
    channels = (int(rng.integers(1, 12)),)
    shape = (*lead, *sizes, *channels) if last else (*lead, *channels, *sizes)
    x = random_array(rng, shape, dtype)
    options = {"data_format": "channels_last" if last else "channels_first"}
    if dtype.name in ("bfloat16", "float32", "float64"):  # so that an order shows in the bits
        x = (x.astype(np.float64) * 2.0 ** rng.integers(-40, 40, shape)).astype(dtype)
    if dtype.kind not in "biu" and rng.random() < 0.3:
        x[rng.random(shape) < 0.05] = rng.choice([np.nan, np.inf, -np.inf])
    size, options["windows"] = random_windows(rng, sizes, average)
    if rng.random() < 0.3:
        options["where"] = rng.random(shape) < 0.7
        options["empty"] = 1
    if rng.random() < 0.3:
        options["nan_policy"] = "omit"
        options["empty"] = 1
    if dtype.kind != "b" and rng.random() < 0.2:
        options.update(nodata=1, empty=0)
    if rng.random() < 0.2:
        options.update(return_counts=True, min_count=int(rng.integers(1, 9)), empty=1)
    if average and rng.random() < 0.2:
        options.update(scale=rng.random(channels), offset=0.5)
    if average and rng.random() < 0.6:
        options["dtype"] = np.float64
    elif average and dtype.kind in "iu" and "scale" not in options:
        options["dtype"] = dtype
    if not average:
        options["return_indices"] = bool(rng.random() < 0.7)
    name = f"adaptive_{'avg' if average else 'max'}_pool{ndim}d"
    chunks = tuple(random_chunks(rng, n) for n in shape)
    limit = int(rng.integers(1, 4000)) if rng.random() < 0.5 else None
    return name, x, chunks, size, limit, options


@pytest.mark.parametrize("seed", range(60))
def test_bits_are_those_in_memory_for_random_chunks(seed):
    name, x, chunks, size, limit, options = random_case(seed)
    agree(name, x, chunks, size, limit=limit, **options)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60, 400))
def test_bits_are_those_in_memory_for_more_chunks(seed):
    test_bits_are_those_in_memory_for_random_chunks(seed)


def test_a_small_plane_in_chunks_that_cut_windows():
    x = da.from_array(np.arange(20.0).reshape(4, 5), chunks=(3, 2))
    y = lazy.adaptive_avg_pool2d(x, (2, 3))
    assert y.compute().tolist() == [[3.0, 4.5, 6.0], [13.0, 14.5, 16.0]]
    _, indices = lazy.adaptive_max_pool2d(x, (2, 3), return_indices=True)
    assert indices.compute().tolist() == [[6, 8, 9], [16, 18, 19]]


def spread(rng, shape, dtype):
    """Numbers of which sums in float64 show their order."""
    return (rng.standard_normal(shape) * 2.0 ** rng.integers(-30, 30, shape)).astype(dtype)


@pytest.mark.parametrize("limit", [None, 100], ids=["at once", "by slabs"])
@pytest.mark.parametrize("last", [False, True], ids=["channels_first", "channels_last"])
@pytest.mark.parametrize("options", [{}, {"nan_policy": "omit"}], ids=["all", "counted"])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_sums_have_the_order_of_the_whole_plane(rng, width, options, last, limit):
    """By lines, or numbered through where one window is all of W: a block may look otherwise."""
    x = spread(rng, (9, 10, 60), "float32")  # 60 planes, so that some show a wrong order
    chunks = (4, 3, 60)
    layout = {"data_format": "channels_last"}
    if not last:
        x, chunks, layout = np.ascontiguousarray(np.moveaxis(x, -1, 0)), (60, 4, 3), {}
    agree(
        "adaptive_avg_pool2d", x, chunks, (2, width), limit=limit, dtype="float64", **layout,
        **options,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "uint8", "int64"])
@pytest.mark.parametrize(
    ("sizes", "counts"), [((7, 10), (3, 4)), ((6, 9), (3, 4)), ((2, 3), (5, 4))]
)
def test_windows_by_area_keep_their_weights(rng, sizes, counts, dtype):
    x = random_array(rng, (2, *sizes), dtype)
    agree("adaptive_avg_pool2d", x, (1, 3, 2), counts, windows="area")
    agree(
        "adaptive_avg_pool2d", x, (1, 2, 5), counts, windows="area", min_count=9, empty=0,
        return_counts=True, where=rng.random(x.shape) < 0.6,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("chunks", [1, (2, 0, 3, 0), 5], ids=["of one", "empty ones", "one"])
@pytest.mark.parametrize("count", [1, 2, 5, 11])
def test_chunks_of_any_sizes(rng, chunks, count, kind):
    x = rng.standard_normal((3, 5))
    chunks = ((0, 3, 0), chunks) if isinstance(chunks, tuple) else chunks
    agree(f"adaptive_{kind}_pool1d", x, chunks, count)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((0, 4, 4), 2), ((2, 4, 4), 0), ((2, 4, 4), (2, 0)), ((0, 0, 4), 2), ((2, 0, 4), (0, 2))],
)
def test_results_without_elements(shape, size):
    agree("adaptive_avg_pool2d", np.ones(shape), 2, size)
    agree("adaptive_max_pool2d", np.ones(shape), 2, size, return_indices=True)


def test_an_empty_axis_becomes_what_is_asked_for():
    x = np.ones((2, 0, 3), np.float32)
    agree("adaptive_avg_pool2d", x, 2, 2, min_count=2, return_counts=True)
    agree("adaptive_max_pool2d", x, 2, 2, min_count=2, return_indices=True)


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("lengths", [[0, 3, 7, 5], [[1, 2], [7, 9], [0, 0], [4, 4]]])
def test_lengths_go_with_their_samples(rng, lengths, kind):
    x = rng.standard_normal((4, 3, 7, 9))
    agree(f"adaptive_{kind}_pool2d", x, (3, 2, 4, 5), (2, 3), lengths=lengths, empty=-1)


def test_scales_go_with_their_channels(rng):
    x = rng.integers(0, 255, (2, 6, 5, 9)).astype(np.uint8)
    scale, offset = rng.random(6), rng.random(6)
    for limit in (None, 1):
        agree(
            "adaptive_avg_pool2d", x, (2, 4, 3, 3), (2, 3), limit=limit, scale=scale,
            offset=offset, dtype="int8",
        )  # fmt: skip


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("chunks", [(2, 2, 2), (1, 6, 6)])
def test_masks_may_be_lazy_and_smaller(rng, chunks, kind):
    x, mask = rng.standard_normal((2, 6, 6)), rng.random((6, 1)) < 0.5
    for where in (mask, da.from_array(mask, chunks=1), da.from_array(mask, chunks=4)):
        agree(f"adaptive_{kind}_pool2d", x, chunks, 3, where=where, limit=30)


@pytest.mark.parametrize("values", [[1, np.inf], [np.inf, -np.inf], [-np.inf, 2], [np.nan, np.inf]])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinities_in_slabs(values, dtype):
    x = np.ones((8, 8), dtype)
    x[[1, 5], [6, 2]] = values
    for options in ({}, {"nan_policy": "omit"}, {"where": np.isfinite(x)}):
        agree("adaptive_avg_pool2d", x, 2, (1, 2), limit=1, **options)
        agree("adaptive_avg_pool2d", x, 2, 1, limit=1, **options)


def test_a_sum_that_overflows_by_slabs_is_an_error():
    x = np.full((4, 4), 1.7e308)
    assert lazy.adaptive_avg_pool2d(da.from_array(x, chunks=2), 1).compute() == 1.7e308
    y = lazy.adaptive_avg_pool2d(da.from_array(x, chunks=2), 1, limit=8)
    with pytest.raises(OverflowError, match="adaptive_avg_pool2d: the sum of a window overflows"):
        y.compute()


def test_slabs_are_no_larger_than_the_limit(monkeypatch):
    """A window of 20 by 30 float64, of which a line is 240 bytes, in tasks of 500."""
    from adaptive_pool.dask import _fold

    seen = []
    real = _fold.join
    monkeypatch.setattr(_fold, "join", lambda x, axis: seen.append(real(x, axis)) or seen[-1])
    x = np.random.default_rng(0).standard_normal((40, 60))
    agree("adaptive_avg_pool2d", x, (9, 7), 2, limit=500)
    assert {part.nbytes for part in seen} <= {240, 480}
    assert sum(part.size for part in seen) == x.size


def test_nothing_is_computed_when_a_graph_is_made():
    def fail(block):
        raise AssertionError

    x = da.ones((8, 10), chunks=4, dtype="f4").map_blocks(fail, meta=np.empty((0, 0), "f4"))
    y, counts = lazy.adaptive_avg_pool2d(x, 3, return_counts=True, where=x > 0)
    assert (y.dtype, counts.dtype, type(y._meta)) == (np.float32, np.int64, np.ndarray)
    with pytest.raises(AssertionError):
        y.compute()


@pytest.mark.parametrize("dtype", ["float64", "int16"])
def test_the_dtype_is_that_of_the_call(dtype):
    x = da.ones((4, 4), dtype=np.int16, chunks=2)
    y = lazy.adaptive_avg_pool2d(x, 2, dtype=dtype)
    assert y.dtype == y.compute().dtype == dtype


def test_other_byte_orders_are_read():
    x = np.arange(12.0).reshape(3, 4).astype(">f8")
    agree("adaptive_avg_pool2d", x, 2, 2)
    agree("adaptive_avg_pool2d", x, 2, 2, limit=1)
    agree("adaptive_max_pool2d", x, 2, 2, limit=1, return_indices=True)


def test_names_follow_from_arguments():
    x = da.ones((8, 8), chunks=3)
    names = [lazy.adaptive_avg_pool2d(x, 2, nodata=k).name for k in (1, 1, 2)]
    names += [lazy.adaptive_avg_pool2d(x, k).name for k in (2, 4)]
    names += [lazy.adaptive_avg_pool2d(x, 2, windows=w).name for w in ("area", "split")]
    names += [lazy.adaptive_avg_pool2d(x + k, 2).name for k in (1, 2)]
    assert names[0] == names[1]
    assert len(set(names)) == len(names) - 1
    assert names[0].startswith("adaptive_avg_pool2d-")


@pytest.mark.parametrize("size", [40, 7, 1])
def test_graphs_are_linear_in_chunks(size):
    """Of an output chunk: itself, and parts of the chunks that it shares with its neighbours."""
    x = da.zeros((8000, 8000), chunks=200, dtype="f4")
    y = lazy.adaptive_avg_pool2d(x, size)
    tasks = len(dict(y.dask)) - len(dict(x.dask))
    assert tasks <= 9 * y.npartitions + 3 * x.npartitions


def test_chunks_are_in_proportion_to_those_of_the_input():
    x = da.zeros((2, 3, 100, 60), chunks=(1, 3, (50, 20, 30), 60))
    y = lazy.adaptive_avg_pool2d(x, (10, 6))
    assert y.chunks == ((1, 1), (3,), (5, 2, 3), (6,))
    assert lazy.adaptive_avg_pool2d(x, (2, 6)).chunks[2:] == ((1, 1), (6,))
    halves = lazy.adaptive_avg_pool2d(x, (10, 6), limit=50 * 60 * 3 * 8 // 2)
    assert halves.chunks[2:] == ((5, 2, 3), (3, 3))


def test_the_limit_is_twice_the_chunk_size_of_dask():
    x = da.zeros((64, 64), chunks=64)
    with dask.config.set({"array.chunk-size": "8kiB"}):
        assert lazy.adaptive_avg_pool2d(x, 8).npartitions == 2
    assert lazy.adaptive_avg_pool2d(x, 8).npartitions == 1
    assert lazy.adaptive_avg_pool2d(x, 8, limit="16 kiB").npartitions == 2


def test_results_take_part_in_further_computation(rng):
    x = rng.standard_normal((4, 30, 30))
    y = lazy.adaptive_avg_pool2d(da.from_array(x, chunks=(2, 7, 11)), 6)
    expected = ap.adaptive_avg_pool2d(x, 6)
    np.testing.assert_array_equal((y[1:, ::2] * 2).compute(), expected[1:, ::2] * 2)
    np.testing.assert_array_equal(y.rechunk((4, 2, 2)).compute(scheduler="threads"), expected)


def unknown():
    return da.ones(9, chunks=3)[da.ones(9, chunks=3) > 0]


def plane(dtype="f8", shape=(6, 6)):
    return da.ones(shape, chunks=2, dtype=dtype)


@pytest.mark.parametrize(
    ("x", "size", "options", "kind", "text"),
    [
        (plane(), -1, {}, ValueError, "output_size must not be negative"),
        (plane("c8"), 2, {}, TypeError, "x must have one of the dtypes"),
        (plane(), 2, {"dtype": "i4"}, TypeError, "dtype must be one of"),
        (plane(), 5, {"windows": "ceil"}, ValueError, "window rule 'ceil' leaves window 3"),
        (plane(shape=(0, 4)), 2, {}, ValueError, "a pooled axis of x is empty"),
        (plane(shape=(4,)), 2, {}, ValueError, "x must have shape"),
        (plane(), 2, {"where": plane()}, TypeError, "where must be bool"),
        (plane(), 2, {"where": np.ones(5, bool)}, ValueError, "where of shape .* broadcast"),
        (plane("i2"), 2, {"min_count": 10, "dtype": "i2"}, ValueError, "window .* fewer elements"),
        (plane(), 2, {"regions": [[0, 0, 1, 0, 1]]}, TypeError, "regions are for arrays in memory"),
        (plane(), 2, {"num_threads": 0}, ValueError, "num_threads must be from 1"),
        (plane(), 2, {"limit": 0}, ValueError, "limit must be at least 1"),
        (plane(), 2, {"limit": "much"}, ValueError, "limit must be at least 1 byte, got 'much'"),
        (plane(), 2, {"limit": 1.5}, TypeError, "limit must be a number of bytes"),
        (np.ones((2, 2)), 2, {}, TypeError, "x must be a Dask array, got ndarray"),
        (unknown(), 2, {}, ValueError, "x has chunks of unknown size"),
        (plane(), 2, {"scale": [1.0, 2.0]}, ValueError, "scale must be a number"),
        (plane(), 2, {"nodata": "x"}, TypeError, "nodata must be a real number"),
    ],
)
def test_errors_of_averages_come_at_once(x, size, options, kind, text):
    with pytest.raises(kind, match=f"^adaptive_avg_pool2d: {text}"):
        lazy.adaptive_avg_pool2d(x, size, **options)


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"windows": "area"}, ValueError, "windows 'area' weigh elements"),
        ({"return_indices": True, "index_dtype": "i2"}, TypeError, "index_dtype must be int32"),
        ({"empty": 1e99}, ValueError, "empty must fit dtype float32"),
    ],
)
def test_errors_of_maxima_come_at_once(options, kind, text):
    with pytest.raises(kind, match=f"^adaptive_max_pool2d: {text}"):
        lazy.adaptive_max_pool2d(plane("f4"), 2, **options)


def test_there_is_no_array_for_results():
    with pytest.raises(TypeError, match=r"avg_pool2d\(\) got an unexpected keyword argument 'out'"):
        lazy.adaptive_avg_pool2d(plane(), 2, out=np.empty((2, 2)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_nan_in_slabs_warns_of_nothing(dtype):
    x = np.full((4, 4), np.nan, np.float32).astype(dtype_of(dtype))
    agree("adaptive_max_pool2d", x, 2, 1, limit=1)


@pytest.mark.parametrize("limit", [None, 1])
def test_windows_that_lack_elements_are_found_when_computed(limit):
    x = da.full((4, 4), -1, dtype=np.int16, chunks=2)
    y = lazy.adaptive_max_pool2d(x, 1, nodata=-1, limit=limit)
    with pytest.raises(ValueError, match="adaptive_max_pool2d: .*fewer elements that count than 1"):
        y.compute()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64"])
@pytest.mark.parametrize("limit", [None, 1])
def test_windows_without_elements_are_errors_where_there_is_no_nan(limit, dtype):
    x = da.ones((4, 4), dtype=dtype, chunks=2)
    y = lazy.adaptive_max_pool2d(x, 1, where=np.zeros((4, 4), bool), limit=limit)
    with pytest.raises(ValueError, match=f"fewer elements that count than 1, and {dtype} has no"):
        y.compute()


@pytest.mark.parametrize("name", ["dask", "xarray"])
def test_an_import_without_the_library_names_the_extra(name):
    code = f"import sys; sys.modules[{name!r}] = None; import adaptive_pool.{name}"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f'pip install "adaptive-pool[{name}]"' in run.stderr
