/* Windows along W of one kind of elements; included once for each kind by kinds.h.

   windows: vectors of lanes. along: vectors of neighbours, whose numbers are the running sums. */

#include "average/sums.h"

/* A window of one vector of lanes. To be called with literal columns, if they are few. */
AP_ALWAYS AP_SUM AP_NAME(window)(
    const char *place, ptrdiff_t step, const ptrdiff_t columns, ptrdiff_t part, const int sums)
{
    AP_SUM s[4];
    s[0] = AP_NAME(get)(place, part, sums);
    if (columns == 1)
        return s[0];
    s[1] = AP_NAME(get)(place + step, part, sums);
    if (columns == 2)
        return AP_NAME(merge)(s[0], s[1]);
    s[2] = AP_NAME(get)(place + 2 * step, part, sums);
    if (columns == 3)
        return AP_NAME(merge)(AP_NAME(merge)(s[0], s[2]), s[1]);
    s[3] = AP_NAME(get)(place + 3 * step, part, sums);
    for (ptrdiff_t k = 4; k < columns; k += 4)
        for (int i = 0; i < 4 && k + i < columns; i++)
            s[i] = AP_NAME(add)(s[i], place + (k + i) * step, part, sums);
    return AP_NAME(merge)(AP_NAME(merge)(s[0], s[2]), AP_NAME(merge)(s[1], s[3]));
}

AP_ALWAYS void AP_NAME(lanes_of_window)(
    const char *place, ptrdiff_t step, const ptrdiff_t columns, ptrdiff_t part, ptrdiff_t lanes,
    int ahead, char *target, ptrdiff_t target_part, const int sums)
{
    const ptrdiff_t size = AP_NAME(size)(sums), last = lanes - AP_WIDE;
    for (ptrdiff_t lane = 0; lane < lanes; lane += AP_WIDE) {
        if (lane > last && last >= 0)
            lane = last; /* the last ones once more */
        if (!sums && ahead && lane * size % 64 == 0)
            for (ptrdiff_t k = 0; k < columns; k++)
                AP_ASK(place + lane * size + k * step + AP_AHEAD);
        AP_NAME(put)(
            AP_NAME(window)(place + lane * size, step, columns, part, sums), target + 8 * lane,
            target_part);
    }
}

/* Windows of a line of lanes: of at least a vector of them, or of sums, whose rest is overwritten
   by the next window. */
AP_ALWAYS void AP_NAME(windows_of)(
    const ap_windows *windows, const char *line, ptrdiff_t part, char *target,
    ptrdiff_t target_part, const int sums)
{
    const ap_windows w = *windows; /* which stores to the target cannot change */
    for (ptrdiff_t ow = 0; ow < w.count; ow++, target += 8 * w.lanes) {
        const char *place = line + (w.starts[ow] - w.w0) * w.step;
        const ptrdiff_t columns = w.ends[ow] - w.starts[ow];
#define AP_LANES_OF(columns) \
    AP_NAME(lanes_of_window)( \
        place, w.step, columns, part, w.lanes, w.ahead, target, target_part, sums)
        if (columns == 1)
            AP_LANES_OF(1);
        else if (columns == 2)
            AP_LANES_OF(2);
        else if (columns == 3)
            AP_LANES_OF(3);
        else
            AP_LANES_OF(columns);
#undef AP_LANES_OF
    }
}

static void AP_NAME(windows)(
    const ap_windows *w, const char *line, char *target, ptrdiff_t part)
{
    AP_NAME(windows_of)(w, line, 0, target, part, 0);
}

static void AP_NAME(windows_of_sums)(
    const ap_windows *w, const char *line, ptrdiff_t line_part, char *target, ptrdiff_t part)
{
    AP_NAME(windows_of)(w, line, line_part, target, part, 1);
}

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
            target + v * AP_WIDE * 8, part);
}

/* Windows of neighbours in memory, four at a time: the last four begin early. */
AP_ALWAYS void AP_NAME(along_of)(
    const ap_windows *windows, const char *line, ptrdiff_t part, char *target,
    ptrdiff_t target_part, const int sums)
{
    const ptrdiff_t width = AP_WIDE * AP_NAME(size)(sums), block = AP_PER_FOUR * width;
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
                    : AP_NAME(some)(places[i] + v * width, part, columns[i] - v * AP_WIDE, sums);
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
                        columns[i] - 4 * k - v * AP_WIDE, sums));
        AP_NAME(put_four)(s, target + 8 * ow, target_part);
    }
}

static void AP_NAME(along)(const ap_windows *w, const char *line, char *target, ptrdiff_t part)
{
    AP_NAME(along_of)(w, line, 0, target, part, 0);
}

static void AP_NAME(along_sums)(
    const ap_windows *w, const char *line, ptrdiff_t line_part, char *target, ptrdiff_t part)
{
    AP_NAME(along_of)(w, line, line_part, target, part, 1);
}

#undef AP_SUM
#undef AP_NAME
#undef AP_E
#undef AP_LOAD
#undef AP_LOAD_SOME
