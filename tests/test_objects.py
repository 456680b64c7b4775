"""Objects whose own code fails, lies or goes on without end, in every place of every call."""

import re
from unittest.mock import MagicMock

import numpy as np
import pytest
from processes import python
from test_hostile_input import Index

import adaptive_pool as ap


def failing(*_, **__):
    raise RuntimeError("the caller's own code")


class Uncooperative:
    """Fails whatever it is asked."""

    __class__ = property(failing)
    __getattr__ = __repr__ = __str__ = __hash__ = __eq__ = __bool__ = __len__ = __iter__ = failing
    __index__ = __array__ = failing


class Reluctant(Exception):
    """An error that does not even say what it is."""

    __str__ = __repr__ = failing


class Word(str):
    """A string that is compared and written by its own rules."""

    __hash__ = __eq__ = __repr__ = __str__ = __format__ = failing


class Pair(tuple):
    """A tuple that cannot be asked for what it holds."""

    __iter__ = __len__ = __getitem__ = __hash__ = failing


def reluctant():
    raise Reluctant


UNCOOPERATIVE = {
    "object": Uncooperative(),
    "index": Index(2, reluctant),
    "string": Word("torch"),
    "layout": Word("channels_firs"),
    "tuple": Pair((2, 2)),
    "mock": MagicMock(spec=np.ndarray),
    "class": type("Mock", (), {"__class__": np.ndarray})(),
    "strings": np.array(["a"], np.dtypes.StringDType(na_object=[])),
    "time": np.timedelta64(2, "s"),
}
PLACES = {
    "x": lambda o: ap.adaptive_avg_pool2d(o, 2),
    "output_size": lambda o: ap.adaptive_avg_pool2d(np.ones((4, 4)), o, num_threads=0),
    "entry": lambda o: ap.adaptive_max_pool2d(np.ones((4, 4)), (o, -1)),
    "data_format": lambda o: ap.adaptive_avg_pool2d(np.ones((4, 4)), 2, data_format=o),
    "windows": lambda o: ap.adaptive_avg_pool2d(np.ones((4, 4)), 2, windows=o, num_threads=0),
    "a-pair": lambda o: ap.adaptive_avg_pool2d(np.ones((4, 4)), None, windows=(o, o)),
    "a-table": lambda o: ap.adaptive_avg_pool2d(np.ones((4, 4)), None, windows=((o, o), (o, o))),
    "dtype": lambda o: ap.adaptive_avg_pool2d(np.ones((4, 4)), 2, dtype=o),
    "index_dtype": lambda o: ap.adaptive_max_pool2d(
        np.ones((4, 4)), 2, return_indices=True, index_dtype=o
    ),
    "return_indices": lambda o: ap.adaptive_max_pool2d(
        np.ones((4, 4)), 2, return_indices=o, num_threads=0
    ),
    "out": lambda o: ap.adaptive_avg_pool2d(np.ones((4, 4)), 2, out=o),
    "outs": lambda o: ap.adaptive_max_pool2d(np.ones((4, 4)), 2, return_indices=True, out=o),
    "num_threads": lambda o: ap.adaptive_avg_pool2d(np.ones((4, 4)), 2, num_threads=o, out=0),
    "grad_output": lambda o: ap.adaptive_avg_pool2d_backward(o, (4, 4)),
    "indices": lambda o: ap.adaptive_max_pool2d_backward(np.ones((4, 4)), o, (4, 4)),
    "input_shape": lambda o: ap.adaptive_avg_pool2d_backward(np.ones((4, 4)), o),
    "a-length": lambda o: ap.adaptive_avg_pool2d_backward(np.ones((4, 4)), (-1, o)),
    "gradient-layout": lambda o: ap.adaptive_max_pool2d_backward(
        np.ones((4, 4)), np.zeros((4, 4), int), (4, 4), data_format=o
    ),
    "input_size": lambda o: ap.pool_windows(o, -3),
    "rule": lambda o: ap.pool_windows(0, 2, o),
    "threads": lambda o: (ap.set_num_threads(o), ap.set_num_threads(-1)),
    "layer": lambda o: ap.AdaptiveMaxPool2d((o, -1)),
    "layer-layout": lambda o: ap.AdaptiveMaxPool2d(2, data_format=o),
    "layer-windows": lambda o: ap.AdaptiveMaxPool2d(2, windows=o, data_format=""),
    "layer-dtype": lambda o: ap.AdaptiveAvgPool2d(2, dtype=o),
    "layer-index-dtype": lambda o: ap.AdaptiveMaxPool2d(2, index_dtype=o),
    "layer-threads": lambda o: ap.AdaptiveMaxPool2d(2, num_threads=o, data_format=""),
    "layer-out": lambda o: ap.AdaptiveAvgPool2d(2)(np.ones((4, 4)), out=o),
    "size": lambda o: ap.block_windows(o, -2),
    "block": lambda o: ap.block_windows(5, o, offset=-1),
    "offset": lambda o: ap.block_windows(0, 2, offset=o),
    "boundary": lambda o: ap.block_windows(5, 2, boundary=o),
    "layer-indices": lambda o: ap.AdaptiveMaxPool2d(2, return_indices=o)(0),
}


@pytest.mark.parametrize("name", UNCOOPERATIVE)
@pytest.mark.parametrize("call", PLACES.values(), ids=PLACES)
def test_objects_whose_own_code_fails(call, name):
    """In every place an error of ours, which names the function; where one is no error, another."""
    before = ap.get_num_threads()
    with pytest.raises(
        (TypeError, ValueError), match=re.compile(r"^(adaptive|Adaptive|pool_w|block_w|set)")
    ):
        call(UNCOOPERATIVE[name])
    ap.set_num_threads(None)
    assert ap.get_num_threads() == before


def test_words_of_a_subclass_mean_what_they_hold():
    """An enum.StrEnum is one."""
    x = np.arange(16.0).reshape(2, 4, 2)
    expected = ap.adaptive_avg_pool1d(x, 2, data_format="channels_last", windows="split")
    y = ap.adaptive_avg_pool1d(x, 2, data_format=Word("channels_last"), windows=Word("split"))
    assert y.tolist() == expected.tolist()
    layer = ap.AdaptiveAvgPool1d(2, data_format=Word("channels_last"), windows=Word("split"))
    assert layer == ap.AdaptiveAvgPool1d(2, data_format="channels_last", windows="split")
    assert layer(x).tolist() == expected.tolist()


NESTED = """
import json, numpy as np, adaptive_pool as ap
x, nested = np.ones((4, 4), np.float32), ()
for _ in range(1_000_000):
    nested = (nested,)
said = []
for name in ("output_size", "data_format", "windows", "dtype", "num_threads", "out"):
    try:
        ap.adaptive_avg_pool2d(x, **{"output_size": 2, name: nested})
    except (TypeError, ValueError) as error:
        said.append(str(error))
try:
    ap.adaptive_avg_pool2d_backward(x, nested)
except (TypeError, ValueError) as error:
    said.append(str(error))
print(json.dumps(said))
"""


def test_tuples_nested_without_end():
    """Python's hash of a tuple follows it down the stack, and past its end: none is taken."""
    said = python(NESTED)
    assert len(said) == 7
    assert all(re.match("adaptive_avg_pool2d(_backward)?: ", text) for text in said)


@pytest.mark.parametrize("name", ["data_format", "windows", "dtype", "output_size", "x"])
@pytest.mark.parametrize("kind", [str, list])
def test_messages_stay_short(kind, name):
    """However long an argument is, a log line is not."""
    huge = kind("x" * 100_000)
    arguments = {"x": np.ones((4, 4)), "output_size": 2, name: huge}
    with pytest.raises((TypeError, ValueError), match="^adaptive_avg_pool2d: ") as caught:
        ap.adaptive_avg_pool2d(**arguments)
    assert len(str(caught.value)) < 1000


class Stubborn(np.ndarray):
    """An array that takes nothing, and shares memory with everything."""

    __setitem__ = failing

    def __array_function__(self, *_):
        return True


@pytest.mark.parametrize("offset", [0, 1], ids=["aligned", "misaligned"])
def test_an_out_with_code_of_its_own(offset):
    """Its memory takes the result, whatever its own code says."""
    x = np.arange(16.0).reshape(4, 4)
    memory = np.zeros(2 * 32 + 1, np.uint8)
    out = [
        memory[offset + begin :][:32].view(dtype).reshape(2, 2).view(Stubborn)
        for begin, dtype in ((0, np.float64), (32, np.int64))
    ]
    assert ap.adaptive_avg_pool2d(x, 2, out=out[0]) is out[0]
    assert np.asarray(out[0]).tolist() == [[2.5, 4.5], [10.5, 12.5]]
    ap.adaptive_max_pool2d(x, 2, return_indices=True, out=tuple(out))
    assert np.asarray(out[0]).tolist() == [[5, 7], [13, 15]]
    assert np.asarray(out[1]).tolist() == [[5, 7], [13, 15]]


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_a_structure_with_the_name_of_a_number(name):
    """Classes made from `numpy.void` are called what their makers like; these hold four bytes."""
    dtype = np.dtype((type(name, (np.void,), {}), 4))
    with pytest.raises(TypeError, match="^adaptive_avg_pool2d: x must have one of the dtypes"):
        ap.adaptive_avg_pool2d(np.zeros((4, 4), dtype), 2)
    with pytest.raises(TypeError, match="^adaptive_avg_pool2d: dtype must be one of"):
        ap.adaptive_avg_pool2d(np.zeros((4, 4), np.float32), 2, dtype=dtype)
