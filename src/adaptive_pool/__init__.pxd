"""The C interface for Cython: ``from adaptive_pool cimport adaptive_pool_import, ...``.

The header, adaptive_pool.h, says what everything means. Compile with `get_include` as include
directory.
"""
from libc.stdint cimport int64_t

cdef extern from "adaptive_pool.h" nogil:
    const int ADAPTIVE_POOL_VERSION
    const char* ADAPTIVE_POOL_CAPSULE

    ctypedef enum adaptive_pool_operation "enum adaptive_pool_operation":
        ADAPTIVE_POOL_AVERAGE
        ADAPTIVE_POOL_MAXIMUM
        ADAPTIVE_POOL_AVERAGE_BACKWARD
        ADAPTIVE_POOL_MAXIMUM_BACKWARD

    ctypedef enum adaptive_pool_dtype "enum adaptive_pool_dtype":
        ADAPTIVE_POOL_DEFAULT
        ADAPTIVE_POOL_BOOL
        ADAPTIVE_POOL_UINT8
        ADAPTIVE_POOL_INT8
        ADAPTIVE_POOL_UINT16
        ADAPTIVE_POOL_INT16
        ADAPTIVE_POOL_UINT32
        ADAPTIVE_POOL_INT32
        ADAPTIVE_POOL_UINT64
        ADAPTIVE_POOL_INT64
        ADAPTIVE_POOL_FLOAT16
        ADAPTIVE_POOL_BFLOAT16
        ADAPTIVE_POOL_FLOAT32
        ADAPTIVE_POOL_FLOAT64

    ctypedef enum adaptive_pool_status "enum adaptive_pool_status":
        ADAPTIVE_POOL_OK
        ADAPTIVE_POOL_TYPE_ERROR
        ADAPTIVE_POOL_VALUE_ERROR
        ADAPTIVE_POOL_MEMORY_ERROR

    ctypedef struct adaptive_pool_error:
        int status
        char text[508]

    ctypedef struct adaptive_pool_problem:
        int operation
        int dtype
        int result_dtype
        int index_dtype
        int pooled_axes
        int channels_last
        int axes
        int reserved
        const int64_t* shape
        const int64_t* output_size
        const char* windows
        const int64_t* const* starts
        const int64_t* const* ends

    ctypedef struct adaptive_pool_plan:
        pass

    ctypedef struct adaptive_pool_api:
        int version
        int reserved
        int (*describe)(
            const adaptive_pool_problem* problem, adaptive_pool_plan** plan,
            adaptive_pool_error* error,
        ) noexcept nogil
        int (*run)(
            const adaptive_pool_plan* plan, void* const* data, const Py_ssize_t* const* strides,
            int threads, adaptive_pool_error* error,
        ) noexcept nogil
        void (*release)(adaptive_pool_plan* plan) noexcept nogil


cdef extern from "adaptive_pool.h":
    const adaptive_pool_api* adaptive_pool_import() except NULL
