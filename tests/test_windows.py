"""Window rules against hand-written tables, Python's integers, and what they promise."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from cases import ALL_RULES

import adaptive_pool as ap


@pytest.mark.parametrize(
    ("size", "count", "rule", "starts", "ends"),
    [
        (5, 3, "torch", [0, 1, 3], [2, 4, 5]),
        (5, 3, "split", [0, 2, 4], [2, 4, 5]),
        (5, 3, "uniform", [0, 1, 2], [3, 4, 5]),
        (5, 3, "ceil", [0, 2, 4], [2, 4, 5]),
        (10, 3, "torch", [0, 3, 6], [4, 7, 10]),
        (10, 3, "split", [0, 4, 7], [4, 7, 10]),
        (10, 3, "uniform", [0, 3, 6], [4, 7, 10]),
        (10, 3, "ceil", [0, 4, 8], [4, 8, 10]),
        (10, 4, "torch", [0, 2, 5, 7], [3, 5, 8, 10]),
        (10, 4, "split", [0, 3, 6, 8], [3, 6, 8, 10]),
        (10, 4, "uniform", [0, 2, 4, 6], [4, 6, 8, 10]),
        (10, 4, "ceil", [0, 3, 6, 9], [3, 6, 9, 10]),
        (2, 4, "torch", [0, 0, 1, 1], [1, 1, 2, 2]),
        (3, 5, "torch", [0, 0, 1, 1, 2], [1, 2, 2, 3, 3]),
        (1, 1, "split", [0], [1]),
        (7, 1, "ceil", [0], [7]),
    ],
)
def test_hand_written(size, count, rule, starts, ends):
    got = ap.pool_windows(size, count, rule)
    assert [t.tolist() for t in got] == [starts, ends]
    assert [t.dtype for t in got] == [np.int64, np.int64]


@pytest.mark.parametrize("size", range(1, 41))
def test_torch_rule_is_the_formula(size):
    """From floor(i * I / O) to ceil((i + 1) * I / O), none empty, all of the axis covered."""
    for count in range(1, 81):
        starts, ends = ap.pool_windows(size, count)
        assert starts.tolist() == [floor(Fraction(i * size, count)) for i in range(count)]
        assert ends.tolist() == [ceil(Fraction((i + 1) * size, count)) for i in range(count)]
        assert (starts < ends).all()
        # The union is the whole axis.
        assert starts[0] == 0
        assert ends[-1] == size
        assert (starts[1:] <= ends[:-1]).all()


@pytest.mark.parametrize("size", range(1, 31))
def test_split_is_array_split(size):
    for count in range(1, size + 1):
        parts = np.array_split(np.arange(size), count)
        starts, ends = ap.pool_windows(size, count, "split")
        assert starts.tolist() == [part[0] for part in parts]
        assert ends.tolist() == [part[-1] + 1 for part in parts]


@pytest.mark.parametrize("size", range(1, 31))
def test_uniform_has_one_stride_and_one_kernel(size):
    for count in range(1, size + 1):
        starts, ends = ap.pool_windows(size, count, "uniform")
        stride = size // count
        assert starts.tolist() == [i * stride for i in range(count)]
        assert set((ends - starts).tolist()) == {size - (count - 1) * stride}
        assert ends[-1] == size


@pytest.mark.parametrize("size", range(1, 31))
def test_ceil_is_fixed_blocks(size):
    for count in range(1, size + 1):
        block = -(-size // count)
        if (count - 1) * block >= size:
            with pytest.raises(ValueError, match=f"leaves window {-(-size // block)} empty"):
                ap.pool_windows(size, count, "ceil")
            continue
        starts, ends = ap.pool_windows(size, count, "ceil")
        assert ((ends - starts)[:-1] == block).all()
        assert starts.tolist() == [i * block for i in range(count)]
        assert ends[-1] == size


@pytest.mark.parametrize("rule", ALL_RULES)
@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("factor", [1, 2, 5, 1000])
def test_rules_agree_where_sizes_divide(rule, count, factor):
    starts, ends = ap.pool_windows(count * factor, count, rule)
    assert starts.tolist() == [i * factor for i in range(count)]
    assert ends.tolist() == [(i + 1) * factor for i in range(count)]


@pytest.mark.parametrize(
    ("size", "count"),
    [
        (4091, 4105), (4093, 4103), (4095, 4101),  # float32 borders end past the array from here on
        (5877, 2855), (3697, 1), (5877, 2863), (4757, 3527), (560, 2219), (5873, 3527),
        (3693, 2219),
        (65536, 65535), (65537, 65537), (2**31 + 11, 1000), (2**62, 7), (2**62 - 57, 1013),
        (2**61 + 1, 100_003),
    ],
)  # fmt: skip
def test_large_sizes_are_exact(size, count):
    """Sizes up to 2**62, whose products do not fit 64 bits."""
    starts, ends = ap.pool_windows(size, count)
    picks = {0, 1, count // 3, count // 2, count - 2, count - 1} & set(range(count))
    for i in picks:
        assert int(starts[i]) == i * size // count
        assert int(ends[i]) == -(-(i + 1) * size // count)
    assert int(ends[-1]) == size


@pytest.mark.parametrize(
    ("size", "count", "rule", "first"),
    [
        (10, 7, "ceil", 5), (3, 5, "split", 3), (3, 5, "uniform", 3), (0, 2, "torch", 0),
        (0, 1, "split", 0), (5, 4, "ceil", 3),
    ],
)  # fmt: skip
def test_empty_window_is_named(size, count, rule, first):
    message = f"rule '{rule}' leaves window {first} empty for input size {size} and output size"
    with pytest.raises(ValueError, match=message):
        ap.pool_windows(size, count, rule)


@pytest.mark.parametrize("rule", ALL_RULES)
@pytest.mark.parametrize("size", [0, 1, 10])
def test_no_windows(rule, size):
    starts, ends = ap.pool_windows(size, 0, rule)
    assert starts.shape == ends.shape == (0,)


@pytest.mark.parametrize("value", [True, np.True_, 2.0, "3", None, [3]])
def test_sizes_must_be_integers(value):
    with pytest.raises(TypeError, match="must be an integer"):
        ap.pool_windows(value, 3)
    with pytest.raises(TypeError, match="must be an integer"):
        ap.pool_windows(3, value)


def test_bad_arguments():
    with pytest.raises(ValueError, match="input_size must not be negative, got -1"):
        ap.pool_windows(-1, 3)
    with pytest.raises(ValueError, match="output_size must not be negative, got -3"):
        ap.pool_windows(1, -3)
    with pytest.raises(ValueError, match="unknown window rule 'even'"):
        ap.pool_windows(4, 2, "even")
    with pytest.raises(ValueError, match="at most"):
        ap.pool_windows(2**62 + 1, 2)
    with pytest.raises(MemoryError):
        ap.pool_windows(2**62, 2**62)


@pytest.mark.parametrize("size", [2**62, 2**62 - 57, 3_000_018, 3_000_016, 11])
def test_long_tables_do_not_drift(size):
    """A table is walked from its start: what is left over is carried on, to the last window."""
    count = 3_000_017
    starts, ends = ap.pool_windows(size, count)
    for i in [*range(100), *range(count // 2, count // 2 + 100), *range(count - 100, count)]:
        assert int(starts[i]) == i * size // count
        assert int(ends[i]) == -(-(i + 1) * size // count)


@pytest.mark.parametrize("rule", ALL_RULES)
@pytest.mark.parametrize("size", [1, 2, 12, 97, 2**31 + 1, 2**53 + 3, 2**62 - 1, 2**62])
@pytest.mark.parametrize("count", [1, 2, 3, 11, 12, 13, 96, 1009])
def test_rules_are_their_formulas(size, count, rule):
    """The table of the docstring, in Python's integers."""
    quotient, rest = divmod(size, count)
    block = -(-size // count)
    start, end = {
        "torch": (lambda i: i * size // count, lambda i: -(-(i + 1) * size // count)),
        "split": (
            lambda i: i * quotient + min(i, rest),
            lambda i: i * quotient + min(i, rest) + quotient + (i < rest),
        ),
        "uniform": (
            lambda i: i * quotient,
            lambda i: i * quotient + size - (count - 1) * quotient,
        ),
        "ceil": (lambda i: min(i * block, size), lambda i: min((i + 1) * block, size)),
    }["torch" if rule == "area" else rule]
    empty = [i for i in range(count) if start(i) >= end(i)]
    if rule == "uniform" and count > size:  # all windows are the axis: none could differ
        empty = list(range(size, count))
    if empty:
        with pytest.raises(ValueError, match=f"rule '{rule}' leaves window {empty[0]} empty"):
            ap.pool_windows(size, count, rule)
        return
    starts, ends = ap.pool_windows(size, count, rule)
    assert starts.tolist() == [start(i) for i in range(count)]
    assert ends.tolist() == [end(i) for i in range(count)]


@pytest.mark.parametrize("size", [2**31 + 1, 2**61 + 7])
@pytest.mark.parametrize("count", [2**31 + 3, 2**62, 2**63 - 1])
@pytest.mark.parametrize("rule", ["split", "uniform", "ceil"])
def test_empty_windows_of_huge_counts(size, count, rule):
    """Found without a table, and without an overflow."""
    block = -(-size // count)
    first = -(-size // block) if rule == "ceil" else size
    if first >= count:
        pytest.skip("none is empty")
    with pytest.raises(ValueError, match=f"leaves window {first} empty"):
        ap.pool_windows(size, count, rule)


@pytest.mark.parametrize(
    ("size", "block", "options", "starts", "ends"),
    [
        (7, 3, {}, [0, 3, 6], [3, 6, 7]),
        (7, 3, {"boundary": "trim"}, [0, 3], [3, 6]),
        (7, 3, {"offset": 2}, [2, 5], [5, 7]),
        (7, 3, {"offset": 2, "boundary": "trim"}, [2], [5]),
        (6, 3, {}, [0, 3], [3, 6]),
        (6, 3, {"boundary": "trim"}, [0, 3], [3, 6]),
        (2, 5, {}, [0], [2]),
        (2, 5, {"boundary": "trim"}, [], []),
        (2, 2**62, {"offset": 1}, [1], [2]),
        (2, 2**63 - 1, {}, [0], [2]),
        (7, 3, {"offset": 7}, [], []),
        (0, 3, {}, [], []),
        (0, 3, {"boundary": "trim"}, [], []),
        (51, 10, {}, [0, 10, 20, 30, 40, 50], [10, 20, 30, 40, 50, 51]),
        (2**62, 2**61 + 1, {}, [0, 2**61 + 1], [2**61 + 1, 2**62]),
        (2**62, 2**62 - 1, {"offset": 3}, [3], [2**62]),
    ],
)
def test_blocks(size, block, options, starts, ends):
    got = ap.block_windows(size, block, **options)
    assert [t.tolist() for t in got] == [starts, ends]
    assert [t.dtype for t in got] == [np.int64, np.int64]


@pytest.mark.parametrize("block", range(1, 14))
def test_blocks_are_those_of_arange(block):
    for size in range(1, 40):
        for offset in range(size + 1):
            starts, ends = ap.block_windows(size, block, offset=offset)
            assert starts.tolist() == list(range(offset, size, block))
            assert ends.tolist() == [min(start + block, size) for start in starts]
            trimmed = ap.block_windows(size, block, offset=offset, boundary="trim")
            whole = ends - starts == block
            assert [t.tolist() for t in trimmed] == [starts[whole].tolist(), ends[whole].tolist()]


@pytest.mark.parametrize("boundary", ["short", "trim"])
def test_an_offset_leaves_out_what_is_before_it(boundary):
    x = np.arange(23.0)
    for offset in range(23):
        windows = ap.block_windows(23, 4, boundary=boundary, offset=offset)
        rest = ap.block_windows(23 - offset, 4, boundary=boundary)
        assert (
            ap.adaptive_avg_pool1d(x, None, windows=[windows]).tolist()
            == ap.adaptive_avg_pool1d(x[offset:], None, windows=[rest]).tolist()
        )


@pytest.mark.parametrize("height", [1, 6, 7, 51])
@pytest.mark.parametrize("block", [(1, 1), (2, 3), (10, 4), (60, 60)])
def test_blocks_of_scikit_image(rng, height, block):
    """Where a block is short scikit-image counts zeros in: its sums are ours, and its maxima."""
    measure = pytest.importorskip("skimage.measure", reason="the other opinion on blocks")
    x = rng.integers(1, 100, (height, 13)).astype(np.float64)
    windows = [ap.block_windows(n, b) for n, b in zip(x.shape, block, strict=True)]
    lengths = [ends - starts for starts, ends in windows]
    y = ap.adaptive_avg_pool2d(x, None, windows=windows)
    sums = measure.block_reduce(x, block, np.sum)
    np.testing.assert_allclose(y * np.multiply.outer(*lengths), sums, rtol=2**-51)
    np.testing.assert_array_equal(
        ap.adaptive_max_pool2d(x, None, windows=windows), measure.block_reduce(x, block, np.max)
    )


def test_ceil_cuts_by_the_number_of_blocks():
    """So its blocks have not the length that gave their number."""
    lengths = np.diff(ap.pool_windows(51, -(-51 // 10), "ceil"), axis=0)
    assert lengths.tolist() == [[9, 9, 9, 9, 9, 6]]


def test_blocks_take_gradients():
    windows = [ap.block_windows(5, 3), ap.block_windows(4, 3, boundary="trim")]
    g = ap.adaptive_avg_pool2d_backward(np.ones((2, 1)), (5, 4), windows=windows)
    np.testing.assert_allclose(g[:, :3], np.repeat([1 / 9, 1 / 6], [3, 2])[:, None] * np.ones(3))
    assert not g[:, 3].any()


@pytest.mark.parametrize("value", [True, np.True_, 2.0, "3", None, [3]])
@pytest.mark.parametrize("name", ["size", "block", "offset"])
def test_lengths_of_blocks_must_be_integers(name, value):
    arguments = {"size": 5, "block": 2, "offset": 0, name: value}
    with pytest.raises(TypeError, match=f"^block_windows: {name} must be an integer"):
        ap.block_windows(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": -1}, "size must not be negative, got -1"),
        ({"size": 2**62 + 1}, "size must be at most 2\\*\\*62"),
        ({"block": 0}, "block must be at least 1, got 0"),
        ({"block": -2}, "block must not be negative, got -2"),
        ({"offset": -1}, "offset must not be negative, got -1"),
        ({"offset": 6}, "offset must be at most size, got 6 for size 5"),
        ({"boundary": "pad"}, "boundary must be 'short' or 'trim', got 'pad'"),
        ({"boundary": None}, "boundary must be 'short' or 'trim', got None"),
        ({"boundary": ["trim"]}, "boundary must be 'short' or 'trim'"),
    ],
)
def test_bad_blocks(arguments, message):
    with pytest.raises(ValueError, match=f"^block_windows: {message}"):
        ap.block_windows(**{"size": 5, "block": 2, **arguments})


def test_more_blocks_than_memory():
    with pytest.raises(MemoryError, match="block_windows: no memory for the table"):
        ap.block_windows(2**62, 1)
