"""`adaptive_pool.jax`: bits of the core, under every transformation, and derivatives."""

import contextlib
import doctest
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from cases import ALL_RULES, DTYPES, RULES, random_array
from oracle import function

import adaptive_pool as ap

jax = pytest.importorskip("jax", reason="the extra jax")

import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

import adaptive_pool.jax as pool  # noqa: E402

SHAPES = {1: ((2, 3, 11), (4,)), 2: ((2, 3, 7, 5), (3, 2)), 3: ((2, 3, 5, 4, 6), (2, 3, 4))}


@contextlib.contextmanager
def enabled(x64):
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", x64)
    yield x64
    jax.config.update("jax_enable_x64", before)


@pytest.fixture(params=[True, False], ids=["64 bits", "32 bits"])
def x64(request):
    with enabled(request.param):
        yield request.param


@pytest.fixture
def wide():
    """For finite differences, and what else is of 64 bits."""
    with enabled(True):
        yield


def ours(operation, ndim):
    return getattr(pool, f"adaptive_{operation}_pool{ndim}d")


def same_bits(actual, expected):
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    assert actual.tobytes() == expected.tobytes()


def case(rng, ndim, data_format, dtype="float32"):
    """An array in a layout, and the sizes it is pooled to."""
    shape, counts = SHAPES[ndim]
    if data_format == "channels_last":
        shape = (shape[0], *shape[2:], shape[1])
    return random_array(rng, shape, dtype), counts


def test_a_small_average():
    x = jnp.array([1.0, 3.0, 5.0, 7.0])
    assert pool.adaptive_avg_pool1d(x, 2).tolist() == [2, 6]
    assert jax.grad(lambda x: pool.adaptive_avg_pool1d(x, 2)[0])(x).tolist() == [0.5, 0.5, 0, 0]


def test_a_small_maximum():
    x = jnp.array([1.0, 3.0, 7.0, 5.0])
    y, indices = pool.adaptive_max_pool1d(x, 2, return_indices=True)
    assert (y.tolist(), indices.tolist()) == ([3, 7], [1, 2])
    assert jax.grad(lambda x: pool.adaptive_max_pool1d(x, 2)[0])(x).tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_of_the_core(rng, x64, ndim, data_format, dtype):
    x, counts = case(rng, ndim, data_format, dtype)
    if np.dtype(dtype).itemsize == 8 and not x64:
        pytest.skip("JAX would make 32 bits of it")
    means = jnp.asarray(x)
    wanted = np.float32 if dtype in ("int32", "uint32") and not x64 else None
    expected = function("avg", ndim)(x, counts, data_format=data_format, dtype=wanted)
    run = ours("avg", ndim)
    same_bits(run(means, counts, data_format=data_format), expected)
    same_bits(jax.jit(lambda x: run(x, counts, data_format=data_format))(x), expected)
    options = {"data_format": data_format, "return_indices": True}
    index_dtype = np.int64 if x64 else np.int32
    expected = function("max", ndim)(x, counts, index_dtype=index_dtype, **options)
    for found in (
        ours("max", ndim)(x, counts, **options),
        jax.jit(lambda x: ours("max", ndim)(x, counts, **options))(x),
    ):
        same_bits(found[0], expected[0])
        same_bits(found[1], expected[1])
    same_bits(ours("max", ndim)(x, counts, data_format=data_format), expected[0])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_gradients_have_the_bits_of_the_core(rng, ndim, data_format, dtype):
    x, counts = case(rng, ndim, data_format, dtype)
    options = {"data_format": data_format}
    y, pull = jax.vjp(lambda x: ours("avg", ndim)(x, counts, **options), x)
    g = random_array(rng, y.shape, dtype)
    same_bits(jax.jit(pull)(g)[0], function("avg", ndim, backward=True)(g, x.shape, **options))
    _, indices = function("max", ndim)(x, counts, return_indices=True, **options)
    _, pull = jax.vjp(lambda x: ours("max", ndim)(x, counts, **options), x)
    expected = function("max", ndim, backward=True)(g, indices, x.shape, **options)
    same_bits(jax.jit(pull)(g)[0], expected)


@pytest.mark.parametrize("windows", ALL_RULES)
def test_rules(rng, windows):
    x = random_array(rng, (2, 8, 6), "float32")
    run = jax.jit(lambda x: pool.adaptive_avg_pool2d(x, (4, 3), windows=windows))
    same_bits(run(x), ap.adaptive_avg_pool2d(x, (4, 3), windows=windows))
    if windows in RULES:
        run = jax.jit(lambda x: pool.adaptive_max_pool2d(x, (4, 3), windows=windows))
        same_bits(run(x), ap.adaptive_max_pool2d(x, (4, 3), windows=windows))


def test_windows_of_the_caller(rng, wide):
    windows = [ap.block_windows(7, 3), (np.array([0, 2, 2]), [3, 5, 4])]
    x = rng.permutation(np.arange(70.0)).reshape(2, 7, 5)
    for of, name in ((pool.adaptive_avg_pool2d, "avg"), (pool.adaptive_max_pool2d, "max")):
        run = jax.jit(lambda x, of=of: of(x, None, windows=windows))
        same_bits(run(x), function(name, 2)(x, None, windows=windows))
        check_grads(run, (x,), order=2)


def loss_of(ndim, counts, data_format):
    """A function of means and maxima that is not linear."""

    def loss(x):
        means = ours("avg", ndim)(x, counts, data_format=data_format)
        maxima = ours("max", ndim)(x, counts, data_format=data_format)
        return jnp.sum(jnp.tanh(means) ** 2 * maxima)

    return loss


def distinct(rng, shape):
    """Elements that differ by more than finite differences move them: maxima stay in place."""
    size = np.prod(shape)
    return rng.permutation(size).reshape(shape) / size


def test_derivatives(rng, wide, ndim, data_format):
    """Forward and backward, against finite differences."""
    x, counts = case(rng, ndim, data_format)
    check_grads(jax.jit(loss_of(ndim, counts, data_format)), (distinct(rng, x.shape),), order=1)


@pytest.mark.parametrize(
    ("ndim", "data_format", "order"),
    [(1, "channels_last", 2), (2, "channels_first", 2)],
)
def test_derivatives_of_derivatives(rng, wide, ndim, data_format, order):
    """Forward and backward, each of the other."""
    x = distinct(rng, (3, 7, 5))
    check_grads(loss_of(ndim, (2, 3)[:ndim], data_format), (x,), order=order)


def test_hessians(wide):
    """Of the square of a mean of two: 2 * 1/2 * 1/2 where both are in its window."""
    x = jnp.array([1.0, 3.0, 5.0, 7.0])
    hessian = jax.hessian(lambda x: jnp.sum(pool.adaptive_avg_pool1d(x, 2) ** 2))(x)
    assert hessian.tolist() == [[0.5, 0.5, 0, 0]] * 2 + [[0, 0, 0.5, 0.5]] * 2
    hessian = jax.hessian(lambda x: jnp.sum(pool.adaptive_max_pool1d(x, 2) ** 2))(x)
    assert hessian.tolist() == np.diag([0.0, 2, 0, 2]).tolist()
    jacobian = jax.jacfwd(lambda x: pool.adaptive_avg_pool1d(x, 2))(x)
    assert jacobian.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]


def test_third_derivatives(wide):
    """Of the cube of (x0 + x1) / 2, and of that of x1, which is the larger."""
    x = jnp.array([1.0, 3.0])
    third = jax.jacfwd(jax.jacrev(jax.grad(lambda x: pool.adaptive_avg_pool1d(x, 1)[0] ** 3)))(x)
    assert third.tolist() == np.full((2, 2, 2), 6 / 8).tolist()
    third = jax.jacrev(jax.jacfwd(jax.grad(lambda x: pool.adaptive_max_pool1d(x, 1)[0] ** 3)))(x)
    assert (third[1, 1, 1], third.sum()) == (6, 6)


@pytest.mark.parametrize("axis", [0, 1, 2, 3, 4, -1])
def test_vmap_over_any_axis(rng, x64, data_format, axis):
    x = jnp.asarray(random_array(rng, (2, 7, 6, 3, 5), "float32"))
    counts = (2, 2)

    def results(x):
        y, indices = pool.adaptive_max_pool2d(
            x, counts, return_indices=True, data_format=data_format
        )
        return pool.adaptive_avg_pool2d(x, counts, data_format=data_format), y, indices

    found = jax.jit(jax.vmap(results, axis))(x)
    for k in range(x.shape[axis]):
        for batch, alone in zip(found, results(jnp.take(x, k, axis)), strict=True):
            same_bits(batch[k], alone)


@pytest.mark.parametrize("axis", [0, 2, -1])
def test_vmap_of_gradients(rng, data_format, axis):
    x = jnp.asarray(random_array(rng, (2, 7, 6, 3, 5), "float32"))

    def total(x):
        means = pool.adaptive_avg_pool2d(x, (2, 4), data_format=data_format)
        return jnp.sum(means + pool.adaptive_max_pool2d(x, (2, 4), data_format=data_format))

    batch = jax.jit(jax.vmap(jax.grad(total), axis))(x)
    for k in range(x.shape[axis]):
        same_bits(batch[k], jax.grad(total)(jnp.take(x, k, axis)))


def test_vmap_of_pullbacks(rng, data_format):
    """Many gradients of one array: the indices are one array, too."""
    x = jnp.asarray(random_array(rng, (2, 7, 6, 3), "float32"))
    y, pull = jax.vjp(lambda x: pool.adaptive_max_pool2d(x, 2, data_format=data_format), x)
    gs = jnp.asarray(random_array(rng, (*y.shape, 4), "float32"))
    [batch] = jax.vmap(pull, -1)(gs)
    for k in range(4):
        same_bits(batch[k], pull(gs[..., k])[0])


def test_vmap_in_vmap(rng):
    x = random_array(rng, (2, 3, 6, 5, 4), "float32")
    each = jax.vmap(jax.vmap(lambda x: pool.adaptive_max_pool2d(x, 2), 2))
    expected = ap.adaptive_max_pool2d(np.moveaxis(x, 3, 1), 2)
    same_bits(each(x), expected)
    same_bits(jax.jit(each)(x), expected)


def test_vmap_is_one_call(rng):
    """Over leading axes, and over the last one of channels_first, nothing is moved."""

    def text(axis):
        x = jnp.zeros((4, 5, 6))
        run = jax.vmap(lambda x: pool.adaptive_avg_pool1d(x, 2), axis, axis)
        return str(jax.make_jaxpr(run)(x))

    assert "transpose" not in text(0) + text(1) + text(2)
    assert [text(axis).count("adaptive_pool_average") for axis in range(3)] == [1, 1, 1]


def test_loops_of_jax(rng):
    xs = rng.integers(0, 9, (5, 3, 8)).astype(np.float32)  # so that sums are exact

    def step(total, x):
        y = pool.adaptive_avg_pool1d(x, 4)
        return total + y, pool.adaptive_max_pool1d(y, 2)

    total, maxima = jax.jit(lambda xs: jax.lax.scan(step, jnp.zeros((3, 4)), xs))(xs)
    means = ap.adaptive_avg_pool1d(xs, 4)
    same_bits(maxima, ap.adaptive_max_pool1d(means, 2))
    same_bits(total, means.sum(0))
    found = jax.lax.while_loop(
        lambda x: x.sum() > 1, lambda x: pool.adaptive_avg_pool1d(x, None) / 2, jnp.full(3, 8.0)
    )
    assert found.tolist() == [0.25, 0.25, 0.25]
    grad = jax.jit(jax.grad(lambda xs: jax.lax.scan(step, jnp.zeros((3, 4)), xs)[0].sum()))(xs)
    assert grad.tolist() == np.full(xs.shape, 0.5).tolist()


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32"])
def test_integers(rng, dtype):
    """Rounded once; and a gradient with respect to something else passes them."""
    x = random_array(rng, (3, 9), dtype)
    y = pool.adaptive_avg_pool1d(x, 4, dtype=np.float32)
    same_bits(y, ap.adaptive_avg_pool1d(x, 4, dtype=np.float32))
    if dtype != "bool":
        same_bits(
            pool.adaptive_avg_pool1d(x, 4, dtype=dtype), ap.adaptive_avg_pool1d(x, 4, dtype=dtype)
        )
    for of in (pool.adaptive_avg_pool1d, pool.adaptive_max_pool1d):
        scaled = jax.jacobian(lambda s, of=of: of(jnp.asarray(x), 4) * s)(2.0)
        assert np.array_equal(scaled, of(x, 4).astype(np.float32))
    grad = jax.grad(lambda x: pool.adaptive_avg_pool1d(x, 4).sum(), allow_int=True)(x)
    assert grad.dtype == jax.dtypes.float0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_to_wider_means(rng, dtype):
    x = random_array(rng, (3, 9), dtype)
    wide = lambda x: pool.adaptive_avg_pool1d(x, 4, dtype=np.float32)  # noqa: E731
    same_bits(wide(x), ap.adaptive_avg_pool1d(x, 4, dtype=np.float32))
    y, pull = jax.vjp(wide, x)
    g = random_array(rng, y.shape, "float32")
    same_bits(pull(g)[0], ap.adaptive_avg_pool1d_backward(g, x.shape).astype(dtype))


def test_ties_and_nan():
    """The first of equal elements, the last NaN."""
    x = jnp.array([2.0, 2.0, 1.0, jnp.nan, 3.0, jnp.nan])
    y, indices = pool.adaptive_max_pool1d(x, 2, return_indices=True)
    assert (y[0], bool(jnp.isnan(y[1])), indices.tolist()) == (2, True, [0, 5])
    grad = jax.grad(lambda x: pool.adaptive_max_pool1d(x, 2).sum())(x)
    assert grad.tolist() == [1, 0, 0, 0, 0, 1]
    assert jnp.isnan(pool.adaptive_avg_pool1d(x, 2)).tolist() == [False, True]
    grad = jax.grad(lambda x: pool.adaptive_avg_pool1d(x, 2).sum())(x)
    assert grad.tolist() == [np.float32(1 / 3)] * 6


def test_subnormals_are_kept():
    """XLA's threads take them for zeros; a call is not computed so."""
    x = np.full(4, 2e-40, np.float32)
    same_bits(jax.jit(lambda x: pool.adaptive_avg_pool1d(x, 2))(x), x[:2])
    same_bits(jax.jit(lambda x: pool.adaptive_max_pool1d(x, 2))(x), x[:2])


@pytest.mark.parametrize(
    ("shape", "counts"), [((0, 3, 4, 5), (2, 2)), ((2, 4, 5), (0, 2)), ((2, 0, 5), (0, 5))]
)
def test_empty_arrays(shape, counts):
    x = jnp.zeros(shape)
    for of in (pool.adaptive_avg_pool2d, pool.adaptive_max_pool2d):
        run = jax.jit(lambda x, of=of: of(x, counts))
        assert run(x).shape == (*shape[:-2], *counts)
        assert not jax.grad(lambda x, run=run: run(x).sum())(x).any()
        y, tangent = jax.jvp(run, (x,), (x,))
        assert tangent.shape == y.shape


def traced(function, *args, **options):
    """Trace a call without running it."""
    return jax.eval_shape(lambda *args: function(*args, **options), *args)


X = jax.ShapeDtypeStruct((2, 6, 5), np.float32)
WRONG = [
    (pool.adaptive_avg_pool2d, X, {"output_size": -1}, ValueError, "must not be negative, got -1"),
    (pool.adaptive_avg_pool3d, X, {"output_size": (1, 2)}, ValueError, "must be an int or have 3"),
    (pool.adaptive_avg_pool2d, jax.ShapeDtypeStruct((5,), np.float32), {"output_size": 1},
     ValueError, r"x must have shape \(..., H, W\) for data_format 'channels_first', got .*\(5,\)"),
    (pool.adaptive_max_pool2d, X, {"output_size": 1, "data_format": "NHWC"}, ValueError,
     "data_format must be 'channels_first' or 'channels_last', got 'NHWC'"),
    (pool.adaptive_max_pool1d, X, {"output_size": 6, "windows": "split"}, ValueError,
     "adaptive_max_pool1d: .*'split'"),
    (pool.adaptive_max_pool1d, X, {"output_size": 2, "windows": "area"}, ValueError,
     "windows 'area' weigh elements"),
    (pool.adaptive_avg_pool1d, X, {"output_size": None, "windows": [([0], [9])]}, ValueError,
     "0 <= start < end <= 5 must hold, got window 0 from 0 to 9"),
    (pool.adaptive_avg_pool1d, jax.ShapeDtypeStruct((4,), np.complex64), {"output_size": 1},
     TypeError, "adaptive_avg_pool1d: x must have one of the dtypes .*, got complex64"),
    (pool.adaptive_avg_pool1d, X, {"output_size": 1, "dtype": np.int8}, TypeError,
     "dtype must be one of float16, bfloat16, float32, float64 for x of dtype float32, got int8"),
    (pool.adaptive_max_pool1d, X, {"output_size": 1, "return_indices": True,
     "index_dtype": np.int16}, TypeError, "index_dtype must be int32 or int64, got int16"),
    (pool.adaptive_avg_pool1d, X, {"output_size": 1, "num_threads": 0}, ValueError, "num_threads"),
    (pool.adaptive_avg_pool1d, X, {"output_size": 1, "where": True}, TypeError, "'where'"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "x", "options", "error", "text"), WRONG)
def test_errors_while_tracing(function, x, options, error, text):
    with pytest.raises(error, match=text) as found:
        traced(function, x, **options)
    assert function.__name__ in str(found.value)


@pytest.mark.parametrize("x", ["text", [[1.0], [2.0, 3.0]]], ids=["text", "ragged"])
def test_what_is_no_array(x):
    with pytest.raises(TypeError, match="adaptive_avg_pool1d: x is not an array"):
        pool.adaptive_avg_pool1d(x, 2)


def test_an_output_size_is_not_traced():
    with pytest.raises(TypeError, match="adaptive_avg_pool1d: output_size must be an integer"):
        jax.jit(pool.adaptive_avg_pool1d)(jnp.zeros(4), 2)


def test_keys_are_no_numbers():
    with pytest.raises(TypeError, match="adaptive_max_pool1d: the dtype of x is not a dtype"):
        pool.adaptive_max_pool1d(jax.random.split(jax.random.key(0), 4), 2)


def test_64_bits_that_jax_has_not(x64):
    if x64:
        pytest.skip("JAX has 64 bits here")
    x = jnp.zeros(4)
    with pytest.raises(TypeError, match="dtype float64 needs the setting jax_enable_x64"):
        pool.adaptive_avg_pool1d(x, 2, dtype=np.float64)
    with pytest.raises(TypeError, match="index_dtype int64 needs the setting jax_enable_x64"):
        pool.adaptive_max_pool1d(x, 2, return_indices=True, index_dtype=np.int64)


def test_several_threads_at_once(rng):
    """Many calls in one program, and programs run by several threads: nothing waits for ever."""
    x = random_array(rng, (4, 8, 64, 64), "float32")
    expected = sum(ap.adaptive_avg_pool2d(x, k).sum(dtype=np.float64) for k in range(1, 20))

    @jax.jit
    def total(x):
        return sum(jnp.sum(pool.adaptive_avg_pool2d(x, k, num_threads=2)) for k in range(1, 20))

    found = []
    threads = [threading.Thread(target=lambda: found.append(total(x))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    # Sums of 32 * 2470 terms in float32, in some order.
    bound = (
        32
        * 2470
        * 2.0**-24
        * sum(np.abs(ap.adaptive_avg_pool2d(x, k)).sum(dtype=np.float64) for k in range(1, 20))
    )
    assert np.abs(np.array(found) - expected).max() <= bound


def test_a_stored_program(rng):
    """It says all that it needs: windows, layout, number of threads."""
    export = pytest.importorskip("jax.export", reason="JAX 0.5 needs absl", exc_type=ImportError)
    windows = [ap.block_windows(7, 3)]
    run = jax.jit(lambda x: pool.adaptive_avg_pool1d(x, None, windows=windows, num_threads=1))
    x = random_array(rng, (2, 7), "float32")
    safe = [export.DisabledSafetyCheck.custom_call("adaptive_pool.jax")]
    stored = export.export(run, disabled_checks=safe)(x).serialize()
    same_bits(export.deserialize(stored).call(x), run(x))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('["average", 1, "channels_first", "a rule to come", null]', "pool1d: unknown window rule"),
        ('["a call to come", 1, "channels_first", "torch", null]', "no call 'a call to come'"),
    ],
)
def test_errors_of_a_run(text, error):
    """As of a stored program that another version wrote."""
    type_of_result = jax.ShapeDtypeStruct((2,), np.float32)
    run = jax.ffi.ffi_call("adaptive_pool.jax", type_of_result)
    with pytest.raises(jax.errors.JaxRuntimeError, match=error):
        run(jnp.zeros(4), call=text).block_until_ready()


@pytest.mark.parametrize("attributes", [{}, {"call": 1}, {"call": "", "more": ""}])
def test_calls_that_are_none(attributes):
    run = jax.ffi.ffi_call("adaptive_pool.jax", jax.ShapeDtypeStruct((2,), np.float32))
    with pytest.raises(jax.errors.JaxRuntimeError, match="has one attribute, which is a string"):
        run(jnp.zeros(4), **attributes).block_until_ready()


def test_where_jit_is_disabled(rng):
    x = random_array(rng, (2, 7), "float32")
    with jax.disable_jit():
        same_bits(pool.adaptive_avg_pool1d(x, 3), ap.adaptive_avg_pool1d(x, 3))
        grad = jax.grad(lambda x: pool.adaptive_max_pool1d(x, 1).sum())(x)
    assert grad.sum() == 2


def test_donated_memory(rng):
    x = random_array(rng, (2, 7), "float32")
    run = jax.jit(lambda x: pool.adaptive_avg_pool1d(x, None), donate_argnums=0)
    same_bits(run(jnp.array(x)), x)


def test_a_layer_that_equals_pytorch(rng, wide):
    """Where sizes do not divide, forward and backward."""
    torch = pytest.importorskip("torch", reason="what is compared with")
    x = random_array(rng, (2, 3, 11, 7), "float64")
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    for of, theirs in (
        (pool.adaptive_avg_pool2d, torch.nn.functional.adaptive_avg_pool2d),
        (pool.adaptive_max_pool2d, torch.nn.functional.adaptive_max_pool2d),
    ):
        expected = theirs(tensor, (4, 3))
        y, pull = jax.vjp(lambda x, of=of: of(x, (4, 3)), x)
        g = random_array(rng, y.shape, "float64")
        [gradient] = torch.autograd.grad(expected, tensor, torch.from_numpy(g))
        # PyTorch adds the up to 4 * 4 elements of a window one by one, and divides twice; of
        # gradients, at most 2 * 2 meet.
        bound = 18 * 2.0**-53
        assert np.abs(np.asarray(y) - expected.detach().numpy()).max() <= bound * np.abs(x).max()
        error = np.abs(np.asarray(pull(g)[0]) - gradient.numpy())
        assert error.max() <= bound * 4 * np.abs(g).max()


SHARDED = """
import numpy as np
import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import adaptive_pool as ap
import adaptive_pool.jax as pool
mesh = Mesh(np.array(jax.devices()), ("batch",))
split = PartitionSpec("batch")
x = np.random.default_rng(0).random((4, 3, 7, 5), np.float32)
parts = jax.device_put(x, NamedSharding(mesh, split))
assert len(parts.sharding.device_set) == 2
expected = ap.adaptive_avg_pool2d(x, 3)
assert np.array_equal(jax.jit(lambda x: pool.adaptive_avg_pool2d(x, 3))(parts), expected)
apart = jax.shard_map(
    lambda x: pool.adaptive_avg_pool2d(x, 3), mesh=mesh, in_specs=split, out_specs=split
)
assert np.array_equal(jax.jit(apart)(parts), expected)
grad = jax.jit(jax.grad(lambda x: apart(x).sum()))(parts)
assert grad.sharding.spec == split
g = np.ones_like(expected)
assert np.array_equal(grad, ap.adaptive_avg_pool2d_backward(g, x.shape))
"""


@pytest.mark.skipif(not hasattr(jax, "shard_map"), reason="JAX before 0.6.1")
def test_sharded_arrays():
    """In a process of its own, which has two devices."""
    program = "import os; os.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=2'"
    done = subprocess.run(
        [sys.executable, "-c", program + SHARDED], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", pool.__all__)
def test_no_other_platform(name):
    """The kernels are for the CPU, and JAX says so before it runs anything."""
    run = jax.jit(lambda x: getattr(pool, name)(x, 1))
    with pytest.raises(NotImplementedError, match="adaptive_pool_.* not found for platform cuda"):
        run.trace(jnp.zeros((2, 3, 4))).lower(lowering_platforms=("cuda",))


def test_the_page_has_every_name():
    page = Path(__file__).parents[2] / "docs" / "api" / "jax.md"
    if not page.exists():
        pytest.skip("the sdist has no pages")
    found = re.findall(r"^\.\. autofunction:: (\w+)$", page.read_text("utf-8"), re.MULTILINE)
    assert found == pool.__all__


@pytest.mark.parametrize("name", pool.__all__)
def test_examples_of_docstrings(name):
    [test] = doctest.DocTestFinder(recurse=False).find(getattr(pool, name), name)
    assert len(test.examples) > 3
    assert doctest.DocTestRunner().run(test).failed == 0


def test_where_jax_is_missing():
    program = "import sys; sys.modules['jax'] = None; import adaptive_pool.jax"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert 'jax is not installed: pip install "adaptive-pool[jax]"' in done.stderr


def test_the_benchmark_runs():
    file = Path(__file__).parents[2] / "benchmarks" / "jax_hand_over.py"
    if not file.exists():
        pytest.skip("the sdist has no benchmarks")
    done = subprocess.run(
        [sys.executable, file, "--quick"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "| 4096 |" in done.stdout
