/* Sums of one kind of elements, by vectors; included once for each kind by windows.h. The order is
   that of docs/design/summation.md: the lines of a window are added one after the other, and
   column k of what they add up to goes to running sum k % 4.

   A sum is one number of 8 bytes or two. Where sums lie in memory, the second numbers follow the
   first ones `part` bytes behind. Sources are elements, or sums; `sums` says which, and is literal
   wherever it is not handed on. */

#define AP_SUM AP_NAME(sum)

typedef struct {
    AP_V a;
#if AP_PARTS == 2
    AP_V b;
#endif
} AP_SUM;

AP_ALWAYS AP_SUM AP_NAME(merge)(AP_SUM s, AP_SUM t)
{
    AP_SUM sum;
#if AP_FAMILY == AP_TWOFOLD_SUMS
    sum.a = s.a + t.a;
    AP_V rest = sum.a - s.a;
    sum.b = (s.b + t.b) + ((s.a - (sum.a - rest)) + (t.a - rest));
#else
    sum.a = s.a + t.a;
#if AP_PARTS == 2
    sum.b = s.b + t.b;
#endif
#endif
    return sum;
}

AP_ALWAYS AP_SUM AP_NAME(sum_of)(AP_V x)
{
    AP_SUM sum;
#if AP_FAMILY == AP_TWOFOLD_SUMS
    sum.a = x;
    sum.b = AP_EACH(0);
#elif AP_FAMILY == AP_PAIR_SUMS
    sum.a = AP_HIGH(x);
    sum.b = x & 0xffffffff;
#else
    sum.a = x;
#endif
    return sum;
}

AP_ALWAYS AP_SUM AP_NAME(plus)(AP_SUM s, AP_V x)
{
#if AP_FAMILY == AP_TWOFOLD_SUMS /* Knuth's TwoSum */
    AP_SUM sum;
    sum.a = s.a + x;
    AP_V rest = sum.a - s.a;
    sum.b = s.b + ((s.a - (sum.a - rest)) + (x - rest));
    return sum;
#elif AP_FAMILY == AP_DOUBLE_SUMS && AP_WIDE == 4
    /* The same sum. Widening and adding share units of the processor; a fused product with 1 has
       others (docs/design/memory.md). */
    s.a = (AP_V) _mm256_fmadd_pd((__m256d) x, _mm256_set1_pd(1.0), (__m256d) s.a);
    return s;
#else
    return AP_NAME(merge)(s, AP_NAME(sum_of)(x));
#endif
}

AP_ALWAYS AP_SUM AP_NAME(get)(const char *place, ptrdiff_t part, const int sums)
{
    AP_SUM sum;
    (void) part;
    if (!sums)
        return AP_NAME(sum_of)(AP_LOAD(place));
    memcpy(&sum.a, place, sizeof sum.a);
#if AP_PARTS == 2
    memcpy(&sum.b, place + part, sizeof sum.b);
#endif
    return sum;
}

AP_ALWAYS AP_SUM AP_NAME(add)(AP_SUM s, const char *place, ptrdiff_t part, const int sums)
{
    if (sums)
        return AP_NAME(merge)(s, AP_NAME(get)(place, part, 1));
    return AP_NAME(plus)(s, AP_LOAD(place));
}

AP_ALWAYS void AP_NAME(put)(AP_SUM s, char *place, ptrdiff_t part)
{
    (void) part;
    memcpy(place, &s.a, sizeof s.a);
#if AP_PARTS == 2
    memcpy(place + part, &s.b, sizeof s.b);
#endif
}

/* The first n of a vector, and for the others what adds nothing. Behind sums there is other
   scratch, which may be read; elements are not read beyond the n-th. */
AP_ALWAYS AP_SUM AP_NAME(some)(const char *place, ptrdiff_t part, ptrdiff_t n, const int sums)
{
    if (sums) {
        AP_SUM sum = AP_NAME(get)(place, part, 1);
        const ap_longs first = ap_first(n);
        sum.a = AP_KEEP(first, sum.a, AP_EACH(AP_NOTHING));
#if AP_PARTS == 2
        sum.b = AP_KEEP(first, sum.b, AP_EACH(0));
#endif
        return sum;
    }
    return AP_NAME(sum_of)(AP_LOAD_SOME(place, n));
}

AP_ALWAYS ptrdiff_t AP_NAME(size)(const int sums)
{
    return sums ? 8 : (ptrdiff_t) sizeof(AP_E);
}

/* n elements or sums of each of `count` rows, added to `target`, or in its place if they are
   `fresh`: so many vectors, of which the last may begin early. */
AP_ALWAYS void AP_NAME(add_vectors)(
    const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t part, ptrdiff_t n,
    const int vectors, int fresh, int ahead, char *target, ptrdiff_t target_part, const int sums)
{
    const ptrdiff_t size = AP_NAME(size)(sums), last = n - AP_WIDE;
    const ptrdiff_t next = count * step > AP_AHEAD ? count * step : AP_AHEAD;
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

static void AP_NAME(add_rows)(
    const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, int fresh, int ahead,
    char *target, ptrdiff_t part)
{
    AP_NAME(add_rows_of)(row, step, count, 0, n, fresh, ahead, target, part, 0);
}

/* The same for sums. */
static void AP_NAME(add_sums)(
    const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t row_part, ptrdiff_t n, int fresh,
    char *target, ptrdiff_t part)
{
    AP_NAME(add_rows_of)(row, step, count, row_part, n, fresh, 0, target, part, 1);
}
