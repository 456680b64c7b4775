"""Layers with options: what belongs to a batch is passed at the call, and never kept."""

import gc
import inspect
import pickle
import re
import weakref

import numpy as np
import pytest
from oracle import function
from test_layers import KINDS, layer_of
from test_objects import Word

SHAPE = (3, 4, 5, 6, 7)  # of 3d; the second or the last are channels
COUNTS = {1: 3, 2: (3, 2), 3: (2, 3, 2)}


def array_of(rng, ndim):
    """Floats with gaps of two kinds."""
    x = rng.standard_normal(SHAPE[: ndim + 2])
    x[rng.random(x.shape) < 0.2] = np.nan
    x[rng.random(x.shape) < 0.1] = -9
    return x


def first_of(ndim, data_format):
    return 2 if data_format == "channels_first" else 1


OPTIONS = {
    "lengths": lambda x, first, ndim: {"lengths": [[n, *[n + 1] * (ndim - 1)] for n in (3, 0, 1)]},
    "one length": lambda x, first, ndim: {"lengths": np.array([2, 1, 0])},
    "regions": lambda x, first, ndim: {
        "regions": [[2, *[0, 2] * ndim], [0, *[1, 2] * ndim], [2, *[1, 1] * ndim]]
    },
    "min_count": lambda x, first, ndim: {"min_count": 4},
    "empty": lambda x, first, ndim: {"lengths": [0, 1, 2], "min_count": 2, "empty": -1},
    "return_counts": lambda x, first, ndim: {"return_counts": True},
    "no counts": lambda x, first, ndim: {"return_counts": False, "lengths": None},
    "where": lambda x, first, ndim: {"where": x > 0},
    "a mask of axes": lambda x, first, ndim: {"where": np.arange(x.shape[-1]) % 2 == 0},
    "nan_policy": lambda x, first, ndim: {"nan_policy": "omit"},
    "nodata": lambda x, first, ndim: {"nodata": -9},
    "all": lambda x, first, ndim: {
        "where": x < 1, "nan_policy": "omit", "nodata": -9, "regions": [[1, *[0, 2] * ndim]] * 2,
        "min_count": 3, "empty": 0, "return_counts": True,
    },
}  # fmt: skip


def same(ours, theirs):
    """Whether results are alike: one array, or as many, of the same bits."""
    ours = ours if isinstance(ours, tuple) else (ours,)
    theirs = theirs if isinstance(theirs, tuple) else (theirs,)
    return [(a.dtype, a.shape, a.tobytes()) for a in ours] == [
        (a.dtype, a.shape, a.tobytes()) for a in theirs
    ]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize(("kind", "ndim"), KINDS)
def test_a_call_is_that_of_the_function(rng, kind, ndim, options, data_format):
    x = array_of(rng, ndim)
    given = options(x, first_of(ndim, data_format), ndim)
    layer = layer_of(kind, ndim, COUNTS[ndim], data_format=data_format, num_threads=2)
    before = (repr(layer), hash(layer), vars(layer).copy())
    expected = function(kind.lower(), ndim)(x, COUNTS[ndim], data_format=data_format, **given)
    assert same(layer(x, **given), expected)
    y = expected[0] if isinstance(expected, tuple) else expected
    out = np.zeros_like(y)
    again = layer(x, out=out, **given)
    assert same(again, expected)
    assert (again[0] if isinstance(again, tuple) else again) is out
    # Nothing of a call stays with the layer.
    assert (repr(layer), hash(layer), vars(layer)) == before
    assert layer == pickle.loads(pickle.dumps(layer))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_a_call_with_indices(rng, ndim, options):
    """Maxima, indices, counts: in the order of the function."""
    x = array_of(rng, ndim)
    given = options(x, 2, ndim)
    indices = {"return_indices": True, "index_dtype": np.int32}
    layer = layer_of("Max", ndim, COUNTS[ndim], **indices)
    expected = function("max", ndim)(x, COUNTS[ndim], **indices, **given)
    assert len(expected) == 2 + given.get("return_counts", False)
    assert same(layer(x, **given), expected)


def gradient_of(kind, ndim, g, x, data_format, given):
    """What the functions make of a gradient."""
    layout = {"data_format": data_format}
    backward = function(kind.lower(), ndim, backward=True)
    if kind == "Max":
        pooled = function("max", ndim)(x, COUNTS[ndim], return_indices=True, **layout, **given)
        regions = {k: v for k, v in given.items() if k == "regions"}
        return backward(g, pooled[1], x.shape, **layout, **regions)
    passed = {k: v for k, v in given.items() if k not in ("empty", "return_counts")}
    if "nan_policy" in given or "nodata" in given:
        passed["x"] = x
    return backward(g, x.shape, **layout, **passed)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize(("kind", "ndim"), KINDS)
def test_vjp_is_the_gradient(rng, kind, ndim, options, data_format):
    x = array_of(rng, ndim)
    given = options(x, first_of(ndim, data_format), ndim)
    indices = {"return_indices": True} if kind == "Max" else {}
    layer = layer_of(kind, ndim, COUNTS[ndim], data_format=data_format, **indices)
    *results, pullback = layer.vjp(x, **given)
    pooled = function(kind.lower(), ndim)(x, COUNTS[ndim], data_format=data_format, **given)
    assert same(tuple(results), pooled)
    g = rng.standard_normal(results[0].shape)
    expected = gradient_of(kind, ndim, g, x, data_format, given)
    assert same(pullback(g), expected)
    assert same(pullback(g), expected)  # as often as it is asked


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize(("kind", "ndim"), KINDS)
def test_adjoint_identity(rng, kind, ndim, options, data_format):
    """<y, g> == <x, pullback(g)>: an average is linear, a maximum is one of the elements."""
    x = array_of(rng, ndim)
    given = options(x, first_of(ndim, data_format), ndim)
    if not {"nan_policy", "nodata"} & given.keys():
        x = np.nan_to_num(x)  # what counts must be a number
    else:
        given["nan_policy"] = "omit"
    given = given | {"empty": 0}
    layer = layer_of(kind, ndim, COUNTS[ndim], data_format=data_format)
    y, *_, pullback = layer.vjp(x, **given)
    g = rng.standard_normal(y.shape)
    # Sums of products: each side is off by a few roundings of the larger of its terms.
    scale = (np.abs(g) * np.abs(y)).sum() + 1
    assert abs((g * y).sum() - (pullback(g) * np.nan_to_num(x)).sum()) <= 1e-13 * scale


BAD = [
    ({"where": [1, 0]}, TypeError, "where must be bool"),
    ({"where": [True, False]}, ValueError, "does not broadcast"),
    ({"nan_policy": "skip"}, ValueError, "nan_policy must be"),
    ({"nan_policy": np.array(["omit", "omit"])}, ValueError, "nan_policy must be"),
    ({"nodata": "none"}, TypeError, "nodata must be a real number"),
    ({"lengths": [1]}, ValueError, "lengths must have shape"),
    ({"regions": [[0, 1]]}, ValueError, "regions must have shape"),
    ({"lengths": [1, 1, 1], "regions": []}, ValueError, "lengths or regions, not both"),
    ({"empty": "0"}, TypeError, "empty must be a real number"),
    ({"min_count": 0.5}, TypeError, "min_count must be an integer"),
    ({"return_counts": np.ones(2)}, TypeError, "return_counts must be true or false"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD)
@pytest.mark.parametrize(("kind", "ndim"), KINDS)
def test_bad_options(kind, ndim, options, error, message):
    """The error of the function, in its name."""
    x, layer = np.ones(SHAPE[: ndim + 2]), layer_of(kind, ndim, 2)
    for call in (layer, layer.vjp):
        with pytest.raises(error, match=f"^adaptive_{kind.lower()}_pool{ndim}d: .*{message}"):
            call(x, **options)


@pytest.mark.parametrize("name", ["length", "windows", "data_format", "output_size", "num_threads"])
@pytest.mark.parametrize(("kind", "ndim"), KINDS)
def test_what_is_no_option_is_named(kind, ndim, name):
    """What the layer keeps is not to be given again."""
    x, layer = np.ones(SHAPE[: ndim + 2]), layer_of(kind, ndim, 2)
    text = re.escape(f"pool{ndim}d() got an unexpected keyword argument {name!r}")
    for call in (layer, layer.vjp):
        with pytest.raises(TypeError, match=text):
            call(x, **{name: 1})


def test_vjp_takes_no_out():
    with pytest.raises(TypeError, match="unexpected keyword argument 'out'"):
        layer_of("Avg", 1, 2).vjp(np.ones(4), out=np.ones(2))


@pytest.mark.parametrize(("kind", "ndim"), KINDS)
def test_signatures_list_the_options(kind, ndim):
    """With the defaults and types of the function, in its order."""
    layer = layer_of(kind, ndim, 2)
    of_function = inspect.signature(function(kind.lower(), ndim)).parameters
    names = [*of_function][[*of_function].index("where") : [*of_function].index("out")]
    names = [n for n in names if n not in ("dtype", "scale", "offset")]
    for method, last in ((layer, ["out"]), (layer.vjp, [])):
        ours = inspect.signature(method).parameters
        assert [*ours] == ["x", *names, *last]
        for name in names:
            assert ours[name] == of_function[name]


def test_a_gradient_for_lengths_needs_to_know_what_was_cut(rng):
    """Of an axis that was kept it would cut each length into as many windows as the axis has."""
    x, lengths = rng.standard_normal((2, 4, 6)), [[4, 3], [2, 6]]
    for size in (None, (2, None), [None, 6]):
        layer = layer_of("Avg", 2, size)
        assert layer(x, lengths=lengths).shape[0] == 2
        assert layer.vjp(x, lengths=None)[1](layer(x)).shape == x.shape
        with pytest.raises(
            ValueError, match="^AdaptiveAvgPool2d: .* needs an output_size for each"
        ):
            layer.vjp(x, lengths=lengths)
        y, pullback = layer_of("Max", 2, size).vjp(x, lengths=lengths, empty=0)
        assert (pullback(np.ones_like(y)) * x).sum() == pytest.approx(y.sum(), rel=1e-14)
    kept = [(np.arange(6), np.arange(1, 7))]
    y, pullback = layer_of("Avg", 1, None, windows=kept).vjp(x[0], lengths=[1, 2, 3, 4])
    np.testing.assert_array_equal(pullback(np.ones_like(y)), np.arange(6) < np.c_[1:5])


@pytest.mark.parametrize("kind", ["Avg", "Max"])
def test_a_pullback_does_not_hold_x(kind):
    x = np.ones((2, 8))
    y, pullback = layer_of(kind, 1, 2).vjp(x, lengths=[8, 4])
    reference = weakref.ref(x)
    del x
    gc.collect()
    assert reference() is None
    assert pullback(y).shape == (2, 8)


def test_what_a_pullback_of_means_needs_of_x():
    """It sees in `x` what counts, whoever wrote the name of the policy."""
    x = np.array([np.nan, 2.0, 3.0, -9.0])
    for options in ({"nan_policy": "omit"}, {"nan_policy": Word("omit")}, {"nodata": np.nan}):
        y, pullback = layer_of("Avg", 1, 1).vjp(x, **options)
        assert pullback(np.array([3.0])).tolist() == [0, 1, 1, 1]
    y, pullback = layer_of("Avg", 1, 1).vjp(x, nodata=-9, nan_policy="omit")
    assert y.tolist() == [2.5]
    assert pullback(np.array([3.0])).tolist() == [0, 1.5, 1.5, 0]
    defaults = {"where": None, "nan_policy": "propagate", "nodata": None}
    y, pullback = layer_of("Avg", 1, 1).vjp(x, **defaults)
    assert pullback(np.array([4.0])).tolist() == [1, 1, 1, 1]
