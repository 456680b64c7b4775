"""Paths of averages, bit for bit: the order of sums tells one that takes other elements.

The reference adds as docs/design/summation.md says, in float64, which is what sums of float32 and
halves are kept in; float64 is compared with exact arithmetic.
"""

import math

import numpy as np
import pytest
from cases import dtype_of, random_array
from oracle import function, tables

import adaptive_pool as ap

# Around vectors and what is added in registers (4, 32, 36 columns), windows read in place (16),
# runs (32), small planes (256 elements, or 16 for each output) and the largest that are turned
# (2048), tiles of sums (4096), two lines and three, windows of more than 16 KiB, whole lines.
CASES = [
    ((7, 7), (3, 3)), ((14, 14), (1, 2)), ((18, 18), (1, 2)), ((40, 50), (20, 20)),
    ((9, 40), (3, 4)), ((5, 37), (5, 5)), ((6, 64), (3, 4)), ((3, 200), (3, 12)),
    ((2, 130), (1, 9)), ((64,), (4,)), ((70,), (3,)), ((4200,), (1,)), ((9000,), (2,)),
    ((2, 9000), (1, 2)), ((5, 4100), (2, 1)), ((3, 11), (2, 1)), ((4, 5, 6), (2, 3, 1)),
    ((3, 4, 5), (2, 3, 4)), ((3, 3, 40), (2, 2, 3)), ((2, 8, 5), (1, 1, 1)), ((1, 30), (1, 29)),
]  # fmt: skip


def sum_in_order(columns):
    """Four running sums of the columns, which are the last axis, and their tree."""
    running = np.full((*columns.shape[:-1], 4), -0.0)
    for k in range(columns.shape[-1]):
        running[..., k % 4] += columns[..., k]
    return (running[..., 0] + running[..., 2]) + (running[..., 1] + running[..., 3])


def mean_in_order(x, windows):
    """The mean of one window of all planes: lines first, or all elements of whole lines."""
    part = x[(..., *(slice(start, end) for start, end in windows))]
    part = part.reshape(*x.shape[: x.ndim - len(windows)], -1, part.shape[-1])
    lines, columns = part.shape[-2:]
    if columns == x.shape[-1]:
        return sum_in_order(part.reshape(*part.shape[:-2], -1)) / (lines * columns)
    total = part[..., 0, :]
    for line in range(1, lines):
        total = total + part[..., line, :]
    return sum_in_order(total) / (lines * columns)


def expected(x, counts):
    edges = tables(x.shape[-len(counts) :], counts)
    means = np.empty(x.shape[: -len(counts)] + counts)
    whole = counts[-1] == 1
    for place in np.ndindex(*counts):
        windows = [(starts[o], ends[o]) for (starts, ends), o in zip(edges, place, strict=True)]
        if not whole and windows[-1] == (0, x.shape[-1]):
            # more windows than one, all of W: lines are added first
            padded = np.concatenate([x, np.zeros_like(x[..., :1])], axis=-1)
            means[(..., *place)] = mean_in_order(padded, windows)
        else:
            means[(..., *place)] = mean_in_order(x, windows)
    return means


def layouts(x, ndim):
    """The same planes in memory: as they are, channels last, strided, backwards, misaligned."""
    yield x
    yield np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -1 - ndim, -1)), -1, -1 - ndim)
    yield np.repeat(x, 2, -1)[..., ::2]
    yield np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    raw = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    raw[...] = x
    yield raw


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("channels", [1, 3, 5, 16, 21])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_order(rng, case, channels, dtype):
    sizes, counts = case
    scale = 2.0 ** rng.integers(-9, 9, (channels, *sizes))
    x = (rng.standard_normal((channels, *sizes)) * scale).astype(dtype_of(dtype))
    means = expected(x.astype(np.float64), counts)
    for other in layouts(x, len(sizes)):
        y = function("avg", len(sizes))(other, counts, dtype=np.float64)
        np.testing.assert_array_equal(y, means)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("channels", [1, 3, 16])
@pytest.mark.parametrize("dtype", ["float64", "int32", "uint32", "int64", "uint64"])
def test_exact(rng, case, channels, dtype):
    """Off by less than a unit in the last place of float64, and integers by a half of one."""
    sizes, counts = case
    x = random_array(rng, (channels, *sizes), dtype)
    if dtype == "float64":
        x = rng.standard_normal(x.shape) * 2.0 ** rng.integers(-40, 40, x.shape)
    edges = tables(sizes, counts)
    results = [
        function("avg", len(sizes))(other, counts, dtype=np.float64)
        for other in layouts(x, len(sizes))
    ]
    for y in results[1:]:
        assert y.tobytes() == results[0].tobytes()
    for place in np.ndindex(*counts):
        cut = tuple(slice(s[o], e[o]) for (s, e), o in zip(edges, place, strict=True))
        for channel in {0, channels - 1}:
            window = x[(channel, *cut)].ravel().tolist()
            y = results[0][(channel, *place)]
            if dtype == "float64":
                magnitude = math.fsum(map(abs, window)) / len(window)
                assert abs(y - math.fsum(window) / len(window)) <= np.spacing(magnitude)
            else:
                assert y == sum(window) / len(window)  # Python rounds this quotient once


@pytest.mark.parametrize("axis", [-1, -2, -3])
@pytest.mark.parametrize("counts", [(1, 1), (1, 4), (3, 4)])
@pytest.mark.parametrize("channels", [1, 3, 9, 20])
def test_one_element_for_all_of_an_axis(rng, channels, counts, axis):
    x = rng.standard_normal((channels, 6, 70)).astype(np.float32)
    x[...] = x.take([0], axis=axis)
    first = ap.adaptive_avg_pool2d(x, counts, dtype=np.float64)
    one = np.broadcast_to(x.take([0], axis=axis), x.shape)
    assert ap.adaptive_avg_pool2d(one, counts, dtype=np.float64).tobytes() == first.tobytes()
    last = np.moveaxis(ap.adaptive_avg_pool2d(
        np.moveaxis(one, 0, -1), counts, data_format="channels_last", dtype=np.float64
    ), -1, 0)  # fmt: skip
    assert np.array_equal(last, first)


@pytest.mark.parametrize("channels", [1, 3, 8, 21])
@pytest.mark.parametrize("planes", [1, 4, 5, 8, 9, 16, 17, 40])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
def test_any_number_of_planes(rng, planes, channels, dtype):
    """Sixteen or eight at a time, the last ones fewer, over the ends of batches."""
    x = random_array(rng, (planes, channels, 6, 10), dtype)
    whole = ap.adaptive_avg_pool2d(x, (3, 4), dtype=np.float64)
    for batch, plane in np.ndindex(planes, channels):
        alone = ap.adaptive_avg_pool2d(x[batch, plane], (3, 4), dtype=np.float64)
        assert whole[batch, plane].tobytes() == alone.tobytes()


@pytest.mark.parametrize("shape", [(2, 40, 6, 6), (1, 1, 3, 70), (2, 20, 3, 3, 3), (3, 9, 50)])
@pytest.mark.parametrize("last", [False, True])
def test_sums_that_overflow_and_infinities(rng, shape, last):
    """A mean of huge float64 is a number, and an infinity or a NaN beside it stays there."""
    ndim = len(shape) - 2
    x = rng.uniform(0.5, 1, shape) * np.finfo(np.float64).max
    x[0, 0].flat[0] = -np.inf
    x[-1, -1].flat[-1] = np.nan
    data_format = "channels_last" if last else "channels_first"
    given = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
    y = function("avg", ndim)(given, 2, data_format=data_format)
    y = np.moveaxis(y, -1, 1) if last else y
    edges = tables(shape[2:], (2,) * ndim)
    for place in np.ndindex(shape[0], shape[1], *(2,) * ndim):
        cut = (slice(s[o], e[o]) for (s, e), o in zip(edges, place[2:], strict=True))
        window = x[(*place[:2], *cut)].ravel()
        exact = math.fsum((window * 2.0**-60).tolist()) / len(window) * 2.0**60
        np.testing.assert_allclose(y[place], exact, rtol=2**-52)
