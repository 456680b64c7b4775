/* Pairs of a maximum and its place, which rows were reduced to, compared in any order; part of
   strip.h. Of equal elements the one at the smaller place wins, of NaNs the one at the larger. */

AP_INLINE int AP_NAME(is_nan)(AP_T key)
{
#if AP_KIND == AP_REAL
    return key != key;
#else
    return AP_KIND == AP_HALF && key == 0x7fff;
#endif
}

/* Reduce a window of pairs, `columns` times `stride` of them, for so many lanes. */
static void AP_NAME(pairs)(
    const void *all_tops, const int64_t *all_where, ptrdiff_t columns, ptrdiff_t stride,
    int64_t flip_, void *found_tops, int64_t *found_where)
{
    const AP_T flip = (AP_T) flip_;
    for (ptrdiff_t lane = 0; lane < stride; lane += AP_N) {
        const AP_T *tops = (const AP_T *) all_tops + lane;
        const int64_t *where = all_where + lane;
        AP_T *top = (AP_T *) found_tops + lane;
        int64_t *place = found_where + lane;
        for (ptrdiff_t c = 0; c < columns; c++, tops += stride, where += stride) {
            if (all_where == NULL) {
                for (int i = 0; i < AP_VS; i++) {
                    AP_V x = ((const AP_ANY_V *) tops)[i], best = ((AP_ANY_V *) top)[i];
                    AP_M wins = AP_NAME(wins)(AP_NAME(key)(x, flip), AP_NAME(key)(best, flip));
                    ((AP_ANY_V *) top)[i] = c == 0 ? x : AP_SELECT(wins, x, best);
                }
                continue;
            }
            AP_T keys[AP_N], others[AP_N];
            for (int i = 0; i < AP_VS; i++) {
                AP_V x = ((const AP_ANY_V *) tops)[i], best = ((AP_ANY_V *) top)[i];
                ((AP_ANY_V *) keys)[i] = AP_NAME(key)(x, flip);
                ((AP_ANY_V *) others)[i] = AP_NAME(key)(best, flip);
            }
            for (int i = 0; i < AP_N; i++) {
                const int nan = AP_NAME(is_nan)(keys[i]), other = AP_NAME(is_nan)(others[i]);
                const int sooner = where[i] < place[i];
                const int wins = (c == 0) | (keys[i] > others[i])
                    | ((keys[i] == others[i]) & sooner & !nan) | (nan & !(other & sooner));
                top[i] = wins ? tops[i] : top[i];
                place[i] = wins ? where[i] : place[i];
            }
        }
    }
}

/* Whether places are needed, for the sign of a zero or the bits of a NaN. */
AP_INLINE int AP_NAME(doubts)(const AP_T *tops, ptrdiff_t n, AP_T flip)
{
    int doubt = 0;
    (void) flip;
    for (ptrdiff_t i = 0; i < n; i++)
#if AP_KIND == AP_HALF
        doubt |= ((tops[i] & 0x7fff) == 0) | ((tops[i] & 0x7fff) > flip);
#elif AP_KIND == AP_REAL
        doubt |= !((tops[i] < 0) | (tops[i] > 0));
#else
        (void) tops;
#endif
    return doubt;
}

static int AP_NAME(doubtful)(const void *tops, ptrdiff_t n, int64_t flip)
{
    return AP_NAME(doubts)(tops, n, (AP_T) flip);
}
