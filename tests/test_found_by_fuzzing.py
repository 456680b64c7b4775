"""Calls that failed once, as literals: `python stress/fuzz.py` prints them in this form."""

import numpy as np
import pytest
from arrays import Data, Memory
from call import Call
from judge import check

import adaptive_pool as ap

FOUND = {
    # A tile of more lines than strips have room for: memory beyond the scratch was written to.
    "max-of-many-strided-planes-to-one-number": Call(
        operation="max",
        ndim=2,
        x=Data((4, 33, 2, 3), memory=Memory(order=(0, 2, 3, 1), steps=(1, 2, 1, 1))),
        output_size=(1, 1),
        index_dtype="int64",
    ),
    # The last line of a plane ran over the first columns of the next.
    "average-backward-in-batches-of-planes": Call(
        operation="avg",
        ndim=2,
        x=Data((2, 3, 11, 130)),
        pooled_from=(5, 130),
    ),
    # Of columns that run backwards only the last was looked at.
    "max-of-reversed-columns": Call(
        operation="max",
        ndim=2,
        x=Data((20, 14, 64), "uint8", memory=Memory(steps=(-1, -2, 1))),
        output_size=(41, 7),
        data_format="channels_last",
    ),
    "max-of-reversed-columns-with-indices": Call(
        operation="max",
        ndim=1,
        x=Data((14, 64), "float32", "infinities", memory=Memory(steps=(-1, 1))),
        output_size=(3,),
        data_format="channels_last",
        index_dtype="int64",
    ),
    # Lines that are all alike were merged into one, of which only the first part was added to.
    "average-backward-of-unsorted-depths-over-merged-lines": Call(
        operation="avg",
        ndim=3,
        x=Data((3, 2, 1, 7), "float32"),
        windows=(((2, 0, 1), (5, 3, 5)), ((0, 0), (2, 2)), ((0,), (1,))),
        data_format="channels_last",
        pooled_from=(5, 2, 1),
    ),
    # Columns that run backwards were taken for a run: each overwrote the one before.
    "average-backward-into-reversed-columns": Call(
        operation="avg",
        ndim=1,
        x=Data((14, 11, 8), "float16"),
        data_format="channels_last",
        pooled_from=(33,),
        out=(Memory(steps=(1, -1, 1)),),
    ),
    # None of the gradients was added: a run of indices with a step of 0 ended where it began.
    "max-backward-by-one-index-for-all": Call(
        operation="max",
        ndim=2,
        x=Data((2, 65), "float64", "ties", 1913034006),
        pooled_from=(3, 65),
        positions=Data((2, 65), "int64", seed=2584294439, broadcast=(0, 1)),
    ),
    "max-backward-by-one-index-for-some-axes": Call(
        operation="max",
        ndim=3,
        x=Data((7, 2, 1, 2, 7, 4, 6), "bfloat16", "infinities", 3302944171),
        data_format="channels_last",
        pooled_from=(5, 14, 7),
        positions=Data((7, 2, 1, 2, 7, 4, 6), "int64", seed=2392086271, broadcast=(2, 4, 5)),
        num_threads=3,
    ),
    # Errors of the caller's own objects came through as they were, without the function's name.
    "num_threads-that-raises": Call(
        operation="avg",
        ndim=1,
        x=Data((7,), "float16"),
        pooled_from=(65,),
        num_threads=2,
        fault="num_threads",
        seed=330381900,
    ),
    "output_size-that-raises": Call(
        operation="avg",
        ndim=2,
        x=Data((2, 1, 20), "uint64", "ties"),
        output_size=(1, 2),
        fault="sizes_that_are_none",
        seed=383685008,
    ),
    # The oracle was wrong: ml_dtypes rounded the exact mean twice on its way to bfloat16.
    "average-of-int64-as-bfloat16": Call(
        operation="avg",
        ndim=1,
        x=Data((32, 63, 26), "int64", "infinities", 3433995516, broadcast=(0,)),
        output_size=(63,),
        data_format="channels_last",
        dtype="bfloat16",
    ),
}


@pytest.mark.parametrize("call", FOUND.values(), ids=FOUND)
def test_once_failed(call):
    if "bfloat16" in (call.x.dtype, call.dtype):
        pytest.importorskip("ml_dtypes", reason="bfloat16 arrays need it")
    check(call)


@pytest.mark.parametrize("pair", [((False,), (True,)), ((0.0,), (1.0,))], ids=["bool", "float"])
def test_tables_that_equal_others(pair):
    """Tuples of 0 and 1 that had been seen before let those of False and True pass."""
    x = np.arange(4.0)
    assert ap.adaptive_avg_pool1d(x, None, windows=(((0,), (1,)),)).tolist() == [0]
    with pytest.raises(TypeError, match="starts must be integers"):
        ap.adaptive_avg_pool1d(x, None, windows=(pair,))


class Raises:
    def __index__(self):
        raise RuntimeError("no index today")

    def __array__(self, dtype=None, copy=None):
        raise OSError("the disk is gone")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output_size": Raises()}, "output_size is not an integer: no index today"),
        ({"output_size": 2, "num_threads": Raises()}, "num_threads is not an integer: no index"),
        (
            {"output_size": None, "windows": [(Raises(), [1])]},
            "windows of pooled axis 0: starts is not an array: the disk is gone",
        ),
    ],
    ids=["output_size", "num_threads", "windows"],
)
def test_arguments_that_raise(options, message):
    with pytest.raises(TypeError, match=f"adaptive_avg_pool1d: {message}"):
        ap.adaptive_avg_pool1d(np.ones(4), **options)
