"""XLA's foreign function interface: a handler that passes the memory of a call on, uncopied.

XLA calls the handler with a frame: buffers that it reads, buffers that it fills, and attributes.
Here they become arrays over the same memory, for a function that `handler` was given. The structs
are those of XLA's own header, `xla/ffi/api/c_api.h` of version 0.1, up to the last field that is
used; later versions have more behind it. XLA asks each handler which version it was written for,
and refuses it where it knows that one no longer.
"""
from libc.stdint cimport int64_t, uint32_t

import numpy as np

cdef extern from "Python.h":
    object PyMemoryView_FromMemory(char* memory, Py_ssize_t size, int flags)
    int PyBUF_READ
    int PyBUF_WRITE
    object PyCapsule_New(void* pointer, const char* name, void* destructor)

cdef enum:
    MAJOR = 0
    MINOR = 1
    METADATA = 1              # what a frame is extended by where XLA asks for the version
    STRING = 4                # a type of attributes
    INTERNAL = 13
    RESOURCE_EXHAUSTED = 8


cdef struct Extension:
    size_t struct_size
    int type
    Extension* next


cdef struct Version:
    size_t struct_size
    Extension* extensions
    int major
    int minor


cdef struct Metadata:
    size_t struct_size
    Version version
    uint32_t traits


cdef struct MetadataExtension:
    Extension base
    Metadata* metadata


cdef struct ErrorArgs:
    size_t struct_size
    Extension* extensions
    const char* message
    int code


ctypedef void* (*create_error_t)(ErrorArgs* args) noexcept nogil


cdef struct Api:
    size_t struct_size
    Extension* extensions
    Version version
    void* internal
    create_error_t create_error


cdef struct Buffer:
    size_t struct_size
    Extension* extensions
    int dtype
    void* data
    int64_t rank
    int64_t* dims


cdef struct Buffers:
    size_t struct_size
    Extension* extensions
    int64_t size
    int* types
    Buffer** buffers


cdef struct Text:
    const char* start
    size_t length


cdef struct Attributes:
    size_t struct_size
    Extension* extensions
    int64_t size
    int* types
    Text** names
    void** values


cdef struct Frame:
    size_t struct_size
    Extension* extensions
    Api* api
    void* context
    int stage
    Buffers inputs
    Buffers outputs
    Attributes attributes


_run = None
_dtypes = {
    1: np.dtype(np.bool_),
    2: np.dtype(np.int8),
    3: np.dtype(np.int16),
    4: np.dtype(np.int32),
    5: np.dtype(np.int64),
    6: np.dtype(np.uint8),
    7: np.dtype(np.uint16),
    8: np.dtype(np.uint32),
    9: np.dtype(np.uint64),
    10: np.dtype(np.float16),
    11: np.dtype(np.float32),
    12: np.dtype(np.float64),
}
cdef enum:
    BFLOAT16 = 16


cdef object array_over(const Buffer* buffer, int access):
    """Return the array that lies in a buffer."""
    cdef int64_t k
    dtype = _dtypes[buffer.dtype]
    shape = tuple([buffer.dims[k] for k in range(buffer.rank)])
    cdef Py_ssize_t size = dtype.itemsize
    for length in shape:
        size *= length
    if size == 0:  # there may be no memory
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, PyMemoryView_FromMemory(<char*> buffer.data, size, access))


cdef tuple arrays_over(const Buffers* these, int access):
    cdef int64_t k
    return tuple([array_over(these.buffers[k], access) for k in range(these.size)])


cdef void* failed(const Api* api, error) noexcept:
    """Return the error of XLA for one of Python."""
    cdef bytes message = b"an error that cannot be shown"
    cdef ErrorArgs args
    try:
        message = str(error).encode(errors="replace")
    except BaseException:  # whatever a __str__ raises; no error here would be success to XLA
        pass
    args.struct_size = sizeof(ErrorArgs)
    args.extensions = NULL
    args.message = message
    args.code = RESOURCE_EXHAUSTED if isinstance(error, MemoryError) else INTERNAL
    return api.create_error(&args)


cdef void* execute(const Frame* frame) noexcept with gil:
    """Run the call that a frame describes: its one attribute is the text that says which."""
    cdef Text* text
    try:
        if frame.attributes.size != 1 or frame.attributes.types[0] != STRING:
            raise TypeError("adaptive_pool: a call has one attribute, which is a string")
        text = <Text*> frame.attributes.values[0]
        _run(
            text.start[:text.length],
            arrays_over(&frame.inputs, PyBUF_READ),
            arrays_over(&frame.outputs, PyBUF_WRITE),
        )
    except BaseException as error:  # nothing above this takes one
        return failed(frame.api, error)
    return NULL


cdef void* handle(Frame* frame) noexcept nogil:
    cdef Extension* extension = frame.extensions
    cdef Metadata* metadata
    if extension == NULL or extension.type != METADATA:
        return execute(frame)
    metadata = (<MetadataExtension*> extension).metadata
    metadata.version.struct_size = sizeof(Version)
    metadata.version.extensions = NULL
    metadata.version.major = MAJOR
    metadata.version.minor = MINOR
    metadata.traits = 0
    return NULL


def handler(run, bfloat16):
    """Return the handler, which calls ``run(text, inputs, outputs)``, in a capsule for XLA."""
    global _run
    _run = run
    _dtypes[BFLOAT16] = bfloat16
    return PyCapsule_New(<void*> handle, NULL, NULL)
