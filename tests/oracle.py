"""From the public functions to the definition and back: layouts, names, errors in ulp."""

import numpy as np

import adaptive_pool as ap
from adaptive_pool import _reference

# In units in the last place of the mean of absolute values; docs/design/summation.md derives it.
BOUND = 1.0


def function(operation, ndim, backward=False):
    """The public function, say ``adaptive_avg_pool2d_backward``."""
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


def assert_average(y, x, windows, dtype):
    """`y` is the average of `x`, pooled axes last, as exactly as the contract says.

    Integers: equal to the correctly rounded mean. Floats: within BOUND. The oracle's own error,
    in 64 bits and before its rounding, is below 0.01 ulp for the windows of the tests.
    """
    if x.dtype.kind in "biu":
        expected = _reference.average(x, windows, dtype)
        np.testing.assert_array_equal(y, expected)
        return
    exact = _reference.average(x.astype(np.float64), windows, np.dtype(np.longdouble))
    magnitude = _reference.average(np.abs(x).astype(np.float64), windows, np.dtype(np.float64))
    assert y.dtype == dtype
    if y.size:
        assert error_in_ulp(y, exact, magnitude, dtype).max() <= BOUND


def assert_maximum(values, indices, x, windows):
    """`values` and `indices` are the maxima of `x`, pooled axes last, to the bit."""
    y, where = _reference.maximum(x, windows)
    assert values.dtype == y.dtype
    words = f"u{y.dtype.itemsize}"
    np.testing.assert_array_equal(values.view(words), y.view(words))
    if indices is not None:
        np.testing.assert_array_equal(indices, where)
