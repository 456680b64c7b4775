"""A pool of POSIX threads.

One pool for the process, which grows to what a call asks for and sleeps between calls. One caller
has it at a time, and another does its jobs itself meanwhile: the cores are taken. A thread that
cannot be started is done without. A child after fork begins with an empty pool, whatever other
threads of the parent were in the middle of.
"""

cdef extern from *:
    """
    typedef struct {
        int (*work)(const void *task, Py_ssize_t job, char *scratch);
        const void *task;
        Py_ssize_t count;
        char *scratch;              /* scratch_size bytes for each thread */
        Py_ssize_t scratch_size;
    } ap_jobs;

    /* Thread `member` of `members` does one range of the jobs; 0 is the caller. */
    static int ap_do_share(const ap_jobs *jobs, int member, int members)
    {
        Py_ssize_t each = jobs->count / members, more = jobs->count % members;
        Py_ssize_t job = each * member + (member < more ? member : more);
        Py_ssize_t end = job + each + (member < more);
        char *scratch = jobs->scratch + member * jobs->scratch_size;
        int found = 0;
        for (; job < end; job++)
            found |= jobs->work(jobs->task, job, scratch);
        return found;
    }

    #if defined(_WIN32) || defined(__EMSCRIPTEN__)

    #define ap_has_pool 0
    #define ap_prepare_pool() 0
    #define ap_run_by_pool(jobs, members) ap_do_share(jobs, 0, 1)

    #else

    #include <pthread.h>
    #include <signal.h>
    #include <string.h>

    #define ap_has_pool 1
    #define AP_MOST_THREADS 1024
    #define AP_STACK_SIZE (1 << 20)

    typedef struct {
        pthread_mutex_t mutex;              /* of everything below */
        pthread_cond_t finished;
        int taken;                          /* some caller's jobs are being done */
        int size;                           /* threads that were started */
        int unfinished;                     /* threads that still do their share */
        int found;
        int members;                        /* threads that do a share, the caller included */
        ap_jobs jobs;
        struct {
            pthread_cond_t called;
            int has_share;
        } threads[AP_MOST_THREADS];         /* 0 is not used: it is the caller */
    } ap_pool_t;

    static ap_pool_t ap_pool = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                                .finished = PTHREAD_COND_INITIALIZER};

    static void *ap_pool_thread(void *argument)
    {
        int member = (int)(Py_ssize_t)argument;
        ap_jobs jobs;
        int members, found;
        pthread_mutex_lock(&ap_pool.mutex);
        for (;;) {
            while (!ap_pool.threads[member].has_share)
                pthread_cond_wait(&ap_pool.threads[member].called, &ap_pool.mutex);
            ap_pool.threads[member].has_share = 0;
            jobs = ap_pool.jobs;
            members = ap_pool.members;
            pthread_mutex_unlock(&ap_pool.mutex);
            found = ap_do_share(&jobs, member, members);
            pthread_mutex_lock(&ap_pool.mutex);
            ap_pool.found |= found;
            if (--ap_pool.unfinished == 0)
                pthread_cond_signal(&ap_pool.finished);
        }
        return NULL;
    }

    /* Start a thread; signals stay with the threads that know what to do about them. */
    static int ap_start(pthread_t *thread, const pthread_attr_t *attributes,
                        void *(*function)(void *), void *argument)
    {
        sigset_t all, before;
        int failed;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        failed = pthread_create(thread, attributes, function, argument);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return !failed;
    }

    /* Let the pool have `size` threads, or as many as can be started. */
    static void ap_grow_pool(int size)
    {
        pthread_attr_t attributes;
        pthread_t thread;
        if (ap_pool.size >= size || pthread_attr_init(&attributes))
            return;
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, AP_STACK_SIZE);
        while (ap_pool.size < size) {
            int member = ap_pool.size + 1;
            pthread_cond_init(&ap_pool.threads[member].called, NULL);
            ap_pool.threads[member].has_share = 0;
            if (!ap_start(&thread, &attributes, ap_pool_thread, (void *)(Py_ssize_t)member))
                break;
            ap_pool.size = member;
        }
        pthread_attr_destroy(&attributes);
    }

    static int ap_run_by_pool(const ap_jobs *jobs, int members)
    {
        int member, found;
        if (members > AP_MOST_THREADS)
            members = AP_MOST_THREADS;
        pthread_mutex_lock(&ap_pool.mutex);
        if (ap_pool.taken) {
            pthread_mutex_unlock(&ap_pool.mutex);
            return ap_do_share(jobs, 0, 1);
        }
        ap_pool.taken = 1;
        ap_grow_pool(members - 1);
        if (members > ap_pool.size + 1)
            members = ap_pool.size + 1;
        ap_pool.jobs = *jobs;
        ap_pool.members = members;
        ap_pool.unfinished = members - 1;
        ap_pool.found = 0;
        for (member = 1; member < members; member++) {
            ap_pool.threads[member].has_share = 1;
            pthread_cond_signal(&ap_pool.threads[member].called);
        }
        pthread_mutex_unlock(&ap_pool.mutex);
        found = ap_do_share(jobs, 0, members);
        pthread_mutex_lock(&ap_pool.mutex);
        while (ap_pool.unfinished > 0)
            pthread_cond_wait(&ap_pool.finished, &ap_pool.mutex);
        found |= ap_pool.found;
        ap_pool.taken = 0;
        pthread_mutex_unlock(&ap_pool.mutex);
        return found;
    }

    static void ap_empty_pool_in_child(void)
    {
        static const pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        static const pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
        memcpy(&ap_pool.mutex, &mutex, sizeof(mutex));
        memcpy(&ap_pool.finished, &cond, sizeof(cond));
        ap_pool.taken = ap_pool.size = 0;
    }

    #define ap_prepare_pool() pthread_atfork(NULL, NULL, ap_empty_pool_in_child)

    #endif
    """
    ctypedef struct Jobs "ap_jobs":
        int (*work)(const void* task, Py_ssize_t job, char* scratch) noexcept nogil
        const void* task
        Py_ssize_t count
        char* scratch
        Py_ssize_t scratch_size

    const bint has_pool "ap_has_pool"
    # 0, or what went wrong; once, before the first run.
    int prepare_pool "ap_prepare_pool"()
    int run_by_pool "ap_run_by_pool"(const Jobs* jobs, int members) noexcept nogil
