"""Gradients of averages of what counts: of masks, NaN and nodata; and of parts with them."""

import math

import numpy as np
import pytest
from cases import FLOATS, dtype_of, random_array, strided
from oracle import function, pooled_back, pooled_last, tables

import adaptive_pool as ap
from adaptive_pool import _reference

SIZES = {1: (37,), 2: (9, 21), 3: (4, 5, 11)}
COUNTS = {1: [(1,), (8,), (50,)], 2: [(1, 1), (3, 5), (11, 4)], 3: [(1, 1, 1), (2, 3, 4)]}
SHAPES = {
    "of each element": lambda x: x.shape,
    "for all channels": lambda x: (x.shape[0], 1, *x.shape[2:]),
    "of the pooled axes": lambda x: x.shape[2:],
    "of one axis": lambda x: x.shape[-1:],
    "of channels": lambda x: (x.shape[1], *(1,) * (x.ndim - 2)),
}


def gradient(g, counted, windows, least=1):
    """The sums of what each window gives, to the bit: pooled axes last.

    In float64, along all axes but the last, then along that.
    """
    total = np.zeros(counted.shape)
    lines = {}
    with np.errstate(all="ignore"):
        for position, window in _reference.each_window(windows):
            place = (..., *window)
            n = counted[place].sum(tuple(range(-len(windows), 0)))
            wide = g[(..., *position)].astype(np.float64)
            share = wide / n if g.dtype == np.float64 else wide * (1.0 / n)
            share = np.where(n < least, 0.0, share)
            line = lines.setdefault(position[-1], np.zeros(counted.shape))
            line[place] += share[(...,) + (np.newaxis,) * len(windows)]
        for last in sorted(lines):
            total += lines[last]
    return np.where(counted, total, 0)


def same(result, total):
    """A result that is a sum rounded once, which NumPy does for all types but one."""
    if result.dtype == dtype_of("bfloat16"):  # ml_dtypes rounds twice
        error = np.abs(result.astype(np.float64) - total)
        assert (error <= np.abs(total) * 2.0**-8 + 2.0**-134).all()
    else:
        with np.errstate(all="ignore"):
            assert result.tobytes() == total.astype(result.dtype).tobytes()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("mask", SHAPES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_masks(rng, ndim, dtype, mask, data_format, threads):
    shape = (2, 19, *SIZES[ndim])
    where = rng.random(SHAPES[mask](np.empty(shape))) < rng.choice([0.1, 0.5, 0.9])
    counted = np.broadcast_to(where, shape)
    masks = pooled_back(counted, ndim, data_format)
    backward = function("avg", ndim, backward=True)
    for counts in COUNTS[ndim]:
        g = random_array(rng, (2, 19, *counts), dtype)
        given = pooled_back(g, ndim, data_format)
        options = {"data_format": data_format, "num_threads": threads}
        result = backward(given, masks.shape, where=masks, **options)
        total = gradient(g, counted, tables(SIZES[ndim], counts, "torch"))
        same(np.ascontiguousarray(pooled_last(result, ndim, data_format)), total)
        out = strided(np.ones_like(result))
        again = backward(
            strided(given), masks.shape, where=np.ascontiguousarray(masks), out=out, **options
        )
        assert again is out
        assert out.tobytes() == result.tobytes()
        ones = backward(given, masks.shape, where=True, **options)
        assert ones.tobytes() == backward(given, masks.shape, **options).tobytes()


@pytest.mark.parametrize("reads", [False, True], ids=["mask", "elements"])
@pytest.mark.parametrize(
    ("channels", "sizes", "counts"),
    [
        (2, (600, 7), (1, 3)),  # more lines than a byte counts
        (20, (700,), (2,)),  # likewise columns, as lanes
        (3, (9000,), (2,)),  # lines that are cut,
        (1, (3, 9000), (2, 40)),
        (1, (4, 3000), (2, 1200)),  # and those of many windows
        (600, (5, 3), (2, 2)),  # and of many lanes
        (40, (1, 14, 14), (1, 7, 7)),
    ],
)
def test_sizes(rng, channels, sizes, counts, reads, data_format):
    """What is counted at a time, and in what: a byte of a mask may be any, True is all but 0."""
    ndim, shape = len(sizes), (2, channels, *sizes)
    where = rng.choice(np.array([0, 1, 2, 255], np.uint8), shape).view(bool)
    counted = where.view(np.uint8) != 0
    x = np.where(counted, 1.0, np.nan)
    g = random_array(rng, (2, channels, *counts), "float32")
    given, x, where = (pooled_back(a, ndim, data_format) for a in (g, x, where))
    options = {"x": x, "nan_policy": "omit"} if reads else {"where": where}
    total = gradient(g, counted, tables(sizes, counts, "torch"))
    for threads in (1, 3):
        result = function("avg", ndim, backward=True)(
            given, x.shape, data_format=data_format, num_threads=threads, **options
        )
        same(np.ascontiguousarray(pooled_last(result, ndim, data_format)), total)


@pytest.mark.parametrize("least", [1, 3])
@pytest.mark.parametrize("x_dtype", ["float16", "bfloat16", "float32", "float64", "uint8", "int64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_and_nodata(rng, dtype, x_dtype, data_format, least):
    """What the input says goes together with a mask."""
    x = rng.integers(0, 4, (3, 7, 12, 15)).astype(dtype_of(x_dtype))
    counted = x != 3
    options = {"nodata": 3, "min_count": least, "data_format": data_format}
    if x_dtype in FLOATS:
        holes = rng.random(x.shape) < 0.3
        x[holes] = np.nan
        counted &= ~holes
        options["nan_policy"] = "omit"
    where = rng.random((3, 1, 12, 15)) < 0.7
    g = random_array(rng, (3, 7, 4, 6), dtype)
    given, read, mask = (pooled_back(a, 2, data_format) for a in (g, x, where))
    for says, more in ((counted, {}), (counted & where, {"where": mask})):
        total = gradient(g, says, tables((12, 15), (4, 6), "torch"), least)
        for layout in (read, np.ascontiguousarray(read), strided(read)):
            result = ap.adaptive_avg_pool2d_backward(given, read.shape, x=layout, **options, **more)
            same(np.ascontiguousarray(pooled_last(result, 2, data_format)), total)
    if x.dtype.isbuiltin:
        foreign = read.astype(read.dtype.newbyteorder())
        again = ap.adaptive_avg_pool2d_backward(given, read.shape, x=foreign, **options, **more)
        assert again.tobytes() == result.tobytes()


def cut(a, data_format, sample, begin, end):
    return a[sample, :, begin:end] if data_format == "channels_first" else a[sample, begin:end]


@pytest.mark.parametrize("dtype", FLOATS)
def test_lengths_and_regions(rng, dtype, data_format):
    """A part is to the bit what it would be alone, and what no part holds gets 0."""
    x = random_array(rng, (4, 5, 33), "float32")
    x[rng.random(x.shape) < 0.2] = np.nan
    where = rng.random((4, 1, 33)) < 0.6
    g = random_array(rng, (4, 5, 3), dtype)
    x, where, g = (pooled_back(a, 1, data_format) for a in (x, where, g))
    common = {"data_format": data_format, "nan_policy": "omit"}
    backward = ap.adaptive_avg_pool1d_backward
    lengths = [33, 0, 8, 20]
    regions = [[3, 5, 20], [0, 0, 33], [2, 7, 9], [1, 4, 4]]
    for name, parts, rows in (
        ("lengths", lengths, [[k, 0, n] for k, n in enumerate(lengths)]),
        ("regions", regions, regions),
    ):
        for threads in (1, 3):
            result = backward(
                g, x.shape, x=x, where=where, num_threads=threads, **{name: parts}, **common
            )
            expected = np.zeros(x.shape, g.dtype)
            for k, row in enumerate(rows):
                if row[1] < row[2]:
                    alone, mask = cut(x, data_format, *row), cut(where, data_format, *row)
                    cut(expected, data_format, *row)[...] = backward(
                        g[k], alone.shape, x=alone, where=mask, **common
                    )
            assert result.tobytes() == expected.tobytes()


def test_regions_that_overlap(rng):
    g = rng.standard_normal((3, 2, 4, 5))
    x = rng.integers(0, 3, (2, 2, 20, 30))
    regions = [[0, 0, 20, 0, 30], [0, 5, 15, 10, 11], [0, 3, 20, 2, 29]]
    result = ap.adaptive_avg_pool2d_backward(g, x.shape, regions=regions, x=x, nodata=2)
    total = np.zeros(x.shape)
    for k, (sample, top, bottom, left, right) in enumerate(regions):
        part = x[sample, :, top:bottom, left:right]
        total[sample, :, top:bottom, left:right] += ap.adaptive_avg_pool2d_backward(
            g[k], part.shape, x=part, nodata=2
        )
    np.testing.assert_allclose(result, total, rtol=0, atol=8 * 2.0**-52)
    assert not result[1].any()
    assert not result[x == 2].any()


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_the_adjoint(rng, ndim, data_format):
    """<g, mean(x)> is <gradient(g), x>, but for rounding."""
    shape = (2, 3, *SIZES[ndim])
    x, where = rng.standard_normal(shape), rng.random(shape) < 0.5
    x, where = (pooled_back(a, ndim, data_format) for a in (x, where))
    y = function("avg", ndim)(x, 2, where=where, empty=0, data_format=data_format)
    g = rng.standard_normal(y.shape)
    back = function("avg", ndim, backward=True)(g, x.shape, where=where, data_format=data_format)
    left, right = math.fsum((g * y).ravel()), math.fsum((back * x).ravel())
    assert left == pytest.approx(right, rel=1e-12, abs=1e-12 * np.abs(g).sum())


@pytest.mark.parametrize("dtype", FLOATS)
def test_gradients_that_are_not_finite(dtype):
    """They reach only what counts, and all NaNs have the same bits."""
    g = np.array([[np.nan, -np.inf, 1]]).astype(dtype_of(dtype))
    g[0, 0] = -g[0, 0]
    where = np.array([True, False, True, True, False, True])
    result = ap.adaptive_avg_pool1d_backward(g, (1, 6), where=where)
    assert (
        result.tobytes()
        == np.array([[np.nan, 0, -np.inf, -np.inf, 0, 1]]).astype(g.dtype).tobytes()
    )
    nothing = ap.adaptive_avg_pool1d_backward(g, (1, 6), where=False)
    assert not nothing.astype(np.float64).any()


def test_results_may_lie_in_what_is_read(rng):
    g, x = rng.standard_normal((3, 4)), rng.integers(0, 3, (3, 20)).astype(np.float64)
    options = {"x": x.copy(), "nodata": 1}
    expected = ap.adaptive_avg_pool1d_backward(g, x.shape, **options)
    assert ap.adaptive_avg_pool1d_backward(g, x.shape, out=x, x=x, nodata=1) is x
    assert x.tobytes() == expected.tobytes()


def test_arrays_without_elements():
    for shape, size in (((2, 0), 0), ((0, 4), 2), ((2, 4), 0)):
        g = np.ones((shape[0], size))
        result = ap.adaptive_avg_pool1d_backward(g, shape, where=True, min_count=2)
        assert result.tobytes() == np.zeros(shape).tobytes()


X = np.ones((3, 8))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"nan_policy": "omit"}, TypeError, "need x, the input"),
        ({"nodata": 0}, TypeError, "need x, the input"),
        (
            {"nodata": 0, "x": X[:2]},
            ValueError,
            r"x must have the input shape \(3, 8\), .*\(2, 8\)",
        ),
        ({"nodata": 0, "x": X.astype("c16")}, TypeError, "x"),
        ({"nodata": 0.5, "x": X.astype("u1")}, ValueError, "no uint8 is nodata 0.5"),
        ({"nodata": "0", "x": X}, TypeError, "nodata must be a real number"),
        ({"nan_policy": "raise"}, ValueError, "nan_policy must be"),
        ({"nan_policy": X}, ValueError, "nan_policy must be"),
        ({"where": X}, TypeError, "where must be bool"),
        ({"where": np.ones((2, 8), bool)}, ValueError, "where of shape .* does not broadcast"),
        ({"where": True, "min_count": -1}, ValueError, "min_count must not be negative"),
    ],
)
def test_bad_arguments(options, error, match):
    out = np.full(X.shape, 7.0)
    with pytest.raises(error, match=f"^adaptive_avg_pool1d_backward: .*{match}"):
        ap.adaptive_avg_pool1d_backward(np.ones((3, 2)), X.shape, out=out, **options)
    assert (out == 7).all()


def test_options_of_results_are_not_taken():
    with pytest.raises(TypeError, match="unexpected keyword argument 'empty'"):
        ap.adaptive_avg_pool1d_backward(np.ones((3, 2)), X.shape, empty=0)
