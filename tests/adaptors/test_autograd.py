"""`adaptive_pool.autograd`: bits of the core, and derivatives of all orders."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import ALL_RULES, FLOATS, RULES, random_array
from oracle import function

import adaptive_pool as ap

autograd = pytest.importorskip("autograd", reason="the extra autograd")

import autograd.numpy as anp  # noqa: E402
from autograd.test_util import check_grads  # noqa: E402

import adaptive_pool.autograd as pool  # noqa: E402

SHAPES = {1: ((2, 3, 7), (3,)), 2: ((2, 2, 5, 4), (3, 2)), 3: ((2, 2, 4, 3, 5), (2, 2, 3))}


def ours(operation, ndim):
    return getattr(pool, f"adaptive_{operation}_pool{ndim}d")


def same_bits(actual, expected):
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    assert actual.tobytes() == expected.tobytes()


def case(rng, ndim, data_format):
    """An array in a layout, and the sizes it is pooled to.

    Its elements differ by more than finite differences move them, so maxima stay where they are.
    """
    shape, counts = SHAPES[ndim]
    if data_format == "channels_last":
        shape = (shape[0], *shape[2:], shape[1])
    size = np.prod(shape)
    return rng.permutation(size).reshape(shape) / size, counts


def gradient(run, x, g):
    """The gradient of `x` for that of the result."""
    return autograd.make_vjp(run)(x)[0](g)


def test_a_small_average():
    x = np.array([1.0, 3.0, 5.0, 7.0])
    assert pool.adaptive_avg_pool1d(x, 2).tolist() == [2, 6]
    grad = autograd.grad(lambda x: pool.adaptive_avg_pool1d(x, 2)[0])
    assert grad(x).tolist() == [0.5, 0.5, 0, 0]


def test_gradients_of_integers_are_no_integers():
    x = np.arange(6)
    grad = autograd.grad(lambda x: anp.sum(pool.adaptive_avg_pool1d(x, 2)))
    assert grad(x).tolist() == [1 / 3] * 6
    assert autograd.grad(anp.mean)(x).tolist() == [1 / 6] * 6  # as those of autograd


def test_a_small_maximum():
    x = np.array([1.0, 3.0, 7.0, 5.0])
    y, indices = pool.adaptive_max_pool1d(x, 2, return_indices=True)
    assert (y.tolist(), indices.tolist()) == ([3, 7], [1, 2])
    grad = autograd.grad(lambda x: pool.adaptive_max_pool1d(x, 2)[0])
    assert grad(x).tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives(rng, ndim, data_format, order):
    """Forward and backward, each of the other, against finite differences."""
    x, counts = case(rng, ndim, data_format)

    def loss(x):
        means = ours("avg", ndim)(x, counts, data_format=data_format)
        maxima = ours("max", ndim)(x, counts, data_format=data_format)
        return anp.sum(anp.tanh(means) ** 2 * maxima)

    check_grads(loss, modes=["rev", "fwd"], order=order)(x)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("windows", [*ALL_RULES, "tables"])
def test_windows(rng, windows, order):
    x = rng.permutation(48).reshape(1, 8, 6) / 48
    sizes = (4, 3)
    if windows == "tables":
        sizes, windows = None, [ap.block_windows(8, 3), (np.array([0, 2, 2]), [3, 6, 4])]
    check_grads(
        lambda x: pool.adaptive_avg_pool2d(x, sizes, windows=windows) ** 2,
        modes=["rev", "fwd"], order=order,
    )(x)  # fmt: skip
    if windows != "area":
        check_grads(
            lambda x: pool.adaptive_max_pool2d(x, sizes, windows=windows) ** 2,
            modes=["rev", "fwd"], order=order,
        )(x)  # fmt: skip


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "options",
    [
        {"lengths": [5, 2]},
        {"where": np.arange(7) % 3 > 0},
        {"where": np.arange(7) > 2, "empty": 4.0},
        {"where": np.arange(7) % 3 > 0, "lengths": [6, 4], "min_count": 2, "empty": 0},
    ],
    ids=["lengths", "where", "empty", "min_count"],
)
def test_what_counts(rng, options, order):
    """What does not count has no gradient, and windows with too little of it pass none on."""
    x = rng.permutation(42).reshape(2, 3, 7) / 42
    for operation in ("avg", "max"):
        run = lambda x: ours(operation, 1)(x, 3, **options) ** 2  # noqa: B023, E731
        same_bits(run(x), function(operation, 1)(x, 3, **options) ** 2)
        check_grads(run, modes=["rev", "fwd"], order=order)(x)


def test_nan_left_out():
    x = np.array([1.0, np.nan, 5.0, 7.0])

    def loss(x):
        return anp.sum(pool.adaptive_avg_pool1d(x, 2, where=~anp.isnan(x)) ** 2)

    assert autograd.grad(loss)(x).tolist() == [2, 0, 6, 6]


@pytest.mark.parametrize("dtype", FLOATS)
def test_bits_of_the_core(rng, ndim, data_format, dtype):
    shape = case(rng, ndim, data_format)[0].shape
    x, counts = random_array(rng, shape, dtype), SHAPES[ndim][1]
    options = {"data_format": data_format}
    y, indices = function("max", ndim)(x, counts, return_indices=True, **options)
    g = random_array(rng, y.shape, dtype)
    same_bits(ours("max", ndim)(x, counts, **options), y)
    same_bits(
        gradient(lambda x: ours("max", ndim)(x, counts, **options), x, g),
        function("max", ndim, backward=True)(g, indices, x.shape, **options),
    )
    run = lambda x: ours("avg", ndim)(x, counts, **options)  # noqa: E731
    same_bits(run(x), function("avg", ndim)(x, counts, **options))
    expected = function("avg", ndim, backward=True)(g, x.shape, **options)
    same_bits(gradient(run, x, g), expected)


@pytest.mark.parametrize("windows", RULES)
def test_indices_are_constants(rng, windows):
    x = rng.permutation(12).reshape(2, 6) / 12.0
    expected = ap.adaptive_max_pool1d(x, 3, windows=windows, return_indices=True)

    def loss(x):
        y, indices = pool.adaptive_max_pool1d(
            x, 3, windows=windows, return_indices=True, index_dtype=np.int32
        )
        assert type(indices) is np.ndarray
        assert indices.dtype == np.int32
        assert np.array_equal(indices, expected[1])
        return anp.sum(y * indices)

    added = ap.adaptive_max_pool1d_backward(expected[1].astype(float), expected[1], x.shape)
    same_bits(autograd.grad(loss)(x), added)


def test_a_mean_of_another_dtype(rng):
    """Its gradient comes back in the dtype of the array."""
    x = random_array(rng, (2, 7), "float32")
    run = lambda x: pool.adaptive_avg_pool1d(x, 3, dtype=np.float64)  # noqa: E731
    g = rng.random((2, 3))
    same_bits(run(x), ap.adaptive_avg_pool1d(x, 3, dtype=np.float64))
    expected = ap.adaptive_avg_pool1d_backward(g, x.shape).astype(np.float32)
    same_bits(gradient(run, x, g), expected)
    change = autograd.make_jvp(run)(x)(x)[1]
    same_bits(change, ap.adaptive_avg_pool1d(x, 3).astype(np.float64))


def test_ties_and_nan():
    """The first of equal elements, the last NaN."""
    x = np.array([2.0, 2.0, 1.0, np.nan, 3.0, np.nan])
    grad = autograd.grad(lambda x: anp.sum(pool.adaptive_max_pool1d(x, 2)))
    assert grad(x).tolist() == [1, 0, 0, 0, 0, 1]
    grad = autograd.grad(lambda x: anp.sum(pool.adaptive_avg_pool1d(x, 2)))
    assert grad(x).tolist() == [1 / 3] * 6


@pytest.mark.parametrize(
    ("shape", "counts"), [((0, 3, 4, 5), (2, 2)), ((2, 4, 5), (0, 2)), ((2, 0, 5), (0, 5))]
)
@pytest.mark.parametrize("operation", ["avg", "max"])
def test_empty_arrays(operation, shape, counts):
    x = np.zeros(shape)
    run = lambda x: ours(operation, 2)(x, counts)  # noqa: E731
    assert run(x).shape == (*shape[:-2], *counts)
    same_bits(gradient(run, x, run(x)), x)
    same_bits(autograd.make_jvp(run)(x)(x)[1], run(x))


WRONG = [
    (pool.adaptive_avg_pool1d, {"output_size": -1}, ValueError, "must not be negative, got -1"),
    (pool.adaptive_max_pool1d, {"output_size": 2, "windows": "area"}, ValueError, "'area'"),
    (pool.adaptive_avg_pool1d, {"output_size": 1, "dtype": int}, TypeError, "dtype must be one of"),
    (pool.adaptive_avg_pool2d, {"output_size": (None, 2), "lengths": [1, 2]}, ValueError,
     r"needs an output_size for each pooled axis, or windows, got \(None, 2\)"),
    (pool.adaptive_avg_pool1d, {"output_size": 1, "nodata": 0}, TypeError, "'nodata'"),
]  # fmt: skip


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(("run", "options", "error", "text"), WRONG)
def test_errors(run, options, error, text, traced):
    x = np.ones((2, 3, 4))
    call = autograd.grad(lambda x: anp.sum(run(x, **options))) if traced else run
    with pytest.raises(error, match=f"{run.__name__}.*{text}"):
        call(x, **({} if traced else options))


def test_a_layer_that_equals_pytorch(rng):
    """Where sizes do not divide, forward and backward."""
    torch = pytest.importorskip("torch", reason="what is compared with")
    x = random_array(rng, (2, 3, 11, 7), "float64")
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    for run, theirs in (
        (pool.adaptive_avg_pool2d, torch.nn.functional.adaptive_avg_pool2d),
        (pool.adaptive_max_pool2d, torch.nn.functional.adaptive_max_pool2d),
    ):
        expected = theirs(tensor, (4, 3))
        g = random_array(rng, expected.shape, "float64")
        [theirs] = torch.autograd.grad(expected, tensor, torch.from_numpy(g))
        # PyTorch adds the up to 4 * 4 elements of a window one by one, and divides twice; of
        # gradients, at most 2 * 2 meet.
        bound = 18 * 2.0**-53
        y, expected = run(x, (4, 3)), expected.detach().numpy()
        assert np.abs(y - expected).max() <= bound * np.abs(x).max()
        error = np.abs(gradient(lambda x, run=run: run(x, (4, 3)), x, g) - theirs.numpy())
        assert error.max() <= bound * 4 * np.abs(g).max()


def test_the_page_has_every_name():
    page = Path(__file__).parents[2] / "docs" / "api" / "autograd.md"
    if not page.exists():
        pytest.skip("the sdist has no pages")
    found = re.findall(r"^\.\. autofunction:: (\w+)$", page.read_text("utf-8"), re.MULTILINE)
    assert found == pool.__all__


@pytest.mark.parametrize("name", pool.__all__)
def test_examples_of_docstrings(name):
    [test] = doctest.DocTestFinder(recurse=False).find(getattr(pool, name), name)
    assert len(test.examples) > 3
    assert doctest.DocTestRunner().run(test).failed == 0


def test_where_autograd_is_missing():
    program = "import sys; sys.modules['autograd'] = None; import adaptive_pool.autograd"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert 'autograd is not installed: pip install "adaptive-pool[autograd]"' in done.stderr
