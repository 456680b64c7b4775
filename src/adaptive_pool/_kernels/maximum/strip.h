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
typedef AP_T AP_V __attribute__((vector_size(AP_BYTES)));
typedef AP_S AP_M __attribute__((vector_size(AP_BYTES))); /* as comparisons give */
typedef AP_I AP_U __attribute__((vector_size(AP_BYTES)));
#define AP_ANY_V AP_NAME(any_vector) /* wherever it lies */
#define AP_ANY_M AP_NAME(any_mask)
typedef AP_T AP_ANY_V __attribute__((vector_size(AP_BYTES), aligned(1), may_alias));
typedef AP_S AP_ANY_M __attribute__((vector_size(AP_BYTES), aligned(1), may_alias));
#define AP_SELECT(m, a, b) ((AP_V) (((m) & (AP_M) (a)) | (~(m) & (AP_M) (b))))
#define AP_LOAD(place, i, none) ((AP_V) (none ^ ((const AP_ANY_M *) (place))[i]))
#define AP_EACH(value) ((AP_V) {0} + (AP_T) (value))
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
#define AP_TRUE(c) ((AP_M) -(AP_M) (c))
#endif
#define AP_W ((int) (sizeof(AP_V) / sizeof(AP_T)))
#define AP_VS (AP_N / AP_W) /* vectors of a strip */
#define AP_INLINE static inline AP_ALWAYS

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
   `first` of the window. `steps` becomes the number of the step that won last, or 0. */
AP_INLINE void AP_NAME(challenge)(
    const ap_window *block, ptrdiff_t offset, AP_T flip, const int first, AP_T *tops, AP_I *steps)
{
    AP_V top[AP_VS], key[AP_VS];
    /* 0, but GCC must not see that: it would make calls of memset and memcpy of the loop below. */
    const AP_M none = (AP_M) AP_EACH(0) + (AP_S) (block->columns < 0);
    AP_M step[AP_VS], number = none;
    for (int i = 0; i < AP_VS; i++) {
        top[i] = first ? AP_EACH(AP_NAME(least)(flip))
                       : AP_LOAD(tops, i, none);
        step[i] = none + (AP_S) first;
        key[i] = AP_NAME(key)(top[i], flip);
    }
    const char *depth = block->first + offset;
    for (ptrdiff_t d = 0; d < block->depth; d++, depth += block->d_step) {
        const char *row = depth;
        for (ptrdiff_t h = 0; h < block->height; h++, row += block->h_step) {
            const char *place = row, *last = row + block->last;
            for (;;) {
                if (place > last)
                    place = last;
                number += 1;
                AP_ASK(place + block->ahead);
                if (sizeof(AP_T) >= 4)
                    AP_ASK(place + block->ahead + 64);
                for (int i = 0; i < AP_VS; i++) {
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
            }
        }
    }
    for (int i = 0; i < AP_VS; i++) {
#if AP_KIND == AP_INTEGER
        top[i] = key[i] ^ flip;
#elif AP_KIND == AP_REAL
        top[i] = key[i];
#endif
        ((AP_ANY_V *) tops)[i] = top[i];
        ((AP_ANY_M *) steps)[i] = step[i];
    }
}

/* The same without steps. What plain comparisons do not tell, of NaNs and of zeros of both signs
   among halves, challenge() does. */
AP_INLINE void AP_NAME(compare)(
    const ap_window *block, ptrdiff_t offset, AP_T flip, const int first, AP_T *tops)
{
    AP_V top[AP_VS];
#if AP_KIND != AP_INTEGER
    AP_M doubt = {0};
#endif
#if AP_KIND == AP_HALF
    AP_V low[AP_VS];
    AP_U high[AP_VS];
#endif
    for (int i = 0; i < AP_VS; i++) {
        top[i] = first ? AP_EACH(AP_NAME(least)(flip)) : (AP_V) ((const AP_ANY_V *) tops)[i];
#if AP_KIND == AP_INTEGER
        top[i] = top[i] ^ flip;
#elif AP_KIND == AP_HALF
        low[i] = top[i];
        high[i] = (AP_U) top[i];
#endif
    }
    const char *depth = block->first + offset;
    for (ptrdiff_t d = 0; d < block->depth; d++, depth += block->d_step) {
        const char *row = depth;
        for (ptrdiff_t h = 0; h < block->height; h++, row += block->h_step) {
            const char *place = row, *last = row + block->last;
            for (;;) {
                if (place > last)
                    place = last;
                AP_ASK(place + block->ahead);
                if (sizeof(AP_T) >= 4)
                    AP_ASK(place + block->ahead + 64);
                for (int i = 0; i < AP_VS; i++) {
                    AP_V x = ((const AP_ANY_V *) place)[i];
#if AP_KIND == AP_INTEGER
                    x = x ^ flip;
                    top[i] = AP_LARGER(x, top[i]);
#elif AP_KIND == AP_REAL
                    top[i] = AP_LARGER(x, top[i]);
                    doubt |= AP_TRUE(x != x);
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
    for (int i = 0; i < AP_VS; i++) {
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
    AP_I doubts[AP_W], any = 0;
    memcpy(doubts, &doubt, sizeof doubt);
    for (int i = 0; i < AP_W; i++)
        any |= doubts[i];
    if (any) {
        AP_I steps[AP_N];
        ap_window again = *block;
        again.ahead = 0;
        AP_NAME(challenge)(&again, offset, flip, first, tops, steps);
        return;
    }
#endif
    for (int i = 0; i < AP_VS; i++)
        ((AP_ANY_V *) tops)[i] = top[i];
}

/* A block, with places. */
static void AP_NAME(block)(
    const ap_window *block, const ap_places *places, ptrdiff_t offset, AP_T flip, int first,
    AP_T *tops, int64_t *where)
{
    AP_I steps[AP_N];
    uint32_t numbers[AP_N];
    if (first)
        AP_NAME(challenge)(block, offset, flip, 1, tops, steps);
    else
        AP_NAME(challenge)(block, offset, flip, 0, tops, steps);
    for (int i = 0; i < AP_N; i++)
        numbers[i] = (uint32_t) steps[i];
    ap_number(block, places, numbers, first, AP_N, where);
}

/* Reduce a window for `lanes` lanes, at least a strip. `tops` and `where` hold what earlier parts
   of the window have given, unless these are its first elements. */
static void AP_NAME(lanes)(
    const ap_window *window, const ap_places *places, ptrdiff_t lanes, int64_t flip_, int first,
    void *all_tops, int64_t *where)
{
    const AP_T flip = (AP_T) flip_;
    const ptrdiff_t most = sizeof(AP_T) == 1 ? 255 : sizeof(AP_T) == 2 ? 65535 : AP_LONGEST;
    for (ptrdiff_t lane = 0; lane < lanes; lane += AP_N) {
        if (lane > lanes - AP_N) /* rather some lanes twice than less than a strip */
            lane = lanes - AP_N;
        AP_T *tops = (AP_T *) all_tops + lane;
        ptrdiff_t offset = lane * (ptrdiff_t) sizeof(AP_T);
        if (where == NULL) {
            if (first)
                AP_NAME(compare)(window, offset, flip, 1, tops);
            else
                AP_NAME(compare)(window, offset, flip, 0, tops);
            continue;
        }
        if (window->depth * window->height * window->columns <= most) {
            AP_NAME(block)(window, places, offset, flip, first, tops, where + lane);
            continue;
        }
        ap_place at = {0, 0, 0};
        ap_window block;
        for (int begin = first; ap_next_block(window, most, &at, &block); begin = 0)
            AP_NAME(block)(&block, places, offset, flip, begin, tops, where + lane);
    }
}

#include "maximum/fold.h"

#undef AP_N
#undef AP_V
#undef AP_ANY_V
#undef AP_ANY_M
#undef AP_M
#undef AP_SELECT
#undef AP_LOAD
#undef AP_EACH
#undef AP_TRUE
#undef AP_W
#undef AP_VS
#undef AP_INLINE
#undef AP_NAME
#undef AP_T
#undef AP_I
#undef AP_S
#undef AP_U
#undef AP_KIND
#undef AP_LARGER
#undef AP_SMALLER
#undef AP_HIGHER
