"""Models of one pool, run by ONNX Runtime and by OpenVINO."""

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="models are run by it")
pytest.importorskip("openvino", reason="models are run by it, too")

import onnx
import onnxruntime
from cases import dtype_of
from onnx_cases import RUNTIMES, array, can_cut, drawn, run_onnxruntime, run_openvino
from oracle import function

import adaptive_pool as ap
import adaptive_pool.onnx
from adaptive_pool.onnx import _tables
from adaptive_pool.onnx._graph import Graph

make = adaptive_pool.onnx.model
NAN, INF = np.nan, np.inf

each_runtime = pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES.keys())


def test_averages_of_overlapping_windows():
    model = make("avg", (3,), shape=(None,))
    [y] = run_onnxruntime(model, np.array([1, 2, 3, 4, 6], np.float32))
    assert y.tolist() == [1.5, 3, 5]


def test_maxima_and_where_they_are():
    model = make("max", (2, 1), shape=(1, 3, 4), return_indices=True)
    y, indices = run_onnxruntime(
        model, np.array([[[1, 7, 2, 0], [7, 3, 8, 8], [8, 0, 9, 9]]], "f4")
    )
    assert y.tolist() == [[[8], [9]]]
    assert indices.tolist() == [[[6], [10]]]


def test_ten_nodes_of_a_picture_whose_size_is_known():
    model = make("avg", (7, 7), shape=(1, 64, 100, 100))
    assert [node.op_type for node in model.graph.node] == [
        "Pad", "Gather", "ReduceSum", "Cast",
        "Transpose", "Pad", "Gather", "ReduceSum", "Transpose",
        "Div", "Cast",
    ]  # fmt: skip


def test_no_nodes_for_axes_that_are_kept():
    model = make("avg", (None, None), shape=(1, 3, 4))
    assert [node.op_type for node in model.graph.node] == ["Identity"]


# Within 1e-6 of the mean of absolute values, as the docstring says: up to 16 numbers are added in
# float32, which is 15 roundings of 2**-24 each, and one more is that of the mean. OpenVINO has no
# float64: along the two axes it adds what windows up to 120 long have in several sums, each with
# roundings of its own, which are as often up as down; 1.2e-7 was seen.
BOUND = 1e-6


@each_runtime
@pytest.mark.parametrize("known", [True, False], ids=["known", "dynamic"])
@pytest.mark.parametrize("seed", range(200))
def test_random_problems(seed, known, run):
    kind, lead, sizes, counts, rule = drawn(seed)
    x = array(seed, (*lead, *sizes), kind)
    shape = x.shape if known else (None,) * x.ndim
    model = make(kind, counts, shape=shape, windows=rule, return_indices=kind == "max")
    onnx.checker.check_model(model, full_check=True)
    pool, results = function(kind, len(sizes)), run(model, x)
    if kind == "max":
        for actual, expected in zip(
            results, pool(x, counts, windows=rule, return_indices=True), strict=True
        ):
            assert actual.dtype == expected.dtype
            np.testing.assert_array_equal(actual, expected)
        [alone] = run(make(kind, counts, shape=shape, windows=rule), x)
        np.testing.assert_array_equal(alone, results[0])
        return
    y = pool(x.astype(np.float64), counts, windows=rule)
    magnitude = pool(np.abs(x).astype(np.float64), counts, windows=rule)
    assert (results[0].shape, results[0].dtype) == (y.shape, x.dtype)
    assert (np.abs(results[0] - y) <= BOUND * magnitude).all()


@pytest.mark.parametrize("known", [True, False], ids=["known", "dynamic"])
@pytest.mark.parametrize("count", [1, 3])
def test_long_windows_of_equal_numbers_do_not_drift(count, known):
    x = np.full((1, 1, 700, 1100), 0.1, np.float32)
    shape = x.shape if known else (1, 1, None, None)
    [y] = run_onnxruntime(make("avg", (count, count), shape=shape), x)
    assert (np.abs(y - x[0, 0, 0, 0]) <= BOUND * 0.1).all()


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize(("kind", "rule"), [("avg", "torch"), ("avg", "area"), ("max", "torch")])
def test_types(kind, rule, name):
    dtype = dtype_of(name)
    x = np.random.default_rng(0).standard_normal((2, 9, 11)).astype(dtype)
    y = function(kind, 2)(x, (4, 5), windows=rule).astype(np.float64)
    model = make(kind, (4, 5), shape=(None,) * 3, windows=rule, dtype=dtype)
    [given], [result] = model.graph.input, model.graph.output
    number = onnx.helper.np_dtype_to_tensor_dtype(dtype)
    assert given.type.tensor_type.elem_type == result.type.tensor_type.elem_type == number
    # From float64 and to it, as arrays of bfloat16 do not reach ONNX Runtime.
    between = onnx.helper.make_node("Cast", ["wide"], ["x"], to=number)
    model.graph.node.insert(0, between)
    model.graph.node.append(onnx.helper.make_node("Cast", ["y"], ["z"], to=onnx.TensorProto.DOUBLE))
    given.name, result.name = "wide", "z"
    for value in given, result:
        value.type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    [z] = run_onnxruntime(model, x.astype(np.float64))
    # Numbers here are below 2, and averages off by a unit in the last place at most.
    unit = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-22, "float64": 2.0**-50}
    assert (np.abs(z - y) <= (unit[name] if kind == "avg" else 0)).all()


# Rows of a plane whose windows hold what runtimes get wrong, in each place.
SPECIAL = [
    [NAN, 1, 2, 9], [1, NAN, 2, 9], [1, 2, NAN, 9], [1, 2, 9, NAN], [9, NAN, 1, 2],
    [INF, 1, NAN, 2], [NAN, INF, 1, 2], [-INF, INF, 1, 2], [INF, INF, 1, 2], [-INF, 1, 0, 2],
    [NAN, NAN, NAN, NAN], [NAN, 0, NAN, 0],
    [0.0, -0.0, -0.0, 0.0], [-0.0, -0.0, 0.0, -1], [-5, -5, -6, -7],
]  # fmt: skip


@each_runtime
@pytest.mark.parametrize("known", [True, False], ids=["known", "dynamic"])
@pytest.mark.parametrize("turned", [True, False], ids=["columns", "rows"])
@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_special_values(count, turned, known, run):
    x = np.tile(np.array(SPECIAL, np.float32), (1, 1, 5))
    x, sizes = (x.swapaxes(1, 2), (count, None)) if turned else (x, (None, count))
    shape = x.shape if known else (None,) * 3
    y, indices = run(make("max", sizes, shape=shape, return_indices=True), x)
    expected = ap.adaptive_max_pool2d(x, sizes, return_indices=True)
    np.testing.assert_array_equal(y, expected[0])
    np.testing.assert_array_equal(indices, expected[1])
    [alone] = run(make("max", sizes, shape=shape), x)
    np.testing.assert_array_equal(alone, expected[0])
    [mean] = run(make("avg", sizes, shape=shape), x)
    np.testing.assert_allclose(mean, ap.adaptive_avg_pool2d(x, sizes), rtol=BOUND, atol=BOUND)


@pytest.mark.parametrize("size", [4, 40])
def test_a_window_of_negative_infinities(size):
    x = np.full((1, 1, size), -INF, np.float32)
    model = make("max", (1,), shape=x.shape, return_indices=True)
    y, indices = run_onnxruntime(model, x)
    assert (y.item(), indices.item()) == (-INF, 0)
    # OpenVINO's ReduceMax begins with the lowest finite number, and then nothing equals it.
    y, indices = run_openvino(model, x)
    assert y.item() == np.finfo(np.float32).min
    assert indices.item() == 2**31 - 1


def test_places_in_large_planes():
    x = np.zeros((1, 1, 2, 2**23 + 2), np.float32)
    x.reshape(-1)[2**24] = 1
    model = make("max", (1, 1), shape=x.shape, return_indices=True)
    assert run_onnxruntime(model, x)[1].item() == 2**24
    # OpenVINO compares integers as float32: from 2**24 on, places are not exact.
    assert run_openvino(model, x)[1].item() == 2**24 - 1


@pytest.mark.parametrize(
    ("dtype", "large"),
    [(np.float16, 65504), (np.float32, 2.0**123), (np.float64, 2.0**1010)],
    ids=["float16", "float32", "float64"],
)
def test_sums_that_do_not_overflow(dtype, large):
    x = np.full((1, 1, 60, 60), large, dtype)
    [y] = run_onnxruntime(make("avg", (2, 1), shape=x.shape, dtype=dtype), x)
    np.testing.assert_array_equal(y, x[..., :2, :1])


def test_by_area_no_sum_of_representable_means_overflows():
    x = np.full((1, 1, 60, 7), np.finfo(np.float32).max, np.float32)
    [y] = run_onnxruntime(make("avg", (7, 4), shape=x.shape, windows="area"), x)
    np.testing.assert_array_equal(y, x[..., :7, :4])


TABLES = [([0, 3, 1], [4, 4, 2]), ([0, 4], [6, 5])]


@each_runtime
@pytest.mark.parametrize("known", [True, False], ids=["known", "dynamic"])
@pytest.mark.parametrize("kind", ["avg", "max"])
def test_windows_of_a_caller(kind, known, run):
    x = array(0, (2, 3, 4, 6), kind)
    windows = [tuple(np.array(border) for border in pair) for pair in TABLES]
    model = make(kind, (None, 2), shape=x.shape if known else (None,) * 4, windows=windows)
    [y] = run(model, x)
    expected = function(kind, 2)(x, None, windows=windows)
    np.testing.assert_allclose(y, expected, rtol=BOUND, atol=BOUND)


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("size", [1, 4, 5])
def test_windows_that_are_not_in_the_axis(size, kind):
    windows = [(np.array([0, 4]), np.array([2, 6]))]
    model = make(kind, (2,), shape=(1, None), windows=windows)
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument, match="bounds"):
        run_onnxruntime(model, np.ones((1, size), np.float32))


@pytest.mark.parametrize("opset", range(18, onnx.defs.onnx_opset_version() + 1))
def test_opsets(opset):
    model = make("max", (3, 2), shape=(None, 3, None, 7), return_indices=True, opset=opset)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == opset


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "dynamic"])
@pytest.mark.parametrize(("lead", "counts"), [((0, 3), (2, 2)), ((2, 3), (0, 2)), ((2,), (2, 0))])
def test_empty_results(lead, counts, known, kind):
    x = np.ones((*lead, 5, 6), np.float32)
    shape = x.shape if known else (None,) * x.ndim
    [y] = run_onnxruntime(make(kind, counts, shape=shape), x)
    assert y.shape == (*lead, *counts)


def test_shapes_that_models_say():
    model = make("avg", (None, 2), shape=(None, 3, None, 8))
    [given], [result] = model.graph.input, model.graph.output
    dims = [
        [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (given, result)
    ]
    assert dims == [["axis_0", 3, "axis_2", 8], ["axis_0", 3, "axis_2", 2]]


@pytest.mark.parametrize(
    ("rule", "size", "count"),
    [("ceil", 10, 7), ("split", 3, 5), ("uniform", 3, 5), ("torch", 0, 2)],
)
@pytest.mark.parametrize("kind", ["avg", "max"])
def test_sizes_that_a_rule_cannot_cut(kind, rule, size, count):
    with pytest.raises(ValueError, match="^model: .*(window|empty)"):
        make(kind, (count,), shape=(1, size), windows=rule)
    model = make(kind, (count,), shape=(1, None), windows=rule)
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument, match="bounds"):
        run_onnxruntime(model, np.ones((1, size), np.float32))


@pytest.mark.parametrize("rule", ["torch", "split", "uniform", "ceil"])
@pytest.mark.parametrize("count", [1, 2, 7, 64])
def test_tables_made_in_the_graph(count, rule):
    """From sizes up to 2**62, as `pool_windows` makes them."""
    graph = Graph("t")
    axis = _tables.axis_of(graph, "test", "x", 0, None, count, rule)
    for node in list(graph.nodes):
        if node.op_type == "Shape":
            graph.nodes.remove(node)
    results = [graph.name_of(axis.first), graph.name_of(axis.last)]
    size_name = axis.size
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            "tables",
            [onnx.helper.make_tensor_value_info(size_name, onnx.TensorProto.INT64, [1])],
            [onnx.helper.make_tensor_value_info(r, onnx.TensorProto.INT64, None) for r in results],
            graph.initializers,
        ),
        opset_imports=[onnx.helper.make_opsetid("", 18)],
        ir_version=8,
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    sizes = [64, 65, 127, 128, 1000, 10**9 + 7, 2**62 - 1, 2**62]
    sizes = [size for size in sizes if can_cut(size, count, rule)]
    assert len(sizes) > 4
    expected = [ap.pool_windows(size, count, rule) for size in sizes]
    actual = [session.run(None, {size_name: np.array([size])}) for size in sizes]
    for (starts, ends), (first, last) in zip(expected, actual, strict=True):
        np.testing.assert_array_equal(first[:, 0], starts)
        np.testing.assert_array_equal(last[:, 0] + 1, ends)


@pytest.mark.parametrize(("size", "count"), [(7, 3), (3, 7), (12, 8), (100, 7), (1, 4), (6, 3)])
def test_weights_by_area(size, count):
    graph = Graph("t")
    axis = _tables.axis_of(graph, "test", "x", 0, size, count, "area")
    expected = ap.area_weights(size, count)
    steps = np.arange(expected.shape[1])
    _, held = _tables.positions(graph, axis, steps)
    weights = _tables.area_weights(graph, axis, steps)
    np.testing.assert_array_equal(np.where(held, weights, 0), expected)
