/* What one kind of elements needs, included once for each by kinds.h: lanes in the widest vectors
   that there are, neighbours in those whose four numbers are running sums. */

#define AP_NUMBERS AP_WIDE
#include "average/sums.h"
#include "average/rows.h"
#include "average/windows.h"
#undef AP_NUMBERS
#define AP_NUMBERS AP_FOUR
#if AP_WIDE > AP_FOUR
#include "average/sums.h"
#endif
#include "average/along.h"

#undef AP_NUMBERS
#undef AP_KIND
#undef AP_E
#undef AP_LOADED
#undef AP_HAS_SUMS
