"""Gradients against the definition, the adjoint identity and finite differences."""

import numpy as np
import pytest
from cases import ALL_RULES, CHANNELS, FLOATS, SIZES, SMALL, random_array
from oracle import (
    assert_average_backward,
    assert_maximum_backward,
    function,
    pooled_back,
    pooled_last,
    shape_of,
    tables,
    weights,
)

import adaptive_pool as ap
from adaptive_pool import _reference


def check_average(g, sizes, data_format, rule="torch"):
    ndim = len(sizes)
    last = pooled_last(g, ndim, data_format)
    counts = last.shape[last.ndim - ndim :]
    windows, units = tables(sizes, counts, rule), weights(sizes, counts, rule)
    input_last = np.empty((*last.shape[: last.ndim - ndim], *sizes))
    shape = pooled_back(input_last, ndim, data_format).shape
    result = function("avg", ndim, backward=True)(g, shape, data_format=data_format, windows=rule)
    assert result.shape == shape
    assert_average_backward(pooled_last(result, ndim, data_format), last, sizes, windows, units)


def check_maximum(x, counts, data_format):
    ndim = len(counts)
    y, indices = function("max", ndim)(x, counts, return_indices=True, data_format=data_format)
    g = random_array(np.random.default_rng(0), y.shape, x.dtype)
    result = function("max", ndim, backward=True)(g, indices, x.shape, data_format=data_format)
    last = [pooled_last(a, ndim, data_format) for a in (result, g, indices)]
    assert_maximum_backward(*last, last[0].shape[last[0].ndim - ndim :])
    narrow = function("max", ndim, backward=True)(
        g, indices.astype(np.int32), x.shape, data_format=data_format
    )
    assert narrow.tobytes() == result.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("ndim", "sizes", "counts"), SIZES)
def test_dtypes_and_sizes(rng, ndim, sizes, counts, data_format, dtype):
    check_average(
        random_array(rng, shape_of((2,), counts, 3, data_format), dtype), sizes, data_format
    )
    check_maximum(
        random_array(rng, shape_of((2,), sizes, 3, data_format), dtype), counts, data_format
    )


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_channels(rng, channels, data_format, dtype):
    sizes, counts = (7, 40), (3, 2)
    check_average(
        random_array(rng, shape_of((2,), counts, channels, data_format), dtype), sizes, data_format
    )
    check_maximum(
        random_array(rng, shape_of((2,), sizes, channels, data_format), dtype), counts, data_format
    )


@pytest.mark.parametrize("size", SMALL)
def test_every_small_size(rng, size, data_format):
    sizes = (size, 25 - size)
    x = random_array(rng, shape_of((), sizes, 3, data_format), "float32")
    for count in range(1, 31):
        counts = (count, 31 - count)
        g = random_array(rng, shape_of((), counts, 3, data_format), "float32")
        check_average(g, sizes, data_format)
        check_maximum(x, counts, data_format)


@pytest.mark.parametrize("rule", ALL_RULES)
def test_rules(rng, rule, data_format):
    check_average(
        random_array(rng, shape_of((2,), (3, 5), 4, data_format), "float32"),
        (11, 13),
        data_format,
        rule,
    )


def test_large_plane_of_halves(rng):
    """More elements than one tile of sums, indices all over it, most of them met several times."""
    indices = rng.integers(0, 300 * 500, (2, 90, 90))
    indices[0, :40] = indices[1, :40]
    indices[:, 50:] = 149_999
    g = random_array(rng, indices.shape, "float16")
    result = ap.adaptive_max_pool2d_backward(g, indices, (2, 300, 500))
    np.testing.assert_array_equal(result, _reference.maximum_backward(g, indices, (300, 500)))


@pytest.mark.parametrize(("ndim", "sizes", "counts"), SIZES)
def test_adjoint_identity(rng, ndim, sizes, counts, data_format):
    """<g, J v> == <J' g, v>, where J is the average, or the choice of maxima at some x."""
    x, v = rng.standard_normal((2, *shape_of((2,), sizes, 3, data_format)))
    g = rng.standard_normal(shape_of((2,), counts, 3, data_format))
    options = {"data_format": data_format}

    forward = function("avg", ndim)(v, counts, **options)
    backward = function("avg", ndim, backward=True)(g, v.shape, **options)
    scale = (np.abs(g) * np.abs(forward)).sum() + 1
    # Sums of products: each side is off by a few roundings of the larger of its terms.
    assert abs((g * forward).sum() - (backward * v).sum()) <= 1e-13 * scale

    _, indices = function("max", ndim)(x, counts, return_indices=True, **options)
    backward = function("max", ndim, backward=True)(g, indices, x.shape, **options)
    planes = pooled_last(v, ndim, data_format)
    flat = planes.reshape(*planes.shape[: planes.ndim - ndim], -1)
    where = pooled_last(indices, ndim, data_format)
    chosen = np.take_along_axis(flat, where.reshape(*flat.shape[:-1], -1), axis=-1)
    chosen = pooled_back(chosen.reshape(where.shape), ndim, data_format)
    scale = (np.abs(g) * np.abs(chosen)).sum() + 1
    assert abs((g * chosen).sum() - (backward * v).sum()) <= 1e-13 * scale


@pytest.mark.parametrize("operation", ["avg", "max"])
@pytest.mark.parametrize(
    ("sizes", "counts"), [((7,), (3,)), ((5, 4), (3, 2)), ((2, 3), (3, 4)), ((3, 4, 2), (2, 3, 1))]
)
def test_finite_differences(rng, operation, sizes, counts, data_format):
    """The gradient is that of the numbers, in both layouts and with a batch."""
    ndim = len(sizes)
    shape = shape_of((2,), sizes, 2, data_format)
    # All values differ by more than the step: the maxima stay where they are.
    x = rng.permutation(np.prod(shape)).reshape(shape) / 10.0
    layer = getattr(ap, f"Adaptive{operation.title()}Pool{ndim}d")(counts, data_format=data_format)
    y, pullback = layer.vjp(x)
    g = rng.standard_normal(y.shape)
    gradient = pullback(g)
    step = 1e-3
    numeric = np.empty_like(x)
    for i in np.ndindex(shape):
        up, down = x.copy(), x.copy()
        up[i] += step
        down[i] -= step
        numeric[i] = ((layer(up) - layer(down)) * g).sum() / (2 * step)
    # Both are linear here, so only rounding is left: 1e-16 * 100 / 1e-3, far below 1e-7.
    np.testing.assert_allclose(gradient, numeric, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("size", range(1, 25))
def test_nothing_is_lost(size):
    """Gradients of one: the sum over the input is the number of outputs, whatever overlaps."""
    for count in [*range(1, 31), 97]:
        g = np.ones((2, count))
        result = ap.adaptive_avg_pool1d_backward(g, (2, size))
        # At most 97 * 24 shares, each rounded once, and their sums: 25 roundings in a row at most.
        np.testing.assert_allclose(result.sum(axis=1), count, rtol=1e-14)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_gradients_stay_in_their_window(bad, data_format):
    """NaN and infinity reach the elements of their window alone."""
    shape = (1, 1, 9, 9) if data_format == "channels_first" else (1, 9, 9, 1)
    x = np.arange(81.0).reshape(shape)
    y, indices = ap.adaptive_max_pool2d(x, 3, return_indices=True, data_format=data_format)
    g = np.ones_like(y)
    g.reshape(3, 3)[1, 2] = bad
    average = ap.adaptive_avg_pool2d_backward(g, shape, data_format=data_format).reshape(9, 9)
    hit = np.zeros((9, 9), bool)
    hit[3:6, 6:9] = True
    np.testing.assert_array_equal(~np.isfinite(average), hit)
    maximum = ap.adaptive_max_pool2d_backward(g, indices, shape, data_format=data_format)
    np.testing.assert_array_equal(np.flatnonzero(~np.isfinite(maximum)), [5 * 9 + 8])


def test_windows_in_any_order(rng):
    """Explicit tables need not be sorted, and may leave gaps: those inputs get no gradient."""
    windows = [([4, 0, 2, 0], [6, 1, 5, 8]), ([1, 1], [2, 2])]
    arrays = [(np.array(s), np.array(e)) for s, e in windows]
    x = rng.standard_normal((2, 9, 4))
    y = ap.adaptive_avg_pool2d(x, None, windows=windows)
    # Ours and the oracle's mean are a rounding each from the exact one, which nothing cancels much.
    np.testing.assert_allclose(y, _reference.average(x, arrays, x.dtype), rtol=1e-15)
    g = rng.standard_normal(y.shape)
    result = ap.adaptive_avg_pool2d_backward(g, x.shape, windows=windows)
    # Sums of at most 8 shares, in another order; a factor of 50 is left for cancellation.
    np.testing.assert_allclose(result, _reference.average_backward(g, (9, 4), arrays), rtol=1e-13)
    assert (result[:, 8] == 0).all()
    assert (result[:, :, [0, 2, 3]] == 0).all()
    assert (result[:, :8, 1] != 0).all()
