"""Arrays of other libraries: what they say of themselves, and what they hand over.

The libraries are made up here, so that no test needs them; PyTorch and Pillow are used where they
are installed.
"""

import io
import pathlib
import re
import sys
import types

import numpy as np
import pytest
from cases import dtype_of
from processes import python

import adaptive_pool as ap
from adaptive_pool._arrays import _obstacles, as_array

ONES = np.ones((4, 4), np.float32)


class DType:
    """A dtype of another library: written in one way, named in another."""

    def __init__(self, text, name=None):
        self.text = text
        if name is not None:
            self.name = name

    def __repr__(self):
        return self.text


class Foreign:
    """An array of another library."""

    def __init__(self, array, dtype):
        self.array, self.dtype = array, dtype

    def __array__(self, dtype=None, copy=None):
        return self.array


class Exported:
    """The same, by DLPack alone."""

    def __init__(self, array, dtype):
        self.array, self.dtype = array, dtype

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def bits_of(values):
    """The bits of bfloat16 numbers, which are the upper half of those of float32."""
    return (np.array(values, np.float32).view(np.uint32) >> 16).astype(np.uint16)


BITS = bits_of([[1.0, 2.0], [3.0, 4.5]])
PLACES = {
    "x-average": lambda x: ap.adaptive_avg_pool2d(x, 1),
    "x-maximum": lambda x: ap.adaptive_max_pool2d(x, 1),
    "gradient": lambda x: ap.adaptive_avg_pool2d_backward(x, (4, 4)),
    "gradient-maximum": lambda x: ap.adaptive_max_pool2d_backward(x, np.zeros((2, 2), int), (4, 4)),
    "layer": ap.AdaptiveAvgPool2d(1),
    "vjp": lambda x: ap.AdaptiveMaxPool2d(1).vjp(x),
    "in-a-list": lambda x: ap.adaptive_avg_pool2d([x, x], 1),
    "in-lists": lambda x: ap.adaptive_avg_pool2d([[ONES[:2, :2], x]], 1),
    "windows": lambda x: ap.adaptive_avg_pool1d(ONES, None, windows=[(x, [4])]),
}
SAID = {
    "paddle": DType("paddle.bfloat16", "BFLOAT16"),
    "tensorflow": DType("<dtype: 'bfloat16'>", "bfloat16"),
    "mlx": DType("mlx.core.bfloat16"),
    "openvino": DType("<Type: 'bfloat16'>"),
    "name-alone": DType("<DataType: 16>", "BFLOAT16"),
    "string": "bfloat16",
    "short": "bf16",
    "class": type("bfloat16", (), {}),
}


@pytest.mark.parametrize("dtype", SAID.values(), ids=SAID)
@pytest.mark.parametrize("call", PLACES.values(), ids=PLACES)
def test_bfloat16_that_arrives_as_integers(call, dtype):
    """The mean of the bits of 1 and 2 is 16320, or so."""
    message = "says that it is b[a-z0-9]+ but hands over uint16: its bits, not its numbers"
    with pytest.raises(TypeError, match=message):
        call(Foreign(BITS, dtype))


def test_the_advice_for_bits_is_right():
    with pytest.raises(TypeError) as caught:
        ap.adaptive_avg_pool2d(Foreign(BITS, "bfloat16"), 1)
    assert "convert it to float32 first" in str(caught.value)
    advice = re.search(r"numpy\.asarray\(x\)\.view\(ml_dtypes\.bfloat16\)", str(caught.value))
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="bfloat16 arrays need it")
    x = eval(advice[0], {"numpy": np, "ml_dtypes": ml_dtypes, "x": Foreign(BITS, "bfloat16")})
    assert ap.adaptive_avg_pool2d(x, 1, dtype=np.float32).tolist() == [[2.625]]


@pytest.mark.parametrize(
    "said",
    [
        "bfloat16", "float8_e4m3fn", "Float8E5M2", "float16", "float32",
        "BF16", "F8_E4M3", "f8e5m2", "fp8", "fp8_e4m3", "fp16", "nf4",
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "uint32", "bool", "V2"])
def test_any_float_that_arrives_as_integers(said, dtype):
    with pytest.raises(TypeError, match=f"it is {said.lower()} but hands over"):
        ap.adaptive_avg_pool2d(Foreign(np.zeros((2, 2), dtype), said), 1)


@pytest.mark.parametrize("kind", [Foreign, Exported])
@pytest.mark.parametrize(
    ("said", "dtype"),
    [
        ("bfloat16", "float32"), ("bfloat16", "float64"), ("float8_e5m2", "float16"),
        ("float16", "float16"), ("mylib.float64", "float64"), ("mylib.int16", "int16"),
        ("uint8", "uint8"), (None, "uint16"), ("<f8", "float64"), ("<f4", "float32"),
        (DType("quantity"), "int32"),
    ],
)  # fmt: skip
def test_what_arrives_as_numbers_is_pooled(kind, said, dtype):
    x = np.arange(16).reshape(4, 4).astype(dtype)
    np.testing.assert_array_equal(
        ap.adaptive_avg_pool2d(kind(x, said), 2), ap.adaptive_avg_pool2d(x, 2)
    )
    np.testing.assert_array_equal(
        ap.adaptive_avg_pool2d([Foreign(x, said)], 2), ap.adaptive_avg_pool2d(x[None], 2)
    )


def test_bfloat16_that_arrives_as_float16():
    """OpenVINO's outputs do: 1.5 reads 1.9375."""
    with pytest.raises(TypeError, match="it is bfloat16 but hands over float16: its bits"):
        ap.adaptive_avg_pool2d(Foreign(BITS.view(np.float16), "bfloat16"), 1)
    with pytest.raises(TypeError, match="it is bfloat16 but hands over uint16: its bits"):
        ap.adaptive_avg_pool2d(Exported(BITS, "bfloat16"), 1)


def test_bfloat16_that_arrives_as_bfloat16():
    """JAX and tensorstore do."""
    x = BITS.view(dtype_of("bfloat16"))
    y = ap.adaptive_avg_pool2d(Foreign(x, x.dtype), 1)
    assert (y.dtype, float(y[0, 0])) == (x.dtype, 2.625)


def test_bfloat16_that_was_saved():
    """numpy.save keeps the bits and forgets the name, as h5py does."""
    bfloat16 = dtype_of("bfloat16")
    file = io.BytesIO()
    np.save(file, BITS.view(bfloat16))
    file.seek(0)
    x = np.load(file)
    advice = "numpy.asarray(x).view(ml_dtypes.bfloat16)"
    for given in (x, Foreign(x, x.dtype)):
        with pytest.raises(TypeError, match=re.escape(f"pass {advice}")):
            ap.adaptive_avg_pool2d(given, 1)
    assert float(ap.adaptive_avg_pool2d(np.asarray(x).view(bfloat16), 1)[0, 0]) == 2.625


@pytest.mark.parametrize(
    ("dtype", "advice"),
    [([("height", "f4"), ("id", "i4")], "pass one field, x['height']"),
     ("U3", "entries must be numbers, not strings"), ("O", "entries must be numbers"),
     ("V1", "pass numpy.asarray(x).view(ml_dtypes.float8_e4m3fn).astype(numpy.float32)")],
)  # fmt: skip
def test_advice_for_other_dtypes(dtype, advice):
    with pytest.raises(TypeError, match=re.escape(advice)):
        ap.adaptive_max_pool2d(np.zeros((2, 2), dtype), 1)


@pytest.mark.parametrize("dtype", ["V1", "V2", "U3", "float32"])
def test_no_floats_are_advised_as_indices(dtype):
    with pytest.raises(TypeError, match="indices must have one of the dtypes int32, int64") as e:
        ap.adaptive_max_pool1d_backward([1.0], np.zeros(1, dtype), (2,))
    assert "ml_dtypes" not in str(e.value)
    assert "astype" not in str(e.value)


def test_float8_that_was_saved():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="float8 arrays need it")
    saved = np.array([1.0, 2.0]).astype(ml_dtypes.float8_e4m3fn).view("V1")  # as numpy.load has it
    with pytest.raises(TypeError, match="such as float8_e4m3fn") as caught:
        ap.adaptive_avg_pool1d(saved, 1)
    advice = str(caught.value).partition("pass ")[2]
    x = eval(advice, {"numpy": np, "ml_dtypes": ml_dtypes, "x": saved})
    assert ap.adaptive_avg_pool1d(x, 1).tolist() == [1.5]


def test_float8_of_ml_dtypes():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="float8 arrays need it")
    x = np.ones((2, 2), ml_dtypes.float8_e4m3fn)
    with pytest.raises(TypeError, match=r"float8_e4m3fn; pass x.astype\(numpy.float32\)"):
        ap.adaptive_avg_pool2d(x, 1)
    assert ap.adaptive_avg_pool2d(x.astype(np.float32), 1).tolist() == [[1.0]]


NO_ARRAYS = {
    "none": (None, "must be an array of numbers, got None"),
    "file": ("cat.jpg", "got 'cat.jpg'; if that is a file, read it into an array first"),
    "numpy-string": (np.str_("cat.jpg"), "if that is a file"),
    "path": (pathlib.PurePosixPath("cat.jpg"), "if that is a file, read it into an array first"),
    "bytes": (b"\x89PNG....", "if that is a file, read it into an array first"),
    "dict": ({"pixels": ONES}, "must be an array of numbers, got dict"),
    "set": ({1, 2}, "must be an array of numbers, got set"),
    "generator": ((row for row in ONES), "must be an array of numbers, got generator"),
    "function": (len, "must be an array of numbers, got builtin_function_or_method"),
    "module": (np, "must be an array of numbers, got module"),
    "type": (np.float32, "must be an array of numbers, got type"),
    "ragged": ([[1.0, 2.0], [3.0]], "is ragged: its parts differ in length or depth"),
    "pictures": ([ONES, ONES[:2]], "they are no array; pool them one by one"),
    "files": (["a.jpg", "b.jpg"], "entries must be numbers, not strings"),
    "hole": ([[1, None]], "entries must be numbers, not strings, None or other objects"),
}


@pytest.mark.parametrize(("x", "message"), NO_ARRAYS.values(), ids=NO_ARRAYS)
def test_what_is_no_array_is_named(x, message):
    for call in (ap.adaptive_avg_pool2d, ap.adaptive_max_pool2d, ap.AdaptiveAvgPool2d(2)):
        arguments = (x,) if isinstance(call, ap.AdaptiveAvgPool2d) else (x, 2)
        error = ValueError if "ragged" in message or "one by one" in message else TypeError
        with pytest.raises(error, match=f"^adaptive_(avg|max)_pool2d: x .*{re.escape(message)}"):
            call(*arguments)


def test_other_arguments_that_are_no_arrays():
    for call in (
        lambda: ap.adaptive_avg_pool2d_backward(None, (4, 4)),
        lambda: ap.adaptive_max_pool2d_backward(ONES, None, (4, 4)),
        lambda: ap.adaptive_avg_pool1d(ONES, None, windows=[(None, [4])]),
    ):
        with pytest.raises(TypeError, match="must be an array of numbers, got None"):
            call()


class Masked(Foreign):
    """What netCDF4's variables are: they hand over a masked array."""


MASKED = np.ma.MaskedArray([[1.0, 99.0], [3.0, 5.0]], mask=[[False, True], [False, False]])


@pytest.mark.parametrize(
    "x",
    [
        MASKED,
        [MASKED, MASKED],
        Foreign(MASKED, MASKED.dtype),
        np.ones((2, 2)).view(type("MaskedNDArray", (np.ndarray,), {})),
        type("MaskedTensor", (Foreign,), {})(np.ones((2, 2)), None),
    ],
    ids=["array", "in-a-list", "handed-over", "astropy", "tensor"],
)
def test_masks_are_not_dropped(x):
    for call in (ap.adaptive_avg_pool2d, ap.adaptive_max_pool2d):
        with pytest.raises(TypeError, match="must not be a Masked") as caught:
            call(x, 1)
        is_mean = call is ap.adaptive_avg_pool2d
        assert ("how to leave elements out of a mean" in str(caught.value)) == is_mean


MASKED_ELSEWHERE = {
    "starts": lambda: ap.adaptive_avg_pool1d(ONES, None, windows=[(MASKED[0].astype(int), [2, 4])]),
    "windows": lambda: ap.adaptive_avg_pool2d(ONES, None, windows=np.ma.zeros((2, 2, 3), int)),
    "grad_output": lambda: ap.adaptive_avg_pool2d_backward(MASKED, (4, 4)),
    "output_size": lambda: ap.adaptive_avg_pool2d(ONES, np.ma.array([2, 2], mask=[0, 1])),
    "out": lambda: ap.adaptive_avg_pool2d(ONES, 1, out=np.ma.zeros((1, 1))),
}


@pytest.mark.parametrize(("name", "call"), MASKED_ELSEWHERE.items(), ids=MASKED_ELSEWHERE)
def test_masks_elsewhere(name, call):
    """Nothing is said about means: there is none to leave anything out of."""
    pattern = rf"{name} must not be a MaskedArray: masks are not supported$"
    with pytest.raises(TypeError, match=pattern):
        call()


def test_the_mean_of_what_is_not_masked():
    """What the message leads to."""
    mean = ap.adaptive_avg_pool2d(MASKED.data, 1, where=~np.ma.getmaskarray(MASKED))
    assert mean.tolist() == [[MASKED.mean()]] == [[3.0]]
    assert "where=~numpy.ma.getmaskarray(x)" in ap.adaptive_avg_pool2d.__doc__


@pytest.mark.parametrize("mode", ["P", "PA"])
def test_pictures_with_a_palette(mode):
    """Their numbers are places in a list of colours: means of them are of no colour at all."""
    image = pytest.importorskip("PIL.Image", reason="pictures need Pillow")
    picture = image.new("RGB", (4, 6), (200, 100, 50)).convert("P")
    if mode == "PA":
        picture = picture.convert("PA")
    for x in (picture, [picture, picture]):
        with pytest.raises(TypeError, match=f"x is a picture of mode {mode}: .*picture.convert"):
            ap.adaptive_avg_pool2d(x, 2)
    y = ap.adaptive_avg_pool2d(picture.convert("RGB"), 2, data_format="channels_last")
    assert y.shape == (2, 2, 3)


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "I", "F"])
def test_grey_pictures_are_arrays(mode):
    image = pytest.importorskip("PIL.Image", reason="pictures need Pillow")
    assert ap.adaptive_avg_pool2d(image.new(mode, (4, 6)), (3, 2)).tolist() == [[0.0, 0.0]] * 3


def tensor_of(array, dtype):
    torch = pytest.importorskip("torch", reason="tensors need PyTorch")
    return torch.from_numpy(np.ascontiguousarray(array)).to(getattr(torch, dtype))


@pytest.mark.parametrize("layout", ["plain", "strided", "transposed", "channels-last", "empty"])
def test_bfloat16_of_torch_is_read_in_place(rng, layout):
    tensor = tensor_of(rng.standard_normal((3, 8, 10)), "bfloat16")
    tensor = {
        "plain": tensor,
        "strided": tensor[:, ::2, 1::3],
        "transposed": tensor.transpose(1, 2),
        "channels-last": tensor.permute(1, 2, 0),
        "empty": tensor[:0],
    }[layout]
    data_format = "channels_last" if layout == "channels-last" else "channels_first"
    bfloat16 = dtype_of("bfloat16")
    x = tensor.float().numpy().astype(bfloat16)
    y = ap.adaptive_avg_pool2d(tensor, (2, 3), data_format=data_format)
    assert y.dtype == bfloat16
    assert y.tobytes() == ap.adaptive_avg_pool2d(x, (2, 3), data_format=data_format).tobytes()
    g = ap.adaptive_avg_pool2d_backward(tensor, tuple(tensor.shape), data_format=data_format)
    assert (g.dtype, g.shape) == (bfloat16, x.shape)
    read = as_array("f", "x", tensor)
    if layout != "empty":
        assert read.__array_interface__["data"][0] == tensor.data_ptr()
        assert read.strides == tuple(2 * s for s in tensor.stride())


WITHOUT_ML_DTYPES = """
import json, numpy as np, torch, sys, adaptive_pool as ap
try:
    ap.adaptive_avg_pool2d(torch.ones(4, 4).bfloat16(), 2)
except TypeError as error:
    said = str(error)
loaded = "ml_dtypes" in sys.modules
import ml_dtypes
y = ap.adaptive_avg_pool2d(torch.ones(4, 4).bfloat16(), 2)
print(json.dumps([said, loaded, str(y.dtype), y.astype(float).tolist()]))
"""


def test_bfloat16_of_torch_needs_ml_dtypes():
    pytest.importorskip("torch", reason="tensors need PyTorch")
    pytest.importorskip("ml_dtypes", reason="bfloat16 arrays need it")
    said, loaded, dtype, values = python(WITHOUT_ML_DTYPES)
    assert "x is a bfloat16 tensor: import ml_dtypes first" in said
    assert (loaded, dtype, values) == (False, "bfloat16", [[1.0, 1.0], [1.0, 1.0]])


def test_a_list_of_bfloat16_tensors():
    """NumPy reads lists itself, and PyTorch gives it none of these."""
    tensors = [tensor_of(np.ones((2, 2)), "bfloat16")] * 2
    with pytest.raises(TypeError, match="bfloat16 must be converted to float32 first"):
        ap.adaptive_avg_pool2d(tensors, 1)
    assert ap.adaptive_avg_pool2d([t.float() for t in tensors], 1).tolist() == [[[1.0]]] * 2


@pytest.mark.filterwarnings("ignore:The PyTorch API of MaskedTensors")
def test_masked_tensors():
    torch = pytest.importorskip("torch", reason="tensors need PyTorch")
    x = torch.masked.masked_tensor(torch.ones(4, 4), torch.eye(4).bool())
    with pytest.raises(TypeError, match="x must not be a MaskedTensor"):
        ap.adaptive_avg_pool2d(x, 2)


TENSORS = {
    "grad": (lambda t, torch: t.requires_grad_(), "x requires grad: pass x.detach()"),
    "grad-bfloat16": (lambda t, torch: t.bfloat16().requires_grad_(), "pass x.detach()"),
    "parameter": (lambda t, torch: torch.nn.Parameter(t), "pass x.detach()"),
    "meta": (lambda t, torch: t.to("meta").requires_grad_(), "a shape and no numbers"),
    "both": (
        lambda t, torch: t.to_sparse().requires_grad_(),
        "x requires grad and is not dense: pass x.detach().to_dense()",
    ),
    "sparse": (lambda t, torch: t.to_sparse(), "x is not dense: pass x.to_dense()"),
    "sparse-bfloat16": (lambda t, torch: t.bfloat16().to_sparse(), "pass x.to_dense()"),
    "negated": (lambda t, torch: torch.complex(t, t).conj().imag, "pass x.resolve_neg()"),
    "float8": (lambda t, torch: t.to(torch.float8_e4m3fn), "pass x.float()"),
    "complex": (lambda t, torch: torch.complex(t, t), "got complex64"),
    "conjugated": (lambda t, torch: torch.complex(t, t).conj(), "resolve_conj"),
}


@pytest.mark.parametrize(("make", "message"), TENSORS.values(), ids=TENSORS)
def test_tensors_that_need_something_first(make, message):
    torch = pytest.importorskip("torch", reason="tensors need PyTorch")
    x = make(torch.arange(16.0).reshape(4, 4), torch)
    with pytest.raises(TypeError, match=re.escape(message)):
        ap.adaptive_avg_pool2d(x, 2)
    remedy = re.search(r"pass (x\..*)$", message)
    if remedy:
        assert ap.adaptive_avg_pool2d(eval(remedy[1], {"x": x}), 2).shape == (2, 2)


def test_tensors_that_are_elsewhere():
    torch = pytest.importorskip("torch", reason="tensors need PyTorch")
    elsewhere = torch.zeros(2, device="meta")  # the one device that every machine has
    assert _obstacles(elsewhere) == [("is not on the CPU", "cpu()")]


@pytest.mark.parametrize("layout", ["strided", "jagged"])
@pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype")
def test_nested_tensors(layout):
    torch = pytest.importorskip("torch", reason="tensors need PyTorch")
    parts = [torch.ones(4, 4), torch.ones(2, 4)]
    x = torch.nested.nested_tensor(parts, layout=getattr(torch, layout))
    with pytest.raises(TypeError, match=re.escape("x is nested: pool the parts, x.unbind()")):
        ap.adaptive_avg_pool2d(x, 2)
    assert [ap.adaptive_avg_pool2d(part, 2).shape for part in x.unbind()] == [(2, 2)] * 2


def known_as(module, name, kind, monkeypatch):
    """Return a class as one of a library, as if that were loaded."""
    kind = type(name, (kind,), {})
    monkeypatch.setitem(sys.modules, module, types.SimpleNamespace(**{name: kind}))
    return kind


class OnGpu(Foreign):
    """An array of JAX on a device: NumPy would get a copy without a word."""

    def devices(self):
        return (types.SimpleNamespace(platform="gpu"),)


def test_arrays_of_jax_that_are_elsewhere(monkeypatch):
    x = known_as("jax", "Array", OnGpu, monkeypatch)(ONES, ONES.dtype)
    remedy = re.escape("pass x.to_device(jax.devices('cpu')[0])")
    with pytest.raises(TypeError, match=f"x is not on the CPU: {remedy}"):
        ap.adaptive_avg_pool2d(x, 2)


class OfCupy(Foreign):
    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")


def test_arrays_of_cupy(monkeypatch):
    x = known_as("cupy", "ndarray", OfCupy, monkeypatch)(ONES, ONES.dtype)
    with pytest.raises(TypeError, match=r"x is not on the CPU: pass x\.get\(\)$"):
        ap.adaptive_avg_pool2d(x, 2)


class Traced(Foreign):
    def __array__(self, dtype=None, copy=None):
        raise TypeError("it has no numbers")


class Boxed:
    """NumPy makes an array of one object of it."""


@pytest.mark.parametrize(
    ("module", "name", "kind", "adaptor"),
    [("jax.core", "Tracer", Traced, "jax"), ("autograd.tracer", "Box", Boxed, "autograd")],
)
def test_what_stands_for_an_array(module, name, kind, adaptor, monkeypatch):
    kind = known_as(module, name, kind, monkeypatch)
    x = kind(ONES, ONES.dtype) if issubclass(kind, Traced) else kind()
    with pytest.raises(TypeError, match=f"x is traced, .*: adaptive_pool.{adaptor} has functions"):
        ap.adaptive_avg_pool2d(x, 2)
