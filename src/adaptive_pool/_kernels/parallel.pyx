"""What the OpenMP runtime says of itself; builds without OpenMP say 1 and False."""

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define ap_has_openmp 1
    #define ap_max_threads() omp_get_max_threads()
    #else
    #define ap_has_openmp 0
    #define ap_max_threads() 1
    #endif
    """
    bint ap_has_openmp
    int ap_max_threads()


def has_openmp():
    """Whether the kernels were built with OpenMP."""
    return ap_has_openmp != 0


def max_threads():
    """The threads OpenMP would use for this caller, as threadpoolctl and the like set it."""
    return ap_max_threads()
