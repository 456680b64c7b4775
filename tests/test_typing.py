"""What type checkers make of calls: `mypy` reads this file, and pytest runs it.

Arrays have the dtype Any: which one, the values of arguments decide.
"""

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt
import pytest

import adaptive_pool as ap

Array = npt.NDArray[Any]
X = np.ones((1, 3, 4, 4), np.float32)


def test_averages() -> None:
    assert_type(ap.adaptive_avg_pool2d(X, 2), Array)
    assert_type(ap.adaptive_avg_pool2d(X, (2, None), dtype="float64"), Array)
    assert_type(ap.adaptive_avg_pool1d([1, 2, 3], 2), Array)
    assert_type(ap.adaptive_avg_pool2d_backward(X, X.shape), Array)


def test_maxima() -> None:
    assert_type(ap.adaptive_max_pool2d(X, 2), Array)
    assert_type(ap.adaptive_max_pool2d(X, 2, return_indices=False), Array)
    pair = ap.adaptive_max_pool2d(X, 2, return_indices=True, index_dtype=np.int32)
    assert_type(pair, tuple[Array, Array])
    assert_type(ap.adaptive_max_pool2d_backward(*pair, X.shape), Array)


@pytest.mark.parametrize("asked", [False, True])
def test_maxima_with_indices_or_without(asked: bool) -> None:
    pooled = ap.adaptive_max_pool2d(X, 2, return_indices=asked)
    assert_type(pooled, Array | tuple[Array, Array])
    assert isinstance(pooled, tuple) == asked


def test_layers() -> None:
    assert_type(ap.AdaptiveAvgPool2d(2)(X), Array)
    assert_type(ap.AdaptiveMaxPool2d(2)(X), Any)  # an array or a pair: it depends on the layer
    assert_type(ap.AdaptiveAvgPool2d(2, dtype=np.float64, num_threads=1)(X, out=None), Array)
    y, pullback = ap.AdaptiveMaxPool2d(2, return_indices=True).vjp(X)
    assert_type(y, Array)
    assert_type(pullback(y), Array)


def test_layers_with_options() -> None:
    mean = ap.AdaptiveAvgPool2d(2)
    assert_type(mean(X, lengths=[4], min_count=2, empty=0.0), Array)
    assert_type(mean(X, where=X > 0, return_counts=True), tuple[Array, Array])
    assert_type(ap.AdaptiveMaxPool2d(2)(X, nodata=1, nan_policy="omit", return_counts=True), Any)
    y, pullback = mean.vjp(X, regions=[[0, 0, 2, 0, 2]])
    assert_type(y, Array)
    y, counts, pullback = ap.AdaptiveMaxPool2d(2).vjp(X, return_counts=True)
    assert_type(counts, Array)
    assert_type(pullback(y), Array)


@pytest.mark.parametrize("asked", [False, True])
def test_layers_with_counts_or_without(asked: bool) -> None:
    pooled = ap.AdaptiveAvgPool2d(2)(X, return_counts=asked)
    assert_type(pooled, Array | tuple[Array, Array])
    assert isinstance(pooled, tuple) == asked
    assert len(ap.AdaptiveAvgPool2d(2).vjp(X, return_counts=asked)) == 2 + asked


def test_windows_and_settings() -> None:
    table = ap.pool_windows(10, 3, "split")
    assert_type(table, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]])
    assert_type(ap.adaptive_avg_pool2d(X, None, windows=[([0], [2]), ([0, 2], [2, 4])]), Array)
    blocks = ap.block_windows(4, 3, boundary="trim", offset=1)
    assert_type(blocks, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]])
    assert_type(ap.adaptive_avg_pool2d(X, None, windows=[blocks, blocks]), Array)
    assert_type(ap.adaptive_avg_pool2d(X, None, windows=np.stack([blocks, blocks])), Array)
    assert_type(ap.get_num_threads(), int)
    with ap.num_threads(1) as nothing:
        assert_type(nothing, None)
    assert_type(ap.config(), dict[str, Any])
