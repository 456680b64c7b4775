/* Comparing a strip of lanes in registers, for one kind of elements; included once for each.

   AP_NAME(x) names what is defined; AP_T is the type of elements; AP_I and AP_S are the integers
   of their width, which count steps; AP_KIND is one of
     AP_INTEGER  compared as signed numbers, after `flip` has turned the sign of unsigned ones,
     AP_REAL     float or double,
     AP_HALF     16-bit floats, AP_T is int16_t and `flip` their infinity: compared by keys that
                 order as they do, with both zeros 0, and NaN above all.
   Of two elements the larger wins, of equal ones the first, and NaN always. */

#define AP_N ((int) sizeof(AP_T) == 8 ? AP_STRIP / 2 : AP_STRIP)
#define AP_V AP_NAME(vector)
#define AP_M AP_NAME(mask)
#define AP_U AP_NAME(unsigned)
#if defined(__GNUC__)
#define AP_VECTOR vector_size(AP_BYTES_OF(sizeof(AP_T)))
typedef AP_T AP_V __attribute__((AP_VECTOR));
typedef AP_S AP_M __attribute__((AP_VECTOR)); /* as comparisons give */
typedef AP_I AP_U __attribute__((AP_VECTOR));
#define AP_ANY_V AP_NAME(any_vector) /* wherever it lies */
#define AP_ANY_M AP_NAME(any_mask)
typedef AP_T AP_ANY_V __attribute__((AP_VECTOR, aligned(1), may_alias));
typedef AP_S AP_ANY_M __attribute__((AP_VECTOR, aligned(1), may_alias));
#define AP_SELECT(m, a, b) ((AP_V) (((m) & (AP_M) (a)) | (~(m) & (AP_M) (b))))
#define AP_LOAD(place, i, none) ((AP_V) (none ^ ((const AP_ANY_M *) (place))[i]))
#define AP_EACH(value) ((AP_V) {0} + (AP_T) (value))
#define AP_COUNT(value) ((AP_M) {0} + (AP_S) (value))
#define AP_TRUE(c) ((AP_M) (c))
#else   /* vectors of one element: loops over lanes are left to the compiler */
typedef AP_T AP_V;
typedef AP_S AP_M;
typedef AP_I AP_U;
#define AP_ANY_V AP_V
#define AP_ANY_M AP_M
#define AP_SELECT(m, a, b) ((m) ? (a) : (b))
#define AP_LOAD(place, i, none) (((const AP_V *) (place))[i])
#define AP_EACH(value) ((AP_T) (value))
#define AP_COUNT(value) ((AP_S) (value))
#define AP_TRUE(c) ((AP_M) -(AP_M) (c))
#endif
#if defined(AP_NAN)
#define AP_DOUBT ap_nan_mask
#else
#define AP_DOUBT AP_M
#define AP_NAN(x, y) (AP_TRUE((x) != (x)) | AP_TRUE((y) != (y)))
#endif
#define AP_W ((int) (sizeof(AP_V) / sizeof(AP_T)))
#define AP_VS (AP_N / AP_W) /* vectors of a strip */
#define AP_INLINE AP_ALWAYS

/* What is compared. */
AP_INLINE AP_V AP_NAME(key)(AP_V x, AP_T flip)
{
#if AP_KIND == AP_INTEGER
    return x ^ flip;
#elif AP_KIND == AP_HALF
    AP_V magnitude = x & 0x7fff;
    AP_V key = AP_SELECT(AP_TRUE(x < 0), -magnitude, magnitude);
    return AP_SELECT(AP_TRUE(magnitude > flip), AP_EACH(0x7fff), key);
#else
    (void) flip;
    return x;
#endif
}

AP_INLINE AP_M AP_NAME(wins)(AP_V key, AP_V top)
{
#if AP_KIND == AP_INTEGER
    return AP_TRUE(key > top);
#elif AP_KIND == AP_HALF
    return AP_TRUE(key > top) | AP_TRUE(key == 0x7fff);
#else
    return AP_TRUE(key > top) | AP_TRUE(key != key);
#endif
}

/* What everything but itself wins over, or is equal to. */
AP_INLINE AP_T AP_NAME(least)(AP_T flip)
{
#if AP_KIND == AP_INTEGER
    return (AP_T) ((AP_I) 1 << (8 * sizeof(AP_T) - 1)) ^ flip;
#elif AP_KIND == AP_HALF
    return (AP_T) (flip | 0x8000);
#else
    (void) flip;
    return (AP_T) -INFINITY;
#endif
}

/* Compare the elements of a block with `tops`, which holds lanes' maxima, unless they are the
   `first` of the window, in a strip of n vectors. `steps` becomes the number of the step that won
   last, or 0. */
AP_INLINE void AP_NAME(challenge)(
    const ap_window *block, ptrdiff_t offset, AP_T flip, int first, const int n, AP_T *tops,
    AP_I *steps)
{
    AP_V top[AP_VS], key[AP_VS];
    /* 0, but GCC must not see that: it would make calls of memset and memcpy of the loop below. */
    const AP_M none = AP_COUNT(block->columns < 0), each = AP_COUNT(block->w_count);
    AP_M step[AP_VS];
    for (int i = 0; i < n; i++) {
        top[i] = first ? AP_EACH(AP_NAME(least)(flip)) : AP_LOAD(tops, i, none);
        step[i] = AP_COUNT(first);
        key[i] = AP_NAME(key)(top[i], flip);
    }
    const char *depth = block->first + offset;
    int64_t d_count = 1;
    for (ptrdiff_t d = block->depth; d > 0; d--) {
        const char *row = depth;
        int64_t count = d_count;
        for (ptrdiff_t h = block->height; h > 0; h--) {
            const char *place = row, *last = row + block->last;
            AP_M number = AP_COUNT(count);
            for (;;) {
                if (place > last)
                    place = last;
                AP_ASK_AHEAD(place + block->ahead);
                if ((size_t) n * sizeof(AP_V) > 64)
                    AP_ASK_AHEAD(place + block->ahead + 64);
                for (int i = 0; i < n; i++) {
                    AP_V x = ((const AP_ANY_V *) place)[i];
                    AP_V own = AP_NAME(key)(x, flip);
                    AP_M wins = AP_NAME(wins)(own, key[i]);
                    key[i] = AP_SELECT(wins, own, key[i]);
#if AP_KIND == AP_HALF
                    top[i] = AP_SELECT(wins, x, top[i]);
#endif
                    step[i] = (wins & number) | (~wins & step[i]);
                }
                if (place == last)
                    break;
                place += block->w_step;
                number += each;
            }
            row += block->h_step;
            count += block->h_count;
        }
        depth += block->d_step;
        d_count += block->d_count;
    }
    for (int i = 0; i < n; i++) {
#if AP_KIND == AP_INTEGER
        top[i] = key[i] ^ flip;
#elif AP_KIND == AP_REAL
        top[i] = key[i];
#endif
        ((AP_ANY_V *) tops)[i] = top[i];
        ((AP_ANY_M *) steps)[i] = step[i];
    }
}

#if AP_KIND != AP_INTEGER
AP_INLINE int AP_NAME(any)(AP_DOUBT doubt)
{
    uint64_t words[(sizeof doubt + 7) / 8] = {0}, any = 0;
    memcpy(words, &doubt, sizeof doubt);
    for (size_t i = 0; i < sizeof words / 8; i++)
        any |= words[i];
    return any != 0;
}
#endif

/* The same without steps. What plain comparisons do not tell, of NaNs and of zeros of both signs
   among halves, challenge() does. */
AP_INLINE void AP_NAME(compare)(
    const ap_window *block, ptrdiff_t offset, AP_T flip, int first, const int n, AP_T *tops)
{
    AP_V top[AP_VS];
    const AP_M none = AP_COUNT(block->columns < 0);
#if AP_KIND != AP_INTEGER
    AP_DOUBT doubt = {0};
#endif
#if AP_KIND == AP_HALF
    AP_V low[AP_VS];
    AP_U high[AP_VS];
#endif
    for (int i = 0; i < n; i++) {
        top[i] = first ? AP_EACH(AP_NAME(least)(flip)) : AP_LOAD(tops, i, none);
#if AP_KIND == AP_INTEGER
        top[i] = top[i] ^ flip;
#elif AP_KIND == AP_HALF
        low[i] = top[i];
        high[i] = (AP_U) top[i];
#endif
    }
    const char *depth = block->first + offset;
    for (ptrdiff_t d = block->depth; d > 0; d--, depth += block->d_step) {
        const char *row = depth;
        for (ptrdiff_t h = block->height; h > 0; h--, row += block->h_step) {
            const char *place = row, *last = row + block->last;
            for (;;) {
                if (place > last)
                    place = last;
                AP_ASK_AHEAD(place + block->ahead);
                if ((size_t) n * sizeof(AP_V) > 64)
                    AP_ASK_AHEAD(place + block->ahead + 64);
                for (int i = 0; i < n; i++) {
                    AP_V x = ((const AP_ANY_V *) place)[i];
#if AP_KIND == AP_INTEGER
                    x = x ^ flip;
                    top[i] = AP_LARGER(x, top[i]);
#elif AP_KIND == AP_REAL
                    top[i] = AP_LARGER(x, top[i]);
                    if (i % 2 == 1 || i == n - 1) /* two vectors at once */
                        doubt |= AP_NAN(x, ((const AP_ANY_V *) place)[i & ~1]);
#else
                    top[i] = AP_LARGER(x, top[i]);
                    low[i] = AP_SMALLER(x, low[i]);
                    high[i] = AP_HIGHER(x, high[i]);
#endif
                }
                if (place == last)
                    break;
                place += block->w_step;
            }
        }
    }
    for (int i = 0; i < n; i++) {
#if AP_KIND == AP_HALF
        /* The largest is the largest number without sign; if all have one, the smallest. */
        doubt |= AP_TRUE(top[i] > flip) | AP_TRUE(high[i] > (AP_I) (flip | 0x8000));
        doubt |= AP_TRUE(top[i] == 0) & AP_TRUE(low[i] == (AP_T) -0x8000);
        top[i] = AP_SELECT(AP_TRUE(top[i] < 0), low[i], top[i]);
#elif AP_KIND == AP_INTEGER
        top[i] = top[i] ^ flip;
#endif
    }
#if AP_KIND != AP_INTEGER
    if (AP_NAME(any)(doubt)) {
        AP_I steps[AP_N];
        ap_window again = *block;
        again.ahead = 0;
        AP_NAME(challenge)(&again, offset, flip, first, n, tops, steps);
        return;
    }
#endif
    for (int i = 0; i < n; i++)
        ((AP_ANY_V *) tops)[i] = top[i];
}

/* A block for a strip of n vectors, with places or without. */
AP_INLINE void AP_NAME(strip)(
    const ap_window *block, const ap_places *places, ptrdiff_t lane, AP_T flip, int first,
    const int n, AP_T *tops, int64_t *where)
{
    const ptrdiff_t offset = lane * (ptrdiff_t) sizeof(AP_T);
    if (where == NULL) {
        AP_NAME(compare)(block, offset, flip, first, n, tops + lane);
        return;
    }
    AP_I steps[AP_N];
    uint32_t numbers[AP_N];
    AP_NAME(challenge)(block, offset, flip, first, n, tops + lane, steps);
    for (int i = 0; i < n * AP_W; i++)
        numbers[i] = (uint32_t) steps[i];
    ap_number(block, places, lane, numbers, first, n * AP_W, where + lane);
}

/* Where the strip begins that is to take the `lane` of all, and how many lanes it has: AP_N, half
   of that or a vector. What is left over is taken with some of the lanes before it, or is cut into
   smaller strips. */
AP_INLINE ptrdiff_t AP_NAME(strip_at)(ptrdiff_t lane, ptrdiff_t lanes, ptrdiff_t *count)
{
    const ptrdiff_t left = lanes - lane;
    ptrdiff_t n = left > AP_N / 2 ? AP_N : left > AP_W ? AP_N / 2 : AP_W;
    while (n > lanes)
        n = n == AP_N ? AP_N / 2 : AP_W;
    *count = n;
    return lane < lanes - n ? lane : lanes - n;
}

/* A block for all lanes, in as few strips as there are. */
static void AP_NAME(block)(
    const ap_window *block, const ap_places *places, ptrdiff_t lanes, AP_T flip, int first,
    AP_T *tops, int64_t *where)
{
    for (ptrdiff_t lane = 0, n; lane < lanes; lane += n) {
        lane = AP_NAME(strip_at)(lane, lanes, &n);
        if (n == AP_N)
            AP_NAME(strip)(block, places, lane, flip, first, AP_VS, tops, where);
        else if (n > AP_W)
            AP_NAME(strip)(
                block, places, lane, flip, first, AP_VS > 2 ? AP_VS / 2 : 1, tops, where);
        else
            AP_NAME(strip)(block, places, lane, flip, first, 1, tops, where);
    }
}

/* Reduce a window for `lanes` lanes, at least a vector. `tops` and `where` hold what earlier parts
   of the window have given, unless these are its first elements. */
static void AP_NAME(lanes)(
    ap_window *window, const ap_places *places, ptrdiff_t lanes, int64_t flip, int first,
    void *tops, int64_t *where)
{
    const int64_t most = sizeof(AP_T) == 1 ? 255 : sizeof(AP_T) == 2 ? 65535 : INT32_MAX;
    if (where == NULL || ap_count(window, places, most)) {
        AP_NAME(block)(window, places, lanes, (AP_T) flip, first, tops, where);
        return;
    }
    ap_place at = {0, 0, 0};
    ap_window block;
    for (; ap_next_block(window, most < AP_LONGEST ? most : AP_LONGEST, &at, &block); first = 0) {
        ap_count(&block, places, most);
        AP_NAME(block)(&block, places, lanes, (AP_T) flip, first, tops, where);
    }
}

#include "maximum/pairs.h"
#include "maximum/largest.h"

#undef AP_N
#undef AP_V
#undef AP_VECTOR
#undef AP_ANY_V
#undef AP_ANY_M
#undef AP_M
#undef AP_SELECT
#undef AP_LOAD
#undef AP_EACH
#undef AP_COUNT
#undef AP_TRUE
#undef AP_W
#undef AP_DOUBT
#undef AP_VS
#undef AP_INLINE
#undef AP_NAME
#undef AP_T
#undef AP_I
#undef AP_S
#undef AP_U
#undef AP_KIND
#undef AP_LARGER
#undef AP_NAN
#undef AP_SMALLER
#undef AP_HIGHER
