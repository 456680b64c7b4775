/* What is asked of OpenMP, where the build has it. */

#ifndef AP_OPENMP_H
#define AP_OPENMP_H

#ifdef _OPENMP
#include <omp.h>
#define AP_HAS_OPENMP 1
#define ap_openmp_threads() omp_get_max_threads()
#else
#define AP_HAS_OPENMP 0
#define ap_openmp_threads() 1
#endif

#endif
