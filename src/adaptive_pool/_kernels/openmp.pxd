"""What OpenMP is here, and whether a region of it is safe for this caller, now.

libgomp keeps a team of threads for each thread that has ever run a region. It waits forever for
a team that a parent had before fork, and ends the process when a thread cannot be started. So a
region is the main thread's, in a process that was not forked; and before the team grows, as many
threads are started and ended again by way of trial. Other systems' runtimes do none of this.
"""

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define ap_has_openmp 1
    #define ap_openmp_threads() omp_get_max_threads()
    #else
    #define ap_has_openmp 0
    #define ap_openmp_threads() 1
    #endif

    #if defined(_OPENMP) && defined(__linux__)

    #include <pthread.h>
    #include <sys/syscall.h>
    #include <unistd.h>

    #define AP_LARGEST_TEAM 1024

    static int ap_openmp_forbidden = 0;
    static int ap_team_size = 1;            /* of the main thread's last region */

    static void *ap_wait_at_gate(void *gate)
    {
        pthread_mutex_lock((pthread_mutex_t *)gate);
        pthread_mutex_unlock((pthread_mutex_t *)gate);
        return NULL;
    }

    /* Whether so many threads more can be there at once. */
    static int ap_can_start(int count)
    {
        pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
        static pthread_t threads[AP_LARGEST_TEAM];      /* only the main thread asks */
        int started = 0, k;
        if (count > AP_LARGEST_TEAM)
            return 0;
        pthread_mutex_lock(&gate);
        while (started < count
               && pthread_create(&threads[started], NULL, ap_wait_at_gate, &gate) == 0)
            started++;
        pthread_mutex_unlock(&gate);
        for (k = 0; k < started; k++)
            pthread_join(threads[k], NULL);
        return started == count;
    }

    static int ap_openmp_serves(void)
    {
        return !ap_openmp_forbidden && syscall(SYS_gettid) == getpid();
    }

    static int ap_openmp_is_safe(int threads)
    {
        if (!ap_openmp_serves())
            return 0;
        if (threads > ap_team_size && !ap_can_start(threads - 1))
            return 0;
        ap_team_size = threads;
        return 1;
    }

    static void ap_forbid_openmp(void) { ap_openmp_forbidden = 1; }

    #define ap_prepare_openmp() pthread_atfork(NULL, NULL, ap_forbid_openmp)

    #else

    #define ap_openmp_serves() ap_has_openmp
    #define ap_openmp_is_safe(threads) ap_has_openmp
    #define ap_forbid_openmp() ((void)0)
    #define ap_prepare_openmp() 0

    #endif
    """
    const bint has_openmp "ap_has_openmp"
    int openmp_threads "ap_openmp_threads"()
    # Whether the caller's regions are OpenMP's; and whether one of so many threads is, now.
    bint openmp_serves "ap_openmp_serves"() noexcept nogil
    bint openmp_is_safe "ap_openmp_is_safe"(int threads) noexcept nogil
    void forbid_openmp "ap_forbid_openmp"() noexcept
    # 0, or what went wrong; once, before the first region.
    int prepare_openmp "ap_prepare_openmp"()
