"""From the public functions to the definition and back: layouts, names, errors in ulp."""

import math

import numpy as np

import adaptive_pool as ap
from adaptive_pool import _reference

# In units in the last place of the mean of absolute values; docs/design/summation.md derives it.
BOUND = 1.0


def function(operation, ndim, backward=False):
    """The public function, say ``adaptive_avg_pool2d_backward`` or ``adaptive_max_unpool1d``."""
    if operation == "unpool":
        return getattr(ap, f"adaptive_max_unpool{ndim}d")
    return getattr(ap, f"adaptive_{operation}_pool{ndim}d{'_backward' if backward else ''}")


def pooled_last(x, ndim, data_format):
    """A view with the pooled axes last, as the definition wants them."""
    return x if data_format == "channels_first" else np.moveaxis(x, -1, -1 - ndim)


def pooled_back(x, ndim, data_format):
    """The inverse of `pooled_last`."""
    return x if data_format == "channels_first" else np.moveaxis(x, -1 - ndim, -1)


def shape_of(lead, sizes, channels, data_format):
    """The shape of an array in a layout."""
    first = data_format == "channels_first"
    return (*lead, channels, *sizes) if first else (*lead, *sizes, channels)


def tables(sizes, counts, rule="torch"):
    return [ap.pool_windows(i, o, rule) for i, o in zip(sizes, counts, strict=True)]


def weights(sizes, counts, rule="torch"):
    """What elements weigh along each axis, if that is not 1 each."""
    if rule != "area":
        return None
    return [ap.area_weights(i, o) for i, o in zip(sizes, counts, strict=True)]


def spacing(x, dtype):
    """One unit in the last place of `x` in `dtype`, in float64."""
    digits, least = {
        "float16": (11, -24), "bfloat16": (8, -133), "float32": (24, -149), "float64": (53, -1074),
    }[dtype.name]  # fmt: skip
    _, exponent = np.frexp(np.abs(x).astype(np.float64))
    return np.ldexp(1.0, np.maximum(exponent - digits, least))


def error_in_ulp(actual, exact, magnitude, dtype):
    """Errors in units in the last place of `magnitude`, the mean of absolute values."""
    error = np.abs(actual.astype(np.longdouble) - exact)
    return (error / spacing(magnitude.astype(np.float64), dtype)).astype(np.float64)


def largest(dtype):
    """The largest finite number of a float type, in float64."""
    inf = np.array(np.inf, dtype)
    return float((inf.view(f"u{dtype.itemsize}") - 1).view(dtype).astype(np.float64))


def assert_close(actual, exact, magnitude, bound):
    """`actual` is off by `bound` units in the last place of `magnitude` at most.

    What is not finite is the same; a number that the type cannot hold is an infinity.
    """
    assert actual.shape == exact.shape
    if actual.size == 0:
        return
    dtype = actual.dtype
    with np.errstate(all="ignore"):
        wide = actual.astype(np.longdouble)
        overflows = np.isfinite(exact) & np.isinf(wide)
        np.testing.assert_array_equal(np.isfinite(exact), np.isfinite(wide) | overflows)
        assert (np.abs(exact[overflows]) >= largest(dtype)).all()
        assert (np.signbit(exact) == np.signbit(wide))[overflows].all()
        bad = ~np.isfinite(exact)
        np.testing.assert_array_equal(wide[bad], exact[bad])
        finite = np.isfinite(wide)
        error = error_in_ulp(actual[finite], exact[finite], magnitude[finite], dtype)
    assert (error <= np.broadcast_to(bound, actual.shape)[finite]).all()


def assert_average(y, x, windows, dtype, weights=None):
    """`y` is the average of `x`, pooled axes last, as exactly as the contract says.

    Integers: equal to the correctly rounded mean. Floats: within BOUND. The oracle's own error,
    in 64 bits and before its rounding, is below 0.01 ulp for the windows of the tests.

    Asked for float64, the mean of a narrower type shows the sum itself, kept in float64: n - 1
    additions and two roundings for the quotient, each of half a unit at most. Weights multiply
    what goes into these once along each axis, which is as many roundings more.
    """
    assert y.dtype == dtype
    if x.dtype.kind in "biu" and dtype.itemsize == 2 and dtype.kind not in "iu":
        # To the nearest, up to the rounding of the oracle's float64, which is 2**-42 units of these
        # at most. ml_dtypes rounds float64 to bfloat16 by way of float32, which can be wrong.
        exact = _reference.average(x, windows, np.dtype(np.float64), weights)
        assert_close(y, exact.astype(np.longdouble), np.abs(exact), 0.5 + 2.0**-42)
        return
    if x.dtype.kind in "biu":
        expected = _reference.average(x, windows, dtype, weights)
        np.testing.assert_array_equal(y, expected)
        return
    with np.errstate(all="ignore"):
        wide, float64 = x.astype(np.float64), np.dtype(np.float64)
        exact = _reference.average(wide, windows, np.dtype(np.longdouble), weights)
        magnitude = _reference.average(np.abs(wide), windows, float64, weights)
    n = np.prod([max((e - s).max(initial=1), 1) for s, e in windows])
    wider = dtype == np.float64 and x.dtype != np.float64
    assert_close(y, exact, magnitude, n + 1 + _products(windows, weights) if wider else BOUND)


def _products(windows, weights):
    """How often weights multiply on the way to a mean."""
    return 0 if weights is None else len(windows)


def _units(terms, weights):
    """By how many units in the last place of float64 a gradient and the oracle's differ, at most.

    A share is off by two roundings in float64 at most, a sum of n of them by n - 1 more, the
    oracle's by as many: n + 1 units in all.

    With weights each of n shares is rounded twice, multiplied by what lines weigh, and a sum of
    these by what columns weigh: four roundings of 2**-53 of a share, which add up to 2**-53 of the
    magnitude, a unit at most. The oracle's are two. The additions on both sides, n - 1, are of
    sums, and half a unit each. That is n + 5.
    """
    return terms + 1 if weights is None else terms + 5


def assert_average_backward(result, g, sizes, windows, weights=None):
    """`result` is the gradient of the average for `g`, pooled axes last.

    Off by `_units` of float64. Shorter types are rounded once, by half a unit.
    """
    assert (result.shape, result.dtype) == ((*g.shape[: g.ndim - len(sizes)], *sizes), g.dtype)
    wide = g.astype(np.float64)
    with np.errstate(all="ignore"):
        expected = _reference.average_backward(wide, sizes, windows, weights)
        magnitude = _reference.average_backward(np.abs(wide), sizes, windows, weights)
    held = [
        np.sum([(s <= k) & (k < e) for k in range(n)], axis=1).max(initial=0)
        for n, (s, e) in zip(sizes, windows, strict=True)
    ]
    terms = float(np.prod(held))
    float64 = np.dtype(np.float64)
    with np.errstate(all="ignore"):
        unit = spacing(magnitude, result.dtype)
        bound = _units(terms, weights) * spacing(magnitude, float64) / unit
    if result.dtype != float64:
        bound += 0.5
    assert_close(result, expected, magnitude, bound)


def assert_maximum_backward(result, g, indices, sizes):
    """`result` is the gradient of the maximum for `g`, pooled axes last.

    Same order, same precision: the same numbers, and zeros are equal whatever their sign.
    """
    with np.errstate(all="ignore"):
        expected = _reference.maximum_backward(g, indices, sizes)
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    # In float64: NumPy does not see that a NaN of bfloat16 is one.
    np.testing.assert_array_equal(result.astype(np.float64), expected.astype(np.float64))


def assert_unpooled(result, values, indices, sizes):
    """`result` holds `values` at `indices`, pooled axes last, and zeros elsewhere, to the bit."""
    words = f"u{values.dtype.itemsize}"
    expected = _reference.unpool(values.view(words), indices, sizes)
    assert (result.shape, result.dtype) == (expected.shape, values.dtype)
    np.testing.assert_array_equal(result.view(words), expected)


def assert_maximum(values, indices, x, windows):
    """`values` and `indices` are the maxima of `x`, pooled axes last, to the bit."""
    y, where = _reference.maximum(x, windows)
    assert values.dtype == y.dtype
    words = f"u{y.dtype.itemsize}"
    np.testing.assert_array_equal(values.view(words), y.view(words))
    if indices is not None:
        np.testing.assert_array_equal(indices, where)


def _each_counted(x, counted, windows, weights=None):
    """Each window: its position, its elements, what they weigh if they count, and where it is.

    Elements and weights in one axis.
    """
    ndim = len(windows)
    for position, window in _reference.each_window(windows):
        shape = (*x.shape[: x.ndim - ndim], math.prod(s.stop - s.start for s in window))
        each = 1 if weights is None else _reference.weigh(position, window, weights).ravel()
        yield (
            (..., *position),
            x[(..., *window)].reshape(shape),
            counted[(..., *window)].reshape(shape) * each,
            window,
        )


def numbers_of(counted, windows, weights=None):
    """How many elements count in each window, or what they weigh, pooled axes last."""
    counts = tuple(len(starts) for starts, _ in windows)
    n = np.zeros((*counted.shape[: counted.ndim - len(windows)], *counts), np.int64)
    for position, _, kept, _ in _each_counted(counted, counted, windows, weights):
        n[position] = kept.sum(-1)
    return n


def assert_average_of_counted(y, x, counted, windows, least, weights=None):
    """`y` are the means of what counts of `x`, pooled axes last; 1 where less than `least` does.

    The bounds are those of `assert_average`.
    """
    n = numbers_of(counted, windows, weights)
    short = n < max(least, 1)
    assert (y[short] == 1).all()
    exact = np.zeros(y.shape, object if x.dtype.kind in "biu" else np.longdouble)
    magnitude = np.zeros(y.shape)
    with np.errstate(all="ignore"):
        for position, values, kept, _ in _each_counted(x, counted, windows, weights):
            if x.dtype.kind in "biu":
                exact[position] = (values.astype(object) * kept).sum(-1)
                continue
            wide = np.where(kept, values.astype(np.longdouble), 0) * np.longdouble(2.0**-64) * kept
            share = np.longdouble(2.0**64) / np.maximum(n[position], 1)
            exact[position] = wide.sum(-1) * share
            magnitude[position] = np.abs(wide).sum(-1) * share
    if x.dtype.kind in "biu":
        for place in zip(*np.nonzero(~short), strict=True):
            mean = _reference.round_exact(int(exact[place]), int(n[place]), y.dtype)
            with np.errstate(all="ignore"):
                wanted = float(np.array(mean).astype(y.dtype))
            # Halves: the oracle rounds twice.
            half = y.dtype.itemsize == 2 and y.dtype.kind not in "iu"
            close = spacing(np.float64(abs(mean)), y.dtype) if half else 0
            assert y[place] == wanted or abs(float(y[place]) - wanted) <= close
        return
    exact[short], magnitude[short] = 1, 1
    if y.dtype == np.float64 and x.dtype != np.float64:
        elements = numbers_of(counted, windows).max(initial=1)
        bound = elements + 1 + _products(windows, weights)
    else:
        bound = BOUND
    assert_close(y, exact, magnitude, bound)


def assert_average_backward_of_counted(result, g, counted, parts, least):
    """`result` is the gradient of averages of what counts of parts, pooled axes last.

    `g` has a gradient for each part: a sample, its place on the pooled axes, windows over it and
    their weights. The bound is that of `assert_average_backward`.
    """
    assert (result.shape, result.dtype) == (counted.shape, g.dtype)
    expected, magnitude = np.zeros(result.shape), np.zeros(result.shape)
    held = np.zeros(result.shape)
    with np.errstate(all="ignore"):
        for k, (sample, place, _, windows, weights) in enumerate(parts):
            whole = (sample, ..., *place)
            here = counted[whole]
            for position, _, kept, window in _each_counted(here, here, windows, weights):
                n = kept.sum(-1)
                enough = n >= max(least, 1)
                share = np.where(enough, g[k][position].astype(np.float64) / np.maximum(n, 1), 0)
                times = 1
                if weights is not None:
                    times = _reference.weigh(position[1:], window, weights)
                for total, each, t in (
                    (expected, share, times), (magnitude, abs(share), times), (held, enough, 1)
                ):  # fmt: skip
                    part = total[whole][(..., *window)]
                    part += each[(..., *(np.newaxis,) * len(windows))] * t
        expected, magnitude = np.where(counted, expected, 0), np.where(counted, magnitude, 0)
        float64 = np.dtype(np.float64)
        unit = spacing(magnitude, result.dtype)
        weights = parts[0][-1] if parts else None  # of one rule, all parts have some or none
        bound = _units(held, weights) * spacing(magnitude, float64) / unit
    if result.dtype != float64:
        bound += 0.5
    assert_close(result, expected, magnitude, bound)


def maximum_of_counted(x, counted, windows, least):
    """Maxima of what counts and flat indices in `x`, pooled axes last; 1 and -1 if too few."""
    ndim = len(windows)
    counts = tuple(len(starts) for starts, _ in windows)
    y = np.ones((*x.shape[: x.ndim - ndim], *counts), x.dtype)
    where = np.full(y.shape, -1)
    plane = _reference.flat_indices(x.shape[x.ndim - ndim :])
    for position, values, kept, window in _each_counted(x, counted, windows):
        enough = kept.sum(-1) >= max(least, 1)
        kept = kept > 0
        if not enough.any():
            continue
        nan = kept & (values != values)
        last_nan = values.shape[-1] - 1 - nan[..., ::-1].argmax(-1)
        quiet = values if x.dtype.kind in "biu" else values.astype(np.float64)
        lowest = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else False
        lowest = lowest if x.dtype.kind in "biu" else -np.inf
        top = np.where(kept & ~nan, quiet, lowest).max(-1, keepdims=True)
        first = (kept & ~nan & (quiet == top)).argmax(-1)
        best = np.where(nan.any(-1), last_nan, first)
        found = np.take_along_axis(values, best[..., None], -1)[..., 0]
        y[position] = np.where(enough, found, x.dtype.type(1))
        where[position] = np.where(enough, plane[window].reshape(-1)[best], -1)
    return y, where
