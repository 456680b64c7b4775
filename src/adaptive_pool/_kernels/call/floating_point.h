/* The floating-point state that kernels compute in, whatever the caller's is.

   Rounding to nearest, subnormals kept, no traps. The state belongs to a thread, so without this
   the parts of a result that the caller's own thread computes could differ from the others. It is
   set for the length of a call, then put back as it was, the flags of exceptions included. */

#ifndef AP_FLOATING_POINT_H
#define AP_FLOATING_POINT_H

#if defined(__x86_64__) || defined(_M_X64)

#include <xmmintrin.h>

typedef unsigned int ap_floating_point;

static inline void ap_use_default_floating_point(ap_floating_point *before)
{
    *before = _mm_getcsr();
    _mm_setcsr(0x1F80);
}

static inline void ap_restore_floating_point(const ap_floating_point *before)
{
    _mm_setcsr(*before);
}

#elif defined(__aarch64__) && defined(__GNUC__)

typedef struct {
    unsigned long long control, status;
} ap_floating_point;

static inline void ap_set_floating_point(const ap_floating_point *state)
{
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1"
                     : : "r"(state->control), "r"(state->status) : "memory");
}

static inline void ap_use_default_floating_point(ap_floating_point *before)
{
    static const ap_floating_point usual = {0, 0};
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr"
                     : "=r"(before->control), "=r"(before->status) : : "memory");
    ap_set_floating_point(&usual);
}

#define ap_restore_floating_point(before) ap_set_floating_point(before)

#elif defined(__EMSCRIPTEN__)           /* has one state only */

typedef int ap_floating_point;

#define ap_use_default_floating_point(before) ((void)(before))
#define ap_restore_floating_point(before) ((void)(before))

#else

#include <fenv.h>

typedef fenv_t ap_floating_point;

static inline void ap_use_default_floating_point(ap_floating_point *before)
{
    fegetenv(before);
    fesetenv(FE_DFL_ENV);
}

#define ap_restore_floating_point(before) fesetenv(before)

#endif
#endif
