"""Exported models put right: small graphs as exporters write them, and exports of PyTorch."""

import functools
import io
import warnings

import numpy as np
import onnx
import pytest

import adaptive_pool as ap
from adaptive_pool import _reference

ort = pytest.importorskip("onnxruntime", reason="models are run with ONNX Runtime")
torch = pytest.importorskip("torch", reason="models are exported with PyTorch")

from adaptive_pool.onnx import repair  # noqa: E402

nn = torch.nn

# Of the mean of absolute values: up to 16 float32 are summed as they are, which rounds 15 times,
# and the mean of these in float64 is rounded once more. Each is off by 2**-24 at most.
BOUND = 16 * 2.0**-24


def parsed(text, opset=18):
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]>{text}')


def run(model, *arrays):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # what is wrong with a model it says in its error as well
    session = ort.InferenceSession(model.SerializeToString(), options)
    given = [value.name for value in session.get_inputs()]
    return session.run(None, dict(zip(given, arrays, strict=True)))


def operators(model):
    return [node.op_type for node in model.graph.node]


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def exact(x, sizes):
    """The average, and the mean of absolute values, in float64."""
    tables = [ap.pool_windows(i, o) for i, o in zip(x.shape[-len(sizes) :], sizes, strict=True)]
    wide = np.dtype(np.float64)
    return _reference.average(x, tables, wide), _reference.average(np.abs(x), tables, wide)


def assert_averages(y, x, sizes, bound=BOUND):
    expected, scale = exact(x, sizes)
    assert y.shape == expected.shape
    assert (np.abs(y - expected) <= bound * scale).all()


FIVE_TO_FOUR = """
unrolled (float[n, 2, 5] x) => (float[n, 2, 4] y)
<int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2}, int64[1] three = {3},
 int64[1] four = {4}, int64[1] five = {5}> {
    a = Slice(x, zero, two, two)
    b = Slice(x, one, three, two)
    c = Slice(x, two, four, two)
    d = Slice(x, three, five, two)
    e = ReduceMean(a, two)
    f = ReduceMean(b, two)
    g = ReduceMean(c, two)
    h = ReduceMean(d, two)
    y = Concat <axis = 2> (e, f, g, h)
}"""
X = np.array([[[1, 2, 6, 0, 0], [0, 0, 4, 4, 5]]], np.float32)
Y = [[[1.5, 4, 3, 0], [0, 2, 4, 4.5]]]


def changed(*pairs):
    """Return the model above with parts of its text replaced."""
    text = FIVE_TO_FOUR
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    return parsed(text)


def test_slices_of_an_axis():
    repaired, [pool] = repair(changed())
    assert pool.replaced
    assert (pool.kind, pool.x, pool.y, pool.nodes) == ("avg", "x", "y", 9)
    assert (pool.input_size, pool.output_size) == ((5,), (4,))
    onnx.checker.check_model(repaired, full_check=True)
    assert run(repaired, X)[0].tolist() == Y
    assert "Slice" not in operators(repaired)
    assert not {"zero", "one", "three"} & {t.name for t in repaired.graph.initializer}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("b = Slice(x, one, three, two)", "b = Slice(x, zero, two, two)"),
        ("b = Slice(x, one, three, two)", "b = Slice(x, two, three, two)"),
        ("f = ReduceMean(b, two)", "f = ReduceSum(b, two)"),
        ("f = ReduceMean(b, two)", "f = ReduceMax(b, two)"),
        ("(e, f, g, h)", "(f, e, g, h)"),
    ],
    ids=["same-window", "short-window", "sum", "maximum", "reversed"],
)
def test_what_computes_something_else_stays(before, after):
    model = changed((before, after))
    repaired, pools = repair(model)
    assert repaired == model
    assert {(pool.replaced, pool.note) for pool in pools} <= {(False, "its windows are others")}


@pytest.mark.parametrize(
    ("kind", "value", "is_pool"),
    [("avg", 0, True), ("avg", 1e-3, False), ("max", -np.inf, True), ("max", -1e4, False)],
    ids=str,
)
def test_a_number_in_every_window(kind, value, is_pool):
    reduced = {
        "avg": "d = ReduceSum <keepdims = 0> (c, three) y = Mul(d, half)",
        "max": "y = ReduceMax <keepdims = 0> (c, three)",
    }
    model = parsed(f"""
filled (float[n, 2, 5] x) => (float[n, 2, 4] y)
<int64[4, 3] index = {{0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4}}, int64[1] three = {{3}},
 float half = {{0.5}}> {{
    a = Gather <axis = 2> (x, index)
    c = Where(mask, a, value)
    {reduced[kind]}
}}""")
    for name, array in ("mask", np.array([True, True, False])), ("value", np.float32(value)):
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array), name))
    _, [pool] = repair(model)
    assert pool.kind == kind
    assert pool.note == (
        "right at its one size, and short" if is_pool else "its windows are others"
    )


@pytest.mark.parametrize("index", ["{0, 1, 1, 1}", "{0, 1, 0, 2}"], ids=["too-few", "another"])
@pytest.mark.parametrize("operator", ["ReduceMean", "ReduceMax"])
def test_one_wrong_element(operator, index):
    model = parsed(f"""
gathered (float[1, 1, 3] x) => (float[1, 1, 2] y)
<int64[4] index = {index}, int64[4] shape = {{1, 1, 2, 2}}, int64[1] three = {{3}}> {{
    a = Gather <axis = 2> (x, index)
    b = Reshape(a, shape)
    y = {operator} <keepdims = 0> (b, three)
}}""")
    repaired, [pool] = repair(model)
    assert (pool.replaced, pool.note) == (False, "its windows are others")
    assert repaired == model


def test_channels_in_another_order_stay_so():
    model = changed(
        ("(x,", "(swapped,"),
        ("<int64[1] zero", "<int64[2] order = {1, 0}, int64[1] zero"),
        ("> {", "> {\n    swapped = Gather <axis = 1> (x, order)"),
    )
    repaired, [pool] = repair(model)
    assert (pool.x, pool.replaced) == ("swapped", True)
    assert run(repaired, X)[0].tolist() == [Y[0][::-1]]


@pytest.mark.parametrize(
    ("operator", "order"),
    [("ReduceMean", "3, 1, 2, 0, 4, 5"), ("ReduceMax", "5, 1, 2, 3, 4, 0")],
    ids=["avg", "max"],
)
def test_channels_whose_impulses_are_the_same(operator, order):
    """Averages over two elements are known by three planes, maxima by five; then they repeat."""
    model = changed(
        ("float[n, 2, 5] x", "float[1, 6, 5] x"),
        ("float[n, 2, 4]", "float[1, 6, 4]"),
        ("<int64[1] zero", f"<int64[6] order = {{{order}}}, int64[1] zero"),
        ("(x, ", "(swapped, "),
        ("> {", "> {\n    swapped = Gather <axis = 1> (x, order)"),
        ("ReduceMean", operator),
    )
    _, [pool] = repair(model)
    assert pool.x == "swapped"


def test_halves_that_cannot_number_all_elements():
    """Of 20000 elements a window holds one too many, which is numbered like its neighbour."""
    model = parsed("""
maxima (float16[1, 1, 20000] x) => (float16[1, 1, 19999] y)
<int64[1] zero = {0}, int64[1] two = {2}, int64[1] start = {19000}, int64[1] next = {19001},
 int64[1] end = {19003}, int64[1] size = {20000}> {
    a = Slice(x, zero, next, two)
    b = Slice(x, start, end, two)
    c = Slice(x, next, size, two)
    d = MaxPool <kernel_shape = [2]> (a)
    e = ReduceMax(b, two)
    f = MaxPool <kernel_shape = [2]> (c)
    y = Concat <axis = 2> (d, e, f)
}""")
    repaired, [pool] = repair(model)
    assert (pool.replaced, repaired) == (False, model)
    assert pool.note == "(1, 1, 20000) is too large to be tried out"


def test_scaled_before_and_after():
    model = changed(
        ("(x,", "(twice,"),
        (
            "y = Concat <axis = 2> (e, f, g, h)",
            "z = Concat <axis = 2> (e, f, g, h)\n    y = Mul(z, k)",
        ),
        ("<int64[1] zero", "<float k = {2.0}, int64[1] zero"),
        ("> {", "> {\n    twice = Mul(x, k)"),
    )
    repaired, [pool] = repair(model)
    assert (pool.x, pool.y, pool.replaced) == ("twice", "z", True)
    assert run(repaired, X)[0].tolist() == [[[6, 16, 12, 0], [0, 8, 16, 18]]]


def test_what_others_use_stays():
    model = changed(
        ("float[n, 2, 4] y)", "float[n, 2, 4] y, float[n, 2, 1] e, float[n, 2, 4] z)"),
        ("(e, f, g, h)", "(e, f, g, h)\n    z = Sqrt(y)"),
    )
    model.metadata_props.add(key="author", value="somebody")
    repaired, [pool] = repair(model)
    assert pool.nodes == 7
    assert operators(repaired)[:2] == ["Slice", "ReduceMean"]
    assert [value.name for value in repaired.graph.output] == ["y", "e", "z"]
    assert repaired.metadata_props == model.metadata_props
    y, e, z = run(repaired, X)
    assert y.tolist() == Y
    assert e.tolist() == [[[1.5], [0]]]
    assert np.array_equal(z, np.sqrt(y))


def test_what_is_made_together_with_a_pool_stays():
    model = changed(
        ("float[n, 2, 4] y)", "float[n, 2, 4] y, float[n, 2, 1] rest)"),
        ("<int64[1] zero", "<int64[2] parts = {4, 1}, int64[1] zero"),
        (
            "y = Concat <axis = 2> (e, f, g, h)",
            "z = Concat <axis = 2> (e, f, g, h, e)\n    y, rest = Split <axis = 2> (z, parts)",
        ),
    )
    repaired, _ = repair(model)
    assert repaired == model


def test_pools_that_share_a_part():
    """What is inside the larger one, the smaller one begins with."""
    model = changed(
        ("> {", "> {\n    row = Unsqueeze(x, two)"),
        ("(x, ", "(row, "),
        ("(row, two)\n", "(x, two)\n"),
        (", two)\n    ", ", axis)\n    "),
        ("(x, axis)", "(x, two)"),
        ("int64[1] five = {5}", "int64[1] five = {5}, int64[1] axis = {3}"),
        ("float[n, 2, 4] y)", "float[n, 2, 4] y, float[n, 2, 1, 4] z)"),
        (
            "y = Concat <axis = 2> (e, f, g, h)",
            """z = Concat <axis = 3> (e, f, g, h)
    w = Concat <axis = 3> (e, f, g, h)
    y = Squeeze(w, two)""",
        ),
    )
    repaired, pools = repair(model)
    onnx.checker.check_model(repaired, full_check=True)
    assert [(pool.x, pool.y, pool.replaced) for pool in pools] == [
        ("row", "z", True),
        ("x", "y", True),
    ]
    y, z = run(repaired, X)
    assert y.tolist() == z[:, :, 0].tolist() == Y


def test_the_model_is_not_changed():
    model = changed()
    before = onnx.ModelProto.FromString(model.SerializeToString())
    repair(model)
    assert model == before


def test_branches_of_an_if():
    body = FIVE_TO_FOUR.partition("> {")[2].rpartition("}")[0]
    other = body.replace("d = Slice(x, three, five, two)", "d = Slice(x, three, four, two)")
    for name in "abcdefgh":
        for before, after in (f" {name} =", f" {name}2 ="), (f"({name}", f"({name}2"):
            other = other.replace(before, after)
    other = other.replace("(e2, f, g, h)", "(e2, f2, g2, h2)")
    model = parsed(f"""
either (float[n, 2, 5] x, bool which) => (float[n, 2, 4] result)
<int64[1] zero = {{0}}, int64[1] one = {{1}}, int64[1] two = {{2}}, int64[1] three = {{3}},
 int64[1] four = {{4}}, int64[1] five = {{5}}> {{
    result = If (which) <
        then_branch = then_graph () => (float[n, 2, 4] y) {{ {body} }},
        else_branch = else_graph () => (float[n, 2, 4] z) {{ {other.replace("y =", "z =")} }}
    >
}}""")
    repaired, pools = repair(model)
    assert [(pool.y, pool.replaced) for pool in pools] == [("y", True), ("z", False)]
    onnx.checker.check_model(repaired, full_check=True)
    assert run(repaired, X, np.array(True))[0].tolist() == Y
    assert run(repaired, X, np.array(False))[0].tolist() == [[[1.5, 4, 3, 0], [0, 2, 4, 4]]]


# As Keras 3.15.1 exports AdaptiveAveragePooling2D(4) of 10 x 10 with the backend TensorFlow 2.21.0
# and tf2onnx 1.17.0; for AdaptiveMaxPooling2D MaxPool stands for AveragePool.
KERAS_TENSORFLOW = """
tf2onnx (float[unk__372, 10, 10, 3] x) => (float[unk__373, 4, 4, 3] y)
<int32[4] table = {0, 2, 5, 7}, int32[4] shifted = {0, 9, 12, 7}> {
    a = Transpose <perm = [0, 3, 1, 2]> (x)
    big = AveragePool <strides = [1, 1], kernel_shape = [4, 1]> (a)
    small = AveragePool <strides = [1, 1], kernel_shape = [3, 1]> (a)
    both = Concat <axis = 2> (small, big)
    b = Transpose <perm = [0, 2, 3, 1]> (both)
    rows = Gather <axis = 1> (b, TABLE)
    c = Transpose <perm = [0, 3, 1, 2]> (rows)
    big2 = AveragePool <strides = [1, 1], kernel_shape = [1, 4]> (c)
    small2 = AveragePool <strides = [1, 1], kernel_shape = [1, 3]> (c)
    both2 = Concat <axis = 3> (small2, big2)
    d = Transpose <perm = [0, 2, 3, 1]> (both2)
    y = Gather <axis = 2> (d, TABLE)
}"""


def assert_channels_last_averages(y, x, sizes, bound=BOUND):
    assert_averages(np.moveaxis(y, -1, 1), np.moveaxis(x, -1, 1), sizes, bound)


def test_channels_last_of_keras():
    model = parsed(KERAS_TENSORFLOW.replace("TABLE", "table"), opset=15)
    repaired, [pool] = repair(model)
    assert (pool.replaced, pool.input_size, pool.nodes) == (True, (10, 10), 12)
    assert repaired.opset_import[0].version == 18
    onnx.checker.check_model(repaired, full_check=True)
    x = noise(2, 10, 10, 3)
    assert_channels_last_averages(run(repaired, x)[0], x, (4, 4))
    # What was there adds 4 and divides, twice: 8 roundings.
    assert_channels_last_averages(run(model, x)[0], x, (4, 4), 8 * 2.0**-24)


def test_maxima_of_keras_are_short_enough():
    text = KERAS_TENSORFLOW.replace("TABLE", "table").replace("AveragePool", "MaxPool")
    model = parsed(text, opset=15)
    repaired, [pool] = repair(model)
    assert (pool.kind, pool.replaced) == ("max", False)
    assert pool.note == "right at its one size, and short"
    assert repaired == model


def test_windows_of_keras_that_are_wrong():
    model = parsed(KERAS_TENSORFLOW.replace("TABLE", "shifted"), opset=15)
    repaired, [pool] = repair(model)
    assert (pool.y, pool.replaced, pool.note) == ("y", False, "its windows are others")
    assert repaired == model
    asked, [pool] = repair(model, {"y": 4})
    assert (pool.x, pool.replaced, pool.input_size) == ("x", True, (10, 10))
    x = noise(2, 10, 10, 3)
    assert_channels_last_averages(run(asked, x)[0], x, (4, 4))


# As Keras 3.15.1 exports AdaptiveMaxPooling2D(4) of 10 x 10 with the backend JAX 0.10.2 and
# jax2onnx 0.17.1, but for a table of its own that it computes for the second axis.
KERAS_JAX = """
jax_model (float[batch, 10, 10, 3] x) => (float[batch, 4, 4, 3] y)
<int32 zero = {0}, int32 one = {1}, int32 four = {4}, int32 five = {5}, int32 ten = {10},
 float four_f = {4.0}, int32 longest = {4}, int32 shift = {8}, int64[1] axis0 = {0},
 int64[1] axis1 = {1}, int64[2] axes = {0, 1}> {
    steps = Range(zero, four, one)
    products = Mul(steps, ten)
    products_f = Cast <to = 1> (products)
    quotients = Div(products_f, four_f)
    floors = Floor(quotients)
    starts = Cast <to = 6> (floors)
    steps2 = Range(one, five, one)
    products2 = Mul(steps2, ten)
    products2_f = Cast <to = 1> (products2)
    quotients2 = Div(products2_f, four_f)
    ceilings = Ceil(quotients2)
    ends = Cast <to = 6> (ceilings)
    lengths = Sub(ends, starts)
    is_long = Equal(lengths, longest)
    shifted = Add(starts, shift)
    chosen = Where(is_long, shifted, starts)
    table = Cast <to = 7> (chosen)
    a0 = Unsqueeze(x, axis0)
    a1 = Unsqueeze(a0, axis1)
    a2 = MaxPool <kernel_shape = [1, 3, 1, 1], strides = [1, 1, 1, 1]> (a1)
    a3 = Squeeze(a2, axes)
    b0 = Unsqueeze(x, axis0)
    b1 = Unsqueeze(b0, axis1)
    b2 = MaxPool <kernel_shape = [1, 4, 1, 1], strides = [1, 1, 1, 1]> (b1)
    b3 = Squeeze(b2, axes)
    both = Concat <axis = 1> (a3, b3)
    rows = Gather <axis = 1> (both, table)
    c0 = Unsqueeze(rows, axis0)
    c1 = Unsqueeze(c0, axis1)
    c2 = MaxPool <kernel_shape = [1, 1, 3, 1], strides = [1, 1, 1, 1]> (c1)
    c3 = Squeeze(c2, axes)
    d0 = Unsqueeze(rows, axis0)
    d1 = Unsqueeze(d0, axis1)
    d2 = MaxPool <kernel_shape = [1, 1, 4, 1], strides = [1, 1, 1, 1]> (d1)
    d3 = Squeeze(d2, axes)
    both2 = Concat <axis = 2> (c3, d3)
    y = Gather <axis = 2> (both2, table)
}"""


def test_maxima_of_jax_that_onnx_runtime_does_not_run():
    model = parsed(KERAS_JAX)
    x = noise(2, 10, 10, 3)
    with pytest.raises(Exception, match="Unsupported pooling size"):
        run(model, x)
    repaired, [pool] = repair(model)
    assert (pool.kind, pool.replaced, pool.nodes) == ("max", True, 37)
    onnx.checker.check_model(repaired, full_check=True)
    expected = ap.adaptive_max_pool2d(x, 4, data_format="channels_last")
    assert np.array_equal(run(repaired, x)[0], expected)


def test_maxima_that_do_not_run_at_all():
    """As for output size 1: windows one longer than the axis, of which none is used."""
    text = KERAS_JAX.replace("[1, 4, 1, 1]", "[1, 11, 1, 1]")
    model = parsed(text.replace("[1, 1, 4, 1]", "[1, 1, 11, 1]"))
    repaired, [pool] = repair(model)
    assert not pool.replaced
    assert pool.note.startswith("it does not run: ")
    assert repaired == model
    repaired, [pool] = repair(model, {"y": 4})
    assert (pool.x, pool.replaced) == ("x", True)
    x = noise(2, 10, 10, 3)
    expected = ap.adaptive_max_pool2d(x, 4, data_format="channels_last")
    assert np.array_equal(run(repaired, x)[0], expected)


@pytest.mark.parametrize("element", ["int32", "bfloat16"])
def test_types_that_are_not_tried_out(element):
    model = changed(("float", element))
    repaired, [pool] = repair(model)
    assert (pool.replaced, repaired) == (False, model)
    assert pool.note == f"elements of type {element.upper()} are not tried out"


def test_a_type_that_is_not_tried_out_replaced_as_asked():
    repaired, [pool] = repair(changed(("float", "bfloat16")), {"y": 3})
    assert (pool.replaced, pool.nodes) == (True, 9)
    onnx.checker.check_model(repaired, full_check=True)


def test_no_elements():
    model = changed(("[n, 2, 5]", "[n, 0, 5]"), ("[n, 2, 4]", "[n, 0, 4]"))
    assert repair(model) == (model, [])


def paddle(operator, count, length, stride):
    """As Paddle 3.3.1 and Paddle2ONNX 2.1.0 export AdaptiveAvgPool1D and AdaptiveMaxPool1D."""
    model = parsed(
        f"""
paddle (float[2, 3, 10] x) => (float[2, 3, {count}] fetch_name_0)
<int64[1] axes = {{2}}> {{
    unsqueeze = Unsqueeze(x, axes)
    pool2d = {operator} <kernel_shape = [1, {length}], strides = [1, {stride}]> (unsqueeze)
    fetch_name_0 = Squeeze(pool2d, axes)
}}""",
        opset=17,
    )
    for node in model.graph.node:  # the parser takes no names with points
        for names in (node.input, node.output):
            for k, name in enumerate(names):
                if name in ("unsqueeze", "pool2d"):
                    names[k] = f"p2o.pd_op.{name}.0.0"
    return model


@pytest.mark.parametrize("asked", [{"fetch_name_0": 4}, {"p2o.pd_op.pool2d.0.0": (1, 4)}], ids=str)
@pytest.mark.parametrize("operator", ["AveragePool", "MaxPool"])
def test_windows_of_paddle_that_are_wrong(operator, asked):
    model = paddle(operator, 4, 4, 2)
    repaired, [pool] = repair(model)
    assert not pool.replaced
    assert pool.note == (
        "windows of (1, 4) with strides (1, 2), which Paddle2ONNX writes for adaptive pools, too: "
        "output_sizes={'p2o.pd_op.pool2d.0.0': ...}"
    )
    assert repaired == model
    repaired, [pool] = repair(model, asked)
    assert (pool.replaced, pool.note) == (True, "as asked for")
    x = noise(2, 3, 10)
    if operator == "AveragePool":
        assert_averages(run(repaired, x)[0], x, (4,))
    else:
        assert np.array_equal(run(repaired, x)[0], ap.adaptive_max_pool1d(x, 4))


@pytest.mark.parametrize("operator", ["AveragePool", "MaxPool"])
def test_windows_of_paddle_that_are_right(operator):
    model = paddle(operator, 3, 4, 3)
    assert repair(model) == (model, [])


@pytest.mark.parametrize("operator", ["AveragePool", "MaxPool"])
def test_ordinary_pools_stay(operator):
    model = parsed(f"""
pools (float[n, 3, h, w] x) => (float[n, 3, hh, ww] y) {{
    y = {operator} <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]> (x)
}}""")
    assert repair(model) == (model, [])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: repair("model.onnx"), TypeError, "model must be an onnx.ModelProto, as onnx.load"),
        (lambda: repair(changed(), [7]), TypeError, "output_sizes must be a mapping of names"),
        (
            lambda: repair(changed(), {"z": 7}),
            ValueError,
            "output_sizes must name results of pools, got 'z'",
        ),
        (
            lambda: repair(changed(("float", "int32")), {"y": 3}),
            TypeError,
            "dtype must be one of .*, got int32",
        ),
        (
            lambda: repair(changed(), {"a": 7}),
            ValueError,
            "output_sizes must name results of pools, got 'a'",
        ),
        (
            lambda: repair(paddle("MaxPool", 4, 4, 2), {"fetch_name_0": (1, 4)}),
            ValueError,
            r"output_sizes\['fetch_name_0'\] must be an int or have 1 elements, got \(1, 4\)",
        ),
        (
            lambda: repair(paddle("MaxPool", 4, 4, 2), {"fetch_name_0": None}),
            ValueError,
            r"output_sizes\['fetch_name_0'\] must be sizes, got None",
        ),
    ],
    ids=["path", "list", "no-tensor", "integers", "no-pool", "rank", "none"],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=f"^repair: {message}"):
        call()


def test_nodes_out_of_order():
    model = changed()
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    with pytest.raises(ValueError, match="^repair: nodes must come after those that make"):
        repair(model)


class Function(nn.Module):
    def forward(self, x):
        return nn.functional.adaptive_avg_pool2d(torch.relu(x), (3, 4))


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(3)

    def forward(self, x):
        return self.pool(torch.tanh(x)) + self.pool(torch.relu(x))


class Pyramid(nn.Module):
    def __init__(self):
        super().__init__()
        self.pools = nn.ModuleList([nn.AdaptiveAvgPool2d(k) for k in (1, 2, 3)])

    def forward(self, x):
        x = torch.relu(x)
        return torch.cat([pool(x).flatten(1) for pool in self.pools], 1)


MODULES = {
    "avg1d-5": lambda: nn.AdaptiveAvgPool1d(5),
    "avg2d-3": lambda: nn.AdaptiveAvgPool2d(3),
    "avg2d-7": lambda: nn.AdaptiveAvgPool2d(7),
    "avg2d-5x1": lambda: nn.AdaptiveAvgPool2d((5, 1)),
    "avg2d-5x7": lambda: nn.AdaptiveAvgPool2d((5, 7)),
    "max2d-7": lambda: nn.AdaptiveMaxPool2d(7),
    "function": Function,
    "twice": Twice,
    "pyramid": Pyramid,
}


@functools.cache
def exported(name, shape, dynamic=(), dynamo=True):
    """A module, and what PyTorch makes of it; with warnings of its own about how it works."""
    module = MODULES[name]().eval()
    file = io.BytesIO()
    options = {"dynamo": False}
    if dynamo:
        axes = dict.fromkeys(dynamic, torch.export.Dim.AUTO)
        options = {"dynamo": True, "verbose": False, "dynamic_shapes": (axes,)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (torch.zeros(shape),), file, **options)
    return module, onnx.load_from_string(file.getvalue())


def assert_as_pytorch(model, module, x):
    with torch.no_grad():
        expected = module(torch.from_numpy(x)).numpy()
    [y] = run(model, x)
    assert y.shape == expected.shape
    # PyTorch sums in float32, which rounds for each element of a window; we have BOUND.
    assert np.abs(y - expected).max() <= (x[0, 0].size * 2.0**-24 + BOUND) * np.abs(x).max()


@pytest.mark.parametrize(
    ("name", "shape", "dynamic", "sizes"),
    [
        ("avg1d-5", (2, 3, 13), (0,), (5,)),
        ("avg1d-5", (2, 3, 3), (), (5,)),
        ("avg2d-5x7", (2, 3, 13, 25), (0,), (5, 7)),
        ("avg2d-5x7", (3, 13, 25), (), (5, 7)),
        ("avg2d-5x1", (2, 3, 13, 10), (), (5, 1)),
        ("avg2d-7", (1, 3, 100, 100), (), (7, 7)),
    ],
    ids=str,
)
def test_pytorch_with_one_size(name, shape, dynamic, sizes):
    _, model = exported(name, shape, dynamic)
    repaired, [pool] = repair(model)
    assert (pool.replaced, pool.output_size) == (True, sizes)
    assert pool.nodes == len(model.graph.node) > len(repaired.graph.node)
    onnx.checker.check_model(repaired, full_check=True)
    x = noise(*shape)
    assert_averages(run(repaired, x)[0], x, sizes)
    # What was there rounds for each element of a window.
    assert_averages(run(model, x)[0], x, sizes, x[0].size * 2.0**-24)


def test_pytorch_with_hundreds_of_nodes():
    _, model = exported("avg2d-7", (1, 3, 100, 100))
    repaired, [pool] = repair(model)
    assert (pool.nodes, len(repaired.graph.node)) == (536, 11)
    assert repaired.ByteSize() < 10_000 < 500_000 < model.ByteSize()


def test_pytorch_that_is_right_and_short():
    _, model = exported("avg2d-3", (2, 3, 10, 10))
    repaired, [pool] = repair(model)
    assert (pool.replaced, pool.note) == (False, "right at its one size, and short")
    assert repaired == model


@pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "older"])
@pytest.mark.parametrize("name", ["avg2d-7", "max2d-7"])
def test_pytorch_that_divides(name, dynamo):
    _, model = exported(name, (2, 3, 14, 14), dynamo=dynamo)
    assert len(model.graph.node) == 1
    assert repair(model) == (model, [])


ANY_SIZE = [
    ("avg1d-5", (2, 3, 13), (2,), [(3,), (14,), (99,)]),
    ("avg2d-3", (2, 3, 10, 10), (2, 3), [(11, 9), (100, 100), (2, 31)]),
    ("avg2d-5x1", (2, 3, 13, 10), (2, 3), [(11, 9), (100, 100)]),
    ("avg2d-5x7", (2, 3, 13, 11), (0, 2), [(5, 11), (60, 11)]),
    ("function", (2, 3, 5, 6), (2, 3), [(11, 9), (40, 41)]),
    ("twice", (2, 3, 10, 10), (2, 3), [(20, 21)]),
    ("pyramid", (2, 3, 8, 5), (2, 3), [(30, 29)]),
]


@pytest.mark.parametrize(("name", "shape", "dynamic", "others"), ANY_SIZE, ids=str)
def test_pytorch_with_any_size(name, shape, dynamic, others):
    module, model = exported(name, shape, dynamic)
    repaired, pools = repair(model)
    assert [pool.replaced for pool in pools] == [True] * {"twice": 2, "pyramid": 2}.get(name, 1)
    onnx.checker.check_model(repaired, full_check=True)
    for sizes in (shape[2:], *others):
        assert_as_pytorch(repaired, module, noise(*shape[:2], *sizes))


@pytest.mark.parametrize(("name", "shape", "dynamic", "others"), ANY_SIZE, ids=str)
def test_pytorch_is_right_at_the_size_it_was_exported_with(name, shape, dynamic, others):
    module, model = exported(name, shape, dynamic)
    assert_as_pytorch(model, module, noise(*shape))
    right = []
    for sizes in others:
        try:
            assert_as_pytorch(model, module, noise(*shape[:2], *sizes))
            right.append(sizes)
        except (AssertionError, ort.capi.onnxruntime_pybind11_state.InvalidArgument):
            pass
    assert len(right) < len(others)


def test_pytorch_whose_notes_are_gone():
    _, model = exported("avg2d-3", (2, 3, 10, 10), (2, 3))
    bare = onnx.ModelProto.FromString(model.SerializeToString())
    for node in bare.graph.node:
        del node.metadata_props[:]
    repaired, [pool] = repair(bare)
    assert not pool.replaced
    assert pool.note == "nothing says that it is meant for all sizes: output_sizes={'mean': ...}"
    assert repaired == bare
    repaired, [pool] = repair(bare, {"mean": 3})
    assert pool.replaced
    x = noise(2, 3, 31, 17)
    assert_averages(run(repaired, x)[0], x, (3, 3))


@pytest.mark.parametrize("name", ["avg2d-7", "max2d-7"])
def test_pytorch_with_windows_of_one_length(name):
    module, model = exported(name, (2, 3, 14, 14), (2, 3))
    repaired, [pool] = repair(model)
    assert not pool.replaced
    assert pool.note == (
        "windows of one length at every size; the output size is not there: "
        f"output_sizes={{{pool.y!r}: ...}}"
    )
    assert repaired == model
    x = noise(2, 3, 28, 29)
    assert run(model, x)[0].shape == (2, 3, 14, 14)
    repaired, [pool] = repair(model, {pool.y: 7})
    assert pool.output_size == (7, 7)
    onnx.checker.check_model(repaired, full_check=True)
    assert [d.dim_value for d in repaired.graph.output[0].type.tensor_type.shape.dim][2:] == [7, 7]
    assert_as_pytorch(repaired, module, x)
