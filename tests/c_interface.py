"""The C interface, called as C code would: by its structs and pointers, through ctypes."""

import ctypes

import numpy as np

import adaptive_pool as ap

OPERATIONS = ["average", "maximum", "average_backward", "maximum_backward"]
# In the order of the header, where 0 is the default.
DTYPES = [
    None, "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
    "float16", "bfloat16", "float32", "float64",
]  # fmt: skip
STATUS = {1: TypeError, 2: ValueError, 3: MemoryError}
TABLE = ctypes.POINTER(ctypes.POINTER(ctypes.c_int64))


class Problem(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int) for name in ("operation", "dtype", "result_dtype", "index_dtype")),
        *((name, ctypes.c_int) for name in ("pooled_axes", "channels_last", "axes", "reserved")),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("output_size", ctypes.POINTER(ctypes.c_int64)),
        ("windows", ctypes.c_char_p),
        ("starts", TABLE),
        ("ends", TABLE),
    ]


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("text", ctypes.c_char * 508)]


_DESCRIBE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.POINTER(Problem),
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.POINTER(Error),
)
_RUN = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_int,
    ctypes.POINTER(Error),
)
_RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Table(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_int),
        ("reserved", ctypes.c_int),
        ("describe", _DESCRIBE),
        ("run", _RUN),
        ("release", _RELEASE),
    ]


def table():
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return Table.from_address(pointer(ap._C_API, b"adaptive_pool._C_API"))


def numbers(values):
    return (ctypes.c_int64 * len(values))(*values)


def describe(
    operation, dtype, shape, output_size, *, result=None, indices=None, last=False, windows=None
):
    """Return a plan, or raise what the error stands for."""
    problem = Problem(
        operation=OPERATIONS.index(operation),
        dtype=DTYPES.index(dtype),
        result_dtype=DTYPES.index(result),
        index_dtype=DTYPES.index(indices),
        pooled_axes=len(output_size),
        channels_last=last,
        axes=len(shape),
        shape=numbers(shape),
        output_size=numbers([-1 if size is None else size for size in output_size]),
    )
    if isinstance(windows, str):
        problem.windows = windows.encode()
    elif windows is not None:
        row = ctypes.POINTER(ctypes.c_int64) * len(windows)
        problem.starts, problem.ends = (
            ctypes.cast(row(*(numbers(pair[k]) for pair in windows)), TABLE) for k in (0, 1)
        )
    plan, error = ctypes.c_void_p(), Error()
    if status := table().describe(problem, plan, error):
        assert (plan.value, error.status) == (None, status)
        raise STATUS[status](error.text.decode())
    return plan


def run(plan, *arrays, threads=1, packed=False):
    """Run a plan on arrays of NumPy, or raise."""
    data = (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))
    steps = [(ctypes.c_ssize_t * a.ndim)(*a.strides) for a in arrays]
    strides = (ctypes.c_void_p * len(arrays))(*map(ctypes.addressof, steps))
    error = Error()
    if status := table().run(plan, data, None if packed else strides, threads, error):
        assert error.status == status
        raise STATUS[status](error.text.decode())


def release(plan):
    table().release(plan)


def pool(operation, *arrays, output_size, shape=None, packed=False, threads=1, **described):
    """Describe a problem of the shape of the first array, run it, and forget it."""
    shape = arrays[0].shape if shape is None else shape
    plan = describe(operation, str(arrays[0].dtype), shape, output_size, **described)
    try:
        run(plan, *arrays, threads=threads, packed=packed)
    finally:
        release(plan)


def empty(shape, dtype):
    """An array that nothing was written to yet."""
    return np.full(shape, 7, dtype)
