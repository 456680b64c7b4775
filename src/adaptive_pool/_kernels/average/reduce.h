/* The sums of the windows of a tile. */
#ifndef AP_AVERAGE_REDUCE_H
#define AP_AVERAGE_REDUCE_H

#include "average/lines.h"

/* Columns of a window, wherever they lie: elements `step` bytes apart, or a line of sums. Or a mask
   says which elements count, lanes x columns side by side. */
typedef struct {
    const char *first;
    ptrdiff_t step, columns;
    int sums;
    const uint8_t *mask;
    ptrdiff_t lanes;
} ap_columns;

static inline void ap_add_to(
    const ap_average *m, const ap_columns *c, ptrdiff_t column, ptrdiff_t step, ptrdiff_t count,
    ptrdiff_t n, int fresh, char *target)
{
    const char *first = c->first + column * c->step;
    if (c->mask != NULL) {
        const ap_flagged_rows rows = {
            first, c->mask + column * c->lanes, step * c->step, step * c->lanes, count, m->ahead};
        m->kind->add_counted_rows(&rows, n, fresh, target, m->part);
    } else if (c->sums)
        m->kind->add_sums(first, step * c->step, count, m->part, n, fresh, target, m->part);
    else
        m->kind->add_rows(
            first, step * c->step, count, n, fresh, m->ahead && !m->copied, target, m->part);
}

/* Go on with a window, of which `done` columns came before: column k goes to running sum k % 4. */
static inline void ap_run_on(
    const ap_average *m, const ap_tile *tile, const ap_columns *c, ptrdiff_t done)
{
    const ptrdiff_t lanes = tile->lanes, size = c->sums ? 8 : m->x.itemsize;
    ptrdiff_t column = 0;
    for (; (done + column) % 4 != 0 && column < c->columns; column++)
        ap_add_to(m, c, column, 1, 1, lanes, done + column < 4,
                  tile->running + (done + column) % 4 * 8 * lanes);
    const ptrdiff_t left = c->columns - column, whole = left / 4;
    const int fresh = done + column == 0;
    if (c->step == lanes * size) { /* the running sums of all lanes are neighbours */
        if (whole > 0)
            ap_add_to(m, c, column, 4, whole, 4 * lanes, fresh, tile->running);
        if (left % 4 > 0)
            ap_add_to(m, c, column + 4 * whole, 1, 1, left % 4 * lanes, fresh && whole == 0,
                      tile->running);
        return;
    }
    for (ptrdiff_t k = 0; k < ap_min(left, 4); k++)
        ap_add_to(m, c, column + k, 4, (left - k + 3) / 4, lanes, fresh,
                  tile->running + 8 * k * lanes);
}

/* What the running sums of a window of so many columns add up to. */
static inline void ap_add_running(
    const ap_average *m, const ap_tile *tile, ptrdiff_t columns, char *target)
{
    const ptrdiff_t bytes = 8 * tile->lanes;
    char *running = tile->running;
    if (columns > 2)
        m->kind->add_sums(running + 2 * bytes, 0, 1, m->part,
                          (ap_min(columns, 4) - 2) * tile->lanes, 0, running, m->part);
    if (columns > 1)
        m->kind->add_sums(running + bytes, 0, 1, m->part, tile->lanes, 0, running, m->part);
    m->kind->add_sums(running, 0, 1, m->part, tile->lanes, 1, target, m->part);
}

/* Whether the first column of a line follows the last one of the line before. */
static inline int ap_go_on(const ap_array *x, ptrdiff_t depth, ptrdiff_t height, ptrdiff_t columns)
{
    return (height == 1 || x->h == columns * x->w)
        && (depth == 1 || x->d == height * columns * x->w);
}

/* Count the flags of a run, of which so many elements are counted side by side. */
AP_ALWAYS void ap_tally_run(
    ap_tally *tally, const uint8_t *AP_RESTRICT flags, ptrdiff_t n, const int bools)
{
    const ptrdiff_t rows = n / tally->n, rest = n - rows * tally->n;
    uint8_t *AP_RESTRICT bytes = tally->bytes;
    ap_add_to_tally(tally, flags, tally->n, rows, bools);
    if (rest == 0)
        return;
    ap_widen_tally(tally);
    flags += rows * tally->n;
    for (ptrdiff_t i = 0; i < tally->n; i++)
        bytes[i] = i < rest && flags[i] != 0;
    tally->rows = 1;
}

/* The lines of a window of whole lines, or all of them as one if they follow each other. */
typedef struct {
    ptrdiff_t lines, columns;
} ap_shape;

static inline ap_shape ap_shape_of_whole(const ap_average *m, const ap_line *line)
{
    ap_shape shape = {line->depth * line->height, m->w.size};
    if (ap_go_on(&m->x, line->depth, line->height, m->w.size)
        && (line->where == NULL || ap_go_on(&m->where, line->depth, line->height, m->w.size))) {
        shape.columns *= shape.lines;
        shape.lines = 1;
    }
    return shape;
}

/* A place in the k-th line of a window of whole lines. */
static inline const char *ap_in_line(
    const ap_array *x, const ap_tile *tile, const ap_line *line, const char *first, ptrdiff_t k,
    ptrdiff_t w)
{
    return first == NULL ? NULL
        : first + k / line->height * x->d + k % line->height * x->h + w * x->w
            + tile->lane * x->lane;
}

/* Copy some columns of the k-th line of a window of whole lines, and flag what counts. */
static inline void ap_blank_line(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t k, ptrdiff_t w,
    ptrdiff_t columns, char *copy, uint8_t *flags)
{
    ap_blank_piece(
        m, tile, ap_in_line(&m->x, tile, line, line->first, k, w),
        ap_in_line(&m->where, tile, line, line->where, k, w), columns, tile->lanes, copy, flags);
}

/* A window of whole lines of which not all elements count: where they lie, or by copies of pieces
   of them. */
static inline void ap_counted_window(
    const ap_average *m, const ap_tile *tile, const ap_line *line, char *target)
{
    const ptrdiff_t lanes = tile->lanes, counted = ap_max(AP_TALLIED / lanes, 1);
    const ap_shape shape = ap_shape_of_whole(m, line);
    const int in_place = !ap_has_few_lanes(m)
        && ap_is_read_in_place(m, line->where, shape.columns, lanes);
    const ptrdiff_t reach = in_place ? shape.columns : ap_max(AP_SUMS / lanes / 4 * 4, 4);
    double *numbers = ap_numbers_of(tile, target);
    ap_columns c = {tile->copy, lanes * m->counting->size, 0, 0, NULL, lanes};
    ap_tally tally = ap_tally_of(tile, counted * lanes);
    ptrdiff_t done = 0;
    ap_clear_counts(tile, counted);
    for (ptrdiff_t k = 0; k < shape.lines; k++)
        for (ptrdiff_t w = 0; w < shape.columns; w += c.columns, done += c.columns) {
            c.columns = ap_min(reach, shape.columns - w);
            if (in_place) {
                c.first = ap_in_line(&m->x, tile, line, line->first, k, w);
                c.mask = (const uint8_t *) ap_in_line(
                    &m->where, tile, line, line->where, k, w);
                ap_tally_run(&tally, c.mask, c.columns * lanes, 1);
            } else {
                ap_blank_line(m, tile, line, k, w, c.columns, tile->copy, tile->flags);
                ap_tally_run(&tally, tile->flags, c.columns * lanes, 0);
            }
            ap_run_on(m, tile, &c, done);
        }
    ap_add_running(m, tile, done, target);
    ap_widen_tally(&tally);
    memset(numbers, 0, (size_t) lanes * sizeof *numbers);
    ap_add_counts(tile, tile->counts, counted, numbers);
}

/* A window piece by piece: one that is longer than a tile, or of whole lines. */
AP_ALWAYS void ap_long_window(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t ow, char *target)
{
    const ptrdiff_t lanes = tile->lanes, reach = ap_max(AP_SUMS / lanes / 4 * 4, 4);
    const ptrdiff_t w0 = m->w.starts[ow], w1 = m->w.ends[ow], lines = line->depth * line->height;
    ap_columns c = {line->first + w0 * m->x.w + tile->lane * m->x.lane, m->run, w1 - w0, 0};
    ptrdiff_t done = 0;
    if (m->run != 0) {
        c.columns *= lines;
        ap_run_on(m, tile, &c, 0);
        ap_add_running(m, tile, c.columns, target);
        return;
    }
    if (tile->counted && m->whole) {
        ap_counted_window(m, tile, line, target);
        return;
    }
    ap_line single = *line;
    for (ptrdiff_t lane = 0; tile->counted && lane < lanes; lane++)
        ap_numbers_of(tile, target)[lane] = 0;
    if (m->whole)
        single.depth = single.height = 1;
    c.step = 8 * lanes;
    c.sums = 1;
    c.first = tile->line_sums;
    for (ptrdiff_t k = 0; k < (m->whole ? lines : 1); k++)
        for (ptrdiff_t w = w0; w < w1; w += c.columns, done += c.columns) {
            c.columns = ap_min(reach, w1 - w);
            if (m->whole)
                single.first = line->first + k / line->height * m->x.d
                    + k % line->height * m->x.h;
            ap_add_lines(m, tile, &single, w, w + c.columns, tile->line_sums);
            ap_run_on(m, tile, &c, done);
            if (tile->counted)
                ap_add_counts(tile, tile->counts, c.columns, ap_numbers_of(tile, target));
        }
    ap_add_running(m, tile, done, target);
}

/* Likewise a window that holds elements in part. */
static inline void ap_weighted_window(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t ow, char *target)
{
    const ptrdiff_t lanes = tile->lanes, reach = ap_max(AP_SUMS / lanes / 4 * 4, 4);
    const ap_weights w = ap_weights_of(&m->w, ow), others = {w.whole, w.first, 0, w.inner};
    const ap_weights last = {1, 0, w.last, 1};
    const ap_weigh *weigh = &ap_all_weigh[m->kind->family];
    const ptrdiff_t w0 = m->w.starts[ow], w1 = m->w.ends[ow], begin = w0 + (w.first > 0);
    double *numbers = ap_numbers_of(tile, target);
    ap_columns c = {tile->line_sums, 8 * lanes, 0, 1};
    for (ptrdiff_t lane = 0; tile->counted && lane < lanes; lane++)
        numbers[lane] = 0;
    for (ptrdiff_t done = 0; done < w.inner; done += c.columns) {
        c.columns = ap_min(reach, w.inner - done);
        ap_add_lines(m, tile, line, begin + done, begin + done + c.columns, tile->line_sums);
        ap_run_on(m, tile, &c, done);
        if (tile->counted)
            ap_add_counts(tile, tile->counts, c.columns, numbers);
    }
    if (w.inner > 0)
        ap_add_running(m, tile, w.inner, target);
    if (m->w.firsts == NULL)
        return;
    if (w.first > 0)
        ap_add_lines(m, tile, line, w0, w0 + 1, tile->line_sums);
    weigh->sums(others, tile->line_sums, tile->line_sums, lanes, target, m->part);
    for (ptrdiff_t lane = 0; tile->counted && lane < lanes; lane++)
        numbers[lane] = (double) w.whole * numbers[lane]
            + (w.first > 0 ? (double) w.first * tile->counts[lane] : 0);
    if (w.last == 0)
        return;
    ap_add_lines(m, tile, line, w1 - 1, w1, tile->line_sums);
    weigh->sums(last, tile->line_sums, tile->line_sums, lanes, target, m->part);
    for (ptrdiff_t lane = 0; tile->counted && lane < lanes; lane++)
        numbers[lane] += (double) w.last * tile->counts[lane];
}

/* n sums that add nothing. */
static inline void ap_put_nothing(const ap_average *m, char *sums, ptrdiff_t n)
{
    const int real = m->kind->family == AP_DOUBLE_SUMS || m->kind->family == AP_TWOFOLD_SUMS;
    const double nothing = real ? -0.0 : 0;
    for (ptrdiff_t i = 0; i < 8 * n; i += 8) {
        memcpy(sums + i, &nothing, 8);
        if (m->kind->parts == 2)
            memset(sums + m->part + i, 0, 8);
    }
}

/* Where all lanes of a column count or none: runs of columns that do are added where they lie, the
   others are passed over. Column k goes to running sum k % 4 as ever. */
static inline void ap_shared_window(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t ow, char *target)
{
    const ptrdiff_t lanes = tile->lanes, rows = line->depth * line->height;
    const ptrdiff_t w0 = m->w.starts[ow], w1 = m->w.ends[ow];
    const char *x = line->first + w0 * m->x.w + tile->lane * m->x.lane;
    double *numbers = ap_numbers_of(tile, target);
    ptrdiff_t count = 0, column = 4; /* so that none is the first of its sum */
    ap_put_nothing(m, tile->running, 4 * lanes);
    for (ptrdiff_t k = 0; k < rows; k++) {
        const char *where = line->where + k / line->height * m->where.d
            + k % line->height * m->where.h + w0 * m->where.w;
        for (ptrdiff_t w = 0, end; w < w1 - w0; w = end) {
            for (end = w; end < w1 - w0 && where[end * m->where.w] != 0;)
                end++;
            const ap_columns run = {
                x + (column - 4 + w) * m->run, m->run, end - w, 0};
            if (end > w)
                ap_run_on(m, tile, &run, column + w);
            count += end - w;
            while (end < w1 - w0 && where[end * m->where.w] == 0)
                end++;
        }
        column += w1 - w0;
    }
    ap_add_running(m, tile, 4, target);
    for (ptrdiff_t lane = 0; lane < lanes; lane++)
        numbers[lane] = (double) count;
}

AP_ALWAYS void ap_any_window(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t ow, char *target)
{
    if (tile->weighted)
        ap_weighted_window(m, tile, line, ow, target);
    else
        ap_long_window(m, tile, line, ow, target);
}

/* The columns that windows hold whole. */
static inline void ap_take_whole(const ap_average *m, const ap_tile *tile, ap_windows *w)
{
    if (m->w.firsts == NULL)
        return;
    w->starts = m->w.whole_starts + tile->ow0;
    w->ends = m->w.whole_ends + tile->ow0;
    w->shortest = m->w.fewest;
    w->longest = m->w.most;
}

/* Weigh the windows of a line whose whole columns have been added. */
static inline void ap_weigh_windows(const ap_average *m, const ap_tile *tile, char *target)
{
    const ap_weigh *weigh = &ap_all_weigh[m->kind->family];
    const ptrdiff_t bytes = 8 * tile->lanes;
    const char *line = tile->line_sums - tile->w0 * bytes;
    if (m->w.firsts == NULL)
        return;
    if (ap_has_few_lanes(m)) {
        weigh->windows(&m->w, tile->ow0, tile->ow1, line, tile->lanes, target, m->part);
        return;
    }
    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++, target += bytes)
        weigh->sums(
            ap_weights_of(&m->w, ow), line + m->w.starts[ow] * bytes,
            line + (m->w.ends[ow] - 1) * bytes, tile->lanes, target, m->part);
}

/* The windows of an output line, by vectors over lanes. */
AP_ALWAYS void ap_reduce_by_lanes(
    const ap_average *m, const ap_tile *tile, const ap_line *line, char *target)
{
    const ptrdiff_t lanes = tile->lanes, columns = tile->w1 - tile->w0;
    const ptrdiff_t lines = line->depth * line->height;
    const int vectors = m->run != 0 && lanes >= AP_WIDE;
    ap_windows w = {
        tile->ow1 - tile->ow0, lanes, m->w.starts + tile->ow0, m->w.ends + tile->ow0, tile->w0,
        vectors ? m->run : 8 * lanes, m->w.shortest, m->w.longest, m->ahead};
    const int64_t start = 0, end = lines * m->w.size;
    if (m->whole) {
        w.starts = &start;
        w.ends = &end;
    }
    if (tile->weighted)
        ap_take_whole(m, tile, &w);
    /* What a window holds is read once for each vector of lanes. */
    const ptrdiff_t most = m->whole ? lines * m->w.size : m->w.longest;
    if (tile->counted && m->shared && m->run != 0)
        for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++, target += 8 * lanes)
            ap_shared_window(m, tile, line, ow, target);
    else if (vectors ? most > AP_SHORT && most * lanes * m->x.itemsize > AP_WINDOW
                : m->whole || columns * lanes > AP_SUMS)
        for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++, target += 8 * lanes)
            ap_any_window(m, tile, line, ow, target);
    else if (vectors)
        m->kind->windows(
            &w, line->first + tile->w0 * m->run + tile->lane * m->x.lane, target, m->part);
    else {
        ap_add_lines(m, tile, line, tile->w0, tile->w1, tile->line_sums);
        m->kind->windows_of_sums(&w, tile->line_sums, m->part, target, m->part);
        if (tile->weighted)
            ap_weigh_windows(m, tile, target);
        if (tile->counted)
            ap_count_windows(m, tile, target);
    }
}

/* Elements of that many bytes; a division by what is no literal takes as long as a short window. */
static inline ptrdiff_t ap_elements(ptrdiff_t bytes, ptrdiff_t size)
{
    return size == 2 ? bytes / 2 : size == 4 ? bytes / 4 : bytes / 8;
}

/* Where the windows of the lines of a tile begin and end, if each is a run in memory: in elements
   from the first one on. */
static inline void ap_find_runs(
    const ap_average *m, const ap_tile *tile, ap_line line, int64_t *starts, int64_t *ends)
{
    const ptrdiff_t size = m->x.itemsize, step = ap_elements(m->x.channel, size);
    const int planes = m->d.count == 1 && m->h.count == 1; /* that are windows by themselves */
    const char *first = line.first;
    for (ptrdiff_t k = 0, count = 1; k < tile->lines;
         k += count, ap_next_line(m, tile->counted, &line)) {
        const ptrdiff_t length = line.depth * line.height * m->w.size;
        const ptrdiff_t start = ap_elements(line.first - first, size);
        if (planes)
            count = ap_min(tile->lines - k, m->channels - line.channel);
        for (ptrdiff_t i = 0; i < count; i++) {
            starts[k + i] = start + i * step;
            ends[k + i] = start + i * step + length;
        }
        line.channel += count - 1;
    }
}

/* Windows that are runs in memory, one of each output line. */
static inline void ap_reduce_runs(const ap_average *m, const ap_tile *tile)
{
    int64_t starts[AP_RUNS], ends[AP_RUNS];
    const ptrdiff_t area = m->w.size;
    const ap_line line = ap_line_of(m, tile->counted, tile->line);
    const ap_windows w = {
        tile->lines, 1, starts, ends, 0, m->x.itemsize, m->d.shortest * m->h.shortest * area,
        m->d.longest * m->h.longest * area, m->ahead};
    ap_find_runs(m, tile, line, starts, ends);
    m->kind->along(&w, line.first, tile->sums, m->part);
}

/* The most elements of a window of whole lines. */
static inline ptrdiff_t ap_longest_whole(const ap_average *m)
{
    return m->d.longest * m->h.longest * m->w.size;
}

/* Copy a window of whole lines; its elements, and how many of them count. */
static inline ptrdiff_t ap_blank_window(
    const ap_average *m, const ap_tile *tile, const ap_line *line, char *copy, uint8_t *flags,
    double *number)
{
    const ap_shape shape = ap_shape_of_whole(m, line);
    const ptrdiff_t n = shape.lines * shape.columns;
    uint32_t count = 0;
    for (ptrdiff_t k = 0; k < shape.lines; k++)
        ap_blank_line(m, tile, line, k, 0, shape.columns,
                      copy + k * shape.columns * m->counting->size, flags + k * shape.columns);
    for (ptrdiff_t i = 0; i < n; i++)
        count += flags[i];
    *number = (double) count;
    return n;
}

/* Windows of whole lines of which not all elements count, one of each output line, as runs of
   copies: as many at a time as there is room for. */
static inline void ap_reduce_counted_runs(const ap_average *m, const ap_tile *tile)
{
    int64_t starts[AP_RUNS], ends[AP_RUNS];
    const ptrdiff_t size = m->counting->size, longest = ap_longest_whole(m);
    ap_line line = ap_line_of(m, tile->counted, tile->line);
    ap_windows w = {
        0, 1, starts, ends, 0, size, m->d.shortest * m->h.shortest * m->w.size, longest, 0};
    char *target = tile->sums;
    for (ptrdiff_t k = 0; k < tile->lines; k += w.count, target += 8 * w.count) {
        const ptrdiff_t most = ap_min(ap_min(AP_SUMS / longest, AP_RUNS), tile->lines - k);
        ptrdiff_t used = 0;
        for (w.count = 0; w.count < most; w.count++, ap_next_line(m, tile->counted, &line)) {
            starts[w.count] = used;
            used += ap_blank_window(
                m, tile, &line, tile->copy + used * size, tile->flags + used,
                ap_numbers_of(tile, target) + w.count);
            ends[w.count] = used;
        }
        m->kind->along(&w, tile->copy, target, m->part);
    }
}

/* The windows of all output lines of a tile, by vectors along W. */
AP_ALWAYS void ap_reduce_along(const ap_average *m, const ap_tile *tile)
{
    const ptrdiff_t columns = tile->w1 - tile->w0, size = m->x.itemsize;
    const int longer = m->whole || (!m->direct && columns > AP_SUMS);
    ap_windows w = {
        tile->ow1 - tile->ow0, 1, m->w.starts + tile->ow0, m->w.ends + tile->ow0, tile->w0, size,
        m->w.shortest, m->w.longest, m->ahead};
    ap_line line = ap_line_of(m, tile->counted, tile->line);
    char *target = tile->sums;
    if (tile->weighted)
        ap_take_whole(m, tile, &w);
    for (ptrdiff_t k = 0; k < tile->lines;
         k++, ap_next_line(m, tile->counted, &line), target += 8 * w.count)
        if (longer) {
            for (ptrdiff_t ow = 0; ow < w.count; ow++)
                ap_any_window(m, tile, &line, tile->ow0 + ow, target + 8 * ow);
        } else if (m->direct) {
            m->kind->along(&w, line.first + tile->w0 * size, target, m->part);
        } else {
            ap_add_lines(m, tile, &line, tile->w0, tile->w1, tile->line_sums);
            m->kind->along_sums(&w, tile->line_sums, m->part, target, m->part);
            if (tile->weighted)
                ap_weigh_windows(m, tile, target);
            if (tile->counted)
                ap_count_windows(m, tile, target);
        }
}

#endif
