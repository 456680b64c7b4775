"""The examples that the project was started with, by name."""

import numpy as np
import pytest
from oracle import assert_average, assert_maximum, function, tables

import adaptive_pool as ap

SHAPES = [
    ((32, 2048, 7, 7), 1, (32, 2048, 1, 1)),
    ((4, 512, 56, 56), 7, (4, 512, 7, 7)),
    ((4, 512, 112, 112), 7, (4, 512, 7, 7)),
    ((8, 256, 14, 14), [7, 7], (8, 256, 7, 7)),
    ((16, 256, 100, 100), [10, 10], (16, 256, 10, 10)),
]


@pytest.mark.parametrize(("shape", "size", "expected"), SHAPES, ids=str)
def test_shapes(shape, size, expected):
    x = np.random.default_rng(0).random(shape, np.float32)
    y = ap.adaptive_avg_pool2d(x, size)
    values, indices = ap.adaptive_max_pool2d(x, size, return_indices=True)
    assert y.shape == values.shape == indices.shape == expected
    windows = tables(shape[2:], expected[2:])
    assert_average(y[-1, -3:], x[-1, -3:], windows, x.dtype)
    assert_maximum(values[-1, -3:], indices[-1, -3:], x[-1, -3:], windows)


@pytest.mark.parametrize(
    ("size", "shape", "expected"),
    [
        ((5, 7), (1, 64, 8, 9), (1, 64, 5, 7)),
        (7, (1, 64, 10, 9), (1, 64, 7, 7)),
        ((None, 7), (1, 64, 10, 9), (1, 64, 10, 7)),
    ],
)
def test_layers(size, shape, expected):
    x = np.random.default_rng(0).standard_normal(shape)
    y = ap.AdaptiveAvgPool2d(size)(x)
    assert y.shape == expected
    assert_average(y, x, tables(shape[2:], expected[2:]), x.dtype)


def test_blocks_of_a_picture():
    """(10, 15, 3), channels last, to (2, 3): each output the mean of a 5 x 5 block."""
    picture = np.random.default_rng(0).integers(0, 256, (10, 15, 3), np.uint8)
    y = ap.adaptive_avg_pool2d(picture, (2, 3), data_format="channels_last", windows="ceil")
    blocks = picture.reshape(2, 5, 3, 5, 3).astype(np.float64).mean(axis=(1, 3))
    np.testing.assert_array_equal(y, blocks.astype(np.float32))


@pytest.mark.parametrize(("size", "count", "first"), [(10, 7, 5), (9, 7, 5), (5, 4, 3)])
def test_blocks_that_leave_one_empty(size, count, first):
    """Where naive code returns NaN."""
    x = np.ones((size, 15, 3))
    message = f"window rule 'ceil' leaves window {first} empty for input size {size}"
    with pytest.raises(ValueError, match=message):
        ap.adaptive_avg_pool2d(x, (count, 3), data_format="channels_last", windows="ceil")


@pytest.mark.parametrize("sizes", [(7, 9), (22, 33), (64, 224), (8, 10)])
@pytest.mark.parametrize("counts", [(2, 3), (7, 9), (5, 1)])
def test_uniform_is_what_people_derive_by_hand(sizes, counts):
    """Stride I//O and kernel I-(O-1)*stride on every axis."""
    x = np.random.default_rng(0).standard_normal((2, *sizes))
    strides = [i // o for i, o in zip(sizes, counts, strict=True)]
    kernels = [i - (o - 1) * s for i, o, s in zip(sizes, counts, strides, strict=True)]
    view = np.lib.stride_tricks.sliding_window_view(x, kernels, axis=(1, 2))
    expected = view[:, :: strides[0], :: strides[1]].max(axis=(-1, -2))
    np.testing.assert_array_equal(ap.adaptive_max_pool2d(x, counts, windows="uniform"), expected)


@pytest.mark.parametrize("operation", ["avg", "max"])
@pytest.mark.parametrize(
    ("sizes", "counts"), [((8, 9), (2, 3)), ((224, 14), (7, 7)), ((6, 6), (6, 1))]
)
def test_uniform_equals_torch_where_sizes_divide(operation, sizes, counts):
    x = np.random.default_rng(0).standard_normal((2, *sizes)).astype(np.float32)
    pool = function(operation, 2)
    assert pool(x, counts, windows="uniform").tobytes() == pool(x, counts).tobytes()


def kernels_and_strides(size, count):
    """Every kernel and stride whose windows are those of the "torch" rule."""
    starts, ends = (t.tolist() for t in ap.pool_windows(size, count))
    return [
        (kernel, stride)
        for kernel in range(1, size + 1)
        for stride in range(size + 1)
        if [(i * stride, i * stride + kernel) for i in range(count)]
        == list(zip(starts, ends, strict=True))
    ]


@pytest.mark.parametrize(("size", "count"), [(224, 13), (17, 5), (33, 9), (8, 6), (5, 7), (11, 4)])
def test_no_kernel_and_stride_reproduces_torch(size, count):
    """No single pair gives the windows of the "torch" rule at these sizes."""
    assert kernels_and_strides(size, count) == []


@pytest.mark.parametrize("size", range(1, 25))
def test_where_a_kernel_and_stride_reproduce_torch(size):
    """Exactly where the remainder of I by O is 0 or 1; there, "uniform" has found them."""
    for count in range(2, 31):
        pairs = kernels_and_strides(size, count)
        if size % count > 1:
            assert pairs == []
        elif count <= size:
            stride = size // count
            assert (size - (count - 1) * stride, stride) in pairs


@pytest.mark.parametrize(
    ("operation", "shape", "counts", "data_format"),
    [
        ("avg", (1, 14, 56, 78), (34, 13), "channels_first"),  # windows that overlap
        ("avg", (1, 5, 46, 97), (4, 96), "channels_first"),
        ("avg", (1, 46, 97, 5), (4, 96), "channels_last"),
        ("avg", (1, 2, 64, 32, 32), (7, 8, 9), "channels_first"),
        ("max", (2, 3, 6, 6), (2, 2), "channels_first"),  # indices in both layouts
        ("max", (4, 8, 10, 10), (7, 7), "channels_last"),
        ("max", (4, 9, 14, 8), (5, 8), "channels_last"),
        ("max", (4, 11, 11, 8), (1, 1), "channels_last"),
        ("max", (2, 3, 3, 1), (1, 1), "channels_last"),
        ("max", (1, 1, 2, 2), (4, 4), "channels_first"),  # more outputs than inputs
    ],
)
def test_sizes_that_peers_got_wrong(operation, shape, counts, data_format):
    ndim = len(counts)
    x = np.random.default_rng(0).random(shape, np.float32)
    last = np.moveaxis(x, -1, -1 - ndim) if data_format == "channels_last" else x
    windows = tables(last.shape[2:], counts)
    options = {"data_format": data_format}
    if operation == "avg":
        y = function("avg", ndim)(x, counts, **options)
        y = np.moveaxis(y, -1, -1 - ndim) if data_format == "channels_last" else y
        assert_average(y, last, windows, x.dtype)
    else:
        results = function("max", ndim)(x, counts, return_indices=True, **options)
        if data_format == "channels_last":
            results = [np.moveaxis(r, -1, -1 - ndim) for r in results]
        assert_maximum(*results, last, windows)


def test_gradient_of_nothing():
    """Zeros, where torch raises."""
    g = ap.adaptive_avg_pool2d_backward(np.ones((1, 64, 0, 0)), (1, 64, 10, 9))
    np.testing.assert_array_equal(g, np.zeros((1, 64, 10, 9)))


def test_gradient_of_overlapping_windows():
    """(1, 1, 2, 2, 4) -> 2 and the like: the sum is the number of outputs."""
    for shape, counts in (((1, 1, 2, 2, 4), (2, 2, 2)), ((1, 1, 3, 5, 2), (2, 3, 4))):
        g = ap.adaptive_avg_pool3d_backward(np.ones((1, 1, *counts)), shape)
        # At most 30 elements: 30 roundings of 1.1e-16.
        np.testing.assert_allclose(g.sum(), np.prod(counts), rtol=1e-14)
