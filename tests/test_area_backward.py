"""Gradients of averages by area: the adjoint, by weight; with options too."""

import functools
import math
from fractions import Fraction

import numpy as np
import pytest
from cases import DTYPES, FLOATS, SIZES, dtype_of, random_array, strided
from oracle import (
    assert_average_backward,
    function,
    pooled_back,
    pooled_last,
    shape_of,
    spacing,
    tables,
    weights,
)
from test_area import AREA, MORE
from test_area_options import AXES, PARTS, REGIONS, cut, lengths_as_regions
from test_backward_paths import average_of
from test_counting_backward import same

import adaptive_pool as ap
from adaptive_pool import _reference

SMALL = {1: (37,), 2: (9, 21), 3: (4, 5, 11)}
COUNTS = {1: [(1,), (8,), (50,)], 2: [(2, 1), (4, 5), (11, 21)], 3: [(3, 2, 4), (5, 5, 3)]}


def gradient(g, counted, counts, least=1):
    """The sums of what each window gives, to the bit: pooled axes last, float64.

    Shares times what lines weigh are added along all axes but the last; then these sums, times what
    columns weigh, along that. By weights without a common divisor.
    """
    sizes = counted.shape[counted.ndim - len(counts) :]
    units = [math.gcd(*pair) for pair in zip(sizes, counts, strict=True)]
    rows = [w // u for w, u in zip(weights(sizes, counts, "area"), units, strict=True)]
    windows = tables(sizes, counts)
    total, lines = np.zeros(counted.shape), {}
    with np.errstate(all="ignore"):
        for position, window in _reference.each_window(windows):
            place = (..., *window)
            each = _reference.weigh(position, window, rows)
            n = (counted[place] * each).sum(tuple(range(-len(counts), 0)))
            wide = g[(..., *position)].astype(np.float64)
            share = wide / n if g.dtype == np.float64 else wide * (1.0 / n)
            share = np.where(n * math.prod(units) < least, 0.0, 0.0 + share)
            of_lines = _reference.weigh(position[:-1], window[:-1], rows[:-1])[..., np.newaxis]
            line = lines.setdefault(position[-1], np.zeros(counted.shape))
            line[place] += of_lines * share[(...,) + (np.newaxis,) * len(counts)]
        for ow in sorted(lines):
            columns = slice(windows[-1][0][ow], windows[-1][1][ow])
            own = rows[-1][ow, : columns.stop - columns.start]
            total[..., columns] += own * lines[ow][..., columns]
    return np.where(counted, total, 0)


def check(g, sizes, data_format):
    ndim = len(sizes)
    last = pooled_last(g, ndim, data_format)
    counts = last.shape[last.ndim - ndim :]
    empty = np.empty((*last.shape[: last.ndim - ndim], *sizes), np.int8)
    shape = pooled_back(empty, ndim, data_format).shape
    backward = function("avg", ndim, backward=True)
    result = backward(g, shape, data_format=data_format, **AREA)
    assert_average_backward(
        pooled_last(result, ndim, data_format), last, sizes, tables(sizes, counts),
        weights(sizes, counts, "area"),
    )  # fmt: skip
    out = np.ones(shape, g.dtype)
    assert backward(g, shape, data_format=data_format, out=out, **AREA) is out
    assert out.tobytes() == result.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("ndim", "sizes", "counts"), SIZES)
def test_dtypes_and_sizes(rng, ndim, sizes, counts, data_format, dtype):
    check(random_array(rng, shape_of((2,), counts, 3, data_format), dtype), sizes, data_format)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("sizes", "counts", "channels"), MORE)
def test_paths(rng, sizes, counts, channels, data_format, dtype):
    g = random_array(rng, shape_of((2,), counts, channels, data_format), dtype)
    check(g, sizes, data_format)


@pytest.mark.parametrize("size", range(1, 13))
def test_every_small_size(rng, size, data_format):
    for count in range(1, 16):
        g = random_array(rng, shape_of((), (count, 16 - count), 2, data_format), "float64")
        check(g, (size, 13 - size), data_format)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("sizes", "counts"), [((7,), (3,)), ((3,), (8,)), ((5, 4), (3, 7)), ((3, 4, 2), (2, 5, 3))]
)
def test_exact_fractions(rng, sizes, counts, dtype):
    """Each element gets the part of a gradient that it weighs in its window.

    Of float64, a share is rounded once, then multiplied by what lines weigh, and a sum of these by
    what columns weigh: three roundings of 2**-53, relative to terms that add up to the sum of
    absolute values, a unit of which is 2**-53 of it at least. The n - 1 additions are of sums, so
    half a unit each. In float32 each of these, and one more, is 2**-28 of a unit at most, and the
    result is rounded by half of one.
    """
    g = random_array(rng, counts, dtype)
    result = function("avg", len(sizes), backward=True)(g, sizes, **AREA)
    exact = np.full(sizes, Fraction(0), object)
    magnitude, terms = exact.copy(), np.zeros(sizes)
    rows = weights(sizes, counts, "area")
    for position, window in _reference.each_window(tables(sizes, counts)):
        each = _reference.weigh(position, window, rows).astype(object)
        share = Fraction(float(g[position])) / math.prod(sizes)
        exact[window] += share * each
        magnitude[window] += abs(share) * each
        terms[window] += 1
    bound = 3 + (terms - 1) / 2 if dtype == "float64" else 0.5 + (terms + 3) * 2.0**-28
    error = abs(exact - np.vectorize(Fraction)(result.astype(np.float64))).astype(np.float64)
    assert (error <= bound * spacing(magnitude.astype(np.float64), g.dtype)).all()


PATHS = [
    ((12, 40), (5, 7)), ((9, 6), (10, 6)), ((13, 13), (20, 20)), ((40, 300), (37, 290)),
    ((5, 130), (11, 130)), ((5, 130), (5, 33)), ((3, 9001), (2, 7)), ((3, 3001), (2, 1500)),
    ((4, 6, 10), (3, 4, 3)), ((99, 101), (2, 1)), ((9, 8), (4, 1)), ((9, 8), (1, 3)),
    ((300,), (7,)), ((2, 3), (5, 2500)), ((1, 1), (3, 4)), ((4, 1), (1, 130)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 2, 33])
@pytest.mark.parametrize(("sizes", "counts"), PATHS)
def test_order_of_summation(rng, sizes, counts, channels, dtype):
    """To the bit, whichever way memory runs, into any memory."""
    if math.prod(sizes) * channels > 40_000 or math.prod(counts) * channels > 10_000:
        channels = 1
    g = random_array(rng, (2, channels, *counts), dtype)
    result = average_of(g, sizes, "area")
    if math.prod(counts) <= 1000:
        same(result, gradient(g, np.ones((2, channels, *sizes), bool), counts))
    bits = result.tobytes()
    assert average_of(g, sizes, "area", channels_last=True).tobytes() == bits
    assert average_of(strided(g), sizes, "area").tobytes() == bits
    for channels_last in (False, True):
        out = np.zeros_like(result)
        out = strided(np.ascontiguousarray(np.moveaxis(out, 1, -1)) if channels_last else out)
        assert average_of(g, sizes, "area", channels_last, out=out).tobytes() == bits


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_threads_change_no_bit(rng, dtype, data_format):
    for sizes, counts in (((33, 35), (7, 6)), ((3, 70_000), (2, 3)), ((20, 21), (24, 25))):
        channels = -(-800_000 // (math.prod(sizes) * np.dtype(dtype).itemsize))
        g = random_array(rng, shape_of((), counts, channels, data_format), dtype)
        shape = shape_of((), sizes, channels, data_format)
        backward = functools.partial(
            ap.adaptive_avg_pool2d_backward, g, shape, data_format=data_format, **AREA
        )
        bits = backward(num_threads=1).tobytes()
        assert backward(num_threads=2).tobytes() == bits
        assert backward(num_threads=5).tobytes() == bits


@pytest.mark.parametrize("dtype", FLOATS)
def test_where_sizes_divide(rng, dtype, data_format):
    """The gradients of "torch", to the bit."""
    for sizes, counts, channels in [
        ((12, 40), (3, 5), 3), ((12, 40), (12, 40), 3), ((6, 7), (1, 1), 33), ((6, 8), (3, 8), 70),
        ((2, 9000), (2, 2), 1), ((4, 6, 8), (2, 1, 4), 9), ((7,), (7,), 2),
    ]:  # fmt: skip
        g = random_array(rng, shape_of((2,), counts, channels, data_format), dtype)
        shape = shape_of((2,), sizes, channels, data_format)
        backward = functools.partial(
            function("avg", len(sizes), backward=True), g, shape, data_format=data_format
        )
        assert backward(windows="area").tobytes() == backward().tobytes()


@pytest.mark.parametrize(("ndim", "sizes", "counts"), SIZES)
def test_adjoint_identity(rng, ndim, sizes, counts, data_format):
    """<g, J v> == <J' g, v>"""
    v = rng.standard_normal(shape_of((2,), sizes, 3, data_format))
    g = rng.standard_normal(shape_of((2,), counts, 3, data_format))
    options = {"data_format": data_format, **AREA}
    forward = function("avg", ndim)(v, counts, **options)
    result = function("avg", ndim, backward=True)(g, v.shape, **options)
    scale = (np.abs(g) * np.abs(forward)).sum() + 1
    # Sums of products: each side is off by a few roundings of the larger of its terms.
    assert abs((g * forward).sum() - (result * v).sum()) <= 1e-13 * scale


@pytest.mark.parametrize("size", range(1, 25))
def test_gradients_of_one(size):
    """Each element weighs O in all windows together, of the I that each window weighs."""
    for count in [*range(1, 31), 97]:
        result = ap.adaptive_avg_pool1d_backward(np.ones(count), (size,), **AREA)
        # Of positive terms: two roundings each, and as many sums as windows hold an element.
        n = count // size + 2
        np.testing.assert_allclose(result, count / size, rtol=(n + 2) * 2.0**-53)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_gradients_stay_in_their_window(bad, data_format):
    shape = shape_of((), (9, 9), 1, data_format)
    g = np.ones(shape_of((), (4, 4), 1, data_format))
    g.reshape(4, 4)[1, 2] = bad
    result = ap.adaptive_avg_pool2d_backward(g, shape, data_format=data_format, **AREA)
    hit = np.zeros((9, 9), bool)
    hit[2:5, 4:7] = True
    np.testing.assert_array_equal(~np.isfinite(result.reshape(9, 9)), hit)


@pytest.mark.parametrize("mask", ["of each element", "for all channels"])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_masks(rng, ndim, dtype, mask, data_format):
    shape = (2, 19, *SMALL[ndim])
    where = rng.random((2, 19 if mask == "of each element" else 1, *SMALL[ndim])) < 0.6
    counted = np.broadcast_to(where, shape)
    masks = pooled_back(counted, ndim, data_format)
    backward = functools.partial(
        function("avg", ndim, backward=True), data_format=data_format, **AREA
    )
    for counts in COUNTS[ndim]:
        g = random_array(rng, (2, 19, *counts), dtype)
        given = pooled_back(g, ndim, data_format)
        for least in (1, math.prod(SMALL[ndim]) // 2):
            result = backward(given, masks.shape, where=masks, min_count=least)
            last = np.ascontiguousarray(pooled_last(result, ndim, data_format))
            same(last, gradient(g, counted, counts, least))
            out = strided(np.ones_like(result))
            again = backward(
                strided(given), masks.shape, where=np.ascontiguousarray(masks), out=out,
                min_count=least, num_threads=2,
            )  # fmt: skip
            assert again.tobytes() == result.tobytes()
        plain = backward(given, masks.shape).tobytes()
        assert backward(given, masks.shape, where=True).tobytes() == plain
        assert backward(given, masks.shape, min_count=math.prod(SMALL[ndim])).tobytes() == plain
        assert not backward(given, masks.shape, min_count=math.prod(SMALL[ndim]) + 1).any()


@pytest.mark.parametrize("x_dtype", DTYPES)
def test_nan_and_nodata(rng, x_dtype, data_format):
    """What the input says goes together with a mask."""
    x = rng.integers(0, 2 if x_dtype == "bool" else 4, (3, 7, 12, 15)).astype(dtype_of(x_dtype))
    counted, options = np.ones(x.shape, bool), {}
    if x_dtype != "bool":
        options["nodata"], counted = 3, x != 3
    if x_dtype in FLOATS:
        holes = rng.random(x.shape) < 0.3
        x[holes], options["nan_policy"] = np.nan, "omit"
        counted &= ~holes
    where = rng.random((3, 1, 12, 15)) < 0.7
    g = random_array(rng, (3, 7, 5, 4), "float64")
    given, read, mask = (pooled_back(a, 2, data_format) for a in (g, x, where))
    for says, more in ((counted, {}), (counted & where, {"where": mask})):
        if not (options or more):
            continue
        result = ap.adaptive_avg_pool2d_backward(
            given,
            read.shape,
            x=read,
            min_count=70,
            data_format=data_format,
            **options,
            **more,
            **AREA,
        )
        last = np.ascontiguousarray(pooled_last(result, 2, data_format))
        same(last, gradient(g, says, (5, 4), 70))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_parts_alone(rng, ndim, dtype, data_format, threads):
    """A part of its own sample is to the bit what it would be alone; what none holds gets 0."""
    x = random_array(rng, (3, 4, *AXES[ndim]), "float32")
    x[rng.random(x.shape) < 0.2] = np.nan
    where = rng.random((3, 1, *AXES[ndim])) < 0.6
    x, where = (pooled_back(a, ndim, data_format) for a in (x, where))
    lengths = [AXES[ndim], [n // 2 for n in AXES[ndim]], [1] * ndim]
    regions = REGIONS[ndim][1:3]
    backward = functools.partial(
        function("avg", ndim, backward=True), data_format=data_format, **AREA
    )
    for name, parts, rows in (
        ("lengths", lengths, lengths_as_regions(lengths)), ("regions", regions, regions),
    ):  # fmt: skip
        g = pooled_back(random_array(rng, (len(rows), 4, *PARTS[ndim]), dtype), ndim, data_format)
        for counted in (False, True):
            options = {"x": x, "where": where, "nan_policy": "omit"} if counted else {}
            for least in (1, 12):
                result = backward(
                    g, x.shape, min_count=least, num_threads=threads, **{name: parts}, **options
                )
                expected = np.zeros(x.shape, g.dtype)
                for k, row in enumerate(rows):
                    own, mask = cut(x, row, data_format), cut(where, row, data_format)
                    if own.size:
                        alone = {**options, "x": own, "where": mask} if counted else {}
                        cut(expected, row, data_format)[...] = backward(
                            g[k], own.shape, min_count=least, **alone
                        )
                assert result.tobytes() == expected.tobytes()


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_regions_add_up(rng, ndim, data_format, counted):
    """Of float64: sums of at most five numbers, in another order, all below 8."""
    x = rng.integers(0, 3, (3, 4, *AXES[ndim])).astype(np.float64)
    g = rng.uniform(-8, 8, (len(REGIONS[ndim]), 4, *PARTS[ndim]))
    x, g = (pooled_back(a, ndim, data_format) for a in (x, g))
    backward = functools.partial(
        function("avg", ndim, backward=True), data_format=data_format, **AREA
    )
    options = {"x": x, "nodata": 2} if counted else {}
    result = backward(g, x.shape, regions=REGIONS[ndim], **options)
    total = np.zeros(x.shape)
    for own, row in zip(g, REGIONS[ndim], strict=True):
        part = cut(x, row, data_format)
        if part.size:
            alone = {"x": part, "nodata": 2} if counted else {}
            cut(total, row, data_format)[...] += backward(own, part.shape, **alone)
    scale = max(1, np.abs(total).max())
    np.testing.assert_allclose(result, total, rtol=0, atol=8 * scale * 2.0**-52)
    assert not counted or not result[x == 2].any()
