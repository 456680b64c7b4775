/* The C interface of adaptive_pool: describe a problem once, then run it on pointers.

   docs/how-to/c-interface.md shows how to use it. An extension includes Python.h first, and asks
   adaptive_pool_import() for the table of functions. Code without Python can be handed the table.

   Stability: structs and functions below keep their meaning and their place. New functions are
   added at the end of the table, and ADAPTIVE_POOL_VERSION counts when that happens. Code that was
   compiled with this header runs with every later version of the package. */

#ifndef ADAPTIVE_POOL_H
#define ADAPTIVE_POOL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ADAPTIVE_POOL_VERSION 1
#define ADAPTIVE_POOL_CAPSULE "adaptive_pool._C_API"

/* What is computed, and the arrays that it takes, in this order. */
enum adaptive_pool_operation {
    ADAPTIVE_POOL_AVERAGE = 0,              /* x, y */
    ADAPTIVE_POOL_MAXIMUM = 1,              /* x, y, and indices if they are wanted */
    ADAPTIVE_POOL_AVERAGE_BACKWARD = 2,     /* grad_output, grad_input */
    ADAPTIVE_POOL_MAXIMUM_BACKWARD = 3      /* grad_output, indices, grad_input */
};

enum adaptive_pool_dtype {
    ADAPTIVE_POOL_DEFAULT = 0,
    ADAPTIVE_POOL_BOOL = 1,
    ADAPTIVE_POOL_UINT8 = 2,
    ADAPTIVE_POOL_INT8 = 3,
    ADAPTIVE_POOL_UINT16 = 4,
    ADAPTIVE_POOL_INT16 = 5,
    ADAPTIVE_POOL_UINT32 = 6,
    ADAPTIVE_POOL_INT32 = 7,
    ADAPTIVE_POOL_UINT64 = 8,
    ADAPTIVE_POOL_INT64 = 9,
    ADAPTIVE_POOL_FLOAT16 = 10,
    ADAPTIVE_POOL_BFLOAT16 = 11,
    ADAPTIVE_POOL_FLOAT32 = 12,
    ADAPTIVE_POOL_FLOAT64 = 13
};

enum adaptive_pool_status {
    ADAPTIVE_POOL_OK = 0,
    ADAPTIVE_POOL_TYPE_ERROR = 1,
    ADAPTIVE_POOL_VALUE_ERROR = 2,
    ADAPTIVE_POOL_MEMORY_ERROR = 3
};

/* What went wrong; not written to if all is well. The text is cut off where it does not fit, and
   always ends with a zero. */
typedef struct {
    int status;
    char text[508];
} adaptive_pool_error;

/* A problem: an operation, and the geometry of its forward call, also for gradients. Set all of it
   to zero first: zero is the default of every member that has one. */
typedef struct {
    int operation;
    int dtype;              /* of x; of gradients: one of the four float types */
    int result_dtype;       /* averages: default float32 for bool and integers of 8 and 16 bits,
                               float64 for wider ones, and for floats their own */
    int index_dtype;        /* int32 or int64. Maxima: default no indices; gradients: int64 */
    int pooled_axes;        /* 1 to 3: the last ones, or with channels_last those before the last */
    int channels_last;
    int axes;               /* of x, 1 to 64 */
    int reserved;
    const int64_t *shape;           /* of x */
    const int64_t *output_size;     /* one for each pooled axis; -1 keeps an axis */
    const char *windows;            /* a rule, default "torch" */
    const int64_t *const *starts;   /* or the windows themselves: for each pooled axis the starts */
    const int64_t *const *ends;     /* and ends of output_size windows; then without a rule */
} adaptive_pool_problem;

/* A problem that is ready to be run. It does not change; any number of threads may run it. */
typedef struct adaptive_pool_plan adaptive_pool_plan;

/* All return a status. `error` may be NULL. */
typedef struct {
    int version;    /* of this table: at least ADAPTIVE_POOL_VERSION of the header */
    int reserved;

    /* Check a problem and plan it. What is pointed to need not live any longer. Takes the GIL. */
    int (*describe)(
        const adaptive_pool_problem *problem, adaptive_pool_plan **plan,
        adaptive_pool_error *error);

    /* Run it on arrays, in the order that the operation states, without the GIL. `strides` has for
       each array its steps in bytes, of any sign, or NULL; it may be NULL itself: without gaps, the
       last axis innermost. All arrays but x must be aligned. Results must not overlap with another
       array, nor themselves. `threads` is the most to use; 0 leaves that to the package, as it was
       set when the problem was described. Indices of a gradient are checked before anything is
       written. */
    int (*run)(
        const adaptive_pool_plan *plan, void *const *data, const ptrdiff_t *const *strides,
        int threads, adaptive_pool_error *error);

    /* Forget a plan, which nobody may be running; NULL is fine. Takes the GIL, and does without
       after Python has ended. */
    void (*release)(adaptive_pool_plan *plan);
} adaptive_pool_api;

#ifdef Py_PYTHON_H

/* The table, or NULL with an exception set. Holds the GIL; keep what it returns. */
static inline const adaptive_pool_api *adaptive_pool_import(void)
{
    const adaptive_pool_api *api =
        (const adaptive_pool_api *) PyCapsule_Import(ADAPTIVE_POOL_CAPSULE, 0);
    if (api != NULL && api->version < ADAPTIVE_POOL_VERSION) {
        PyErr_Format(
            PyExc_ImportError, "adaptive_pool has version %d of its C interface, %d is needed",
            api->version, ADAPTIVE_POOL_VERSION);
        return NULL;
    }
    return api;
}

#endif

#ifdef __cplusplus
}
#endif
#endif
