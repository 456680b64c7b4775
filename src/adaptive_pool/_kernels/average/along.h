/* Windows along W, by vectors of neighbours, whose numbers are the running sums; included by
   kind.h. */

/* Four running sums of each of four windows, which are the numbers of vectors, are added up. */
AP_ALWAYS void AP_NAME(put_four)(
    AP_SUM s[4][AP_PER_FOUR], char *target, ptrdiff_t part)
{
    AP_V numbers[4][AP_PER_FOUR];
    for (int i = 0; i < 4; i++)
        for (int v = 0; v < AP_PER_FOUR; v++)
            numbers[i][v] = s[i][v].a;
    ap_turn_numbers(numbers);
    for (int i = 0; i < 4; i++)
        for (int v = 0; v < AP_PER_FOUR; v++)
            s[i][v].a = numbers[i][v];
#if AP_PARTS == 2
    for (int i = 0; i < 4; i++)
        for (int v = 0; v < AP_PER_FOUR; v++)
            numbers[i][v] = s[i][v].b;
    ap_turn_numbers(numbers);
    for (int i = 0; i < 4; i++)
        for (int v = 0; v < AP_PER_FOUR; v++)
            s[i][v].b = numbers[i][v];
#endif
    for (int v = 0; v < AP_PER_FOUR; v++)
        AP_NAME(put)(
            AP_NAME(merge)(
                AP_NAME(merge)(s[0][v], s[2][v]), AP_NAME(merge)(s[1][v], s[3][v])),
            target + v * AP_NUMBERS * 8, part);
}

/* Windows of neighbours in memory, four at a time: the last four begin early. */
AP_ALWAYS void AP_NAME(along_of)(
    const ap_windows *windows, const char *line, ptrdiff_t part, char *target,
    ptrdiff_t target_part, const int sums)
{
    const ptrdiff_t width = AP_NUMBERS * AP_NAME(size)(sums), block = AP_PER_FOUR * width;
    const ap_windows w = *windows; /* which stores to the target cannot change */
    const int alike = w.longest - w.shortest <= 4;
    for (ptrdiff_t ow = 0; ow < w.count; ow += 4) {
        if (ow > w.count - 4)
            ow = w.count > 4 ? w.count - 4 : 0;
        const char *places[4];
        ptrdiff_t columns[4];
        AP_SUM s[4][AP_PER_FOUR];
        for (int i = 0; i < 4; i++) {
            const ptrdiff_t o = ow + i < w.count ? ow + i : ow;
            places[i] = line + (w.starts[o] - w.w0) * AP_NAME(size)(sums);
            columns[i] = w.ends[o] - w.starts[o];
        }
        /* Of sizes that are much alike, no branch depends on a window. */
        ptrdiff_t least = w.shortest, most = w.longest;
        for (int i = 0; i < 4 && !alike; i++) {
            least = i == 0 || columns[i] < least ? columns[i] : least;
            most = i == 0 || columns[i] > most ? columns[i] : most;
        }
        const ptrdiff_t common = least / 4, blocks = (most + 3) / 4;
        for (int i = 0; i < 4; i++)
            for (int v = 0; v < AP_PER_FOUR; v++)
                s[i][v] = common > 0
                    ? AP_NAME(get)(places[i] + v * width, part, sums)
                    : AP_NAME(some)(places[i] + v * width, part, columns[i] - v * AP_NUMBERS, sums);
#if defined(__GNUC__)
#pragma GCC unroll 4
#endif
        for (ptrdiff_t k = 1; k < common; k++) {
            if (!sums && w.ahead && k * block % 64 == 0)
                for (int i = 0; i < 4; i++)
                    AP_ASK(places[i] + k * block + AP_AHEAD);
            for (int i = 0; i < 4; i++)
                for (int v = 0; v < AP_PER_FOUR; v++)
                    s[i][v] = AP_NAME(add)(s[i][v], places[i] + k * block + v * width, part, sums);
        }
        for (ptrdiff_t k = common > 0 ? common : 1; k < blocks; k++)
            for (int i = 0; i < 4; i++)
                for (int v = 0; v < AP_PER_FOUR; v++)
                    s[i][v] = AP_NAME(merge)(s[i][v], AP_NAME(some)(
                        places[i] + k * block + v * width, part,
                        columns[i] - 4 * k - v * AP_NUMBERS, sums));
        AP_NAME(put_four)(s, target + 8 * ow, target_part);
    }
}

static void AP_OF_KIND(along)(const ap_windows *w, const char *line, char *target, ptrdiff_t part)
{
    AP_NAME(along_of)(w, line, 0, target, part, 0);
}

#ifdef AP_HAS_SUMS
static void AP_OF_KIND(along_sums)(
    const ap_windows *w, const char *line, ptrdiff_t line_part, char *target, ptrdiff_t part)
{
    AP_NAME(along_of)(w, line, line_part, target, part, 1);
}
#endif
