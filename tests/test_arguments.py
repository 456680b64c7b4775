"""Arguments that do not fit: a clear error, before anything is written. E… are edge inputs."""

import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from cases import DTYPES, dtype_of
from oracle import function

import adaptive_pool as ap
from adaptive_pool._kernels.call.tables import are_sizes


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


BAD_SIZES = {
    "empty-tuple": ("avg", 2, zeros(2, 2, 2, 2), (), ValueError, "have 2 elements, got ()"),
    "empty-list": ("avg", 2, zeros(2, 2, 2, 2), [], ValueError, "have 2 elements, got []"),
    "short": ("avg", 2, zeros(1, 3, 8, 8), (3,), ValueError, "have 2 elements, got (3,)"),
    "long": ("avg", 2, zeros(1, 3, 8, 8), (3, 3, 3), ValueError, "elements, got (3, 3, 3)"),
    "short-3d": ("avg", 3, zeros(1, 3, 8, 8, 8), (2, 2), ValueError, "have 3 elements, got (2, 2)"),
    "empty-list-max": ("max", 3, zeros(1, 3, 8, 8, 8), [], ValueError, "have 3 elements, got []"),
    "short-int8": ("avg", 2, zeros(1, 8, 8, dtype=np.int8), (3,), ValueError, "have 2 elements"),
    "minus-1d": ("avg", 1, zeros(1, 64, 8), -2, ValueError, "must not be negative, got -2"),
    "minus-2d": ("max", 2, zeros(1, 3, 8, 8), (-1, 0), ValueError, "must not be negative, got -1"),
    "minus-3d": ("max", 3, zeros(1, 3, 8, 8, 8), (-1, 0, 2), ValueError, "must not be negative"),
    "huge": ("avg", 1, zeros(2, 2, 2), 9132760301568586890, ValueError, "too large to address"),
    "wraps-64": ("max", 1, zeros(2, 2, 2), 0x3FFFFFFFFFFFFFFF, ValueError, "too large to address"),
    "both-huge-max": ("max", 2, zeros(1, 3, 5, 6), (125091515651,) * 2, ValueError, "too large"),
    "both-huge-avg": ("avg", 2, np.broadcast_to(np.float32(0), (128, 2048, 2, 2)), 1250999896765,
                 ValueError, "too large to address"),
    "larger-than-64-bits": ("avg", 1, zeros(2, 2), 2**70, ValueError, "too large to address"),
    "whole-float": ("avg", 2, zeros(1, 8, 8), 3.0, TypeError, "must be an integer, got float"),
    "fraction": ("avg", 2, zeros(1, 8, 8), 2.5, TypeError, "must be an integer, got float"),
    "string": ("avg", 2, zeros(1, 8, 8), "3", TypeError, "must be an integer, got str"),
    "two-letters": ("avg", 2, zeros(1, 8, 8), "33", TypeError, "must be an integer, got str"),
    "bytes": ("avg", 2, zeros(1, 8, 8), b"33", TypeError, "must be an integer, got bytes"),
    "set": ("avg", 2, zeros(1, 8, 8), {3, 4}, TypeError, "must be an integer, got set"),
    "dict": ("avg", 2, zeros(1, 8, 8), {3: 3, 4: 4}, TypeError, "an integer, got dict"),
    "object": ("avg", 2, zeros(1, 8, 8), object(), TypeError, "integer, got object"),
    "floats-in-array": ("avg", 2, zeros(1, 8, 8), np.array([3.0, 3.0]), TypeError, "integer"),
    "bool": ("avg", 2, zeros(1, 8, 8), True, TypeError, "got the bool True"),
    "bools": ("avg", 2, zeros(1, 8, 8), (True, False), TypeError, "got the bool True"),
    "numpy-bool": ("avg", 2, zeros(1, 8, 8), np.True_, TypeError, "got the bool True"),
    "bool-array": ("avg", 2, zeros(1, 8, 8), np.array([True, True]), TypeError, "the bool True"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "ndim", "x", "size", "error", "message"), BAD_SIZES.values(), ids=BAD_SIZES
)
def test_output_size(operation, ndim, x, size, error, message):
    pool = function(operation, ndim)
    with pytest.raises(error, match=re.escape(message)) as caught:
        pool(x, size)
    assert str(caught.value).startswith(f"adaptive_{operation}_pool{ndim}d: ")
    # What is wrong stays wrong for every layout, dtype and batch, an empty batch among them.
    with pytest.raises(error):
        pool(x, size, data_format="channels_last")
    with pytest.raises(error):
        pool(x[:0], size)
    with pytest.raises(error):
        pool(x.astype(np.uint8), size)


@pytest.mark.parametrize(
    "size",
    [
        np.int8(3),
        np.uint64(3),
        np.array(3),
        np.array([3, 3]),
        [3, None],
        (None, np.int16(3)),
        range(3, 5),
    ],
    ids=repr,
)
def test_output_size_of_many_kinds(size):
    """Whatever has __index__, in whatever sequence."""
    x = np.arange(32.0).reshape(1, 4, 8)
    plain = [None if s is None else int(s) for s in (size if np.ndim(size) else [size] * 2)]
    np.testing.assert_array_equal(ap.adaptive_avg_pool2d(x, size), ap.adaptive_avg_pool2d(x, plain))


def test_index_is_evaluated_once():
    class Counted:
        calls = 0

        def __index__(self):
            type(self).calls += 1
            return 2 if self.calls == 1 else 10**9

    assert ap.adaptive_avg_pool2d(zeros(4, 4), (Counted(), 1)).shape == (2, 1)
    assert Counted.calls == 1


@pytest.mark.parametrize(
    ("operation", "ndim", "shape", "size", "expected"),
    [
        ("avg", 3, (1, 64, 10, 9, 8), 0, (1, 64, 0, 0, 0)),  # nothing asked for
        ("max", 3, (1, 4, 10, 9, 8), 0, (1, 4, 0, 0, 0)),
        ("max", 2, (1, 1, 4, 4), (0, 3), (1, 1, 0, 3)),  # no rows asked for
        ("avg", 2, (0, 10, 10), 3, (0, 3, 3)),  # no channels, or no batch
        ("avg", 1, (0, 16, 50), 3, (0, 16, 3)),
        ("avg", 3, (0, 16, 50, 44, 31), 3, (0, 16, 3, 3, 3)),
        ("max", 1, (1, 0, 50), 3, (1, 0, 3)),  # no channels
        ("avg", 2, (1, 3, 0, 7), (0, 3), (1, 3, 0, 3)),  # an empty axis kept empty
        ("max", 2, (1, 3, 0, 7), (3, 0), (1, 3, 3, 0)),
        ("max", 2, (0, 3, 0, 0), (3, 3), (0, 3, 3, 3)),  # empty axes, but nothing to fill
    ],
)
def test_empty_results(operation, ndim, shape, size, expected):
    x = zeros(*shape)
    assert function(operation, ndim)(x, size).shape == expected
    if operation == "max":
        values, indices = function(operation, ndim)(x, size, return_indices=True)
        assert (values.shape, indices.shape, indices.dtype) == (expected, expected, np.int64)
    gradient = zeros(*expected)
    if operation == "avg":
        result = function("avg", ndim, backward=True)(gradient, shape)
    else:
        result = function("max", ndim, backward=True)(gradient, indices, shape)
    np.testing.assert_array_equal(result, zeros(*shape))


@pytest.mark.parametrize("operation", ["avg", "max"])
@pytest.mark.parametrize("shape", [(1, 3, 0, 7), (1, 3, 7, 0)])
def test_empty_pooled_axis(operation, shape):
    """No mean and no maximum of nothing."""
    with pytest.raises(ValueError, match=re.escape(f"got shape {shape} and output size (3, 3)")):
        function(operation, 2)(zeros(*shape), 3)
    with pytest.raises(ValueError, match="pooled axis of x is empty"):
        function(operation, 2)(zeros(1, 0, 7, 3), 3, data_format="channels_last")


@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_empty_output_accepts_the_same_dtypes(dtype):
    """Whether a dtype is taken does not depend on the size."""
    assert ap.adaptive_avg_pool2d(np.ones((1, 1, 4, 4), dtype), 0).shape == (1, 1, 0, 0)
    with pytest.raises(TypeError, match="got complex128"):
        ap.adaptive_avg_pool2d(np.ones((1, 1, 4, 4), complex), 0)


@pytest.mark.parametrize(
    ("x", "data_format", "message"),
    [
        (np.float32(1), "channels_first", "must have shape (..., H, W) "),  # no axes at all
        (zeros(5), "channels_first", "for data_format 'channels_first', got shape (5,)"),
        (zeros(5, 5), "channels_last", "must have shape (..., H, W, C) "),
    ],
)
def test_too_few_axes(x, data_format, message):
    for operation in ("avg", "max"):
        with pytest.raises(ValueError, match=re.escape(message)):
            function(operation, 2)(x, 2, data_format=data_format)


def test_no_leading_axis_is_fine():
    """Neither batch nor channels; and planes of one element."""
    assert ap.adaptive_avg_pool2d([[1.0, 2.0], [3.0, 4.0]], (2, 2)).tolist() == [[1, 2], [3, 4]]
    one = np.full((1, 1, 1, 1), 7.0)
    assert ap.adaptive_avg_pool2d(one, (1, 1)).tolist() == [[[[7.0]]]]
    assert (ap.adaptive_max_pool2d(one, (64, 64)) == 7.0).all()


@pytest.mark.parametrize(
    "x",
    [
        np.ones((4, 4), complex), np.ones((4, 4), object), np.full((4, 4), "a"),
        np.full((4, 4), b"a"), np.ones((4, 4), "M8[s]"), np.ones((4, 4), "m8[s]"),
        np.ones((4, 4), [("a", "f4")]), np.ones((4, 4), "V2"), np.ones((4, 4), "V4"),
        np.ones((4, 4), np.complex64), [[None, 1], [1, 2]], [["a", "b"]],
    ],
    ids=lambda x: str(getattr(x, "dtype", x))[:20],
)  # fmt: skip
def test_unsupported_dtypes(x):
    """Arrays of other dtypes, and what is no array."""
    for call in (ap.adaptive_avg_pool2d, ap.adaptive_max_pool2d):
        with pytest.raises(
            TypeError, match="x must have one of the dtypes float16, bfloat16, float32"
        ):
            call(x, 2)


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="longdouble is float64 here")
def test_long_double_is_not_float64():
    with pytest.raises(TypeError, match="got float1|got float9"):
        ap.adaptive_avg_pool2d(np.ones((4, 4), np.longdouble), 2)


def test_ragged_list():
    """Rows of different lengths are no array."""
    with pytest.raises((TypeError, ValueError), match="adaptive_avg_pool2d: x"):
        ap.adaptive_avg_pool2d([[1.0, 2.0], [3.0]], 2)


def test_masked_array():
    x = np.ma.MaskedArray(np.ones((4, 4)), mask=np.eye(4))
    for call in (ap.adaptive_avg_pool2d, ap.adaptive_max_pool2d):
        with pytest.raises(TypeError, match="must not be a MaskedArray"):
            call(x, 2)


@pytest.mark.parametrize(
    "x",
    [
        [[1, 2], [3, 4]],
        memoryview(np.array([[1, 2], [3, 4]], np.int16)),
        np.array([[1, 2], [3, 4]]).view(np.recarray),
    ],
    ids=["list", "memoryview", "subclass"],
)
def test_array_likes(x):
    assert ap.adaptive_max_pool2d(x, 1).tolist() == [[4]]
    assert type(ap.adaptive_avg_pool2d(x, 1)) is np.ndarray


def test_dlpack():
    class Exporter:
        def __init__(self, x):
            self.x = x

        def __dlpack__(self, **options):
            return self.x.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.x.__dlpack_device__()

    x = np.arange(16.0).reshape(4, 4)
    np.testing.assert_array_equal(
        ap.adaptive_avg_pool2d(Exporter(x), 2), ap.adaptive_avg_pool2d(x, 2)
    )


def test_dlpack_of_another_device():
    class Exporter:
        def __dlpack__(self, **options):
            raise BufferError("device 2 is not the CPU")

        def __dlpack_device__(self):
            return (2, 0)

    with pytest.raises(TypeError, match="x is not an array on the CPU"):
        ap.adaptive_avg_pool2d(Exporter(), 2)


@pytest.mark.parametrize(
    "value", ["NCHW", "channels", None, 1, ["channels_first"], np.array(["a", "b"])]
)
def test_data_format(value):
    g = zeros(2, 2)
    for call in (
        lambda: ap.adaptive_avg_pool2d(g, 2, data_format=value),
        lambda: ap.adaptive_max_pool2d(g, 2, data_format=value),
        lambda: ap.adaptive_avg_pool2d_backward(g, (4, 4), data_format=value),
        lambda: ap.adaptive_max_pool2d_backward(g, g.astype(int), (4, 4), data_format=value),
        lambda: ap.AdaptiveMaxPool2d(2, data_format=value),
    ):
        with pytest.raises(
            ValueError, match="data_format must be 'channels_first' or 'channels_last'"
        ):
            call()


@pytest.mark.parametrize(
    ("windows", "error", "message"),
    [
        ("even", ValueError, "unknown window rule 'even'"),
        (None, TypeError, "windows must be the name of a rule or a sequence"),
        (3, TypeError, "got int"),
        (("torch", "split"), ValueError, "one window rule is for all pooled axes, got ('torch', "),
        (["torch"], ValueError, "one window rule is for all pooled axes"),
        ([([0], [4]), "torch"], ValueError, "[pool_windows(...), pool_windows(...)]"),
        (b"torch", TypeError, "got bytes"),
        ({0: 1}, TypeError, "got dict"),
        (ap.pool_windows, TypeError, "got function"),
        (np.zeros((2, 3), int), ValueError,
         "windows as one array must have shape (2, 2, number of windows): starts and ends for"),
        (np.zeros((2, 3, 2), int), ValueError, "got shape (2, 3, 2)"),
        (np.zeros((3, 2, 2), int), ValueError, "got shape (3, 2, 2)"),
        (np.zeros((1, 2, 2, 2), int), ValueError, "got shape (1, 2, 2, 2)"),
        (np.array(3), ValueError, "got shape ()"),
        (np.array("torch"), ValueError, "got shape ()"),
        (np.array([[[0], [4]], [[0], [5]]]), ValueError, "axis 1: 0 <= start < end <= 4 must hold"),
        (np.array([[[0], [4]], [[0.0], [4]]]), TypeError, "must be integers, got dtype float64"),
        (np.array([[[False], [True]]] * 2), TypeError, "must be integers, got dtype bool"),
        (np.ma.ones((2, 2, 1), int), TypeError, "windows must not be a MaskedArray"),
        ([], ValueError, "windows must be a rule or 2 (starts, ends) pairs"),
        ([([0], [4])], ValueError, "one for each pooled axis, got 1"),
        ([([0], [4]), [0]], ValueError, "windows of pooled axis 1 must be a pair"),
        ([([0], [4]), ([0], [5])], ValueError, "got window 0 from 0 to 5"),
        ([([0], [4]), ([-1], [3])], ValueError, "got window 0 from -1 to 3"),
        ([([0, 2], [4, 2]), ([0], [4])], ValueError, "got window 1 from 2 to 2"),
        ([([0, 1], [4]), ([0], [4])], ValueError, "2 starts but 1 ends"),
        ([([0.0], [4]), ([0], [4])], TypeError, "starts must be integers, got dtype float64"),
        ([([False], [True]), ([0], [4])], TypeError, "starts must be integers, got dtype bool"),
        ([([[0]], [[4]]), ([0], [4])], ValueError, "starts must have one dimension"),
        ([([0], np.array([2**64 - 1], np.uint64)), ([0], [4])], ValueError, "start < end <= 4"),
    ],
)  # fmt: skip
def test_bad_windows(windows, error, message):
    with pytest.raises(error, match=re.escape(message)):
        ap.adaptive_avg_pool2d(zeros(4, 4), None, windows=windows)


def test_output_size_must_agree_with_explicit_windows():
    windows = [([0, 2], [2, 4]), ([0], [4])]
    for size in (None, (2, 1), (None, 1)):
        assert ap.adaptive_avg_pool2d(zeros(4, 4), size, windows=windows).shape == (2, 1)
    with pytest.raises(ValueError, match="does not agree with windows for"):
        ap.adaptive_avg_pool2d(zeros(4, 4), 2, windows=windows)


@pytest.mark.parametrize("dtype", ["int64", "uint8", ">i2"])
def test_windows_as_one_array(dtype):
    """Axis by axis, starts above ends; rows may be any strides."""
    x = np.arange(24.0).reshape(2, 3, 4)
    pairs = [([0, 1], [2, 3]), ([0, 2], [1, 4])]
    array = np.array(pairs, dtype)
    for ndim, size in ((1, 1), (2, 2)):
        pool = function("avg", ndim)
        for given in (array[2 - size :], array[2 - size :, ::-1][:, ::-1]):
            expected = pool(x, None, windows=pairs[2 - size :])
            np.testing.assert_array_equal(pool(x, None, windows=given), expected)
            gradient = function("avg", ndim, backward=True)
            np.testing.assert_array_equal(
                gradient(expected, x.shape, windows=given),
                gradient(expected, x.shape, windows=pairs[2 - size :]),
            )
    with pytest.raises(ValueError, match="agree"):
        ap.adaptive_avg_pool2d(x, 3, windows=array)
    layer = ap.AdaptiveMaxPool2d(None, windows=array)
    assert layer == ap.AdaptiveMaxPool2d(None, windows=pairs)


def test_one_array_without_windows():
    assert ap.adaptive_max_pool1d(zeros(3, 4), None, windows=np.empty((1, 2, 0))).shape == (3, 0)


def test_a_single_pair_for_one_axis():
    starts_ends = ap.pool_windows(4, 3)
    for pair in (starts_ends, list(starts_ends), tuple(t.tolist() for t in starts_ends)):
        with pytest.raises(ValueError, match=re.escape("expected [(starts, ends)]")):
            ap.adaptive_avg_pool1d(zeros(4), None, windows=pair)
    for count in (1, 2, 3):
        with pytest.raises(
            ValueError, match=re.escape("got a single pair; expected [(starts, ends), (starts, e")
        ):
            ap.adaptive_avg_pool2d(zeros(4, 4), None, windows=ap.pool_windows(4, count))
    with pytest.raises(ValueError, match=re.escape("one axis alone is windows[numpy.newaxis]")):
        ap.adaptive_avg_pool1d(zeros(4), None, windows=np.array(starts_ends))


def test_explicit_windows_may_be_none_at_all():
    windows = [([], []), ([0], [4])]
    assert ap.adaptive_max_pool2d(zeros(4, 4), None, windows=windows).shape == (0, 1)


@pytest.mark.parametrize("rule", ["ceil", "split", "uniform"])
def test_rule_that_leaves_a_window_empty(rule):
    with pytest.raises(
        ValueError, match=f"adaptive_avg_pool1d: window rule '{rule}' leaves window"
    ):
        ap.adaptive_avg_pool1d(zeros(10), 7 if rule == "ceil" else 11, windows=rule)
    with pytest.raises(ValueError, match="leaves window"):
        ap.adaptive_avg_pool1d_backward(zeros(11), (4,), windows=rule)


@pytest.mark.parametrize(
    ("dtype", "error"),
    [
        ("int32", TypeError),
        ("complex64", TypeError),
        ("bool", TypeError),
        (">f4", TypeError),
        ("x", TypeError),
    ],
)
def test_average_dtype(dtype, error):
    for x in (zeros(4, 4), zeros(4, 4, dtype=np.uint8)):
        with pytest.raises(error):
            ap.adaptive_avg_pool2d(x, 2, dtype=dtype)


@pytest.mark.parametrize("index_dtype", ["int16", "uint32", "float32", "uint64", "bool", ">i8"])
def test_index_dtype(index_dtype):
    with pytest.raises(TypeError, match="index_dtype must be int32 or int64"):
        ap.adaptive_max_pool2d(zeros(4, 4), 2, return_indices=True, index_dtype=index_dtype)


def test_none_is_no_dtype_of_indices():
    with pytest.raises(TypeError, match="index_dtype is not a dtype: None"):
        ap.adaptive_max_pool2d(zeros(4, 4), 2, return_indices=True, index_dtype=None)


def test_index_dtype_must_hold_the_plane():
    x = np.broadcast_to(np.uint8(1), (2**17, 2**15))
    with pytest.raises(ValueError, match="int32 is too small for 4294967296 elements"):
        ap.adaptive_max_pool2d(x, 0, return_indices=True, index_dtype=np.int32)


@pytest.mark.parametrize("dtype", ["int64", "uint32"])
def test_window_too_large_for_an_exact_sum(dtype):
    x = np.broadcast_to(np.ones((), dtype), (2**30 + 1,))
    with pytest.raises(ValueError, match="must not have more than 1073741824 elements"):
        ap.adaptive_avg_pool1d(x, 1)


@pytest.mark.parametrize(
    ("value", "error"),
    [(0, ValueError), (-1, ValueError), (True, TypeError), (1.5, TypeError), (10**9, ValueError)],
)
def test_num_threads(value, error):
    with pytest.raises(error, match="num_threads must"):
        ap.adaptive_avg_pool2d(zeros(4, 4), 2, num_threads=value)


OUTS = {
    "not an array": ([[0.0]], TypeError, "out must be a NumPy array"),
    "shape": (zeros(1, 2), ValueError, r"out must have shape \(2, 2\) and dtype float32"),
    "dtype": (zeros(2, 2, dtype=np.float64), ValueError, "got shape .* dtype float64"),
    "byte order": (zeros(2, 2, dtype=">f4"), ValueError, "dtype >f4"),
    "overlaps itself": (
        np.lib.stride_tricks.as_strided(zeros(2), (2, 2), (4, 0)), ValueError, "share memory",
    ),
    "masked": (np.ma.zeros((2, 2), np.float32), TypeError, "MaskedArray"),
}  # fmt: skip


@pytest.mark.parametrize(("out", "error", "message"), OUTS.values(), ids=OUTS)
def test_out_that_does_not_fit(out, error, message):
    """Nothing is written into an `out` that is refused."""
    before = np.array(out)
    g = np.ones((1, 1), np.float32)
    index = np.zeros((1, 1), np.int64)
    for call in (
        lambda: ap.adaptive_avg_pool2d(np.ones((4, 4), np.float32), 2, out=out),
        lambda: ap.adaptive_max_pool2d(np.ones((4, 4), np.float32), 2, out=out),
        lambda: ap.adaptive_avg_pool2d_backward(g, (2, 2), out=out),
        lambda: ap.adaptive_max_pool2d_backward(g, index, (2, 2), out=out),
    ):
        with pytest.raises(error, match=message):
            call()
    np.testing.assert_array_equal(out, before)


def test_read_only_out():
    out = zeros(2, 2)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out must be writeable"):
        ap.adaptive_avg_pool2d(np.ones((4, 4), np.float32), 2, out=out)


@pytest.mark.parametrize(
    "out", [zeros(2, 2), (zeros(2, 2),), [zeros(2, 2), zeros(2, 2)], (None, np.zeros((2, 2), int))]
)
def test_out_with_indices_is_a_pair(out):
    with pytest.raises(TypeError, match="out must be a pair"):
        ap.adaptive_max_pool2d(zeros(4, 4), 2, return_indices=True, out=out)


def test_bad_half_of_a_pair_leaves_the_other_untouched():
    values = np.full((2, 2), 7, np.float32)
    with pytest.raises(ValueError, match=r"out\[1\] must have shape"):
        ap.adaptive_max_pool2d(
            np.ones((4, 4), np.float32), 2, return_indices=True, out=(values, zeros(2, 2))
        )
    assert (values == 7).all()


BAD_GRADIENTS = {
    "no-channels": ("avg", 1, (1, 3, 8, 3), (1, 48)),
    "more-channels": ("avg", 2, (1, 2, 1, 1), (1, 1, 1, 1)),
    "fewer-channels": ("avg", 2, (1, 1, 1, 1), (1, 2, 1, 1)),
    "larger-batch": ("avg", 2, (2, 1, 1, 1), (1, 1, 1, 1)),
    "fewer-channels-3d": ("avg", 3, (1, 1, 2, 2, 2), (1, 2, 4, 4, 4)),
    "rank": ("avg", 2, (2, 2), (1, 4, 4)),
}


@pytest.mark.parametrize(
    ("operation", "ndim", "shape", "input_shape"), BAD_GRADIENTS.values(), ids=BAD_GRADIENTS
)
def test_shapes_of_gradients(operation, ndim, shape, input_shape):
    g = np.ones(shape, np.float32)
    out = np.full(input_shape, 7, np.float32)
    with pytest.raises(ValueError, match="must agree except on the pooled axes"):
        function("avg", ndim, backward=True)(g, input_shape, out=out)
    with pytest.raises(ValueError, match="must agree except on the pooled axes"):
        function("max", ndim, backward=True)(g, np.zeros(shape, np.int64), input_shape, out=out)
    assert (out == 7).all()


def test_channels_must_agree_in_channels_last_too():
    """There the channels overrun the other way."""
    g = np.ones((1, 1, 1, 2), np.float32)
    with pytest.raises(ValueError, match=re.escape("agree except on the pooled axes (1, 2)")):
        ap.adaptive_avg_pool2d_backward(g, (1, 1, 1, 1), data_format="channels_last")


@pytest.mark.parametrize("shape", [(1, 4, 3, 1), (1, 4, 4), (4, 4, 4, 1)])
def test_indices_must_have_the_shape_of_the_gradient(shape):
    """As many elements are not enough."""
    g = np.ones((1, 4, 4, 4), np.float32)
    with pytest.raises(ValueError, match="indices must have the shape of grad_output"):
        ap.adaptive_max_pool2d_backward(g, np.zeros(shape, np.int64), (1, 4, 4, 4))


@pytest.mark.parametrize("index", [-2, 12, -(10**12), 2**63 - 1, -(2**63)])
@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_index_outside_the_plane(index, place, dtype, data_format):
    """Nothing is written, wherever the bad index stands."""
    shape, input_shape = ((2, 3, 2, 2), (2, 3, 3, 4))
    if data_format == "channels_last":
        shape, input_shape = (2, 2, 2, 3), (2, 3, 4, 3)
    indices = np.zeros(shape, np.int64)
    indices.flat[place] = index
    out = np.full(input_shape, 7, dtype)
    with pytest.raises(ValueError, match=f"indices must lie in 0:12 for .*, got {index}"):
        ap.adaptive_max_pool2d_backward(
            np.ones(shape, dtype), indices, input_shape, out=out, data_format=data_format
        )
    assert (out == 7).all()


@pytest.mark.parametrize(
    "dtype", ["int32", "int64", ">i4", ">i8", "uint8", "uint64", "float64", "bool", "int16"]
)
def test_dtypes_of_indices(dtype):
    """Foreign byte order is converted, as for every input."""
    indices = np.zeros((2, 2), dtype)
    indices[1, 1] = 1
    call = lambda: ap.adaptive_max_pool2d_backward(np.ones((2, 2)), indices, (1, 4))  # noqa: E731
    if np.dtype(dtype).newbyteorder("=").name in ("int32", "int64"):
        assert call().tolist() == [[3.0, 1.0, 0.0, 0.0]]
    else:
        with pytest.raises(TypeError, match="indices must have one of the dtypes int32, int64"):
            call()


@pytest.mark.parametrize("dtype", [d for d in DTYPES if "float" not in d])
def test_gradients_are_floats(dtype):
    g = np.ones((2, 2), dtype_of(dtype))
    with pytest.raises(TypeError, match="grad_output must have one of the dtypes float16"):
        ap.adaptive_avg_pool2d_backward(g, (4, 4))
    with pytest.raises(TypeError, match="grad_output must have one of the dtypes float16"):
        ap.adaptive_max_pool2d_backward(g, np.zeros((2, 2), int), (4, 4))


@pytest.mark.parametrize(
    ("shape", "error"),
    [(4, TypeError), ("44", TypeError), ((4, -1), ValueError), ((4, 4.0), TypeError),
     ((True, 4), TypeError), ((2**40, 2**40), ValueError), ((4,), ValueError), (None, TypeError)],
)  # fmt: skip
def test_input_shape(shape, error):
    with pytest.raises(error, match="input_shape|too large"):
        ap.adaptive_avg_pool2d_backward(np.ones((2, 2)), shape)
    with pytest.raises(error, match="input_shape|too large"):
        ap.adaptive_max_pool2d_backward(np.ones((2, 2)), np.zeros((2, 2), int), shape)


def test_gradient_of_a_pooled_axis_that_is_empty():
    with pytest.raises(ValueError, match="pooled axis"):
        ap.adaptive_avg_pool2d_backward(np.ones((1, 2, 2)), (1, 0, 4))
    with pytest.raises(ValueError, match="indices must lie in 0:0"):
        ap.adaptive_max_pool2d_backward(np.ones((1, 2, 2)), np.zeros((1, 2, 2), int), (1, 0, 4))


@pytest.mark.parametrize("size", [(2**31, 1), 2**20])
def test_no_memory(size):
    """A MemoryError in Python, the process alive, the next call right."""
    resource = pytest.importorskip("resource", reason="address space limits are a Unix thing")
    x = np.ones((1, 1, 2, 2), np.float32)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, limits[1]))
    try:
        with pytest.raises(MemoryError):
            ap.adaptive_avg_pool2d(x, size)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert ap.adaptive_avg_pool2d(x, 1).tolist() == [[[[1.0]]]]


def test_an_array_that_fails_to_convert():
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise OSError("the disk is gone")

    with pytest.raises(TypeError, match="adaptive_avg_pool2d: x is not an array: the disk is gone"):
        ap.adaptive_avg_pool2d(Broken(), 2)


def test_ragged_tables():
    with pytest.raises(ValueError, match="windows of pooled axis 0: starts is ragged"):
        ap.adaptive_avg_pool1d(zeros(4), None, windows=[([[0], [1, 2]], [1, 2])])


def test_empty_leading_axis_needs_no_table():
    assert ap.adaptive_max_pool1d(np.empty((0, 2**40), np.uint8), 2**30).shape == (0, 2**30)
    with pytest.raises(ValueError, match="leaves window 5 empty"):
        ap.adaptive_max_pool1d(np.empty((0, 10), np.uint8), 7, windows="ceil")


def test_tables_of_long_axes_are_not_kept():
    """None on a long axis is as long a table as its length."""
    tracemalloc.start()
    try:
        for size in range(100_000, 100_005):
            ap.adaptive_max_pool2d(np.broadcast_to(np.uint8(0), (size, 1)), (None, 1))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 16 * 100_000


class Pair(tuple):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((), True),
        ((0, 7, 2**63 - 1), True),
        ((0, 7, 2**63), False),
        ((0, 7, 2**80), False),
        ((3, None), False),
        ((3, -1), False),
        ((3, True), False),
        ((3, 1.0), False),
        ((3, np.int64(4)), False),
        (Pair((3, 4)), False),
        ([3, 4], False),
        (3, False),
    ],
    ids=str,
)
def test_only_tuples_of_plain_ints_are_taken_as_they_are(value, plain):
    assert are_sizes(value, False) == plain
    assert are_sizes(value, True) == (plain or value == (3, None))


def test_the_cache_tells_equal_sizes_of_other_types_apart():
    """True == 1 == 1.0, but only one of them is a size."""
    x = np.ones((3, 3), np.float32)
    for _ in range(2):
        assert ap.adaptive_avg_pool2d(x, (1, 1)).shape == (1, 1)
        for size in (True, (1, True), 1.0, (1, 1.0)):
            with pytest.raises(TypeError):
                ap.adaptive_avg_pool2d(x, size)
        gradient = np.ones((1, 1), np.float32)
        assert ap.adaptive_avg_pool2d_backward(gradient, (1, 1)).shape == (1, 1)
        with pytest.raises(TypeError):
            ap.adaptive_avg_pool2d_backward(gradient, (1, True))
