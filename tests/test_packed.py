"""Packed values: each item is what it would be pooled alone, to the bit."""

import re

import numpy as np
import pytest
from cases import DTYPES, FLOATS, random_array, strided

import adaptive_pool as ap
from adaptive_pool._arrays import MOST_AXES

SIZES = [3, 0, 1, 40, 7, 0, 300, 12]


def packed(rng, dtype, data_format, lead=(), channels=5):
    """Values with something before the first item and behind the last, offsets, and the items."""
    offsets = 2 + np.concatenate([[0], np.cumsum(SIZES)])
    values = random_array(rng, (*lead, channels, offsets[-1] + 3), dtype)
    if data_format == "channels_last":
        values = np.ascontiguousarray(np.moveaxis(values, -2, -1))
    axis = values.ndim - (1 if data_format == "channels_first" else 2)
    items = np.split(values, offsets, axis)[1:-1]
    return values, offsets, axis, items


def each_alone(function, items, axis, empty, **options):
    """What a function gives of each item; of one without elements, `empty` results."""
    results = [function(i, **options) if i.shape[axis] > 0 else None for i in items]
    known = next(r for r in results if r is not None)
    return [np.full_like(known, empty) if r is None else r for r in results]


@pytest.mark.parametrize("lead", [(), (2,), (2, 1, 3)])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_averages(rng, dtype, data_format, threads, lead):
    values, offsets, axis, items = packed(rng, dtype, data_format, lead)
    for size, windows in ((1, "torch"), (4, "torch"), (3, "split"), (3, "area")):
        options = {"output_size": size, "windows": windows, "data_format": data_format}
        if windows == "split":  # which leaves windows of short items empty
            offsets, items = offsets[3:5], items[3:4]
        expected = np.stack(each_alone(ap.adaptive_avg_pool1d, items, axis, np.nan, **options))
        for given in (values, strided(values)):
            y = ap.adaptive_avg_pool1d_packed(given, offsets, num_threads=threads, **options)
            assert y.dtype == expected.dtype
            assert y.tobytes() == expected.tobytes()
        out = strided(np.zeros_like(expected))
        assert ap.adaptive_avg_pool1d_packed(values, offsets, out=out, **options) is out
        assert out.tobytes() == expected.tobytes()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_maxima(rng, dtype, data_format, threads):
    values, offsets, axis, items = packed(rng, dtype, data_format)
    options = {"output_size": 3, "data_format": data_format}
    alone = each_alone(ap.adaptive_max_pool1d, items, axis, 1, **options)
    places = each_alone(
        lambda x, **o: ap.adaptive_max_pool1d(x, return_indices=True, **o)[1],
        items, axis, -1, **options,
    )  # fmt: skip
    y, indices, counts = ap.adaptive_max_pool1d_packed(
        values, offsets, empty=1, return_indices=True, index_dtype=np.int32, return_counts=True,
        num_threads=threads, **options,
    )  # fmt: skip
    assert y.tobytes() == np.stack(alone).tobytes()
    starts = np.reshape(offsets[:-1], (-1, *[1] * (indices.ndim - 1)))
    expected = np.stack(places)
    np.testing.assert_array_equal(indices, np.where(expected < 0, -1, expected + starts))
    assert indices.dtype == np.int32
    for k, size in enumerate(SIZES):
        borders = ap.pool_windows(size, 3) if size > 0 else np.zeros((2, 3), int)
        lengths = np.subtract(borders[1], borders[0])
        shape = (1, 3) if data_format == "channels_first" else (3, 1)
        np.testing.assert_array_equal(counts[k] - lengths.reshape(shape), 0)
    only = ap.adaptive_max_pool1d_packed(values, offsets, empty=1, **options)
    assert only.tobytes() == y.tobytes()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", FLOATS)
def test_gradients(rng, dtype, data_format, threads):
    values, offsets, axis, items = packed(rng, dtype, data_format)
    options = {"data_format": data_format}
    y, indices = ap.adaptive_max_pool1d_packed(
        values, offsets, 3, return_indices=True, empty=0, **options
    )
    g = random_array(rng, y.shape, dtype)
    expected = {"avg": np.zeros_like(values), "max": np.zeros_like(values)}
    for k, item in enumerate(items):
        if item.shape[axis] == 0:
            continue
        place = [slice(None)] * values.ndim
        place[axis] = slice(offsets[k], offsets[k + 1])
        expected["avg"][tuple(place)] = ap.adaptive_avg_pool1d_backward(g[k], item.shape, **options)
        expected["max"][tuple(place)] = ap.adaptive_max_pool1d_backward(
            g[k], indices[k] - offsets[k], item.shape, **options
        )
    for operation, rest in (("avg", ()), ("max", (indices,))):
        back = getattr(ap, f"adaptive_{operation}_pool1d_packed_backward")
        result = back(g, *rest, offsets, values.shape, num_threads=threads, **options)
        assert result.shape == values.shape
        assert result.tobytes() == expected[operation].tobytes()
        out = strided(np.ones_like(values))
        assert back(g, *rest, offsets, values.shape, out=out, **options) is out
        assert out.tobytes() == expected[operation].tobytes()


def test_what_counts(rng, data_format):
    """Options are those of single calls: forward, counts, backward."""
    values, offsets, axis, items = packed(rng, "float32", data_format)
    values[rng.random(values.shape) < 0.3] = np.nan
    where = rng.random(values.shape) < 0.8
    masks = np.split(where, offsets, axis)[1:-1]
    items = np.split(values, offsets, axis)[1:-1]
    options = {"nan_policy": "omit", "min_count": 2, "data_format": data_format}
    for operation in ("avg", "max"):
        single = getattr(ap, f"adaptive_{operation}_pool1d")
        y, counts = getattr(ap, f"adaptive_{operation}_pool1d_packed")(
            values, offsets, 2, where=where, return_counts=True, empty=-1, **options
        )
        for k, (item, mask) in enumerate(zip(items, masks, strict=True)):
            if item.shape[axis] == 0:
                assert (y[k] == -1).all()
                assert (counts[k] == 0).all()
                continue
            alone, n = single(item, 2, where=mask, return_counts=True, empty=-1, **options)
            assert (alone.tobytes(), n.tobytes()) == (y[k].tobytes(), counts[k].tobytes())
    g = random_array(rng, y.shape, "float32")
    result = ap.adaptive_avg_pool1d_packed_backward(
        g, offsets, values.shape, x=values, where=where, **options
    )
    for k, part in enumerate(np.split(result, offsets, axis)[1:-1]):
        if part.size > 0:
            alone = ap.adaptive_avg_pool1d_backward(
                g[k], part.shape, x=items[k], where=masks[k], **options
            )
            assert alone.tobytes() == part.tobytes()


def test_many_tiny_items(rng):
    sizes = rng.integers(1, 6, 10_000)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    values = rng.integers(-100, 100, (offsets[-1], 3)).astype(np.int32)
    y = ap.adaptive_avg_pool1d_packed(values, offsets, 1, data_format="channels_last")
    sums = np.add.reduceat(values.astype(np.int64), offsets[:-1], axis=0)
    np.testing.assert_array_equal(y[:, 0], sums / sizes[:, np.newaxis])
    largest = ap.adaptive_max_pool1d_packed(values, offsets, 1, data_format="channels_last")
    np.testing.assert_array_equal(largest[:, 0], np.maximum.reduceat(values, offsets[:-1], axis=0))


@pytest.mark.parametrize(
    "offsets",
    [[1, 4, 4, 6], (1, 4, 4, 6), *(np.array([1, 4, 4, 6], t) for t in ("i4", "u8", ">i8"))],
)
def test_kinds_of_offsets(offsets):
    y = ap.adaptive_avg_pool1d_packed(np.arange(7.0), offsets, 1)
    np.testing.assert_array_equal(y, [[2], [np.nan], [4.5]])


@pytest.mark.parametrize("offsets", [[0], [3], [0, 0], [5, 5, 5]])
def test_without_elements(offsets):
    """No items, or empty ones; none of values at all."""
    values = np.ones((5, 2), np.float32)
    y = ap.adaptive_avg_pool1d_packed(values, offsets, 2, data_format="channels_last")
    assert y.shape == (len(offsets) - 1, 2, 2)
    assert np.isnan(y).all()
    back = ap.adaptive_avg_pool1d_packed_backward(
        y, offsets, values.shape, data_format="channels_last"
    )
    np.testing.assert_array_equal(back, np.zeros_like(values))
    nothing = np.ones((0, 2), np.float32)
    if max(offsets) == 0:
        y = ap.adaptive_max_pool1d_packed(nothing, offsets, 2, data_format="channels_last")
        assert y.shape == (len(offsets) - 1, 2, 2)


@pytest.mark.parametrize(
    ("offsets", "error", "match"),
    [
        ([0, 3, 2], ValueError, r"0 <= start <= end <= 5 must hold .* 3 to 2 for item 1"),
        ([0, 2, 6], ValueError, r"2 to 6 for item 1"),
        ([-1, 2], ValueError, r"offsets must lie in 0:6 .* got -1 in offsets\[0\]"),
        ([7], ValueError, r"got 7 in offsets\[0\]"),
        ([[0, 2]], ValueError, r"offsets must have shape \(N \+ 1,\): .* got shape \(1, 2\)"),
        ([], ValueError, r"got shape \(0,\)"),
        ([0.0, 2.0], TypeError, "offsets must be integers, got dtype float64"),
        (np.array([0, 2**63], np.uint64), ValueError, "offsets must fit"),
        (None, TypeError, "offsets"),
    ],
)
def test_bad_offsets(offsets, error, match):
    values, out = np.ones(5), np.full((2, 1), 7.0)
    for operation in ("avg", "max"):
        function = f"adaptive_{operation}_pool1d_packed"
        with pytest.raises(error, match=rf"^{function}: .*{match}"):
            getattr(ap, function)(values, offsets, 1, out=out)
    function = "adaptive_avg_pool1d_packed_backward"
    with pytest.raises(error, match=rf"^{function}: .*{match}"):
        getattr(ap, function)(np.ones((2, 1)), offsets, (5,), out=np.ones(5))
    assert (out == 7).all()


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"output_size": None}, ValueError, "output_size must be given for items"),
        ({"windows": "uniform", "output_size": 4}, ValueError, r"that of items\[0\] on pooled"),
        ({"lengths": [3, 2]}, TypeError, "unexpected keyword argument 'lengths'"),
        ({"regions": [[0, 1, 2]]}, TypeError, "unexpected keyword argument 'regions'"),
        ({"data_format": "channels"}, ValueError, "data_format must be"),
        ({"data_format": "channels_last"}, ValueError, r"values must have shape \(..., W, C\)"),
        ({"out": np.ones((3, 1))}, ValueError, r"out must have shape \(2, 1\)"),
        ({"where": np.ones((2, 2), bool)}, ValueError, "where"),
        ({"values": np.ma.masked_array(np.ones(5))}, TypeError, "values"),
        ({"values": "five"}, TypeError, "values"),
    ],
)  # fmt: skip
def test_bad_arguments(options, error, match):
    given = {"values": np.ones(5), "offsets": [0, 3, 5], "output_size": 1, **options}
    with pytest.raises(error, match=match) as raised:
        ap.adaptive_avg_pool1d_packed(**given)
    assert str(raised.value).startswith("adaptive_avg_pool1d_packed")


def test_empty_items_of_integers():
    with pytest.raises(ValueError, match=re.escape("window (0,) of items[1] has fewer elements")):
        ap.adaptive_max_pool1d_packed(np.arange(5), [0, 3, 3], 1)
    y = ap.adaptive_max_pool1d_packed(np.arange(5), [0, 3, 3], 1, empty=-9)
    np.testing.assert_array_equal(y, [[2], [-9]])


@pytest.mark.parametrize(
    ("shape", "input_shape", "match"),
    [
        ((2, 1, 4), (5, 3), r"grad_output must have an axis of items, .* got shape \(2, 1, 4\)"),
        ((2, 3), (5, 3), "got shape"),
        ((3, 1, 3), (5, 3), r"grad_output must have shape \(2, 1, 3\) for 2 items"),
        ((2, 1, 3), (5,), r"input_shape must have shape \(..., W, C\)"),
    ],
)
def test_gradients_of_other_shapes(shape, input_shape, match):
    g = np.ones(shape)
    with pytest.raises(ValueError, match=match):
        ap.adaptive_avg_pool1d_packed_backward(
            g, [0, 3, 5], input_shape, data_format="channels_last"
        )
    with pytest.raises(ValueError, match=match):
        ap.adaptive_max_pool1d_packed_backward(
            g, np.zeros(shape, int), [0, 3, 5], input_shape, data_format="channels_last"
        )


def test_out_of_gradients(rng):
    """Of the shape of the values, whatever its class."""
    g, offsets, options = (
        rng.standard_normal((2, 1, 3)),
        [1, 3, 5],
        {"data_format": "channels_last"},
    )
    back = ap.adaptive_avg_pool1d_packed_backward
    expected = back(g, offsets, (6, 3), **options)
    out = np.zeros((6, 3)).view(np.recarray)
    assert back(g, offsets, (6, 3), out=out, **options) is out
    np.testing.assert_array_equal(out, expected)
    for out in (np.zeros((1, 6, 3)), np.zeros((5, 3)), np.zeros((6, 3), np.float32)):
        with pytest.raises(ValueError, match=r"out must have shape \(6, 3\) and dtype float64"):
            back(g, offsets, (6, 3), out=out, **options)
        assert (out == 0).all()


def test_arrays_beside_values():
    """They have the shape of the values, or one that broadcasts to it."""
    values, offsets = np.arange(6.0), [0, 4, 6]
    for where in (np.ones((1, 6), bool), np.ones(5, bool)):
        with pytest.raises(ValueError, match=r"does not broadcast to values of shape \(6,\)"):
            ap.adaptive_max_pool1d_packed(values, offsets, 1, where=where)
    with pytest.raises(
        ValueError, match=r"x must have the shape of the values \(6,\), got .*\(5,\)"
    ):
        ap.adaptive_avg_pool1d_packed_backward(
            np.ones((2, 1)), offsets, (6,), x=np.ones(5), nan_policy="omit"
        )


def test_as_many_axes_as_there_are():
    shape = (1,) * MOST_AXES
    with pytest.raises(ValueError, match="values must have fewer than 64 axes"):
        ap.adaptive_avg_pool1d_packed(np.ones(shape), [0, 1], 1)
    with pytest.raises(ValueError, match="input_shape must have fewer than 64 axes"):
        ap.adaptive_avg_pool1d_packed_backward(np.ones(shape), [0, 1], shape)
    with pytest.raises(ValueError, match=r"arrays\[0\] must have fewer than 64 axes"):
        ap.adaptive_max_pool1d_ragged([np.ones(shape)], 1)


@pytest.mark.parametrize("dtype", FLOATS)
def test_gradients_of_windows_beyond_an_item(rng, dtype):
    """They have no element there, and pass nothing on; as with lengths, and NaN too."""
    sizes, windows = [2, 5, 1], [(np.array([0, 3, 1]), np.array([2, 5, 4]))]
    g = random_array(rng, (3, 4, 3), dtype)
    g[:, 0] = np.nan
    padded = ap.adaptive_avg_pool1d_backward(g, (3, 4, 5), lengths=sizes, windows=windows)
    offsets = np.cumsum([0, *sizes])
    result = ap.adaptive_avg_pool1d_packed_backward(g, offsets, (4, 8), windows=windows)
    for k, size in enumerate(sizes):
        item = result[:, offsets[k] : offsets[k + 1]]
        assert item.tobytes() == padded[k, :, :size].tobytes()
