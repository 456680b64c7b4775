"""What the processor can do, the operating system included."""

cdef extern from *:
    """
    #if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
    #define ap_has_x86_64_v3() (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") \\
        && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi") \\
        && __builtin_cpu_supports("bmi2"))
    #else
    #define ap_has_x86_64_v3() 0
    #endif
    """
    bint ap_has_x86_64_v3()


def has_x86_64_v3():
    """Whether kernels built for x86-64-v3 run here."""
    return ap_has_x86_64_v3() != 0
