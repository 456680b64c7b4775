"""PyTorch's CPU kernels as a second oracle, wherever torch is installed."""

import numpy as np
import pytest
from cases import SIZES, SMALL, random_array
from oracle import function, pooled_back, pooled_last, spacing

import adaptive_pool as ap

torch = pytest.importorskip("torch", reason="the second oracle; the README's tests pass without it")

# torch sums in float32, one element after the other: its own error is up to n/2 ulp, here at most
# 33 * 35 elements or 5000; ours is within 1.
LOOSE = 2.0**-12


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def torch_pool(operation, ndim):
    return getattr(torch.nn.functional, f"adaptive_{operation}_pool{ndim}d")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("ndim", "sizes", "counts"), SIZES)
def test_values_indices_gradients(rng, ndim, sizes, counts, data_format, dtype):
    x = random_array(rng, (2, 3, *sizes), dtype)
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    ours = pooled_back(x, ndim, data_format)
    if data_format == "channels_last":
        ours = np.ascontiguousarray(ours)
    options = {"data_format": data_format}
    bound = LOOSE if dtype == "float32" else LOOSE * 2.0**-29

    expected = torch_pool("avg", ndim)(tensor, counts)
    y = function("avg", ndim)(ours, counts, **options)
    scale = np.abs(x).max()
    error = np.abs(pooled_last(y, ndim, data_format) - expected.detach().numpy())
    assert error.max() <= bound * scale
    g = random_array(rng, y.shape, dtype)
    expected.backward(torch.from_numpy(np.ascontiguousarray(pooled_last(g, ndim, data_format))))
    gradient = function("avg", ndim, backward=True)(g, ours.shape, **options)
    error = np.abs(pooled_last(gradient, ndim, data_format) - tensor.grad.numpy())
    assert error.max() <= bound * np.abs(g).max() * max(1, np.prod(counts) / np.prod(sizes))

    tensor.grad = None
    expected, where = torch_pool("max", ndim)(tensor, counts, return_indices=True)
    values, indices = function("max", ndim)(ours, counts, return_indices=True, **options)
    np.testing.assert_array_equal(pooled_last(values, ndim, data_format), expected.detach().numpy())
    np.testing.assert_array_equal(pooled_last(indices, ndim, data_format), where.numpy())
    expected.backward(torch.from_numpy(np.ascontiguousarray(pooled_last(g, ndim, data_format))))
    gradient = function("max", ndim, backward=True)(g, indices, ours.shape, **options)
    error = np.abs(pooled_last(gradient, ndim, data_format) - tensor.grad.numpy())
    assert error.max() <= bound * np.abs(g).max() * max(1, np.prod(counts) / np.prod(sizes))


@pytest.mark.parametrize("size", SMALL)
def test_every_small_size(rng, size):
    x = random_array(rng, (3, size, 25 - size), "float32")
    x[0][rng.random(x[0].shape) < 0.1] = np.nan
    tensor = torch.from_numpy(x)
    for count in range(1, 31):
        counts = (count, 31 - count)
        y = ap.adaptive_avg_pool2d(x, counts)
        np.testing.assert_allclose(
            y, torch_pool("avg", 2)(tensor, counts).numpy(), rtol=LOOSE, atol=LOOSE
        )
        values, indices = ap.adaptive_max_pool2d(x, counts, return_indices=True)
        expected, where = torch_pool("max", 2)(tensor, counts, return_indices=True)
        np.testing.assert_array_equal(values, expected.numpy())
        np.testing.assert_array_equal(indices, where.numpy())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves(rng, dtype):
    x = random_array(rng, (2, 3, 9, 14), dtype)
    tensor = torch.from_numpy(x.view(np.int16)).view(getattr(torch, dtype))
    for counts in ((1, 1), (2, 3), (9, 20)):
        y = ap.adaptive_avg_pool2d(x, counts)
        expected = torch_pool("avg", 2)(tensor.double(), counts).numpy()
        magnitude = torch_pool("avg", 2)(tensor.double().abs(), counts).numpy()
        assert (np.abs(y.astype(float) - expected) <= spacing(magnitude, x.dtype)).all()
        values, indices = ap.adaptive_max_pool2d(x, counts, return_indices=True)
        expected, where = torch_pool("max", 2)(tensor, counts, return_indices=True)
        assert values.tobytes() == expected.view(torch.int16).numpy().tobytes()
        np.testing.assert_array_equal(indices, where.numpy())


def test_ordinary_average_pooling_by_explicit_tables(rng):
    """Kernel 3 and stride 2, through tables, equals avg_pool2d; so does max_pool2d with padding."""
    x = rng.standard_normal((2, 3, 17, 23))
    starts = [np.arange(0, n - 2, 2) for n in x.shape[2:]]
    y = ap.adaptive_avg_pool2d(x, None, windows=[(s, s + 3) for s in starts])
    expected = torch.nn.functional.avg_pool2d(torch.from_numpy(x), 3, 2).numpy()
    # Eight additions and a division on either side, each off by 2**-53 of the largest element.
    np.testing.assert_allclose(y, expected, rtol=0, atol=18 * 2.0**-53 * np.abs(x).max())

    padded = [
        (np.maximum(np.arange(-1, n - 1, 2), 0), np.minimum(np.arange(2, n + 2, 2), n))
        for n in (17, 23)
    ]
    values, indices = ap.adaptive_max_pool2d(x, None, windows=padded, return_indices=True)
    expected, where = torch.nn.functional.max_pool2d(
        torch.from_numpy(x), 3, 2, padding=1, return_indices=True
    )
    np.testing.assert_array_equal(values, expected.numpy())
    np.testing.assert_array_equal(indices, where.numpy())


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_unpooling(rng, ndim):
    """Windows that do not overlap, as PyTorch's unpooling demands; any indices it would refuse."""
    x = random_array(rng, (2, 3, *(6, 8, 10)[:ndim]), "float32")
    counts = tuple(n // 2 for n in x.shape[2:])
    values, indices = function("max", ndim)(x, counts, return_indices=True)
    unpool = getattr(torch.nn.functional, f"max_unpool{ndim}d")
    expected = unpool(torch.from_numpy(values), torch.from_numpy(indices), 2)
    result = function("unpool", ndim)(values, indices, x.shape)
    np.testing.assert_array_equal(result, expected.numpy())


def test_tensors_are_array_likes():
    x = torch.arange(16.0).reshape(4, 4)
    np.testing.assert_array_equal(
        ap.adaptive_avg_pool2d(x, 2), ap.adaptive_avg_pool2d(x.numpy(), 2)
    )
    with pytest.raises(TypeError, match="requires grad"):
        ap.adaptive_avg_pool2d(x.requires_grad_(), 2)
