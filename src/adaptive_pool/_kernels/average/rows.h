/* Rows of elements or of sums, added element by element; included by kind.h. */

/* n elements or sums of each of `count` rows, added to `target`, or in its place if they are
   `fresh`: so many vectors, of which the last may begin early. */
AP_ALWAYS void AP_NAME(add_vectors)(
    const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t part, ptrdiff_t n,
    const int vectors, int fresh, int ahead, char *target, ptrdiff_t target_part, const int sums)
{
    const ptrdiff_t size = AP_NAME(size)(sums), last = n - AP_WIDE;
    const ptrdiff_t next = ap_next_rows(count, step);
    for (ptrdiff_t k = 0; ahead && k < count; k++)
        for (ptrdiff_t at = 0; at < vectors * AP_WIDE * size; at += 64)
            AP_ASK(row + k * step + at + next);
    AP_SUM s[AP_KEPT + 1];
    for (int i = 0; i < vectors; i++) {
        const ptrdiff_t at = i < vectors - 1 ? i * AP_WIDE : last;
        s[i] = fresh ? AP_NAME(get)(row + at * size, part, sums)
                     : AP_NAME(get)(target + 8 * at, target_part, 1);
    }
    if (fresh) {
        row += step;
        count--;
    }
    for (; count > 0; count--, row += step)
        for (int i = 0; i < vectors; i++) {
            const ptrdiff_t at = i < vectors - 1 ? i * AP_WIDE : last;
            s[i] = AP_NAME(add)(s[i], row + at * size, part, sums);
        }
    for (int i = 0; i < vectors; i++)
        AP_NAME(put)(
            s[i], target + 8 * (i < vectors - 1 ? i * AP_WIDE : last), target_part);
}

#define AP_CASE(vectors) \
    case vectors: \
        if (vectors <= AP_KEPT + 1) \
            AP_NAME(add_vectors)( \
                row, step, count, part, n, vectors <= AP_KEPT ? vectors : AP_KEPT + 1, fresh, \
                ahead, target, target_part, sums); \
        break

/* The same for any n that is a vector at least. */
AP_ALWAYS void AP_NAME(add_some_rows)(
    const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t part, ptrdiff_t n, int fresh,
    int ahead, char *target, ptrdiff_t target_part, const int sums)
{
    const ptrdiff_t kept = AP_KEPT * AP_WIDE;
    for (; n > kept + AP_WIDE; n -= kept) {
        AP_NAME(add_vectors)(
            row, step, count, part, kept, AP_KEPT, fresh, ahead, target, target_part, sums);
        row += kept * AP_NAME(size)(sums);
        target += 8 * kept;
    }
    switch ((n + AP_WIDE - 1) / AP_WIDE) {
        AP_CASE(1);
        AP_CASE(2);
        AP_CASE(3);
        AP_CASE(4);
        AP_CASE(5);
        AP_CASE(6);
        AP_CASE(7);
        AP_CASE(8);
        AP_CASE(9);
    }
}
#undef AP_CASE

/* Add `count` rows of n elements or sums, so many bytes apart, element by element to `target`.
   Long rows are read a few at a time, from end to end: docs/design/memory.md. */
AP_ALWAYS void AP_NAME(add_rows_of)(
    const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t part, ptrdiff_t n, int fresh,
    int ahead, char *target, ptrdiff_t target_part, const int sums)
{
    if (n < AP_WIDE) {
        AP_SUM s = fresh ? AP_NAME(some)(row, part, n, sums)
                         : AP_NAME(get)(target, target_part, 1);
        for (ptrdiff_t k = fresh; k < count; k++)
            s = AP_NAME(merge)(s, AP_NAME(some)(row + k * step, part, n, sums));
        AP_NAME(put)(s, target, target_part);
        return;
    }
    const ptrdiff_t most = n > (AP_KEPT + 1) * AP_WIDE ? AP_ROWS_AT_ONCE : count;
    for (ptrdiff_t k = 0; k < count; k += most)
        AP_NAME(add_some_rows)(
            row + k * step, step, k + most < count ? most : count - k, part, n, fresh && k == 0,
            ahead, target, target_part, sums);
}

static void AP_OF_KIND(add_rows)(
    const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, int fresh, int ahead,
    char *target, ptrdiff_t part)
{
    AP_NAME(add_rows_of)(row, step, count, 0, n, fresh, ahead, target, part, 0);
}

/* n elements of rows, added likewise, without those whose flag is 0: so many vectors; of fewer than
   one, masked. */
AP_ALWAYS void AP_NAME(add_counted_vectors)(
    const ap_flagged_rows *rows, ptrdiff_t at, ptrdiff_t n, const int vectors, const int masked,
    int fresh, char *target, ptrdiff_t part)
{
    const ptrdiff_t size = AP_NAME(size)(0);
    const char *row = rows->row + at * size;
    const uint8_t *flags = rows->flags + at;
    const ptrdiff_t next = ap_next_rows(rows->count, rows->step);
    const ptrdiff_t next_flags = ap_next_rows(rows->count, rows->flag_step);
    for (ptrdiff_t k = 0; rows->ahead && k < rows->count; k++) {
        for (ptrdiff_t i = 0; i < vectors * AP_WIDE * size; i += 64)
            AP_ASK(row + k * rows->step + i + next);
        if (at % 64 == 0)
            AP_ASK(flags + k * rows->flag_step + next_flags);
    }
    target += 8 * at;
    AP_SUM s[AP_KEPT];
    for (int i = 0; i < vectors; i++)
        s[i] = fresh ? AP_NAME(sum_of)(AP_EACH(AP_NOTHING))
                     : AP_NAME(get)(target + 8 * i * AP_WIDE, part, 1);
    for (ptrdiff_t k = 0; k < rows->count; k++, row += rows->step, flags += rows->flag_step) {
        for (int i = 0; i < vectors; i++) {
            uint8_t some[AP_WIDE] = {0};
            for (int j = 0; masked && j < AP_WIDE && j < n; j++)
                some[j] = flags[j];
            const AP_V x = masked ? AP_LOAD_SOME(row, n) : AP_LOAD(row + i * AP_WIDE * size);
            const AP_SIZED(ap_longs) counted =
                AP_SIZED(ap_flagged)(masked ? some : flags + i * AP_WIDE);
            s[i] = AP_NAME(plus)(s[i], AP_KEEP(counted, x, AP_EACH(AP_NOTHING)));
        }
    }
    for (int i = 0; i < vectors; i++)
        AP_NAME(put)(s[i], target + 8 * i * AP_WIDE, part);
}

/* n elements of a few rows: blocks of few sizes. */
AP_ALWAYS void AP_NAME(add_some_counted_rows)(
    const ap_flagged_rows *rows, ptrdiff_t n, int fresh, char *target, ptrdiff_t part)
{
    ptrdiff_t at = 0;
    for (; at + AP_KEPT * AP_WIDE <= n; at += AP_KEPT * AP_WIDE)
        AP_NAME(add_counted_vectors)(rows, at, n, AP_KEPT, 0, fresh, target, part);
#if AP_KEPT > 4
    if (at + 4 * AP_WIDE <= n) {
        AP_NAME(add_counted_vectors)(rows, at, n, 4, 0, fresh, target, part);
        at += 4 * AP_WIDE;
    }
#endif
    if (at + 2 * AP_WIDE <= n) {
        AP_NAME(add_counted_vectors)(rows, at, n, 2, 0, fresh, target, part);
        at += 2 * AP_WIDE;
    }
    for (; at < n; at += AP_WIDE)
        AP_NAME(add_counted_vectors)(rows, at, n - at, 1, 1, fresh, target, part);
}

/* n elements of rows, without those that do not count. */
static void AP_OF_KIND(add_counted_rows)(
    const ap_flagged_rows *rows, ptrdiff_t n, int fresh, char *target, ptrdiff_t part)
{
    const ptrdiff_t most = n > AP_KEPT * AP_WIDE ? AP_ROWS_AT_ONCE : rows->count;
    ap_flagged_rows some = *rows;
    for (ptrdiff_t left = rows->count; left > 0; left -= some.count, fresh = 0) {
        some.count = left < most ? left : most;
        AP_NAME(add_some_counted_rows)(&some, n, fresh, target, part);
        some.row += some.count * some.step;
        some.flags += some.count * some.flag_step;
    }
}

#ifdef AP_HAS_SUMS
/* The same for sums. */
static void AP_OF_KIND(add_sums)(
    const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t row_part, ptrdiff_t n, int fresh,
    char *target, ptrdiff_t part)
{
    AP_NAME(add_rows_of)(row, step, count, row_part, n, fresh, 0, target, part, 1);
}
#endif

/* Likewise n elements of rows that are weighed, in so many vectors; of fewer than one, masked. */
AP_ALWAYS void AP_NAME(weigh_vectors)(
    const ap_rows *rows, ptrdiff_t at, ptrdiff_t n, const int vectors, const int masked,
    char *target, ptrdiff_t part)
{
    const ptrdiff_t size = AP_NAME(size)(0), step = rows->step, last = masked ? 0 : n - AP_WIDE;
    const ap_weights w = rows->weights;
    const char *row = rows->row + at * size;
    const ptrdiff_t next = ap_next_rows(w.inner + 1, step);
    for (ptrdiff_t k = 0; rows->ahead && k <= w.inner; k++)
        for (ptrdiff_t i = 0; i < vectors * AP_WIDE * size; i += 64)
            AP_ASK(row + k * step + i + next);
    target += 8 * at;
    AP_SUM s[AP_KEPT + 1];
#define AP_PLACE(i) ((i) < vectors - 1 ? (i) * AP_WIDE : last)
#define AP_GET(row, i) \
    (masked ? AP_NAME(some)(row, 0, n, 0) : AP_NAME(get)((row) + AP_PLACE(i) * size, 0, 0))
    for (int i = 0; i < vectors; i++)
        s[i] = w.inner > 0 ? AP_GET(row, i) : AP_NAME(sum_of)(AP_EACH(AP_NOTHING));
    for (ptrdiff_t k = 1; k < w.inner; k++)
        for (int i = 0; i < vectors; i++)
            s[i] = masked ? AP_NAME(merge)(s[i], AP_GET(row + k * step, i))
                          : AP_NAME(add)(s[i], row + k * step + AP_PLACE(i) * size, 0, 0);
    for (int i = 0; i < vectors && w.whole != 1; i++)
        s[i] = AP_NAME(times)(s[i], w.whole);
    for (int i = 0; i < vectors && w.first > 0; i++)
        s[i] = AP_NAME(merge)(
            s[i], AP_NAME(times)(AP_GET(rows->first + at * size, i), w.first));
    for (int i = 0; i < vectors && w.last > 0; i++)
        s[i] = AP_NAME(merge)(
            s[i], AP_NAME(times)(AP_GET(rows->last + at * size, i), w.last));
    for (int i = 0; i < vectors && rows->all != 1; i++)
        s[i] = AP_NAME(times)(s[i], rows->all);
    for (int i = 0; i < vectors && rows->before > 0; i++)
        s[i] = AP_NAME(merge)(
            AP_NAME(times)(AP_NAME(get)(target + 8 * AP_PLACE(i), part, 1), rows->before), s[i]);
    if (masked) { /* what follows stays */
        const AP_SIZED(ap_longs) first = AP_SIZED(ap_first)(n);
        const AP_SUM follows = AP_NAME(get)(target, part, 1);
        s[0].a = AP_KEEP(first, s[0].a, follows.a);
#if AP_PARTS == 2
        s[0].b = AP_KEEP(first, s[0].b, follows.b);
#endif
    }
    for (int i = 0; i < vectors; i++)
        AP_NAME(put)(s[i], target + 8 * AP_PLACE(i), part);
#undef AP_GET
#undef AP_PLACE
}

/* n elements of rows, weighed, to `target`: blocks of few sizes, for each is a loop of its own. */
static void AP_OF_KIND(weigh_rows)(
    const ap_rows *rows, ptrdiff_t n, char *target, ptrdiff_t part)
{
    ptrdiff_t at = 0;
    for (; at + AP_KEPT * AP_WIDE <= n; at += AP_KEPT * AP_WIDE)
        AP_NAME(weigh_vectors)(rows, at, AP_KEPT * AP_WIDE, AP_KEPT, 0, target, part);
#if AP_KEPT > 4
    if (at + 4 * AP_WIDE <= n) {
        AP_NAME(weigh_vectors)(rows, at, 4 * AP_WIDE, 4, 0, target, part);
        at += 4 * AP_WIDE;
    }
#endif
    if (at + 2 * AP_WIDE <= n) {
        AP_NAME(weigh_vectors)(rows, at, 2 * AP_WIDE, 2, 0, target, part);
        at += 2 * AP_WIDE;
    }
    for (; at < n; at += AP_WIDE)
        AP_NAME(weigh_vectors)(rows, at, n - at, 1, 1, target, part);
}
