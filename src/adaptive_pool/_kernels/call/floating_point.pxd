"""The floating-point state: whatever the caller's is, kernels compute in the default one."""

cdef extern from "call/floating_point.h":
    ctypedef struct FloatingPoint "ap_floating_point":
        pass
    void use_default_floating_point "ap_use_default_floating_point"(
        FloatingPoint* before) noexcept nogil
    void restore_floating_point "ap_restore_floating_point"(
        const FloatingPoint* before) noexcept nogil
