"""Ragged batches: each item is what it would be pooled alone, to the bit."""

import threading

import numpy as np
import pytest
from cases import DTYPES, FLOATS, random_array, strided
from oracle import function, pooled_back

import adaptive_pool as ap

SIZES = {
    1: [(7,), (300,), (5,), (40,)],
    2: [(5, 7), (31, 40), (8, 8), (5, 60), (100, 90)],
    3: [(4, 5, 6), (9, 5, 12), (5, 5, 5)],
}
COUNTS = {1: (3,), 2: (3, 5), 3: (2, 3, 4)}


def ragged(operation, ndim, backward=False):
    return getattr(ap, f"adaptive_{operation}_pool{ndim}d_ragged{'_backward' if backward else ''}")


def batch(rng, ndim, dtype, data_format, lead=(3,)):
    """Items with channels, in all layouts: as they come, strided, in the other byte order."""
    items = [
        pooled_back(random_array(rng, (*lead, *sizes), dtype), ndim, data_format)
        for sizes in SIZES[ndim]
    ]
    items[1] = strided(items[1])
    items[2] = np.ascontiguousarray(items[2])
    if items[0].dtype.isbuiltin:
        items[0] = items[0].astype(items[0].dtype.newbyteorder())
    return items


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_averages(rng, ndim, dtype, data_format, threads):
    for lead in ((3,), (20,), (2, 3, 2, 2)):
        items = batch(rng, ndim, dtype, data_format, lead)
        for windows in ("torch", "area"):
            options = {"data_format": data_format, "windows": windows}
            alone = [function("avg", ndim)(x, COUNTS[ndim], **options) for x in items]
            expected = np.stack(alone)
            y = ragged("avg", ndim)(items, COUNTS[ndim], num_threads=threads, **options)
            assert (y.dtype, y.tobytes()) == (expected.dtype, expected.tobytes())
            for out in (np.zeros_like(expected), strided(np.zeros_like(expected))):
                given = tuple(items)
                assert ragged("avg", ndim)(given, COUNTS[ndim], out=out, **options) is out
                assert out.tobytes() == expected.tobytes()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_maxima(rng, ndim, dtype, data_format, threads):
    items = batch(rng, ndim, dtype, data_format)
    options = {"data_format": data_format, "return_indices": True, "index_dtype": np.int32}
    alone = [function("max", ndim)(x, COUNTS[ndim], **options) for x in items]
    values, places = (np.stack(results) for results in zip(*alone, strict=True))
    y, indices = ragged("max", ndim)(items, COUNTS[ndim], num_threads=threads, **options)
    assert (y.tobytes(), indices.tobytes()) == (values.tobytes(), places.tobytes())
    assert (y.dtype, indices.dtype) == (values.dtype, places.dtype)
    out = (np.zeros_like(values), strided(np.zeros_like(places)))
    assert ragged("max", ndim)(items, COUNTS[ndim], out=out, **options) is out
    assert (out[0].tobytes(), out[1].tobytes()) == (values.tobytes(), places.tobytes())
    only = ragged("max", ndim)(items, COUNTS[ndim], data_format=data_format)
    assert only.tobytes() == values.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
def test_gradients(rng, ndim, dtype, data_format):
    items = batch(rng, ndim, dtype, data_format)
    shapes = [x.shape for x in items]
    y, indices = ragged("max", ndim)(
        items, COUNTS[ndim], return_indices=True, data_format=data_format
    )
    g = random_array(rng, y.shape, dtype)
    options = {"data_format": data_format}
    expected = {
        "avg": [
            function("avg", ndim, backward=True)(g[k], shape, **options)
            for k, shape in enumerate(shapes)
        ],
        "max": [
            function("max", ndim, backward=True)(g[k], indices[k], shape, **options)
            for k, shape in enumerate(shapes)
        ],
    }
    for operation, rest in (("avg", ()), ("max", (indices,))):
        back = ragged(operation, ndim, backward=True)
        for out in (None, [strided(np.ones(shape, g.dtype)) for shape in shapes]):
            results = back(g, *rest, shapes, out=out, **options)
            assert type(results) is list
            for result, alone in zip(results, expected[operation], strict=True):
                assert result.tobytes() == alone.tobytes()
            if out is not None:
                assert all(a is b for a, b in zip(results, out, strict=True))


@pytest.mark.parametrize("operation", ["avg", "max"])
def test_options(rng, operation, data_format):
    """What counts, counts, and items without elements."""
    items = [np.array(x) for x in batch(rng, 2, "float32", data_format)]
    for x in items:
        x[rng.random(x.shape) < 0.2] = np.nan
    empty = np.zeros((3, 0, 4) if data_format == "channels_first" else (0, 4, 3), np.float32)
    items.append(empty)
    masks = [rng.random(x.shape) < 0.7 for x in items]
    masks[1] = None
    options = {"nan_policy": "omit", "min_count": 2, "empty": -3, "data_format": data_format}
    alone = [
        function(operation, 2)(x, (3, 5), where=mask, return_counts=True, **options)
        for x, mask in zip(items, masks, strict=True)
    ]
    y, counts = ragged(operation, 2)(items, (3, 5), where=masks, return_counts=True, **options)
    assert y.tobytes() == np.stack([r[0] for r in alone]).tobytes()
    assert counts.tobytes() == np.stack([r[1] for r in alone]).tobytes()
    out = np.zeros_like(y)
    assert ragged(operation, 2)(items, (3, 5), where=masks, out=out, **options) is out
    assert out.tobytes() == y.tobytes()
    if operation == "max":
        values, places, counted = ap.adaptive_max_pool2d_ragged(
            items, (3, 5), return_indices=True, return_counts=True, where=masks, **options
        )
        assert (values.tobytes(), counted.tobytes()) == (y.tobytes(), counts.tobytes())
        single = ap.adaptive_max_pool2d(
            items[0], (3, 5), return_indices=True, where=masks[0], **options
        )
        assert places[0].tobytes() == single[1].tobytes()
        return
    g = random_array(rng, y.shape, "float32")
    del options["empty"]
    results = ap.adaptive_avg_pool2d_ragged_backward(
        g, [x.shape for x in items], x=items, where=masks, **options
    )
    for k, (x, mask) in enumerate(zip(items, masks, strict=True)):
        single = ap.adaptive_avg_pool2d_backward(g[k], x.shape, x=x, where=mask, **options)
        assert results[k].tobytes() == single.tobytes()


def test_many_tiny_items_and_a_huge_one(rng):
    items = [rng.standard_normal((2, *rng.integers(1, 6, 2)), np.float32) for _ in range(10_000)]
    items[777] = rng.standard_normal((2, 700, 900), np.float32)
    for threads in (1, 2):
        y = ap.adaptive_avg_pool2d_ragged(items, 2, num_threads=threads)
        z, places = ap.adaptive_max_pool2d_ragged(
            items, 2, num_threads=threads, return_indices=True
        )
        for k in [*range(0, 10_000, 97), 777]:
            assert y[k].tobytes() == ap.adaptive_avg_pool2d(items[k], 2).tobytes()
            alone = ap.adaptive_max_pool2d(items[k], 2, return_indices=True)
            assert (z[k].tobytes(), places[k].tobytes()) == tuple(a.tobytes() for a in alone)


def test_kinds_of_lists(rng):
    items = [[[1.0, 3.0]], np.ones((1, 4)), ((2.0, 4.0, 6.0),)]
    expected = [[[2]], [[1]], [[4]]]
    objects = np.empty(3, object)
    objects[:] = items
    for arrays in (items, tuple(items), objects):
        np.testing.assert_array_equal(ap.adaptive_avg_pool1d_ragged(arrays, 1), expected)


def test_windows_and_sizes_that_are_kept():
    items = [np.arange(6.0), np.arange(6.0) * 2]
    windows = [(np.array([0, 2]), np.array([2, 6]))]
    y = ap.adaptive_avg_pool1d_ragged(items, None, windows=windows)
    np.testing.assert_array_equal(y, [[0.5, 3.5], [1, 7]])
    np.testing.assert_array_equal(ap.adaptive_max_pool1d_ragged(items, None), items)
    with pytest.raises(ValueError, match=r"results must have one size, got \(5,\) of arrays\[1\]"):
        ap.adaptive_max_pool1d_ragged([np.ones(6), np.ones(5)], None)
    assert ap.adaptive_avg_pool1d_ragged(items, 0).shape == (2, 0)


@pytest.mark.parametrize(
    ("arrays", "error", "match"),
    [
        ([], ValueError, "arrays must have an item at least, got none"),
        (np.ones((3, 4, 5)), TypeError, r"got an array of shape \(3, 4, 5\) and dtype float64"),
        ("abc", TypeError, "arrays must be a list or tuple of arrays.* got str"),
        (None, TypeError, "got NoneType"),
        ([np.ones((2, 3)), np.ones((2, 3), np.float32)], ValueError, r"one dtype.* arrays\[1\]"),
        ([np.ones((2, 3)), np.ones((2, 3), complex)], TypeError, r"arrays\[1\] must have one of"),
        ([np.ones((2, 3, 4)), np.ones((3, 3, 4))], ValueError, r"agree except .* arrays\[1\]"),
        ([np.ones((2, 3)), np.ones((4, 2, 3))], ValueError, r"agree except .* in arrays\[1\]"),
        ([np.ones((2, 3)), None], TypeError, r"arrays\[1\]"),
        ([np.ones((2, 3)), np.ones((0, 3))], ValueError, r"arrays\[1\]: a pooled axis .* is empty"),
        ([np.ones((2, 3), complex)], TypeError, r"arrays\[0\] must have one of the dtypes"),
        ([np.ones(3)], ValueError, r"arrays\[0\] must have shape \(..., H, W\)"),
        ([np.ma.masked_array(np.ones((2, 3)))], TypeError, r"arrays\[0\]"),
    ],
)
def test_bad_items(arrays, error, match):
    out = np.full((2, 1, 1), 7.0)
    for operation in ("avg", "max"):
        name = f"adaptive_{operation}_pool2d_ragged"
        with pytest.raises(error, match=f"^{name}: .*{match}"):
            getattr(ap, name)(arrays, 1, out=out)
    assert (out == 7).all()


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"windows": "uniform", "output_size": 3}, ValueError, r"arrays\[1\]: window rule 'uni"),
        ({"lengths": [3, 2]}, TypeError, "unexpected keyword argument 'lengths'"),
        ({"where": [None]}, ValueError, "where must have 2 items, got 1"),
        ({"where": np.ones((4, 3), bool)}, TypeError, "where must be a list"),
        ({"where": [np.ones(7, bool), None]}, ValueError, r"arrays\[0\]: where"),
        ({"out": np.ones((2, 2))}, ValueError, r"out must have shape \(2, 1, 1\)"),
        ({"out": np.ones((2, 2)), "empty": 3}, ValueError, r"out must have shape \(2, 1, 1\)"),
        ({"num_threads": 0}, ValueError, "num_threads"),
        ({"data_format": "last"}, ValueError, "data_format must be"),
        ({"output_size": (1, 1, 1)}, ValueError, "output_size must be an int or have 2"),
    ],
)  # fmt: skip
def test_bad_arguments(options, error, match):
    given = {"arrays": [np.ones((4, 3)), np.ones((2, 3))], "output_size": 1, **options}
    for operation in ("avg", "max"):
        name = f"adaptive_{operation}_pool2d_ragged"
        with pytest.raises(error, match=f"^{name}.*{match}"):
            getattr(ap, name)(**given)


def test_bad_gradients():
    shapes, g = [(2, 3), (4, 2)], np.ones((2, 1, 1))
    back = ap.adaptive_avg_pool2d_ragged_backward
    with pytest.raises(ValueError, match="grad_output must have an item for each of 2 shapes"):
        back(np.ones((3, 1, 1)), shapes)
    with pytest.raises(ValueError, match=r"input_shapes\[1\]: input_shape"):
        back(g, [(2, 3), (4,)])
    out = [np.full((2, 3), 7.0), np.full((4, 3), 7.0)]
    with pytest.raises(ValueError, match=r"out\[1\] must have shape \(4, 2\)"):
        back(g, shapes, out=out)
    assert (out[0] == 7).all()
    memory = np.full(30, 7.0)
    for out in (
        [memory[:6].reshape(2, 3), memory[4:12].reshape(4, 2)],
        [memory[:6].reshape(2, 3)] * 2,
    ):
        with pytest.raises(ValueError, match=r"out\[0\] and out\[1\] must not share memory"):
            back(g, [out[0].shape, out[1].shape], out=out)
        assert (memory == 7).all()
    out = [memory[0:12:2].reshape(2, 3), memory[1:17:2].reshape(4, 2)]
    assert back(g, shapes, out=out) is not None  # they interleave
    assert (memory[17:] == 7).all()
    with pytest.raises(ValueError, match="out must have 2 items, got 1"):
        back(g, shapes, out=out[:1])
    places = np.array([[[5]], [[8]]])
    out = [np.full(shape, 7.0) for shape in shapes]
    with pytest.raises(ValueError, match=r"input_shapes\[1\]: indices must lie in 0:8"):
        ap.adaptive_max_pool2d_ragged_backward(g, places, shapes, out=out)
    assert all((a == 7).all() for a in out)
    with pytest.raises(ValueError, match="indices must have the shape of grad_output"):
        ap.adaptive_max_pool2d_ragged_backward(g, places[0], shapes)


def test_results_may_lie_in_what_is_read():
    memory = np.arange(12.0)
    items, out = [memory[:6], memory[6:]], memory[3:5].reshape(2, 1)
    expected = ap.adaptive_avg_pool1d_ragged([x.copy() for x in items], 1)
    assert ap.adaptive_avg_pool1d_ragged(items, 1, out=out) is out
    np.testing.assert_array_equal(out, expected)


def test_items_of_others_that_change(rng):
    """An array that gets another shape meanwhile is read as it was, or refused."""
    items = [rng.standard_normal((4, 30, 40)) for _ in range(50)]
    expected = np.stack([ap.adaptive_avg_pool2d(x, 3) for x in items])
    stop = threading.Event()

    def change():
        while not stop.is_set():
            items[20].shape = (4, 40, 30)
            items[20].shape = (4, 30, 40)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(200):
            try:
                y = ap.adaptive_avg_pool2d_ragged(items, 3)
            except ValueError as error:
                assert "another shape" in str(error)  # noqa: PT017
            else:
                assert np.delete(y, 20, 0).tobytes() == np.delete(expected, 20, 0).tobytes()
    finally:
        stop.set()
        thread.join()


def test_a_list_that_changes_while_it_is_read():
    class Item:
        def __array__(self, dtype=None, copy=None):
            arrays.clear()
            return np.ones((2, 3))

    arrays = [np.zeros((4, 3)), Item(), np.zeros((5, 5))]
    np.testing.assert_array_equal(ap.adaptive_avg_pool2d_ragged(arrays, 1)[:, 0, 0], [0, 1, 0])
    assert arrays == []


@pytest.mark.parametrize("operation", ["avg", "max"])
def test_items_that_are_larger_than_memory(operation):
    """One element stands for all: the sum of their sizes fits no integer."""
    one = np.full(1, 3, np.float32)
    items = [np.broadcast_to(one, (n,)) for n in (2**61 - 1, 2**61 - 5001)]
    for threads in (1, 2):
        y = ragged(operation, 1)(items, None, windows=[([0], [1])], num_threads=threads)
        np.testing.assert_array_equal(y, [[3], [3]])


@pytest.mark.parametrize("operation", ["avg", "max"])
@pytest.mark.parametrize("threads", [1, 3])
def test_gradients_of_many_items(rng, operation, threads):
    """More than are planned at a time; some without elements, one much larger than the others."""
    sizes = [(int(h), int(w)) for h, w in rng.integers(1, 30, (150, 2))]
    sizes[40], sizes[90] = (600, 500), (1, 1)
    items = [random_array(rng, (3, *size), "float32") for size in sizes]
    y, indices = ap.adaptive_max_pool2d_ragged(items, (3, 5), return_indices=True)
    g = random_array(rng, y.shape, "float32")
    rest = (indices,) if operation == "max" else ()
    shapes = [x.shape for x in items]
    back, alone = ragged(operation, 2, backward=True), function(operation, 2, backward=True)
    for count in (150, 40):
        some = [a[:count] for a in (g, *rest)]
        results = back(*some, shapes[:count], num_threads=threads)
        out = [np.ones_like(x) for x in items[:count]]
        assert back(*some, shapes[:count], num_threads=threads, out=out)[0] is out[0]
        for k, result in enumerate(results):
            expected = alone(*(a[k] for a in some), shapes[k])
            assert result.tobytes() == expected.tobytes()
            assert out[k].tobytes() == expected.tobytes()


def test_an_index_outside_names_its_item(rng):
    g, indices = np.ones((3, 2, 1, 1)), np.zeros((3, 2, 1, 1), np.int64)
    indices[1, 1], indices[2, 0] = 30, 99
    shapes = [(2, 5, 6), (2, 5, 6), (2, 9, 9)]
    out = [np.zeros(shape) for shape in shapes]
    for given in (None, out):
        with pytest.raises(ValueError, match=r"input_shapes\[1\]: indices must lie in 0:30 .*30"):
            ap.adaptive_max_pool2d_ragged_backward(g, indices, shapes, out=given)
    assert not any(y.any() for y in out)
