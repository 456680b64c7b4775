"""The six layer callables."""

import pickle

import numpy as np
import pytest
from cases import dtype_of
from oracle import function

import adaptive_pool as ap

KINDS = [(kind, ndim) for kind in ("Avg", "Max") for ndim in (1, 2, 3)]


def layer_of(kind, ndim, *args, **options):
    return getattr(ap, f"Adaptive{kind}Pool{ndim}d")(*args, **options)


OPTIONS = {
    "defaults": {},
    "channels_last": {"data_format": "channels_last"},
    "split": {"windows": "split"},
    "both": {"data_format": "channels_last", "windows": "ceil"},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize(("kind", "ndim"), KINDS)
def test_calls_the_function(rng, kind, ndim, options):
    x = rng.standard_normal((2, 6, 6, 6, 6)[: ndim + 2])
    layer = layer_of(kind, ndim, 3, **options)
    pool = function(kind.lower(), ndim)
    np.testing.assert_array_equal(layer(x), pool(x, 3, **options))
    y, pullback = layer.vjp(x)
    np.testing.assert_array_equal(y, layer(x))
    backward = function(kind.lower(), ndim, backward=True)
    g = rng.standard_normal(y.shape)
    if kind == "Avg":
        expected = backward(g, x.shape, **options)
    else:
        _, indices = pool(x, 3, return_indices=True, **options)
        options = {k: v for k, v in options.items() if k != "windows"}
        expected = backward(g, indices, x.shape, **options)
    np.testing.assert_array_equal(pullback(g), expected)


@pytest.mark.parametrize("size", [3, None, 0])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize(("kind", "ndim"), KINDS)
def test_repr_and_pickle_round_trip(kind, ndim, size, options):
    layer = layer_of(kind, ndim, size, **options)
    again = eval(repr(layer), vars(ap))
    thawed = pickle.loads(pickle.dumps(layer))
    assert layer == again == thawed
    assert repr(layer) == repr(again) == repr(thawed)
    assert hash(layer) == hash(again) == hash(thawed)
    assert len({layer, again, thawed}) == 1


def options_of(kind):
    return {"dtype": "float64"} if kind == "Avg" else {"index_dtype": "int32"}


@pytest.mark.parametrize(("kind", "ndim"), KINDS)
def test_dtype_and_threads(rng, kind, ndim):
    """What the function takes, the layer keeps; results are those of the function."""
    x = rng.standard_normal((2, 6, 6, 6, 6)[: ndim + 2]).astype(np.float32)
    options = options_of(kind) | {"num_threads": 2}
    if kind == "Max":
        options["return_indices"] = True
    layer = layer_of(kind, ndim, 4, **options)
    for one in (layer, eval(repr(layer), vars(ap)), pickle.loads(pickle.dumps(layer))):
        assert (one, hash(one), repr(one)) == (layer, hash(layer), repr(layer))
        y, expected = one(x), function(kind.lower(), ndim)(x, 4, **options)
        for ours, theirs in zip(y, expected, strict=True) if kind == "Max" else [(y, expected)]:
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
    plain = layer_of(kind, ndim, 4)
    assert plain != layer_of(kind, ndim, 4, num_threads=2) != layer
    assert plain != layer_of(kind, ndim, 4, **options_of(kind)) != layer

    y, pullback = layer.vjp(x)
    assert y.dtype == (np.float64 if kind == "Avg" else np.float32)
    g = rng.standard_normal(y.shape).astype(np.float32)
    expected = plain.vjp(x)[1](g)
    assert pullback(g).tobytes() == expected.tobytes()
    assert pullback(g).dtype == np.float32


@pytest.mark.parametrize(("kind", "ndim"), KINDS)
def test_out(rng, kind, ndim):
    x = rng.standard_normal((2, 6, 6, 6, 6)[: ndim + 2])
    layer = layer_of(kind, ndim, 4)
    y = layer(x)
    out = np.zeros_like(y)
    assert layer(x, out=out) is out
    np.testing.assert_array_equal(out, y)
    with pytest.raises(ValueError, match="out must have shape"):
        layer(x, out=np.zeros(3))
    with pytest.raises(TypeError, match="positional"):
        layer(x, out)
    if kind == "Max":
        with_indices = layer_of(kind, ndim, 4, return_indices=True, index_dtype=np.int32)
        pair = (out, np.zeros(y.shape, np.int32))
        assert with_indices(x, out=pair) is pair
        np.testing.assert_array_equal(pair[1], with_indices(x)[1])


def test_layers_that_were_pickled_before_there_were_these_arguments(rng):
    """Those of the first version have three or four attributes."""
    x = rng.standard_normal((3, 6, 6))
    old = {"output_size": 2, "data_format": "channels_first", "windows": "split"}
    for kind, state in (("Avg", old), ("Max", old | {"return_indices": True})):
        layer = layer_of(kind, 2, 5)
        layer.__dict__.clear()
        vars(layer).update(state)
        layer = pickle.loads(pickle.dumps(layer))
        indices = {"return_indices": True} if kind == "Max" else {}
        new = layer_of(kind, 2, 2, windows="split", **indices)
        assert (layer, hash(layer), repr(layer)) == (new, hash(new), repr(new))
        np.testing.assert_array_equal(np.array(layer(x)), np.array(new(x)))


def test_a_layer_of_bfloat16():
    """Its dtype is a name, which needs `ml_dtypes` when it is used."""
    bfloat16 = dtype_of("bfloat16")
    for dtype in (bfloat16, "bfloat16", bfloat16.type):
        layer = ap.AdaptiveAvgPool1d(2, dtype=dtype)
        assert repr(layer) == "AdaptiveAvgPool1d(2, dtype='bfloat16')"
        assert layer(np.ones(4)).dtype == bfloat16
    layer.dtype = "bfloat17"
    with pytest.raises(TypeError, match="adaptive_avg_pool1d: dtype is not a dtype: 'bfloat17'"):
        layer(np.ones(4))


def test_windows_as_one_array():
    array = np.array([[[0, 1], [2, 4]]])
    layer = ap.AdaptiveAvgPool1d(None, windows=array)
    assert layer == ap.AdaptiveAvgPool1d(None, windows=[([0, 1], [2, 4])])
    assert layer == eval(repr(layer), vars(ap)) == pickle.loads(pickle.dumps(layer))
    assert layer([1.0, 2.0, 3.0, 4.0]).tolist() == [1.5, 3.0]
    array[:] = 0
    assert layer([1.0, 2.0, 3.0, 4.0]).tolist() == [1.5, 3.0]


def test_blocks():
    windows = [ap.block_windows(5, 2), ap.block_windows(4, 3, boundary="trim")]
    assert ap.AdaptiveMaxPool2d(None, windows=windows)(np.ones((2, 5, 4))).shape == (2, 3, 1)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (
            ap.AdaptiveAvgPool2d(7, dtype=np.float32, num_threads=np.int8(1)),
            "AdaptiveAvgPool2d(7, dtype='float32', num_threads=1)",
        ),
        (ap.AdaptiveMaxPool2d(7, index_dtype=np.int64), "AdaptiveMaxPool2d(7)"),
        (ap.AdaptiveMaxPool2d(7, index_dtype="i4"), "AdaptiveMaxPool2d(7, index_dtype='int32')"),
        (ap.AdaptiveAvgPool2d((5, 7)), "AdaptiveAvgPool2d((5, 7))"),
        (ap.AdaptiveAvgPool2d([None, np.int64(7)]), "AdaptiveAvgPool2d((None, 7))"),
        (ap.AdaptiveAvgPool2d((7, 7)), "AdaptiveAvgPool2d(7)"),
        (ap.AdaptiveAvgPool1d((4,)), "AdaptiveAvgPool1d(4)"),
        (
            ap.AdaptiveMaxPool1d(2, return_indices=True, windows="split"),
            "AdaptiveMaxPool1d(2, return_indices=True, windows='split')",
        ),
        (
            ap.AdaptiveAvgPool1d(None, windows=[(np.array([0, 1]), [2, 3])]),
            "AdaptiveAvgPool1d(None, windows=(((0, 1), (2, 3)),))",
        ),
    ],
)
def test_repr(layer, text):
    assert repr(layer) == text
    assert eval(text, vars(ap)) == layer


def test_layers_that_differ():
    layers = [
        ap.AdaptiveAvgPool2d(3), ap.AdaptiveAvgPool2d(4), ap.AdaptiveMaxPool2d(3),
        ap.AdaptiveAvgPool1d(3), ap.AdaptiveAvgPool2d(3, windows="split"),
        ap.AdaptiveMaxPool2d(3, return_indices=True), 3,
    ]  # fmt: skip
    assert len(set(layers)) == len(layers)


def test_return_indices():
    values, indices = ap.AdaptiveMaxPool2d(1, return_indices=True)([[1.0, 5.0], [2.0, 3.0]])
    assert (values.tolist(), indices.tolist()) == ([[5.0]], [[1]])
    y, pullback = ap.AdaptiveMaxPool2d(1, return_indices=True).vjp([[1.0, 5.0], [2.0, 3.0]])
    assert y.tolist() == [[5.0]]
    assert pullback([[2.0]]).tolist() == [[0.0, 2.0], [0.0, 0.0]]


def test_explicit_windows():
    layer = ap.AdaptiveAvgPool1d(None, windows=[([0, 1], [2, 4])])
    y, pullback = layer.vjp([1.0, 2.0, 3.0, 4.0])
    assert y.tolist() == [1.5, 3.0]
    # A share is off by two roundings of 1.1e-16 at most, a sum of two by one more.
    np.testing.assert_allclose(pullback([2.0, 3.0]), [1.0, 2.0, 1.0, 1.0], rtol=1e-15)
    assert pickle.loads(pickle.dumps(layer)) == layer


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        ((-1,), {}, ValueError), (((1, 2, 3),), {}, ValueError), ((True,), {}, TypeError),
        ((2.0,), {}, TypeError), ((2,), {"windows": "even"}, ValueError),
        ((2,), {"data_format": "NCHW"}, ValueError), ((2,), {"windows": 3}, TypeError),
        ((2,), {"dtype": "complex64"}, TypeError), ((2,), {"dtype": "bool"}, TypeError),
        ((2,), {"dtype": ">f4"}, TypeError), ((2,), {"dtype": "float33"}, TypeError),
        ((2,), {"num_threads": 0}, ValueError), ((2,), {"num_threads": 1.5}, TypeError),
        ((2,), {"num_threads": 10**9}, ValueError), ((None,), {"windows": None}, TypeError),
        ((2,), {"windows": ("torch", "split")}, ValueError),
    ],
)  # fmt: skip
def test_bad_arguments_are_told_at_once(arguments, options, error):
    with pytest.raises(error, match="^AdaptiveAvgPool2d: "):
        ap.AdaptiveAvgPool2d(*arguments, **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"index_dtype": "int16"}, TypeError, "index_dtype must be int32 or int64, got int16"),
        ({"index_dtype": None}, TypeError, "index_dtype is not a dtype: None"),
        ({"index_dtype": ">i8"}, TypeError, "index_dtype must be int32 or int64"),
        ({"num_threads": 0}, ValueError, "num_threads must"),
        ({"num_threads": True}, TypeError, "num_threads must"),
    ],
)
def test_bad_arguments_of_maxima_are_told_at_once(options, error, message):
    with pytest.raises(error, match=f"^AdaptiveMaxPool2d: {message}"):
        ap.AdaptiveMaxPool2d(2, **options)


def test_maxima_take_no_dtype():
    with pytest.raises(TypeError, match="unexpected keyword argument 'dtype'"):
        ap.AdaptiveMaxPool2d(2, dtype=np.float32)


@pytest.mark.parametrize(("kind", "ndim"), KINDS)
def test_a_gradient_of_another_shape_is_refused(kind, ndim):
    x = np.ones((2, *[6] * ndim))
    y, pullback = getattr(ap, f"Adaptive{kind}Pool{ndim}d")(3).vjp(x)
    assert pullback(np.ones_like(y)).shape == x.shape
    for shape in [(*y.shape[:-1], 2), (*y.shape[:-1], 6), y.shape[1:], (1, *y.shape[1:])]:
        with pytest.raises(ValueError, match="shape"):
            pullback(np.ones(shape))
