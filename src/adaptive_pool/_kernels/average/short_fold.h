/* Lines of short integers added into lines of fields; a part of short_lines.h. */

#if AP_VECTORS
typedef AP_FIELD AP_OF(vector) __attribute__((vector_size(AP_VECTORS)));

/* Sums of `parts` vectors of columns in registers: 1 or 4. To be called with literals.

   A field of what is read holds two elements. All fields are added, and the upper elements alone;
   what these make of the sums is taken out at the end. */
AP_ALWAYS void AP_OF(fold_block)(
    const char *row, ptrdiff_t step, ptrdiff_t count, const int parts, int negative, int first,
    AP_FIELD *line)
{
    enum { HALF = 4 * sizeof(AP_FIELD), COLUMNS = AP_VECTORS / sizeof(AP_FIELD) };
    const AP_FIELD sign = (AP_FIELD) ((AP_FIELD) 1 << (HALF - 1));
    const AP_FIELD signs = (AP_FIELD) (sign + ((uint32_t) sign << HALF));
    AP_OF(vector) all[4] = {{0}}, upper[4] = {{0}};
    for (; count > 0; count--, row += step)
        for (int part = 0; part < parts; part++) {
            AP_OF(vector) x;
            memcpy(&x, row + part * AP_VECTORS, sizeof x);
            if (negative)
                x ^= signs;
            all[part] += x;
            upper[part] += x >> HALF;
        }
    for (int part = 0; part < parts; part++, line += 2 * COLUMNS) {
        const AP_OF(vector) odd = upper[part], even = all[part] - (odd << HALF);
        AP_OF(vector) low = __builtin_shufflevector(even, odd, AP_IN_TURN(0));
        AP_OF(vector) high = __builtin_shufflevector(even, odd, AP_IN_TURN(COLUMNS / 2));
        if (!first) {
            AP_OF(vector) x;
            memcpy(&x, line, sizeof x);
            low += x;
            memcpy(&x, line + COLUMNS, sizeof x);
            high += x;
        }
        memcpy(line, &low, sizeof low);
        memcpy(line + COLUMNS, &high, sizeof high);
    }
}

/* Fold what blocks of columns there are: many rows in one go. Returns how many columns. */
AP_ALWAYS ptrdiff_t AP_OF(fold_blocks)(
    const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, int negative, int first,
    AP_FIELD *line)
{
    const ptrdiff_t size = sizeof(AP_ELEMENT), part = AP_VECTORS / size;
    ptrdiff_t i = 0;
    for (; i + 4 * part <= n; i += 4 * part)
        AP_OF(fold_block)(row + i * size, step, count, 4, negative, first, line + i);
    for (; i + part <= n; i += part)
        AP_OF(fold_block)(row + i * size, step, count, 1, negative, first, line + i);
    if (first && i > 0 && i < n) {  /* the last block begins early */
        i = n - part;
        AP_OF(fold_block)(row + i * size, step, count, 1, negative, first, line + i);
        return n;
    }
    return i;
}
#endif

/* The elements of one to four rows. To be called with a literal count and first. */
AP_ALWAYS void AP_OF(fold_rows)(
    const char *row, ptrdiff_t step, int count, ptrdiff_t n, AP_ELEMENT flip, int first,
    AP_FIELD *AP_RESTRICT line)
{
    const AP_ELEMENT *a = (const AP_ELEMENT *) row;
    const AP_ELEMENT *b = (const AP_ELEMENT *) (row + step);
    const AP_ELEMENT *c = (const AP_ELEMENT *) (row + 2 * step);
    const AP_ELEMENT *d = (const AP_ELEMENT *) (row + 3 * step);
    for (ptrdiff_t i = 0; i < n; i++) {
        AP_FIELD sum = (AP_ELEMENT) (a[i] ^ flip);
        if (count > 1)
            sum = (AP_FIELD) (sum + (AP_ELEMENT) (b[i] ^ flip));
        if (count > 2)
            sum = (AP_FIELD) (sum + (AP_ELEMENT) (c[i] ^ flip));
        if (count > 3)
            sum = (AP_FIELD) (sum + (AP_ELEMENT) (d[i] ^ flip));
        line[i] = (AP_FIELD) (first ? sum : line[i] + sum);
    }
}

/* Add `count` runs of n elements, `step` bytes apart, to a line of n fields, or set it to them. */
static void AP_OF(fold)(
    const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, int negative, int first,
    AP_FIELD *line)
{
    const AP_ELEMENT flip = negative ? (AP_ELEMENT) ~((AP_ELEMENT) ~(AP_ELEMENT) 0 >> 1) : 0;
#if AP_VECTORS
    if (count >= 4) {
        const ptrdiff_t done = negative
            ? first ? AP_OF(fold_blocks)(row, step, count, n, 1, 1, line)
                    : AP_OF(fold_blocks)(row, step, count, n, 1, 0, line)
            : first ? AP_OF(fold_blocks)(row, step, count, n, 0, 1, line)
                    : AP_OF(fold_blocks)(row, step, count, n, 0, 0, line);
        if (done == n)
            return;
        row += done * (ptrdiff_t) sizeof(AP_ELEMENT);
        line += done;
        n -= done;
    }
#endif
    #define AP_ROWS(rows) \
        if (first) \
            AP_OF(fold_rows)(row, step, rows, n, flip, 1, line); \
        else \
            AP_OF(fold_rows)(row, step, rows, n, flip, 0, line); \
        break
    for (; count > 0; count -= 4, row += 4 * step, first = 0)
        switch (count) {
        case 1: AP_ROWS(1);
        case 2: AP_ROWS(2);
        case 3: AP_ROWS(3);
        default: AP_ROWS(4);
        }
    #undef AP_ROWS
}
