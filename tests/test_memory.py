"""Where arrays lie: strides, alignment, byte order, overlap."""

import sys

import numpy as np
import pytest
from cases import DTYPES, FLOATS, dtype_of, random_array
from oracle import function

import adaptive_pool as ap


def bits(x):
    return np.ascontiguousarray(x).tobytes()


def everything(x, counts, data_format="channels_first", out_like=None):
    """All results for `x`: average, max, indices, and both gradients with `x` as gradient."""
    ndim = len(counts)
    options = {"data_format": data_format}
    values, indices = function("max", ndim)(x, counts, return_indices=True, **options)
    results = [
        function("avg", ndim)(x, counts, **options),
        values,
        indices,
        function("max", ndim)(x, counts, **options),
    ]
    if x.dtype.name in FLOATS:
        first = x.ndim - ndim - (data_format == "channels_last")
        shape = list(x.shape)
        for k in range(ndim):
            shape[first + k] = 2 * x.shape[first + k] + 1
        results.append(function("avg", ndim, backward=True)(x, shape, **options))
        positions = np.arange(x.size).reshape(x.shape) % 5
        results.append(function("max", ndim, backward=True)(x, positions, shape, **options))
    return results


VIEWS = {
    "every-second": lambda x: x[::2, ::2, ::2, ::2],
    "last-axis-reversed": lambda x: x[..., ::-1],
    "all-reversed": lambda x: x[::-1, ::-1, ::-1, ::-1],
    "transposed": lambda x: x.T,
    "rows-and-columns-swapped": lambda x: x.transpose(0, 1, 3, 2),
    "channels-moved": lambda x: np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1),
    "channels-moved-back": lambda x: np.moveaxis(
        np.ascontiguousarray(np.moveaxis(x, -1, 1)), 1, -1
    ),
    "crop": lambda x: x[1:3, 1:5, 3:11, 2:9],
    "broadcast-planes": lambda x: np.broadcast_to(x[:1, :1], x.shape),
    "broadcast-columns": lambda x: np.broadcast_to(x[..., :1], x.shape),
    "fortran": np.asfortranarray,
    "some-channels": lambda x: x[:, :4],
    "one-channel": lambda x: x[:, 2:3],
    "one-column": lambda x: x[..., 5:6],
    "one-row": lambda x: x[:, :, 5:6],
    "odd-strides-of-size-1": lambda x: np.lib.stride_tricks.as_strided(
        x, (1, *x.shape[1:]), (12345, *x.strides[1:])
    ),
    "overlapping-windows": lambda x: np.lib.stride_tricks.sliding_window_view(x[0, 0], (5, 7)),
}


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_strides(rng, view, dtype, data_format):
    """Equal, to the bit, to the results for a contiguous copy; the input stays as it was."""
    x = random_array(rng, (4, 6, 12, 14), dtype)
    strided = view(x)
    before = x.copy()
    for counts in ((1, 1), (3, 2), (5, 16)):
        actual = everything(strided, counts, data_format)
        expected = everything(strided.copy(order="C"), counts, data_format)
        assert [bits(a) for a in actual] == [bits(e) for e in expected]
    assert bits(x) == bits(before)


def test_many_leading_axes_that_do_not_merge(rng):
    x = random_array(rng, (4, 4, 4, 4, 5, 6), "float32")[::2, ::-2, 1::2, ::3]
    actual = everything(x, (2, 2))
    assert [bits(a) for a in actual] == [bits(e) for e in everything(x.copy(), (2, 2))]


def test_wide_lanes_in_a_view(rng, data_format):
    """More lanes than a block, and steps between them that are not those of the array."""
    x = random_array(rng, (2, 3, 40, 300), "float32")[:, :, :, 7:290]
    actual = everything(x, (2, 3), data_format)
    assert [bits(a) for a in actual] == [bits(e) for e in everything(x.copy(), (2, 3), data_format)]


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d not in ("bool", "int8", "uint8")])
def test_misaligned(rng, dtype, data_format):
    x = random_array(rng, (2, 3, 9, 10), dtype)
    raw = np.empty(x.nbytes + 1, np.uint8)
    moved = raw[1:].view(x.dtype).reshape(x.shape)
    moved[...] = x
    assert not moved.flags.aligned
    for counts in ((1, 1), (2, 3)):
        actual = everything(moved, counts, data_format)
        expected = everything(x, counts, data_format)
        assert [bits(a) for a in actual] == [bits(e) for e in expected]


@pytest.mark.parametrize("field", ["f4", "f8", "i2", "u8"])
def test_field_of_a_packed_record(rng, field):
    """Steps that are no multiple of the element."""
    records = np.zeros((3, 7, 8), np.dtype([("a", "u1"), ("b", field)]))
    records["b"] = random_array(rng, records.shape, field)
    actual = everything(records["b"], (2, 3))
    assert [bits(a) for a in actual] == [bits(e) for e in everything(records["b"].copy(), (2, 3))]


@pytest.mark.parametrize(
    "dtype", [d for d in DTYPES if d not in ("bool", "int8", "uint8", "bfloat16")]
)
def test_foreign_byte_order(rng, dtype):
    """Converted, never read as it is; the result is in the machine's order."""
    x = random_array(rng, (2, 3, 9, 10), dtype)
    swapped = x.astype(x.dtype.newbyteorder())
    actual = everything(swapped, (2, 3))
    assert [bits(a) for a in actual] == [bits(e) for e in everything(x, (2, 3))]
    assert all(a.dtype.isnative for a in actual)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_read_only_and_memory_mapped(rng, tmp_path, dtype):
    """An input that cannot be written is only read."""
    x = random_array(rng, (2, 3, 9, 10), dtype)
    expected = [bits(e) for e in everything(x, (2, 3))]
    frozen = x.copy()
    frozen.flags.writeable = False
    assert [bits(a) for a in everything(frozen, (2, 3))] == expected
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert [bits(a) for a in everything(mapped, (2, 3))] == expected


def test_same_looking_arrays_in_both_layouts():
    """One row and one column, or one channel: the layout comes from the argument alone."""
    x = np.arange(5.0).reshape(1, 5, 1, 1)
    assert ap.adaptive_avg_pool2d(x, 1).shape == (1, 5, 1, 1)
    assert ap.adaptive_avg_pool2d(x, 1, data_format="channels_last").tolist() == [[[[2.0]]]]


OUTS = {
    "contiguous": np.empty,
    "fortran": lambda shape, dtype: np.empty(shape, dtype, order="F"),
    "reversed": lambda shape, dtype: np.empty(shape, dtype)[..., ::-1],
    "every-second": lambda shape, dtype: np.empty([2 * n for n in shape], dtype)[
        ::2, ::2, ::2, ::2
    ],
    "crop": lambda shape, dtype: np.empty([n + 2 for n in shape], dtype)[1:-1, 1:-1, 1:-1, 1:-1],
    "misaligned": lambda shape, dtype: (
        np.empty(np.prod(shape) * dtype.itemsize + 1, np.uint8)[1:].view(dtype).reshape(shape)
    ),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("make", OUTS.values(), ids=OUTS)
def test_out(rng, make, dtype, data_format):
    """Any strides; what is returned is `out` itself; nothing between its elements is touched."""
    x = random_array(rng, (2, 3, 9, 10), dtype)
    options = {"data_format": data_format}
    counts = (2, 3)

    def check(call, expected):
        out = make(expected.shape, expected.dtype)
        base = out
        while base.base is not None:
            base = base.base
        base.ravel(order="K").view(np.uint8)[...] = 0xA5
        frame = base.copy()
        assert call(out) is out
        assert bits(out) == bits(expected)
        # With its own elements set back, the memory around `out` is as it was.
        out[...] = np.full(out.itemsize, 0xA5, np.uint8).view(out.dtype)[0]
        assert base.tobytes() == frame.tobytes()

    y = ap.adaptive_avg_pool2d(x, counts, **options)
    check(lambda out: ap.adaptive_avg_pool2d(x, counts, out=out, **options), y)
    values, indices = ap.adaptive_max_pool2d(x, counts, return_indices=True, **options)
    check(lambda out: ap.adaptive_max_pool2d(x, counts, out=out, **options), values)
    other = make(values.shape, values.dtype)
    check(
        lambda out: ap.adaptive_max_pool2d(
            x, counts, return_indices=True, out=(other, out), **options
        )[1],
        indices,
    )
    assert bits(other) == bits(values)
    g = ap.adaptive_avg_pool2d_backward(y, x.shape, **options)
    check(lambda out: ap.adaptive_avg_pool2d_backward(y, x.shape, out=out, **options), g)
    g = ap.adaptive_max_pool2d_backward(y, indices, x.shape, **options)
    check(lambda out: ap.adaptive_max_pool2d_backward(y, indices, x.shape, out=out, **options), g)


def test_out_of_the_average_takes_its_dtype():
    x = np.arange(16, dtype=np.uint8).reshape(4, 4)
    out = np.empty((2, 2), np.uint8)
    assert ap.adaptive_avg_pool2d(x, 2, dtype=np.uint8, out=out) is out
    assert out.tolist() == [[2, 4], [10, 12]]


@pytest.mark.parametrize("shift", [0, 1, 5, 40])
def test_out_overlaps_an_input(rng, shift):
    """The result is right all the same."""
    memory = random_array(rng, (400,), "float64")
    pristine = memory.copy()

    def fresh():
        memory[...] = pristine
        return memory[:144].reshape(1, 12, 12)

    out = memory[shift : shift + 36].reshape(1, 6, 6)
    x = fresh().copy()
    assert bits(ap.adaptive_avg_pool2d(fresh(), 6, out=out)) == bits(ap.adaptive_avg_pool2d(x, 6))
    assert bits(ap.adaptive_max_pool2d(fresh(), 6, out=out)) == bits(ap.adaptive_max_pool2d(x, 6))
    g = memory[200:236].reshape(1, 6, 6)
    wide = memory[200 - shift : 344 - shift].reshape(1, 12, 12)
    fresh()
    expected = ap.adaptive_avg_pool2d_backward(g.copy(), (1, 12, 12))
    assert bits(ap.adaptive_avg_pool2d_backward(g, (1, 12, 12), out=wide)) == bits(expected)
    fresh()
    indices = np.arange(36).reshape(1, 6, 6)
    expected = ap.adaptive_max_pool2d_backward(g.copy(), indices, (1, 12, 12))
    assert bits(ap.adaptive_max_pool2d_backward(g, indices, (1, 12, 12), out=wide)) == bits(
        expected
    )


@pytest.mark.parametrize("shift", [0, 1, 35])
def test_the_two_outs_overlap(rng, shift):
    x = random_array(rng, (12, 12), "int64")
    memory = np.full(72, 7, np.int64)
    outs = memory[:36].reshape(6, 6), memory[shift : 36 + shift].reshape(6, 6)
    with pytest.raises(ValueError, match="must not share memory"):
        ap.adaptive_max_pool2d(x, 6, return_indices=True, out=outs)
    assert (memory == 7).all()


def test_the_two_outs_interleave(rng):
    """Fields of one record array are next to each other and do not overlap."""
    x = random_array(rng, (12, 12), "float32")
    records = np.zeros((6, 6), [("value", "f4"), ("where", "i4")])
    outs = records["value"], records["where"]
    got = ap.adaptive_max_pool2d(x, 6, return_indices=True, index_dtype=np.int32, out=outs)
    assert got is outs
    values, indices = ap.adaptive_max_pool2d(x, 6, return_indices=True)
    assert (bits(records["value"]), records["where"].tolist()) == (bits(values), indices.tolist())


def test_out_with_interleaved_axes():
    """Steps of 8 and 12 bytes: no two elements meet."""
    memory = np.zeros(100, np.float32)
    out = np.lib.stride_tricks.as_strided(memory, (3, 2), (8, 12))
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert ap.adaptive_avg_pool2d(x, None, out=out) is out
    assert out.tolist() == x.tolist()


def test_bfloat16_without_ml_dtypes(tmp_path):
    """The library knows bfloat16 by its name and imports nothing for it."""
    import subprocess

    code = (
        "import sys, adaptive_pool; print([m for m in ('ml_dtypes', 'torch') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
    assert dtype_of("bfloat16").name == "bfloat16"
