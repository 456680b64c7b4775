"""What adaptors build on: a part of a result by itself, and lines added in several calls."""

import numpy as np
import pytest
from cases import DTYPES, random_array, same

import adaptive_pool as ap
from adaptive_pool._kernels import SPARE_SUMS, add_lines, means_of_sums
from adaptive_pool._kernels.call.elements import ELEMENTS
from adaptive_pool._windows import weighed_by_area

SIZES = [(7, 3), (12, 8), (10, 5), (5, 5), (3, 8), (100, 7)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("size", "count"), SIZES)
def test_some_windows_by_area_are_those_of_all(rng, size, count, dtype):
    x = random_array(rng, (3, size, 6), dtype)
    windows = weighed_by_area("f", size, count)
    options = {"data_format": "channels_last", "return_counts": True, "where": rng.random(6) < 0.7}
    options["empty"] = 1
    expected = ap.adaptive_avg_pool1d(x, count, windows="area", **options)
    for first in range(count):
        begin, end = int(windows.starts[first]), int(windows.ends[-1])
        part = windows.part(first, count, begin)
        y = ap.adaptive_avg_pool1d(x[:, begin:end], None, windows=[part], **options)
        assert same(y, [np.ascontiguousarray(e[:, first:]) for e in expected])


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d not in ("bool", "int8", "uint8")])
@pytest.mark.parametrize("cut", [1, 3, 4])
def test_lines_added_in_two_calls_have_the_means_of_one(rng, cut, dtype):
    x = random_array(rng, (5, 7, 13), dtype)
    y_dtype = x.dtype if x.dtype.kind not in "biu" else np.dtype(np.float64)
    element = ELEMENTS[x.dtype.name]
    if x.dtype.name in ("int16", "uint16"):
        element, x = ELEMENTS["int32"], x.astype(np.int32)
    windows = [(np.array([0]), np.array([7])), (np.array([2, 0]), np.array([11, 1]))]
    expected = ap.adaptive_avg_pool2d(x, None, windows=windows, dtype=y_dtype)
    wide = np.int64 if x.dtype.kind in "iu" else np.float64
    sums = np.zeros((2, 5, 13 + SPARE_SUMS), wide)
    sums[0] = 0 if x.dtype.kind in "iu" else -0.0
    for lines in (x[:, :cut], x[:, cut:]):
        add_lines(np.ascontiguousarray(lines).view(f"u{x.itemsize}"), sums, element)
    y = np.empty((2, 5), y_dtype)
    for k, (start, end) in enumerate([(2, 11), (0, 1)]):
        numbers = np.full(5, 7.0 * (end - start))
        out = y[k].view(f"u{y.itemsize}")
        means_of_sums(sums, start, end, numbers, out, element, ELEMENTS[y_dtype.name])
    assert same([np.ascontiguousarray(y.T)], [expected[:, 0]])


def sums_of(planes, columns):
    return np.zeros((2, planes, columns + SPARE_SUMS))


@pytest.mark.parametrize(
    ("x", "sums"),
    [
        (np.ones((3, 4, 5)), sums_of(2, 5)),
        (np.ones((3, 4, 5)), sums_of(3, 4)),
        (np.ones((3, 4, 5)), sums_of(3, 5)[:1]),
        (np.ones((3, 4, 5)), sums_of(3, 5)[:, ::-1]),
        (np.ones((3, 4, 5)), sums_of(3, 5)[0]),
        (np.ones((3, 4, 5)), sums_of(3, 5).astype(np.float32)),
        (np.ones((3, 4, 5), np.float32), sums_of(3, 5)),
        (np.ones((3, 4, 10))[:, :, ::2], sums_of(3, 5)),
        (np.ones((4, 5)), sums_of(4, 5)),
    ],
    ids=[
        "planes", "columns", "one part", "backwards", "no planes", "narrow sums", "narrow lines",
        "no runs", "no plane",
    ],
)  # fmt: skip
def test_lines_that_do_not_fit_their_sums_are_refused(x, sums):
    with pytest.raises(ValueError, match="not fit|another shape or dtype"):
        add_lines(x, sums, ELEMENTS["float64"])
    assert not sums.any()


def test_short_integers_have_no_sums_of_lines():
    with pytest.raises(ValueError, match="not fit"):
        add_lines(np.ones((3, 4, 5), np.int16), sums_of(3, 5), ELEMENTS["int16"])


@pytest.mark.parametrize(
    ("start", "end", "numbers", "planes"),
    [(-1, 2, 3, 3), (0, 6, 3, 3), (2, 2, 3, 3), (0, 2, 2, 3), (0, 2, 3, 4)],
)
def test_means_that_do_not_fit_their_sums_are_refused(start, end, numbers, planes):
    y, code = np.zeros(planes), ELEMENTS["float64"]
    with pytest.raises(ValueError, match="not fit"):
        means_of_sums(sums_of(3, 5), start, end, np.ones(numbers), y, code, code)
    assert not y.any()
