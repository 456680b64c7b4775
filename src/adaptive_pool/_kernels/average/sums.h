/* Sums of one kind of elements, in vectors of one width; included by kind.h. The order is that of
   docs/design/summation.md: the lines of a window are added one after the other, and column k of
   what they add up to goes to running sum k % 4.

   A sum is one number of 8 bytes or two. Where sums lie in memory, the second numbers follow the
   first ones `part` bytes behind. Sources are elements, or sums; `sums` says which, and is literal
   wherever it is not handed on. */

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

/* A sum times a weight. Of two numbers the product of the first is two: what is rounded away is
   exact for weights below 2**26 (Dekker, "A floating-point technique for extending the available
   precision", 1971), without fma(), which not all processors have. */
AP_ALWAYS AP_SUM AP_NAME(times)(AP_SUM s, int64_t weight)
{
    AP_SUM product;
#if AP_FAMILY == AP_DOUBLE_SUMS
    product.a = s.a * AP_EACH((double) weight);
#elif AP_FAMILY == AP_TWOFOLD_SUMS
    const AP_V factor = AP_EACH((double) weight), high = AP_HIGH_PART(s.a);
    product.a = s.a * factor;
    product.b = ((high * factor - product.a) + (s.a - high) * factor) + s.b * factor;
#else
    product.a = s.a * AP_EACH(weight);
#if AP_PARTS == 2
    product.b = s.b * AP_EACH(weight);
#endif
#endif
    return product;
}

AP_ALWAYS AP_SUM AP_NAME(plus)(AP_SUM s, AP_V x)
{
#if AP_FAMILY == AP_TWOFOLD_SUMS /* Knuth's TwoSum */
    AP_SUM sum;
    sum.a = s.a + x;
    AP_V rest = sum.a - s.a;
    sum.b = s.b + ((s.a - (sum.a - rest)) + (x - rest));
    return sum;
#elif AP_FAMILY == AP_DOUBLE_SUMS && AP_FOUR == 4
    /* The same sum. Widening and adding share units of the processor; a fused product with 1 has
       others (docs/design/memory.md). */
#if AP_NUMBERS == 8
    s.a = (AP_V) _mm512_fmadd_pd((__m512d) x, _mm512_set1_pd(1.0), (__m512d) s.a);
#else
    s.a = (AP_V) _mm256_fmadd_pd((__m256d) x, _mm256_set1_pd(1.0), (__m256d) s.a);
#endif
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
        const AP_SIZED(ap_longs) first = AP_SIZED(ap_first)(n);
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
