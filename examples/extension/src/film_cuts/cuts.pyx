"""The first cut of a film, found without the GIL.

A plan is made once for frames of one shape. Each frame is then pooled to a small grid and compared
with the grid of the frame before; the loop stops at the first that differs.
"""
from libc.math cimport fabs
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from adaptive_pool cimport (
    ADAPTIVE_POOL_AVERAGE, ADAPTIVE_POOL_FLOAT32, adaptive_pool_api, adaptive_pool_error,
    adaptive_pool_import, adaptive_pool_plan, adaptive_pool_problem,
)

cdef const adaptive_pool_api* api = adaptive_pool_import()


cdef adaptive_pool_plan* plan_for(Py_ssize_t colours, Py_ssize_t height, Py_ssize_t width,
                                  int grid) except NULL:
    """Averages over a grid, for frames of this shape."""
    cdef adaptive_pool_problem problem
    cdef adaptive_pool_error error
    cdef adaptive_pool_plan* plan
    cdef int64_t[3] shape
    cdef int64_t[2] size
    shape[0], shape[1], shape[2] = colours, height, width
    size[0] = size[1] = grid
    memset(&problem, 0, sizeof(problem))
    problem.operation, problem.dtype = ADAPTIVE_POOL_AVERAGE, ADAPTIVE_POOL_FLOAT32
    problem.axes, problem.shape = 3, shape
    problem.pooled_axes, problem.output_size = 2, size
    if api.describe(&problem, &plan, &error):
        raise ValueError(error.text.decode())
    return plan


cdef Py_ssize_t find_cut(
    const adaptive_pool_plan* plan,
    const float* film,      # frames, one after the other
    Py_ssize_t frames,
    Py_ssize_t frame_size,  # numbers in a frame
    float* grids,           # room for two grids
    Py_ssize_t grid_size,
    double threshold,
    adaptive_pool_error* error,
) noexcept nogil:
    """The number of the frame, or `frames` if there is no cut; -1 for an error."""
    cdef float* now = grids
    cdef float* before = grids + grid_size
    cdef void* arrays[2]
    cdef Py_ssize_t frame, k
    for frame in range(frames):
        arrays[0], arrays[1] = <void*> (film + frame * frame_size), now
        if api.run(plan, arrays, NULL, 1, error):
            return -1
        for k in range(grid_size if frame > 0 else 0):
            if fabs(now[k] - before[k]) > threshold:
                return frame
        now, before = before, now
    return frames


def first_cut(const float[:, :, :, ::1] film, double threshold, int grid=6):
    """Return the number of the first frame that differs from the one before, or of all frames.

    `film` has the shape (frames, colours, height, width). Frames differ if their averages over a
    grid do somewhere, by more than `threshold`.
    """
    cdef Py_ssize_t frames = film.shape[0], found
    cdef Py_ssize_t frame_size = film.shape[1] * film.shape[2] * film.shape[3]
    cdef Py_ssize_t grid_size = film.shape[1] * grid * grid
    cdef adaptive_pool_error error
    cdef adaptive_pool_plan* plan
    cdef float* grids
    if frames == 0:
        return 0
    plan = plan_for(film.shape[1], film.shape[2], film.shape[3], grid)
    grids = <float*> malloc(2 * grid_size * sizeof(float))
    try:
        if grids == NULL:
            raise MemoryError
        with nogil:
            found = find_cut(
                plan, &film[0, 0, 0, 0], frames, frame_size, grids, grid_size, threshold, &error
            )
        if found < 0:
            raise ValueError(error.text.decode())
    finally:
        free(grids)
        api.release(plan)
    return found
