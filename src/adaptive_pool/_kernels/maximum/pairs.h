/* Rows first: the rows of a line are compared column by column, and what that leaves, pairs of a
   maximum and the row it stands in, is compared in any order; part of strip.h. Of equal elements
   the one in the upper row wins, of NaNs the one in the lower row; in one row, the first of equal
   ones and the last NaN. */

AP_INLINE int AP_NAME(is_nan)(AP_T key)
{
#if AP_KIND == AP_REAL
    return key != key;
#else
    return AP_KIND == AP_HALF && key == 0x7fff;
#endif
}

/* Compare the rows of a block of single columns, for n of these, at least a vector. `tops` and
   `rows`, which count from 1, hold what `before` rows have given, or nothing if there were none. */
static void AP_NAME(rows)(
    const ap_window *block, ptrdiff_t n, int64_t flip_, ptrdiff_t before, void *all_tops,
    void *all_rows)
{
    const AP_T flip = (AP_T) flip_;
    const int first = before == 0;
    AP_T *tops = (AP_T *) all_tops;
    AP_I *rows = (AP_I *) all_rows, found[AP_N];
    for (ptrdiff_t lane = 0, count; lane < n; lane += count) {
        const ptrdiff_t offset = (lane = AP_NAME(strip_at)(lane, n, &count)) * sizeof(AP_T);
        if (rows == NULL && count == AP_N)
            AP_NAME(compare)(block, offset, flip, first, AP_VS, tops + lane);
        else if (rows == NULL)
            for (ptrdiff_t i = 0; i < count; i += AP_W)
                AP_NAME(compare)(
                    block, offset + i * sizeof(AP_T), flip, first, 1, tops + lane + i);
        else if (count == AP_N)
            AP_NAME(challenge)(block, offset, flip, first, AP_VS, tops + lane, found);
        else
            for (ptrdiff_t i = 0; i < count; i += AP_W)
                AP_NAME(challenge)(
                    block, offset + i * sizeof(AP_T), flip, first, 1, tops + lane + i, found + i);
        for (ptrdiff_t i = 0; rows != NULL && i < count; i++) {
            const AP_I old = first ? 0 : rows[lane + i];
            rows[lane + i] = found[i] != 0 ? (AP_I) (found[i] + before) : old;
        }
    }
}

/* The winner of `columns` pairs, `stride` apart, for each lane of n vectors. */
AP_INLINE void AP_NAME(best_pairs)(
    const AP_T *tops, const AP_I *rows, ptrdiff_t columns, ptrdiff_t stride, AP_T flip,
    const int n, AP_T *found, uint32_t *found_rows, uint32_t *found_columns)
{
    AP_V top[AP_VS], best[AP_VS];
    AP_M row[AP_VS], column[AP_VS], number = {0};
    for (int i = 0; i < n; i++) {
        top[i] = ((const AP_ANY_V *) tops)[i];
        best[i] = AP_NAME(key)(top[i], flip);
        row[i] = column[i] = AP_COUNT(0);
        if (rows != NULL)
            row[i] = ((const AP_ANY_M *) rows)[i];
    }
    for (ptrdiff_t c = 1; c < columns; c++) {
        tops += stride;
        rows = rows == NULL ? NULL : rows + stride;
        number += AP_COUNT(1);
        for (int i = 0; i < n; i++) {
            const AP_V x = ((const AP_ANY_V *) tops)[i], key = AP_NAME(key)(x, flip);
            AP_M wins = AP_NAME(wins)(key, best[i]);
            if (rows != NULL) {
                const AP_M own = ((const AP_ANY_M *) rows)[i], upper = AP_TRUE(own < row[i]);
                wins = AP_TRUE(key > best[i]);
#if AP_KIND == AP_REAL
                wins |= AP_TRUE(key == best[i]) & upper;
                wins |= AP_TRUE(key != key) & ~(AP_TRUE(best[i] != best[i]) & upper);
#elif AP_KIND == AP_HALF
                wins |= AP_TRUE(key == best[i]) & (upper ^ AP_TRUE(key == 0x7fff));
#else
                wins |= AP_TRUE(key == best[i]) & upper;
#endif
                row[i] = (wins & own) | (~wins & row[i]);
                column[i] = (wins & number) | (~wins & column[i]);
            }
            best[i] = AP_SELECT(wins, key, best[i]);
            top[i] = AP_SELECT(wins, x, top[i]);
        }
    }
    AP_S all_rows[AP_N], all_columns[AP_N];
    for (int i = 0; i < n; i++) {
        ((AP_ANY_V *) found)[i] = top[i];
        ((AP_ANY_M *) all_rows)[i] = row[i];
        ((AP_ANY_M *) all_columns)[i] = column[i];
    }
    for (int i = 0; i < n * AP_W; i++) {
        found_rows[i] = (uint32_t) all_rows[i];
        found_columns[i] = (uint32_t) all_columns[i];
    }
}

/* Reduce a window of pairs for `stride` lanes, which are whole vectors; it begins with column
   window->number of the plane. */
static void AP_NAME(pairs)(
    const void *all_tops, const void *all_rows, ptrdiff_t columns, ptrdiff_t stride, int64_t flip,
    const ap_window *window, const ap_places *places, void *found, int64_t *where)
{
    const ptrdiff_t n = stride % AP_N == 0 ? AP_N : AP_W;
    for (ptrdiff_t lane = 0; lane < stride; lane += n) {
        const AP_T *tops = (const AP_T *) all_tops + lane;
        const AP_I *rows = all_rows == NULL ? NULL : (const AP_I *) all_rows + lane;
        AP_T *top = (AP_T *) found + lane;
        uint32_t found_rows[AP_N], found_columns[AP_N];
        if (n == AP_N)
            AP_NAME(best_pairs)(
                tops, rows, columns, stride, (AP_T) flip, AP_VS, top, found_rows, found_columns);
        else
            AP_NAME(best_pairs)(
                tops, rows, columns, stride, (AP_T) flip, 1, top, found_rows, found_columns);
        if (rows != NULL)
            ap_number_pairs(window, places, lane, found_rows, found_columns, (int) n, where + lane);
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
