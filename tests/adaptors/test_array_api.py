"""Functions that answer in kind, with the libraries themselves.

Whatever comes back is compared, bit for bit, with what `adaptive_pool` makes of the same arrays of
NumPy.
"""

import inspect
import pickle
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

import adaptive_pool as ap
from adaptive_pool import array_api
from adaptive_pool._in_kind import _to_jax

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
FLOATS = ["float16", "bfloat16", "float32", "float64"]


class Torch:
    """How tests make arrays of a library, and read them."""

    def __init__(self):
        self.torch = pytest.importorskip("torch", reason="PyTorch is not installed")
        self.kind = self.torch.Tensor

    def make(self, x):
        if x.dtype == BFLOAT16:
            return self.torch.from_numpy(x.view(np.int16)).view(self.torch.bfloat16)
        return self.torch.from_numpy(x)

    def read(self, x):
        if x.dtype is self.torch.bfloat16:
            return x.view(self.torch.int16).numpy().view(BFLOAT16)
        return x.numpy()


class Jax:
    """With 64-bit types; a test of its own is without."""

    def __init__(self):
        self.jax = pytest.importorskip("jax", reason="JAX is not installed")
        self.kind = self.jax.Array

    def make(self, x):
        return self.jax.numpy.asarray(x)

    def read(self, x):
        return np.asarray(x)


class Mlx:
    def __init__(self):
        self.mlx = pytest.importorskip("mlx.core", reason="MLX is not installed")
        self.kind = self.mlx.array

    def make(self, x):
        return self.mlx.array(x, self.mlx.float64) if x.dtype == np.float64 else self.mlx.array(x)

    def read(self, x):
        if x.dtype == self.mlx.bfloat16:
            return np.asarray(x.view(self.mlx.uint16)).view(BFLOAT16)
        return np.asarray(x)


class Strict:
    def __init__(self):
        self.strict = pytest.importorskip("array_api_strict", reason="it is not installed")
        self.kind = type(self.strict.asarray(0))

    def make(self, x):
        return self.strict.asarray(x)

    def read(self, x):
        return np.asarray(x)


LIBRARIES = {"torch": Torch, "jax": Jax, "mlx": Mlx, "strict": Strict}


@pytest.fixture(params=LIBRARIES)
def library(request):
    library = LIBRARIES[request.param]()
    if request.param != "jax":
        yield library
        return
    with library.jax.enable_x64(True):
        yield library


def bits(x):
    """What two results are compared by: structure, shapes, dtypes and bytes."""
    if isinstance(x, (list, tuple)):
        return type(x), [bits(entry) for entry in x]
    return x.shape, x.dtype.name, x.tobytes()


def read(library, x):
    """An answer as NumPy has it, once all of it is known to be in kind."""
    if isinstance(x, (list, tuple)):
        return type(x)([read(library, entry) for entry in x])
    assert isinstance(x, library.kind)
    return library.read(x)


X = np.arange(2 * 6 * 8, dtype=np.float32).reshape(2, 6, 8)[..., ::-1].copy()
ITEMS = [X[:, :4].copy(), X]
SIX = X[0]
Y, INDICES = ap.adaptive_max_pool2d(X, (3, 2), return_indices=True)
R, R_INDICES = ap.adaptive_max_pool2d_ragged(ITEMS, 2, return_indices=True)
P, P_INDICES = ap.adaptive_max_pool1d_packed(SIX, [0, 3, 8], 2, return_indices=True)
LEVELS = ap.spatial_pyramid_pool2d(X, (1, 2))
SHAPES = [item.shape for item in ITEMS]
MASK = X % 3 > 0

# Of each function: its arrays, its other arguments, and its options.
CALLS = {
    "adaptive_avg_pool2d": ([X], [(3, 2)], {}),
    "adaptive_avg_pool2d-counts": ([X], [2], {"where": MASK, "return_counts": True}),
    "adaptive_avg_pool2d-scaled": ([X], [2], {"scale": 0.5, "dtype": "uint8"}),
    "adaptive_avg_pool1d": ([X], [3], {"lengths": np.array([8, 4])}),
    "adaptive_avg_pool3d": ([X], [2], {}),
    "adaptive_max_pool2d": ([X], [(3, 2)], {}),
    "adaptive_max_pool2d-indices": ([X], [(3, 2)], {"return_indices": True}),
    "adaptive_avg_pool2d_backward": ([Y], [X.shape], {}),
    "adaptive_max_pool2d_backward": ([Y, INDICES], [X.shape], {}),
    "adaptive_max_unpool2d": ([Y, INDICES], [X.shape], {}),
    "adaptive_avg_max_pool2d": ([X], [2], {"return_indices": True}),
    "adaptive_avg_max_pool2d_backward": ([Y, Y, INDICES], [X.shape], {}),
    "adaptive_avg_pool2d_ragged": ([ITEMS], [2], {}),
    "adaptive_max_pool2d_ragged": ([ITEMS], [2], {"return_indices": True}),
    "adaptive_avg_pool2d_ragged_backward": ([R], [SHAPES], {}),
    "adaptive_max_pool2d_ragged_backward": ([R, R_INDICES], [SHAPES], {}),
    "adaptive_avg_pool1d_packed": ([SIX, np.array([0, 3, 8])], [2], {}),
    "adaptive_max_pool1d_packed_backward": ([P, P_INDICES], [[0, 3, 8], SIX.shape], {}),
    "spatial_pyramid_pool2d": ([X], [(1, 2)], {}),
    "spatial_pyramid_pool2d-flat": ([X], [(1, 2)], {"flatten": True}),
    "spatial_pyramid_pool2d_backward": ([LEVELS], [X.shape, (1, 2)], {}),
    "pyramid": ([X], [3], {"reduce": "max"}),
}


def mapped(function, x):
    return [mapped(function, entry) for entry in x] if isinstance(x, list) else function(x)


@pytest.mark.parametrize("name", CALLS)
def test_every_kind_of_function(library, name):
    arrays, rest, options = CALLS[name]
    name = name.partition("-")[0]
    given = {k: library.make(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    answer = getattr(array_api, name)(*mapped(library.make, arrays), *rest, **given)
    assert bits(read(library, answer)) == bits(getattr(ap, name)(*arrays, *rest, **options))


@pytest.mark.parametrize("dtype", [*FLOATS, "uint8", "int16", "int32", "int64", "bool"])
def test_every_dtype(library, dtype):
    if dtype in ("float16", "bfloat16") and isinstance(library, Strict):
        pytest.skip("the array API has no halves")
    x = (X % 2 if dtype == "bool" else X).astype(dtype)
    for function in ("adaptive_avg_pool2d", "adaptive_max_pool2d"):
        answer = getattr(array_api, function)(library.make(x), (3, 2))
        assert bits(read(library, answer)) == bits(getattr(ap, function)(x, (3, 2)))


@pytest.mark.parametrize("shape", [(0, 4, 4), (2, 0, 4, 4), (4, 4)])
def test_every_shape(library, shape):
    x = np.ones(shape, np.float32)
    answer = array_api.adaptive_avg_pool2d(library.make(x), 2)
    assert bits(read(library, answer)) == bits(ap.adaptive_avg_pool2d(x, 2))


def test_dtypes_of_the_library(library):
    namespace = {"Torch": "torch", "Jax": "jax", "Mlx": "mlx", "Strict": "strict"}
    module = getattr(library, namespace[type(library).__name__])
    module = getattr(module, "numpy", module)  # of JAX
    _, indices = array_api.adaptive_max_pool2d(
        library.make(X), 2, return_indices=True, index_dtype=module.int32
    )
    means = array_api.adaptive_avg_pool2d(library.make(X), 2, dtype=module.float64)
    assert read(library, indices).dtype == np.int32
    assert read(library, means).dtype == np.float64


def test_the_first_argument_by_name(library):
    answer = array_api.adaptive_avg_pool2d(output_size=2, x=library.make(X))
    assert bits(read(library, answer)) == bits(ap.adaptive_avg_pool2d(X, 2))


def test_level_0_is_what_was_given(library):
    x = library.make(X)
    assert array_api.pyramid(x, 2)[0] is x


def test_results_live_on(library):
    """They hold the memory that they took over."""
    answers = [array_api.adaptive_avg_pool2d(library.make(X + k), 2) for k in range(50)]
    for k, answer in enumerate(answers):
        assert bits(read(library, answer)) == bits(ap.adaptive_avg_pool2d(X + k, 2))


WRITTEN = {"torch": Torch, "strict": Strict}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_out_is_written_in_place(written):
    library = written()
    x, out = library.make(X), library.make(np.zeros((2, 2, 2), np.float32))
    assert array_api.adaptive_avg_pool2d(x, 2, out=out) is out
    assert bits(library.read(out)) == bits(ap.adaptive_avg_pool2d(X, 2))
    pair = out, library.make(np.zeros((2, 2, 2), np.int64))
    answer = array_api.adaptive_max_pool2d(x, 2, return_indices=True, out=pair)
    assert [a is b for a, b in zip(answer, pair, strict=True)] == [True, True]
    assert bits(library.read(pair[1])) == bits(ap.adaptive_max_pool2d(X, 2, return_indices=True)[1])
    many = [library.make(np.zeros_like(item)) for item in ITEMS]
    answer = array_api.adaptive_avg_pool2d_ragged_backward(library.make(R), SHAPES, out=many)
    assert [a is b for a, b in zip(answer, many, strict=True)] == [True, True]
    assert library.read(many[1]).any()


def test_out_of_bfloat16_and_with_strides():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    whole = torch.zeros(2, 2, 6, dtype=torch.bfloat16)
    out = whole[..., 1::3]
    x = X.astype(BFLOAT16)
    assert array_api.adaptive_avg_pool2d(Torch().make(x), 2, out=out) is out
    assert bits(Torch().read(out.contiguous())) == bits(ap.adaptive_avg_pool2d(x, 2))
    assert not whole[..., ::3].any()


@pytest.mark.parametrize("fixed", [Jax, Mlx])
def test_out_that_never_changes(fixed):
    library = fixed()
    x, out = library.make(X), library.make(np.zeros((2, 2, 2), np.float32))
    with pytest.raises(TypeError, match="out must be writeable, got a read-only array of .*leave"):
        array_api.adaptive_avg_pool2d(x, 2, out=out)
    indices = np.zeros((2, 2, 2), np.int64)
    with pytest.raises(TypeError, match=r"adaptive_max_pool2d: out\[0\] must be writeable"):
        array_api.adaptive_max_pool2d(x, 2, return_indices=True, out=(out, indices))
    assert not indices.any()


def test_out_of_numpy():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    out = np.zeros((2, 2, 2), np.float32)
    assert array_api.adaptive_avg_pool2d(torch.from_numpy(X), 2, out=out) is out
    with pytest.raises(TypeError, match="out must be a NumPy array, got Tensor"):
        array_api.adaptive_avg_pool2d(X, 2, out=torch.zeros(2, 2, 2))
    with pytest.raises(TypeError, match="out must be a NumPy array, got str"):
        array_api.adaptive_avg_pool2d(torch.from_numpy(X), 2, out="out")


def test_out_that_requires_grad():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    out = torch.zeros(2, 2, 2, requires_grad=True)
    with pytest.raises(TypeError, match=r"out requires grad: pass out.detach\(\)"):
        array_api.adaptive_avg_pool2d(torch.from_numpy(X), 2, out=out)


def test_nothing_is_copied_for_torch(monkeypatch):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    made = []
    monkeypatch.setattr(torch, "from_numpy", lambda y, f=torch.from_numpy: made.append(y) or f(y))
    for dtype in (torch.float32, torch.bfloat16):
        answer = array_api.adaptive_avg_pool2d(torch.ones(4, 4, dtype=dtype), 2)
        assert (answer.dtype, answer.tolist()) == (dtype, [[1, 1], [1, 1]])
        assert answer.data_ptr() == made[-1].__array_interface__["data"][0]
        answer += 1  # it is the caller's own
        assert answer.tolist() == [[2, 2], [2, 2]]


def test_bfloat16_of_jax_is_read_in_place():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    x = jax.numpy.ones((64, 64), jax.numpy.bfloat16)
    given = ap._arrays.as_array("f", "x", x)
    assert (given.dtype, given.flags.writeable) == (BFLOAT16, False)
    assert given.__array_interface__["data"][0] == x.unsafe_buffer_pointer()


def test_jax_without_64_bit_types():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    jnp = jax.numpy
    with jax.enable_x64(False):
        x = jnp.asarray(X)
        _, indices = array_api.adaptive_max_pool2d(x, (3, 2), return_indices=True)
        assert (indices.dtype, indices.tolist()) == (jnp.int32, INDICES.tolist())
        means = array_api.adaptive_avg_pool2d(jnp.array([[1, 2], [3, 4]]), 1)
        assert (means.dtype, means.tolist()) == (jnp.float32, [[2.5]])
        with pytest.raises(ValueError, match="^f: .* int64 does not fit into int32, .*enable_x64"):
            _to_jax("f", x, np.array([0, 2**31]))


@pytest.mark.parametrize("transform", ["jit", "vmap", "grad"])
def test_inside_transforms_of_jax(transform):
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    for module in (ap, array_api):
        with pytest.raises(TypeError, match="x is traced, .*: adaptive_pool.jax has functions"):
            getattr(jax, transform)(lambda x, m=module: m.adaptive_avg_pool2d(x, 1).sum())(X)


def test_inside_autograd():
    autograd = pytest.importorskip("autograd", reason="autograd is not installed")
    with pytest.raises(TypeError, match="x is traced, .*: adaptive_pool.autograd has functions"):
        autograd.grad(lambda x: ap.adaptive_avg_pool2d(x, 1).sum())(X)


def test_other_devices_of_the_standard():
    """array-api-strict has made-up ones, and hands over what is on them by DLPack."""
    strict = pytest.importorskip("array_api_strict", reason="it is not installed")
    x = strict.ones((4, 4), device=strict.Device("device1"))
    for module in (ap, array_api):
        with pytest.raises(TypeError, match="x is not an array: Can't convert array on the"):
            module.adaptive_avg_pool2d(x, 2)


@pytest.mark.parametrize("x", [X, X.tolist(), [X[0], X[1]], X.view(np.memmap)])
def test_all_else_gives_numpy(x):
    answer = array_api.adaptive_avg_pool2d(x, 2)
    assert type(answer) is np.ndarray
    assert bits(answer) == bits(ap.adaptive_avg_pool2d(x, 2))
    assert array_api.pyramid(X, 2)[0] is X


NOTHING_GIVEN = "missing 1 required positional argument: 'x'"
BAD = {
    "nothing": ([], {"output_size": 2}, TypeError, NOTHING_GIVEN),
    "twice": ([X, 2], {"x": X}, TypeError, "multiple values for argument 'x'"),
    "empty": ([[], 2], {}, ValueError, "must have shape"),
    "size": ([X, -1], {}, ValueError, "output_size must not be negative"),
    "dtype": ([X, 2], {"dtype": "float31"}, TypeError, "float31"),
    "option": ([X, 2], {"wehre": X}, TypeError, "unexpected keyword argument 'wehre'"),
}


@pytest.mark.parametrize(("arguments", "options", "kind", "message"), BAD.values(), ids=BAD)
def test_errors_are_the_same(arguments, options, kind, message):
    strict = Strict()
    made = [strict.make(a) if isinstance(a, np.ndarray) else a for a in arguments]
    for given in (arguments, made):
        with pytest.raises(kind, match=message):
            array_api.adaptive_avg_pool2d(*given, **options)


def test_a_list_that_holds_itself():
    x = []
    x.append(x)
    with pytest.raises((TypeError, ValueError), match="^adaptive_avg_pool2d: x"):
        array_api.adaptive_avg_pool2d(x, 2)


class Unfriendly:
    """An array of a library that takes none over."""

    def __init__(self, raised):
        self.raised = raised

    def __array__(self, dtype=None, copy=None):
        return X

    def __array_namespace__(self):
        raise self.raised


@pytest.mark.parametrize(
    ("raised", "kind"), [(RuntimeError("no"), TypeError), (MemoryError("no"), MemoryError)]
)
def test_a_library_that_takes_no_arrays(raised, kind):
    with pytest.raises(kind, match="^adaptive_avg_pool2d: .*no$"):
        array_api.adaptive_avg_pool2d(Unfriendly(raised), 2)


def test_a_class_that_cannot_be_asked():
    class Secretive:
        @property
        def __class__(self):
            raise RuntimeError

    with pytest.raises(TypeError, match="x must be an array of numbers, got Secretive"):
        array_api.adaptive_avg_pool2d(Secretive(), 2)


def test_lists_of_outs_that_lie():
    class Liar(list):
        def __iter__(self):
            raise RuntimeError

    x = Strict().make(X)
    outs = [Strict().make(np.zeros((2, n, n), np.float32)) for n in (1, 2)]
    answer = array_api.spatial_pyramid_pool2d(x, [1, 2], out=Liar(outs))
    assert [a is b for a, b in zip(answer, outs, strict=True)] == [True, True]
    outs[1] = outs
    with pytest.raises(TypeError, match=r"out\[1\] must be a NumPy array, got list"):
        array_api.spatial_pyramid_pool2d(x, [1, 2], out=outs)


def test_all_functions_are_there():
    pooling = [n for n in ap.__all__ if n.startswith(("adaptive_", "spatial_", "pyramid"))]
    assert array_api.__all__ == pooling
    assert all(callable(getattr(array_api, name)) for name in pooling)


@pytest.mark.parametrize("name", array_api.__all__)
def test_help_reads_whole(name):
    function, core = getattr(array_api, name), getattr(ap, name)
    assert inspect.signature(function) == inspect.signature(core)
    text = inspect.getdoc(function)
    assert "Results are arrays of the library of the first argument" in text
    assert inspect.getdoc(core).partition("\n\n")[2] in text
    assert pickle.loads(pickle.dumps(function)) is function


def test_without_docstrings():
    code = "import adaptive_pool.array_api as ap; print(ap.adaptive_avg_pool1d([1, 3], 1))"
    done = subprocess.run(
        [sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[2.]\n"


def test_it_imports_no_library():
    code = "import sys, adaptive_pool.array_api; print({'torch', 'jax', 'mlx'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
