"""Maxima put back where they stood."""

import numpy as np
import pytest
from cases import DTYPES, SIZES, dtype_of, random_array, strided
from oracle import assert_unpooled, function, pooled_back, pooled_last

import adaptive_pool as ap
from adaptive_pool import _reference


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("ndim", "sizes", "counts"), SIZES)
def test_maxima_return_to_where_they_stood(rng, ndim, sizes, counts, data_format, dtype):
    x = pooled_back(random_array(rng, (2, 3, *sizes), dtype), ndim, data_format)
    options = {"data_format": data_format}
    values, indices = function("max", ndim)(x, counts, return_indices=True, **options)
    result = function("unpool", ndim)(values, indices, x.shape, **options)
    last = [pooled_last(a, ndim, data_format) for a in (result, values, indices, x)]
    assert_unpooled(*last[:3], sizes)
    words = f"u{result.dtype.itemsize}"
    kept = last[0].view(words) != 0
    np.testing.assert_array_equal(last[0].view(words)[kept], last[3].view(words)[kept])


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    ("shape", "sizes", "channels_last"),
    [
        ((2, 3, 4, 5), (7, 9), False),
        ((1, 70, 6, 6), (5, 5), False),  # several planes to a job
        ((1, 1, 5, 3), (700, 900), False),  # parts of a plane
        ((1, 40, 5, 3), (70, 90), True),  # lanes
        ((1, 40, 5, 3), (300, 500), True),  # lanes, and parts of a plane
        ((1, 2100, 2, 3), (7, 9), True),  # blocks of lanes
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "int64"])
def test_of_values_that_meet_the_last_stays(rng, dtype, shape, sizes, channels_last, threads):
    """Any values, any indices, -1 among them; each way that windows may lie."""
    values = rng.integers(-100, 100, shape).astype(dtype)
    indices = rng.integers(-1, np.prod(sizes), shape).astype(rng.choice(["int32", "int64"]))
    expected = _reference.unpool(values, indices, sizes)
    data_format = "channels_last" if channels_last else "channels_first"

    def layout(a):
        return np.ascontiguousarray(pooled_back(a, 2, data_format))

    options = {"data_format": data_format, "num_threads": threads}
    given = layout(expected)
    result = ap.adaptive_max_unpool2d(layout(values), layout(indices), given.shape, **options)
    np.testing.assert_array_equal(result, given)
    gaps = strided(given)
    gaps[...] = 9
    result = ap.adaptive_max_unpool2d(
        strided(layout(values)), strided(layout(indices)), given.shape, out=gaps, **options
    )
    assert result is gaps
    np.testing.assert_array_equal(gaps, given)


def test_the_bits_of_nan_stay():
    bits = np.array([0x7FC00001, 0xFFC12345, 0x7F800001], np.uint32)
    result = ap.adaptive_max_unpool1d(bits.view(np.float32), np.array([4, 0, 2]), (5,))
    assert result.view(np.uint32).tolist() == [0xFFC12345, 0, 0x7F800001, 0, 0x7FC00001]


def test_an_element_that_several_windows_share_is_stored_once():
    x = np.array([1.0, 5.0, 2.0])
    values, indices = ap.adaptive_max_pool1d(x, 2, return_indices=True)
    assert indices.tolist() == [1, 1]
    assert ap.adaptive_max_unpool1d(values, indices, (3,)).tolist() == [0, 5, 0]
    assert ap.adaptive_max_pool1d_backward(values, indices, (3,)).tolist() == [0, 10, 0]


def test_windows_without_elements_are_passed_over(data_format):
    values, indices = np.ones((2, 2, 2)), np.full((2, 2, 2), -1)
    assert not ap.adaptive_max_unpool1d(values, indices, (2, 2, 2), data_format=data_format).any()
    g = np.full((2, 2, 2), np.nan)
    assert not ap.adaptive_max_pool1d_backward(g, indices, (2, 2, 2), data_format=data_format).any()


def test_empty():
    nothing = np.zeros((2, 0), np.int64)
    assert ap.adaptive_max_unpool1d(nothing, nothing, (2, 3)).tolist() == [[0] * 3] * 2
    assert ap.adaptive_max_unpool1d(nothing, nothing, (2, 0)).shape == (2, 0)
    with pytest.raises(ValueError, match="indices must lie in 0:0"):
        ap.adaptive_max_unpool1d([1.0], [0], (0,))


@pytest.mark.parametrize(
    ("values", "indices", "shape", "options", "error", "match"),
    [
        ([1.0], [-2], (4,), {}, ValueError, "indices must lie in 0:4 for output shape .*got -2"),
        ([1.0], [4], (4,), {}, ValueError, "indices must lie in 0:4 .*, or be -1 .*, got 4"),
        ([1.0], [[0]], (4,), {}, ValueError, "indices must have the shape of values"),
        ([[1.0]], [[0]], (2, 4), {}, ValueError, r"output_shape \(2, 4\) and values of shape"),
        ([1.0], [0], (), {}, ValueError, "output_shape must have shape"),
        ([1.0], [0], (-4,), {}, ValueError, "output_shape must not be negative"),
        ([1.0], [0], 4, {}, TypeError, "output_shape must be a sequence of integers"),
        ([1.0], [0], (2**62,), {}, ValueError, "too large to address"),
        ([1.0], [0.0], (4,), {}, TypeError, "indices"),
        ([1j], [0], (4,), {}, TypeError, "values"),
        (np.ma.masked_array([1.0]), [0], (4,), {}, TypeError, "values"),
        ([1.0], [0], (4,), {"out": np.ones(5)}, ValueError, "out must have shape"),
        ([1.0], [0], (4,), {"out": np.ones(4, "f4")}, ValueError, "dtype float64"),
        ([1.0], [0], (4,), {"data_format": "last"}, ValueError, "data_format"),
        ([1.0], [0], (4,), {"num_threads": 0}, ValueError, "num_threads"),
    ],
)
def test_bad_arguments(values, indices, shape, options, error, match):
    with pytest.raises(error, match=f"^adaptive_max_unpool1d: .*{match}"):
        ap.adaptive_max_unpool1d(values, indices, shape, **options)
    if "out" in options:
        assert (options["out"] == 1).all()


@pytest.mark.parametrize("bad", [-2, 63, -(2**31), 2**31 - 1])
def test_nothing_is_written_for_a_bad_index(rng, bad):
    values, indices = np.ones((5, 70, 30), np.uint8), rng.integers(-1, 63, (5, 70, 30))
    out = np.full((5, 70, 63), 7, np.uint8)
    indices.flat[indices.size - 1] = bad
    with pytest.raises(ValueError, match=f"got {bad}"):
        ap.adaptive_max_unpool1d(values, indices, out.shape, out=out)
    assert (out == 7).all()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_calls_that_were_seen_before(dtype):
    """The second call of a kind takes another way to the kernel, which looks at indices too."""
    values = np.arange(1, 5).astype(dtype_of(dtype))
    for shift in range(4):
        indices = np.array([0, 2, 4, 5]) + shift
        expected = np.zeros(9, dtype)
        expected[indices] = values
        assert ap.adaptive_max_unpool1d(values, indices, (9,)).tolist() == expected.tolist()
    with pytest.raises(ValueError, match="got 9"):
        ap.adaptive_max_unpool1d(values, np.array([0, 2, 4, 9]), (9,))
