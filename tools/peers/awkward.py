"""Awkward Array: means and maxima of lists of lists."""

import awkward as ak
import numpy as np

import adaptive_pool as ap

from .figures import Claims

REQUIRES = ("awkward==2.8.9", "awkward-cpp==50", "numpy==2.4.6")


def packed(pool, lists, **options):
    """Return what this library makes of each list."""
    layout = ak.to_layout(lists)
    return pool(layout.content.data, layout.offsets.data, 1, **options)


def claims() -> Claims:
    """Yield the statements of the page."""
    yield "Run with Awkward Array 2.8.9", ak.__version__ == "2.8.9", ak.__version__

    lists = ak.Array([[1.0, 2.0], [], [3.0]])
    ours = packed(ap.adaptive_avg_pool1d_packed, lists)[:, 0]
    row = (
        "| `ak.mean(x, axis=-1)` of a list of lists | "
        "`ap.adaptive_avg_pool1d_packed(values, offsets, 1)[:, 0]` | see below |"
    )
    yield row, np.array_equal(ak.mean(lists, axis=-1), ours, equal_nan=True), ours
    text = "`ak.to_layout(x)` of a list of lists has `offsets.data` and the values, `content.data`"
    yield text, np.array_equal(ak.to_layout(lists).offsets.data, [0, 2, 2, 3]), ours

    tenths = ak.unflatten(np.full(1_000_000, 0.1, np.float32), [1_000_000])
    seen = ak.mean(tenths, axis=-1)[0]
    ours = packed(ap.adaptive_avg_pool1d_packed, tenths).item()
    holds = round(float(seen), 3) == 0.101 and ours == np.float32(0.1)
    yield "a million times 0.1 has the mean 0.101 in float32", holds, (seen, ours)
    large = ak.unflatten(np.full(4, 2**62), [4])
    seen = ak.mean(large, axis=-1)[0]
    ours = packed(ap.adaptive_avg_pool1d_packed, large).item()
    yield "four times 2^62 the mean 0 in int64", seen == 0 and ours == 2**62, (seen, ours)
    halves = ak.unflatten(np.ones(4, np.float16), [4])
    try:
        seen = ak.mean(halves, axis=-1)
    except KeyError as error:
        seen = repr(error)
    yield "float16 has none", isinstance(seen, str), seen

    lists = ak.Array([[np.nan, 2.0], [np.nan]])
    seen = ak.max(lists, axis=-1).to_list(), ak.argmax(lists, axis=-1).to_list()
    holds = seen == ([2.0, -np.inf], [0, 0])
    text = "NaN, 2 has the maximum 2, and `ak.argmax` says 0; a NaN alone has -inf"
    yield text, holds, seen
    ours, index = packed(ap.adaptive_max_pool1d_packed, lists, return_indices=True)
    holds = np.isnan(ours).all() and index.ravel().tolist() == [0, 2]
    yield "Here NaN wins, with its index", holds, (ours, index)
    ours, index = packed(
        ap.adaptive_max_pool1d_packed, lists, return_indices=True, nan_policy="omit"
    )
    holds = ours[0, 0] == 2 and index.ravel().tolist() == [1, -1]
    yield 'with `nan_policy="omit"` it is left out of both', holds, (ours, index)
