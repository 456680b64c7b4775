/* Windows along W, by vectors of lanes; included by kind.h. */

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

AP_ALWAYS void AP_NAME(put_nothing)(char *target, ptrdiff_t lanes, ptrdiff_t part)
{
    for (ptrdiff_t lane = 0; lane < lanes; lane += AP_WIDE)
        AP_NAME(put)(AP_NAME(sum_of)(AP_EACH(AP_NOTHING)), target + 8 * lane, part);
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
        else if (sums && columns == 0)
            AP_NAME(put_nothing)(target, w.lanes, target_part);
        else
            AP_LANES_OF(columns);
#undef AP_LANES_OF
    }
}

static void AP_OF_KIND(windows)(
    const ap_windows *w, const char *line, char *target, ptrdiff_t part)
{
    AP_NAME(windows_of)(w, line, 0, target, part, 0);
}

#ifdef AP_HAS_SUMS
static void AP_OF_KIND(windows_of_sums)(
    const ap_windows *w, const char *line, ptrdiff_t line_part, char *target, ptrdiff_t part)
{
    AP_NAME(windows_of)(w, line, line_part, target, part, 1);
}
#endif
