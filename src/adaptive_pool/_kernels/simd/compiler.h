/* What compilers have names of their own for. */
#ifndef AP_COMPILER_H
#define AP_COMPILER_H

#if defined(__GNUC__)
#define AP_ASK(place) __builtin_prefetch(place, 0, 1)   /* to the second cache */
#define AP_APART static __attribute__((noinline))       /* with registers of its own */
#define AP_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define AP_ALWAYS static inline __attribute__((always_inline))
#define AP_RESTRICT __restrict__
#elif defined(_MSC_VER)
#define AP_ALWAYS static __forceinline
#define AP_RESTRICT __restrict
#else
#define AP_ALWAYS static inline
#define AP_RESTRICT
#endif
#ifndef AP_ASK
#define AP_ASK(place) ((void) (place))
#define AP_APART static
#define AP_LIKELY(condition) (condition)
#endif

#endif
