"""What the processor can do, the operating system included; and which version was built."""

cdef extern from *:
    """
    #if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
    #include <cpuid.h>
    /* Older clangs cannot be asked for it; of the system it needs what AVX needs. */
    static int ap_has_f16c(void)
    {
        unsigned int a, b, c, d;
        return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
    }
    #define ap_has_x86_64_v3() (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") \\
        && ap_has_f16c() && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
    #else
    #define ap_has_x86_64_v3() 0
    #endif
    """
    bint ap_has_x86_64_v3()
    const char* AP_VERSION  # pyproject.toml's, by way of setup.py

VERSION = AP_VERSION.decode()


def has_x86_64_v3():
    """Whether kernels built for x86-64-v3 run here."""
    return ap_has_x86_64_v3() != 0
