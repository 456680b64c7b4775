"""The six layer callables."""

import pickle

import numpy as np
import pytest
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


@pytest.mark.parametrize(
    ("layer", "text"),
    [
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
    ],
)  # fmt: skip
def test_bad_arguments_are_told_at_once(arguments, options, error):
    with pytest.raises(error, match="^AdaptiveAvgPool2d: "):
        ap.AdaptiveAvgPool2d(*arguments, **options)
