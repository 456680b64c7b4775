"""Models beside this library, and errors of `model`."""

import json

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="models are run by it")

import onnx

import adaptive_pool.onnx
from adaptive_pool.onnx import compare

make = adaptive_pool.onnx.model


def test_a_model_beside_this_library():
    model = make("avg", (3, 3), shape=(None, None, None))
    x = np.random.default_rng(0).random((2, 10, 11), np.float32)
    [difference] = compare(model, {"x": x})
    assert (difference.output, difference.elements) == ("y", 18)
    assert difference.largest <= 1e-6  # what `model` promises


def test_windows_of_a_caller():
    windows = [([0, 3, 1], [4, 4, 2]), ([0, 4], [6, 5])]
    windows = [tuple(np.array(border) for border in pair) for pair in windows]
    model = make("max", (None, 2), shape=(4, 6), windows=windows)
    x = np.random.default_rng(0).random((4, 6), np.float32)
    assert compare(model, {"x": x}) == [("y", 6, 0, 0.0)]


def test_lists_are_rounded_to_the_type_of_the_model():
    model = make("max", (2,), shape=(None, None))
    assert compare(model, {"x": [[0.1, 0.2, 0.3]]}) == [("y", 2, 0, 0.0)]


def test_what_is_wrong():
    """A model that says that its windows are others than they are."""
    model = make("max", (2,), shape=(None, None), return_indices=True)
    said = json.loads(model.metadata_props[0].value)
    onnx.helper.set_model_props(model, {"adaptive_pool": json.dumps(said | {"windows": "split"})})
    x = np.array([[1, 2, 5, 9, 4], [1, 2, 3, 9, 4], [1, 2, 9, 5, 4]], np.float32)
    # "torch" has windows 0:3 and 2:5, "split" 0:3 and 3:5: the last row differs in the second.
    assert compare(model, {"x": x}) == [("y", 6, 1, 4.0), ("indices", 6, 1, 1.0)]


@pytest.mark.parametrize(
    "other",
    [onnx.helper.make_model(onnx.helper.make_graph([], "none", [], [])), "model.onnx"],
    ids=["model", "path"],
)
def test_other_models(other):
    with pytest.raises(
        ValueError, match=r"^compare: model must be one of adaptive_pool\.onnx\.model"
    ):
        compare(other, {})


@pytest.mark.parametrize(
    ("kind", "sizes", "options", "error", "message"),
    [
        ("mean", (2,), {}, ValueError, "kind must be 'avg' or 'max', got 'mean'"),
        ("avg", 2, {}, TypeError, "output_size must be a sequence of a size for each pooled axis"),
        ("avg", (2,) * 4, {}, ValueError, "output_size must have 1 to 3 elements"),
        ("avg", (2, -1), {}, ValueError, "output_size must not be negative, got -1"),
        ("avg", (2,), {"shape": ()}, ValueError, "shape must have an axis for each of output_size"),
        ("avg", (2,), {"shape": 5}, TypeError, "shape must be a sequence of integers, or None"),
        ("avg", (2,), {"shape": (2.5,)}, TypeError, "shape must be an integer, got float"),
        ("avg", (2,), {"shape": (1,) * 70}, ValueError, "shape must have at most 64 elements"),
        ("avg", (2,), {"dtype": np.int32}, TypeError, "dtype must be one of .*, got int32"),
        ("avg", (2,), {"windows": "block"}, ValueError, "unknown window rule 'block'"),
        ("max", (2,), {"windows": "area"}, ValueError, "windows 'area' weigh elements"),
        ("avg", (2,), {"return_indices": True}, ValueError, "only maxima have indices"),
        ("avg", (2,), {"opset": 17}, ValueError, "opset must be 18 to [0-9]+, got 17"),
        (
            "max", (2, 2), {"shape": (2**16, 2**15), "return_indices": True}, ValueError,
            "indices are of planes of up to 2147483646 elements, got shape",
        ),
    ],
)  # fmt: skip
def test_errors(kind, sizes, options, error, message):
    with pytest.raises(error, match=f"^model: {message}"):
        make(kind, sizes, **{"shape": (4, 5), **options})
