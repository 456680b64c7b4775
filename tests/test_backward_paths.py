"""Every path of the backward kernels: right, and the same bits however memory lies."""

import numpy as np
import pytest
from cases import random_array, strided
from oracle import (
    assert_average_backward,
    assert_maximum_backward,
    function,
    pooled_back,
    tables,
)

from adaptive_pool import _reference, pool_windows


def table(*pairs):
    starts, ends = zip(*pairs, strict=True)
    return np.array(starts), np.array(ends)


# The input sizes, and output sizes or tables; the names are those of docs/design/backward.md.
AVERAGES = {
    "values-even": ((12, 40), (3, 5)),
    "values-overlapping": ((11, 13), (4, 5)),
    "values-short-rows": ((9, 6), (9, 6)),
    "values-summed-late": ((13, 13), (20, 20)),
    "values-many-batches": ((40, 300), (37, 290)),
    "values-batches-of-planes": ((5, 130), (11, 130)),
    "values-pieces-of-rows": ((3, 9001), (2, 7)),
    "values-pieces-of-windows": ((3, 3001), (2, 1500)),
    "values-3d": ((4, 6, 10), (2, 4, 3)),
    "runs-3d-overlapping": ((5, 7, 10), (3, 4, 3)),
    "planes": ((7, 9), (1, 1)),
    "planes-3d": ((3, 4, 5), (1, 1, 1)),
    "planes-in-pieces": ((99, 101), (1, 1)),
    "one-column": ((9, 8), (4, 1)),
    "one-row": ((9, 8), (1, 3)),
    "1d": ((300,), (7,)),
    "many-windows-to-a-column": ((2, 3), (5, 2500)),
    "too-many-windows-to-a-column": ((2, 2), (3, 20000)),
    "gaps": ((9, 30), (table((1, 2), (3, 6)), table((2, 9), (12, 13), (12, 20)))),
    "unsorted-columns": ((9, 30), (table((0, 5), (3, 9)), table((4, 9), (0, 30), (7, 8), (2, 20)))),
    "unsorted-rows": ((9, 30), (table((4, 9), (0, 9), (2, 3), (0, 1)), table((0, 20), (5, 30)))),
    "four-windows-to-a-row": ((9, 8), (table((0, 9), (0, 9), (1, 9), (2, 9)), table((0, 8)))),
}


def average_of(g, sizes, windows, channels_last=False, **options):
    """The gradient for `g` of shape (2, channels, *counts), pooled axes last."""
    data_format = "channels_last" if channels_last else "channels_first"
    ndim = len(sizes)
    given = pooled_back(g, ndim, data_format)
    if channels_last:
        given = np.ascontiguousarray(given)
    shape = pooled_back(np.empty((*g.shape[:2], *sizes), np.int8), ndim, data_format).shape
    result = function("avg", ndim, backward=True)(
        given, shape, data_format=data_format, windows=windows, **options
    )
    return np.moveaxis(result, -1, 1) if channels_last else result


def channels_for(cases, many, limit):
    """Cases by channels, without those of many planes which are large, or have many windows."""
    return [
        (case, channels)
        for case, (sizes, windows) in cases.items()
        for channels in (1, 2, 3, 33, many)
        if channels <= 3
        or (
            np.prod(sizes) * channels <= limit
            and np.prod([n if isinstance(n, int) else len(n[0]) for n in windows]) * channels
            <= 100 * limit
        )
    ]


# These take seconds each; with other channels, their paths are in every run.
SECONDS = [
    ("many-windows-to-a-column", 600),
    *(("too-many-windows-to-a-column", channels) for channels in (1, 2, 33)),
]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("case", "channels"),
    [
        pytest.param(*pair, marks=[pytest.mark.slow] if pair in SECONDS else [])
        for pair in channels_for(AVERAGES, 600, 10**5)
    ],
)
def test_average(rng, case, dtype, channels):
    sizes, windows = AVERAGES[case]
    if isinstance(windows[0], int):
        windows = tables(sizes, windows)
    windows = [(np.asarray(s), np.asarray(e)) for s, e in windows]
    counts = [len(s) for s, _ in windows]
    g = random_array(rng, (2, channels, *counts), dtype)
    result = average_of(g, sizes, windows)

    assert_average_backward(result, g, sizes, windows)

    bits = result.tobytes()
    assert average_of(g, sizes, windows, channels_last=True).tobytes() == bits
    assert average_of(strided(g), sizes, windows).tobytes() == bits
    for channels_last in (False, True):
        out = np.zeros_like(result)
        if channels_last:
            out = np.ascontiguousarray(np.moveaxis(out, 1, -1))
        out = strided(out)
        given = average_of(g, sizes, windows, channels_last, out=out)
        assert given.tobytes() == bits
        # Dense pixels, some of their lanes: rows with gaps.
        if channels_last:
            out = np.zeros((*out.shape[:-1], channels + 3), result.dtype)[..., 1:-2]
            assert average_of(g, sizes, windows, True, out=out).tobytes() == bits


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "counts"),
    [
        ((3, 41, 60, 61), (7, 9)),
        ((1, 2, 500, 601), (7, 9)),
        ((1, 700, 30, 31), (1, 1)),
        ((1, 530, 28, 29), (14, 15)),
    ],
    ids=["planes", "pieces-of-planes", "one-output", "blocks-of-lanes"],
)
def test_same_bits_for_any_threads(rng, shape, counts, dtype):
    sizes = shape[2:]
    windows = tables(sizes, counts)
    g = random_array(rng, (*shape[:2], *counts), dtype)
    indices = rng.integers(0, np.prod(sizes), g.shape)
    expected = average_of(g, sizes, windows, num_threads=1).tobytes()
    maximum = maximum_of(g, indices, sizes, num_threads=1).tobytes()
    for channels_last in (False, True):
        for n in (1, 2, 3, 7):
            result = average_of(g, sizes, windows, channels_last, num_threads=n)
            assert result.tobytes() == expected
            result = maximum_of(g, indices, sizes, channels_last, num_threads=n)
            assert result.tobytes() == maximum


def test_pieces_that_hold_parts_of_more_windows(rng):
    """Ten slices from 0 or 10 on are in 10 windows at most; the four from 8 on are in 11.

    There is room for the shares of 10 windows; three threads want pieces of four slices.
    """
    sizes, counts = (19, 17, 21), (12, 10, 10)
    windows = [pool_windows(n, k, "uniform") for n, k in zip(sizes, counts, strict=True)]
    g = random_array(rng, (3, 8, *counts), "float64")
    result = average_of(g, sizes, windows, num_threads=3)
    assert_average_backward(result, g, sizes, windows)
    assert result.tobytes() == average_of(g, sizes, windows, num_threads=1).tobytes()


# The input sizes, and the number of outputs.
MAXIMA = {
    "small-planes": ((7, 9), (3, 4)),
    "large-planes": ((90, 120), (5, 6)),
    "many-outputs": ((90, 120), (40, 50)),
    "more-outputs-than-inputs": ((5, 6), (9, 11)),
    "3d": ((5, 6, 7), (2, 3, 4)),
    "1d": ((500,), (60,)),
    "one-output": ((7, 7), (1, 1)),
    "named-in-parts": ((300, 400), (260, 260)),  # more outputs than halves have names
}
# Many lanes: of halves, some are named or widened at a time.
LANES = {
    "named": ((30, 40), (5, 6), 2300),
    "widened": ((20, 21), (10, 11), 1000),
    "widened-without-gaps": ((5, 4), (2, 3), 1000),
}


def maximum_of(g, indices, sizes, channels_last=False, **options):
    """The same for max pooling; `indices` of the shape of `g`."""
    data_format = "channels_last" if channels_last else "channels_first"
    ndim = len(sizes)
    given = [pooled_back(a, ndim, data_format) for a in (g, indices)]
    if channels_last:
        given = [np.ascontiguousarray(a) for a in given]
    shape = pooled_back(np.empty((*g.shape[:2], *sizes), np.int8), ndim, data_format).shape
    result = function("max", ndim, backward=True)(*given, shape, data_format=data_format, **options)
    return np.moveaxis(result, -1, 1) if channels_last else result


@pytest.mark.parametrize("index", ["int32", "int64"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("case", "channels"), channels_for(MAXIMA, 300, 150_000))
def test_maximum(rng, case, dtype, index, channels):
    sizes, counts = MAXIMA[case]
    g = random_array(rng, (2, channels, *counts), dtype)
    # In no order, some of them the same.
    indices = rng.integers(0, np.prod(sizes), g.shape).astype(index)
    indices[rng.random(g.shape) < 0.3] = np.prod(sizes) - 1
    g[rng.random(g.shape) < 0.1] = np.inf
    g[rng.random(g.shape) < 0.1] = -np.inf
    g[rng.random(g.shape) < 0.05] = np.nan
    g[:, :1] = np.where(np.isfinite(g[:, :1]), g[:, :1], 1)  # and planes without
    result = maximum_of(g, indices, sizes)
    assert_maximum_backward(result, g, indices, sizes)

    bits = result.tobytes()
    assert maximum_of(g, indices, sizes, channels_last=True).tobytes() == bits
    assert maximum_of(strided(g), indices, sizes).tobytes() == bits
    assert maximum_of(g, strided(indices), sizes).tobytes() == bits
    for channels_last in (False, True):
        out = np.zeros_like(result)
        if channels_last:
            out = np.ascontiguousarray(np.moveaxis(out, 1, -1))
        assert maximum_of(g, indices, sizes, channels_last, out=strided(out)).tobytes() == bits
        if channels_last:
            out = np.zeros((*out.shape[:-1], channels + 3), result.dtype)[..., 1:-2]
            assert maximum_of(g, indices, sizes, True, out=out).tobytes() == bits


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
@pytest.mark.parametrize("case", LANES)
def test_many_lanes(rng, case, half):
    sizes, counts, lanes = LANES[case]
    g = random_array(rng, (2, lanes, *counts), half)
    indices = rng.integers(0, np.prod(sizes), g.shape)
    indices[rng.random(g.shape) < 0.3] = np.prod(sizes) - 1
    result = maximum_of(g, indices, sizes, channels_last=True)
    assert_maximum_backward(result, g, indices, sizes)
    assert maximum_of(g, indices, sizes, num_threads=1).tobytes() == result.tobytes()
    gaps = np.zeros((2, *sizes, lanes + 3), g.dtype)[..., 1:-2]
    assert maximum_of(g, indices, sizes, True, out=gaps).tobytes() == result.tobytes()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_planes_in_several_jobs(rng, dtype, threads):
    """Jobs of some 256 KiB, cleared 16 KiB at once; NaN in one plane of the second."""
    g = random_array(rng, (1, 2500, 3, 4), dtype)
    indices = rng.integers(0, 63, g.shape)
    g[0, 1300, 1] = np.nan
    result = maximum_of(g, indices, (7, 9), num_threads=threads)
    np.testing.assert_array_equal(result, _reference.maximum_backward(g, indices, (7, 9)))
    gaps = np.full((1, 2500, 8, 9), 7, dtype)
    assert maximum_of(g, indices, (7, 9), out=gaps[:, :, :7]).tobytes() == result.tobytes()
    assert (gaps[:, :, 7] == 7).all()


@pytest.mark.parametrize(
    ("index", "bad"),
    [
        *((index, bad) for index in ("int32", "int64") for bad in (-2, 63, -(2**31), 2**31 - 1)),
        *(("int64", bad) for bad in (-(2**63), 2**63 - 1)),
    ],
)
@pytest.mark.parametrize("shape", [(1, 1, 3, 4), (5, 70, 30, 30)])
def test_every_index_is_checked(rng, shape, index, bad):
    indices = rng.integers(0, 63, shape).astype(index)
    for position in (0, -1, indices.size // 2):
        for view in (indices.copy(), strided(indices)):
            view[np.unravel_index(position % indices.size, shape)] = bad
            g = np.ones(shape, np.float32)
            out = np.full((*shape[:2], 7, 9), 5, np.float32)
            with pytest.raises(ValueError, match="indices must lie in 0:63"):
                maximum_of(g, view, (7, 9), out=out)
            assert (out == 5).all()
            with pytest.raises(ValueError, match="indices must lie in 0:63"):
                maximum_of(g, view, (7, 9), channels_last=True)
