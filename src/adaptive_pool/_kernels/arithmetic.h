/* Included before everything else that is compiled (compiling/flags.py): arithmetic is what the
   package promises, or the build fails here. Only flags that our own cannot take back get here,
   from a compiler's wrapper or configuration. */
#ifndef AP_ARITHMETIC_H
#define AP_ARITHMETIC_H

#if defined(__FAST_MATH__) || defined(_M_FP_FAST) || defined(__ASSOCIATIVE_MATH__) \
    || defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__) \
    || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "adaptive_pool: NaN, infinities, -0.0 and rounding would be lost. Compile without -ffast-math, -Ofast, /fp:fast and what belongs to them; adaptive_pool's own flags could not take them back."
#endif

#if defined(_M_FP_CONTRACT)
#error "adaptive_pool: products and sums would be contracted to FMA. Compile with /fp:precise and without /fp:contract."
#endif

#if defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ == 2 || __FLT_EVAL_METHOD__ < 0)
#error "adaptive_pool: floating point would be computed with more precision than its type has. Compile without -mfpmath=387, or for SSE2."
#endif

#if defined(__AVX__) && !defined(AP_USES_AVX)
#error "adaptive_pool: the baseline would need AVX. Compile without -march=native, -mavx and the like; kernels for AVX2 are built beside it."
#endif

/* -fsingle-precision-constant has no macro. */
typedef char ap_constants_must_be_double[sizeof(1.0) == sizeof(double) ? 1 : -1];

#endif
