/* The largest elements of a block whose rows are runs of lanes, and then where they stand; part of
   strip.h.

   There are one to AP_MOST_LANES lanes, of which vectors side by side hold whole turns: lane i of
   a block is element i, i + lanes, and so on. What does not fill vectors at the end of a row is
   taken with elements before it, so some are compared twice. */

#define AP_MANY 4   /* vectors compared side by side, so that none waits for the one before */

AP_INLINE AP_V AP_NAME(key_at)(const char *place, AP_T flip)
{
    return AP_NAME(key)((AP_V) *(const AP_ANY_V *) place, flip);
}

#if AP_KIND == AP_REAL
/* Whether a block holds a NaN of a lane. */
static int AP_NAME(has_nan)(const ap_window *block, int lanes, int lane)
{
    for (ptrdiff_t d = 0; d < block->depth; d++)
        for (ptrdiff_t h = 0; h < block->height; h++) {
            const char *row = block->first + d * block->d_step + h * block->h_step;
            for (ptrdiff_t i = lane; i < block->columns * lanes; i += lanes) {
                AP_T x;
                memcpy(&x, row + i * (ptrdiff_t) sizeof(AP_T), sizeof(AP_T));
                if (x != x)
                    return 1;
            }
        }
    return 0;
}
#endif

/* The largest keys of a block, or NaN; `keys` has room for those of all vectors. `many` of these
   are compared side by side, and `few` at the end of a row: as few as hold whole turns. */
AP_INLINE void AP_NAME(keys_of)(
    const ap_window *block, int lanes, AP_T flip, const int many, const int few, AP_T *keys)
{
    const ptrdiff_t step = sizeof(AP_V), size = block->columns * lanes * sizeof(AP_T);
    AP_V top[AP_MANY];
#if AP_KIND == AP_REAL
    AP_DOUBT doubt = {0};
#endif
    for (int i = 0; i < many; i++)
        top[i] = AP_NAME(key_at)(block->first + i % few * step, flip);
    for (ptrdiff_t d = 0; d < block->depth; d++)
        for (ptrdiff_t h = 0; h < block->height; h++) {
            const char *row = block->first + d * block->d_step + h * block->h_step;
            ptrdiff_t at = 0;
            for (; at <= size - many * step; at += many * step)
                for (int i = 0; i < many; i++) {
                    if (i * step % 64 == 0)
                        AP_ASK_AHEAD(row + at + i * step + block->ahead);
                    AP_V key = AP_NAME(key_at)(row + at + i * step, flip);
                    top[i] = AP_LARGER(key, top[i]);
#if AP_KIND == AP_REAL
                    if (i % 2 == 1 || i == many - 1)
                        doubt |= AP_NAN(key, AP_NAME(key_at)(row + at + (i & ~1) * step, flip));
#endif
                }
            for (; at < size; at += few * step)
                for (int i = 0; i < few; i++) {
                    const ptrdiff_t from = at < size - few * step ? at : size - few * step;
                    AP_V key = AP_NAME(key_at)(row + from + i * step, flip);
                    top[i] = AP_LARGER(key, top[i]);
#if AP_KIND == AP_REAL
                    doubt |= AP_NAN(key, key);
#endif
                }
        }
    for (int i = few; i < many; i++)
        top[i % few] = AP_LARGER(top[i], top[i % few]);
    for (int i = 0; i < few; i++)
        *(AP_ANY_V *) (keys + i * AP_W) = top[i];
    if (few > 1)
        for (int i = lanes; i < few * AP_W; i++)
            keys[i % few] = keys[i] > keys[i % few] ? keys[i] : keys[i % few];
#define AP_HALVE(length) /* constants, for what is as long stays in registers */ \
    for (int i = 0; few == 1 && AP_W >= length && lanes < length && i < length / 2; i++) \
        keys[i] = keys[i + length / 2] > keys[i] ? keys[i + length / 2] : keys[i];
    AP_HALVE(32)
    AP_HALVE(16)
    AP_HALVE(8)
    AP_HALVE(4)
    AP_HALVE(2)
#undef AP_HALVE
#if AP_KIND == AP_REAL
    const int any = AP_NAME(any)(doubt);
    for (int lane = 0; any && lane < lanes; lane++)
        if (lanes == 1 || AP_NAME(has_nan)(block, lanes, lane))
            keys[lane] = (AP_T) NAN;
#endif
}

/* Compare a block with `best`, the largest keys before it if it is not the first. Returns a bit for
   each lane that wins. */
AP_INLINE int AP_NAME(highest_of)(
    const ap_window *block, int lanes, AP_T flip, const int first, AP_T *best)
{
    AP_T keys[AP_MANY * AP_W] = {0};
    int won = 0;
    if (lanes == 3)
        AP_NAME(keys_of)(block, 3, flip, 3, 3, keys);
    else
        AP_NAME(keys_of)(block, lanes, flip, AP_MANY, 1, keys);
    for (int lane = 0; lane < lanes; lane++) {
        AP_T *own = best + lane;
        if (!first && !(keys[lane] > *own) && !AP_NAME(is_nan)(keys[lane]))
            continue;
        *own = keys[lane];
        won |= 1 << lane;
    }
    return won;
}

/* Where in the plane a key stands first in a block, or NaN last, and the element there. If another
   thread has changed it meanwhile, that is the first element. */
AP_INLINE int64_t AP_NAME(find_of)(
    const ap_window *block, int lanes, int lane, AP_T flip, AP_T wanted, const int is_nan,
    AP_T *element)
{
    const ptrdiff_t item = sizeof(AP_T), step = sizeof(AP_V), size = block->columns * lanes * item;
    const int few = lanes == 3 ? 3 : 1;
    uint64_t own[3] = {UINT64_MAX, UINT64_MAX, UINT64_MAX}; /* bytes that are the lane's */
    for (int i = 0; lanes > 1 && i < few * AP_W; i++)
        if (i % lanes != lane)
            own[i / AP_W] &= ~((((uint64_t) 1 << item) - 1) << i % AP_W * item);
    for (ptrdiff_t i = 0; i < block->depth; i++)
        for (ptrdiff_t j = 0; j < block->height; j++) {
            const ptrdiff_t d = is_nan ? block->depth - 1 - i : i;
            const ptrdiff_t h = is_nan ? block->height - 1 - j : j;
            const char *row = block->first + d * block->d_step + h * block->h_step;
            for (ptrdiff_t done = 0; done < size; done += few * step) {
                const ptrdiff_t left = size - few * step > done ? size - few * step - done : 0;
                const ptrdiff_t from = is_nan ? left : size - few * step - left;
                for (int k = 0; k < few; k++) {
                    const int v = is_nan ? few - 1 - k : k;
                    const AP_V key = AP_NAME(key_at)(row + from + v * step, flip);
                    const AP_M hits = is_nan && AP_KIND == AP_REAL
                        ? AP_TRUE(key != key) : AP_TRUE(key == AP_EACH(wanted));
                    const uint64_t bits = ap_bits(&hits, sizeof hits) & own[v];
                    if (bits == 0)
                        continue;
                    const int byte = is_nan ? ap_last_bit(bits) : ap_first_bit(bits);
                    const ptrdiff_t place = (from + v * step + byte) / item;
                    memcpy(element, row + place * item, sizeof(AP_T));
                    return block->number + d * block->d_number + h * block->h_number
                        + place / lanes;
                }
            }
        }
    memcpy(element, block->first + lane * item, sizeof(AP_T));
    return block->number;
}

/* The element of a lane's key in a block; where it stands, too, unless `places` is NULL. */
AP_INLINE void AP_NAME(element_of)(
    const ap_window *block, int lanes, int lane, AP_T flip, AP_T key, AP_T *elements,
    int64_t *places)
{
    AP_T *element = elements + lane;
#if AP_KIND == AP_INTEGER
    *element = key ^ flip;
#elif AP_KIND == AP_HALF
    *element = key < 0 ? (AP_T) (0x8000 | -key) : key;
#else
    *element = key;
#endif
    if (places == NULL && !AP_NAME(doubts)(element, 1, flip))
        return;
    const int64_t place = AP_NAME(is_nan)(key)
        ? AP_NAME(find_of)(block, lanes, lane, flip, key, 1, element)
        : AP_NAME(find_of)(block, lanes, lane, flip, key, 0, element);
    if (places != NULL)
        places[lane] = place;
}

static int AP_NAME(highest)(
    const ap_window *block, int lanes, int64_t flip, int first, void *best)
{
    return AP_NAME(highest_of)(block, lanes, (AP_T) flip, first, best);
}

static void AP_NAME(find)(
    const ap_window *block, int lanes, int lane, int64_t flip, const void *best, void *elements,
    int64_t *places)
{
    AP_NAME(element_of)(
        block, lanes, lane, (AP_T) flip, ((const AP_T *) best)[lane], elements, places);
}

/* Both, for a window that is one block. */
static void AP_NAME(largest)(
    const ap_window *window, int lanes, int64_t flip_, void *elements, int64_t *places)
{
    const AP_T flip = (AP_T) flip_;
    AP_T best[AP_MOST_LANES];
    if (lanes == 1) {   /* a number that the compiler knows */
        AP_NAME(highest_of)(window, 1, flip, 1, best);
        AP_NAME(element_of)(window, 1, 0, flip, best[0], elements, places);
        return;
    }
    AP_NAME(highest)(window, lanes, flip_, 1, best);
    for (int lane = 0; lane < lanes; lane++)
        AP_NAME(find)(window, lanes, lane, flip_, best, elements, places);
}

#undef AP_MANY
