"""Window rules against hand-written tables, Python's integers, and what they promise."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from cases import RULES

import adaptive_pool as ap
from adaptive_pool import _windows


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


@pytest.mark.parametrize("rule", RULES)
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


@pytest.mark.parametrize("rule", RULES)
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


def test_the_longest_table_does_not_overflow():
    """The last windows of as many as are allowed, computed without the table."""
    count = _windows._LONGEST_TABLE - 1
    i = np.array([0, count // 2, count - 1], np.int64)
    for size in (count - 1, count + 1, 2 * count - 1, 2**62):
        starts, ends = _windows.RULES["torch"](i, size, count)
        assert starts.tolist() == [k * size // count for k in i.tolist()]
        assert ends.tolist() == [-(-(k + 1) * size // count) for k in i.tolist()]
