/* Integers of 8 and 16 bits of which not all count, as int32: those that do not are 0. */
#ifndef AP_AVERAGE_WIDENED_H
#define AP_AVERAGE_WIDENED_H

#include "tiles/counting.h"

AP_BLANK_INTEGERS(wide_uint8, uint8_t, int32_t)
AP_BLANK_INTEGERS(wide_int8, int8_t, int32_t)
AP_BLANK_INTEGERS(wide_uint16, uint16_t, int32_t)
AP_BLANK_INTEGERS(wide_int16, int16_t, int32_t)

static void ap_blank_wide_bool(
    const ap_counting *c, const char *x, const char *where, ptrdiff_t n, char *copy,
    uint8_t *flags)
{
    (void) c;
    for (ptrdiff_t i = 0; i < n; i++) {
        const uint8_t counted = where == NULL || where[i] != 0;
        const int32_t kept = (int32_t) counted & (x[i] != 0);
        memcpy(copy + 4 * i, &kept, 4);
        flags[i] = counted;
    }
}

/* In the order of call/elements.pxd. */
static const ap_blank ap_wide_blanks[] = {
    ap_blank_wide_bool, ap_blank_wide_uint8, ap_blank_wide_int8, ap_blank_wide_uint16,
    ap_blank_wide_int16,
};

#endif
