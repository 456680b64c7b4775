"""The oracle against tables written by hand: who checks the checker."""

import numpy as np
import pytest

from adaptive_pool import _reference

X = np.array([[1.0, 5.0, 2.0], [7.0, 0.0, 7.0]])
WHOLE = [(np.array([0]), np.array([2])), (np.array([0]), np.array([3]))]
HALVES = [(np.array([0, 1]), np.array([1, 2])), (np.array([0, 1]), np.array([2, 3]))]


def test_average():
    assert _reference.average(X, WHOLE, X.dtype).tolist() == [[22 / 6]]
    assert _reference.average(X, HALVES, X.dtype).tolist() == [[3.0, 3.5], [3.5, 3.5]]


def test_average_of_integers_is_exact():
    x = np.array([2**63 - 1, 2**63 - 1, 2**63 - 3], np.int64)
    whole = [(np.array([0]), np.array([3]))]
    # The mean is 2**63 - 5/3.
    assert _reference.average(x, whole, np.dtype(np.int64)).tolist() == [2**63 - 2]
    assert _reference.average(x, whole, np.dtype(np.float64)).tolist() == [2.0**63]


@pytest.mark.parametrize(
    ("values", "mean"),
    [([1, 2], 2), ([2, 3], 2), ([-1, -2], -2), ([-2, -3], -2), ([0, 1], 0), ([1, 1, 2], 1)],
)
def test_integers_round_half_to_even(values, mean):
    whole = [(np.array([0]), np.array([len(values)]))]
    assert _reference.average(np.array(values, np.int8), whole, np.dtype(np.int8)).tolist() == [
        mean
    ]


def test_average_does_not_overflow():
    x = np.full(4, np.finfo(np.float64).max)
    assert _reference.average(x, [(np.array([0]), np.array([4]))], x.dtype).tolist() == [x[0]]


THIRDS = [np.array([[3, 2, 0], [1, 3, 1], [2, 3, 0]])]  # of five elements, in three windows
OF_FIVE = [(np.array([0, 1, 3]), np.array([2, 4, 5]))]


def test_average_by_weight():
    x = np.array([1, 2, 4, 8, 16])
    for dtype in (np.int64, np.float64):
        y = _reference.average(x.astype(dtype), OF_FIVE, np.dtype(np.float64), THIRDS)
        assert y.tolist() == [7 / 5, 22 / 5, 64 / 5]
    assert _reference.average(x, OF_FIVE, x.dtype, THIRDS).tolist() == [1, 4, 13]
    lines = [HALVES[1], *OF_FIVE]
    y = _reference.average(
        np.array([x, 3 * x, 0 * x]), lines, x.dtype, [np.array([[1, 2]] * 2), *THIRDS]
    )
    assert y.tolist() == [[3, 10, 30], [1, 4, 13]]  # 7/3 and 1 times as much


def test_gradient_by_weight():
    g = np.array([5.0, 10.0, 20.0])
    expected = [3.0, 2.0 + 2.0, 6.0, 2.0 + 8.0, 12.0]
    assert _reference.average_backward(g, (5,), OF_FIVE, THIRDS).tolist() == expected
    g = np.array([g, 3 * g])
    lines = [(np.array([0, 0]), np.array([1, 2])), *OF_FIVE]
    result = _reference.average_backward(g, (2, 5), lines, [np.array([[3, 0], [1, 2]]), *THIRDS])
    # A share, its weight and a sum are rounded once each, by 2**-53.
    np.testing.assert_allclose(result, np.outer([2, 2], expected), rtol=3 * 2.0**-53)


def test_maximum():
    y, indices = _reference.maximum(X, WHOLE)
    assert (y.tolist(), indices.tolist()) == ([[7.0]], [[3]])
    y, indices = _reference.maximum(X, HALVES)
    assert (y.tolist(), indices.tolist()) == ([[5.0, 5.0], [7.0, 7.0]], [[1, 1], [3, 5]])


def test_maximum_takes_the_last_nan():
    y, indices = _reference.maximum(
        np.array([np.nan, 3.0, np.nan, 4.0]), [(np.array([0, 3]), np.array([4, 4]))]
    )
    assert np.isnan(y[0])
    assert y[1] == 4.0
    assert indices.tolist() == [2, 3]


def test_maximum_of_nothing_but_minus_infinity():
    y, indices = _reference.maximum(np.full(3, -np.inf), [(np.array([1]), np.array([3]))])
    assert (y.tolist(), indices.tolist()) == ([-np.inf], [1])


def test_average_backward():
    g = np.array([[6.0, 2.0], [2.0, 2.0]])
    expected = [[3.0, 4.0, 1.0], [1.0, 2.0, 1.0]]
    assert _reference.average_backward(g, (2, 3), HALVES).tolist() == expected


def test_maximum_backward():
    g = np.array([[1.0, 2.0], [3.0, 4.0]])
    indices = np.array([[1, 1], [3, 5]])
    expected = [[0.0, 3.0, 0.0], [3.0, 0.0, 4.0]]
    assert _reference.maximum_backward(g, indices, (2, 3)).tolist() == expected
