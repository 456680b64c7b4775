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
    #define ap_has_x86_64_v4() (ap_has_x86_64_v3() && __builtin_cpu_supports("avx512f") \\
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") \\
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    static int ap_has_avx512_fp16(void)
    {
        unsigned int a, b, c, d;
        return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 23 & 1);
    }
    #else
    #define ap_has_x86_64_v3() 0
    #define ap_has_x86_64_v4() 0
    #define ap_has_avx512_fp16() 0
    #endif
    """
    bint ap_has_x86_64_v3()
    bint ap_has_x86_64_v4()
    bint ap_has_avx512_fp16()
    const char* AP_VERSION  # pyproject.toml's, by way of setup.py

VERSION = AP_VERSION.decode()


def has_x86_64_v3():
    """Whether kernels built for x86-64-v3 run here."""
    return ap_has_x86_64_v3() != 0


def has_x86_64_v4():
    """Whether kernels built for x86-64-v4 run here."""
    return ap_has_x86_64_v4() != 0


def gains_by_x86_64_v4():
    """Whether they are known to be faster than those for x86-64-v3: docs/design/isa.md."""
    return ap_has_x86_64_v4() and ap_has_avx512_fp16()
