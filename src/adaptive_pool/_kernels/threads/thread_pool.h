/* A pool of POSIX threads that claim jobs from a list.

   The list is cut into shares, one for each thread. A thread claims the jobs of its own share one
   by one, then what is left of the others' shares: neighbouring jobs, which write neighbouring
   memory, mostly meet one thread. The caller works like any other thread. Once no job is left it
   closes the list, so that nobody comes in any more, and waits for the threads inside to finish
   the jobs they have claimed. It never waits for a thread that has not begun: on a busy machine it
   does all jobs itself.

   Waiting, for the next call or for the last jobs of this one, is spinning for some tens of
   microseconds, with the processor offered to whoever else wants it, then sleeping.

   One pool for the process. One caller has it at a time; another does its jobs alone meanwhile,
   and each caller counts as one processor less for the others. The pool grows to what a call asks
   for, and a call uses fewer threads if one cannot be started. A child after fork begins with an
   empty pool, whatever the threads of its parent were doing. */

#ifndef AP_THREAD_POOL_H
#define AP_THREAD_POOL_H

#include <Python.h>

typedef struct {
    int (*work)(const void *task, Py_ssize_t job, char *scratch);
    const void *task;
    Py_ssize_t count;
    char *scratch;              /* scratch_size bytes for each thread */
    Py_ssize_t scratch_size;
} ap_jobs;

/* Do all jobs on the calling thread; what `work` returns, or-ed. */
static int ap_run_alone(const ap_jobs *jobs)
{
    Py_ssize_t job;
    int found = 0;
    for (job = 0; job < jobs->count; job++)
        found |= jobs->work(jobs->task, job, jobs->scratch);
    return found;
}

#if defined(_WIN32) || defined(__EMSCRIPTEN__)

#define AP_HAS_POOL 0
#define ap_run_by_pool(jobs, members) ap_run_alone(jobs)
#define ap_prepare_pool(cpus) 0
#define ap_let_pool_run_on(cpu) ((void)(cpu))
#define ap_is_forked_child() 0

#else

#define AP_HAS_POOL 1

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "call/floating_point.h"

#define AP_MOST_THREADS 1024
#define AP_STACK_SIZE (1 << 20)
#define AP_SPIN 30000               /* nanoseconds, about what it takes to wake a thread up */

/* The door of a list: one word, so that coming in, going out and closing cannot overtake each
   other. It counts threads inside and the seats left for more; a seat is taken once. */
#define AP_INSIDE 1u
#define AP_SEAT (1u << 12)          /* both counts go up to AP_MOST_THREADS */
#define AP_CLOSED (1u << 31)
#define ap_inside(door) ((door) & (AP_SEAT - 1))
#define ap_seats(door) (((door) & ~AP_CLOSED) / AP_SEAT)

typedef struct {
    Py_ssize_t next;                /* the first job that nobody has claimed, or past the end */
    Py_ssize_t end;
    char padding[128 - 2 * sizeof(Py_ssize_t)];     /* a pair of cache lines for each thread */
} ap_share;

static struct {
    /* The list of jobs; written only while the door is closed and nobody is inside. */
    ap_jobs jobs;
    int members;                    /* threads that may work, the caller included */
    ap_share shares[AP_MOST_THREADS];
    /* What caller and threads change at the same time. */
    unsigned door;
    int found;
    unsigned calls;                 /* how many there were: idle threads wait for one more */
    int spins;                      /* whether there is a processor for each thread */
    int asleep;                     /* threads that wait for `called` */
    int caller_asleep;
    pthread_mutex_t mutex;          /* of going to sleep */
    pthread_cond_t called;
    pthread_cond_t finished;
    /* Of those who call. */
    int callers;                    /* all of them, now */
    int taken;                      /* whether one of them has the pool */
    int size;                       /* threads that were started */
    int cpus;
    int is_child;                   /* of a fork */
} ap_pool = {.door = AP_CLOSED, .mutex = PTHREAD_MUTEX_INITIALIZER,
             .called = PTHREAD_COND_INITIALIZER, .finished = PTHREAD_COND_INITIALIZER};

#ifdef __linux__
static cpu_set_t ap_pool_runs_on;   /* empty: where the caller runs */
#endif

#define ap_load(place) __atomic_load_n(place, __ATOMIC_SEQ_CST)
#define ap_store(place, value) __atomic_store_n(place, value, __ATOMIC_SEQ_CST)

static long long ap_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Spin while a word has a value, but not for long; return whether it changed. */
static int ap_changed_soon(const unsigned *word, unsigned value)
{
    long long end = ap_nanoseconds() + AP_SPIN;
    int k;
    do {
        for (k = 0; k < 20; k++) {
            if (ap_load(word) != value)
                return 1;
#if defined(__x86_64__) || defined(__i386__)
            __builtin_ia32_pause();
#endif
        }
        sched_yield();
    } while (ap_nanoseconds() < end);
    return 0;
}

/* Claim jobs and do them until none is left. */
static int ap_work(int member)
{
    const ap_jobs jobs = ap_pool.jobs;  /* copied: what lies beside it changes with every claim */
    const int members = ap_pool.members;
    char *scratch = jobs.scratch + member * jobs.scratch_size;
    int found = 0, k;
    for (k = 0; k < members; k++) {
        ap_share *share = &ap_pool.shares[(member + k) % members];
        /* Nothing is written to a share with no job left: its cache line stays with all threads. */
        while (__atomic_load_n(&share->next, __ATOMIC_RELAXED) < share->end) {
            Py_ssize_t job = __atomic_fetch_add(&share->next, 1, __ATOMIC_RELAXED);
            if (job < share->end)
                found |= jobs.work(jobs.task, job, scratch);
        }
    }
    return found;
}

/* Come in and return one's number, or 0 if the door is closed or all seats are taken. */
static int ap_come_in(void)
{
    unsigned door = ap_load(&ap_pool.door);
    do {
        if (door & AP_CLOSED || ap_seats(door) == 0)
            return 0;
    } while (!__atomic_compare_exchange_n(&ap_pool.door, &door, door - AP_SEAT + AP_INSIDE, 0,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return (int)ap_seats(door);
}

static void ap_go_out(void)
{
    unsigned door = __atomic_sub_fetch(&ap_pool.door, AP_INSIDE, __ATOMIC_SEQ_CST);
    if (door & AP_CLOSED && ap_inside(door) == 0 && ap_load(&ap_pool.caller_asleep)) {
        pthread_mutex_lock(&ap_pool.mutex);     /* the caller sleeps by now, or has seen the door */
        pthread_mutex_unlock(&ap_pool.mutex);
        pthread_cond_signal(&ap_pool.finished);
    }
}

/* Wait until there were more calls than were `seen`; return how many there were. */
static unsigned ap_wait_for_call(unsigned seen)
{
    unsigned calls;
    if (ap_load(&ap_pool.spins) && ap_changed_soon(&ap_pool.calls, seen))
        return ap_load(&ap_pool.calls);
    pthread_mutex_lock(&ap_pool.mutex);
    __atomic_add_fetch(&ap_pool.asleep, 1, __ATOMIC_SEQ_CST);
    while ((calls = ap_load(&ap_pool.calls)) == seen)
        pthread_cond_wait(&ap_pool.called, &ap_pool.mutex);
    __atomic_sub_fetch(&ap_pool.asleep, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&ap_pool.mutex);
    return calls;
}

static void *ap_pool_thread(void *calls)
{
    unsigned seen = (unsigned)(size_t)calls;
    ap_floating_point before;
    ap_use_default_floating_point(&before);
#ifdef __linux__
    if (CPU_COUNT(&ap_pool_runs_on) > 0)
        sched_setaffinity(0, sizeof(ap_pool_runs_on), &ap_pool_runs_on);
#endif
    for (;;) {
        int member = ap_come_in();
        if (member > 0) {
            int found = ap_work(member);
            if (found)
                __atomic_fetch_or(&ap_pool.found, found, __ATOMIC_SEQ_CST);
            ap_go_out();
        }
        seen = ap_wait_for_call(seen);
    }
    return NULL;
}

/* Start a thread; signals stay with the threads that know what to do about them. Its own faults
   do not: while they are blocked the process ends without a word from faulthandler and the like. */
static int ap_start(const pthread_attr_t *attributes, void *argument)
{
    static const int faults[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    sigset_t blocked, before;
    pthread_t thread;
    int failed, k;
    sigfillset(&blocked);
    for (k = 0; k < 4; k++)
        sigdelset(&blocked, faults[k]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    failed = pthread_create(&thread, attributes, ap_pool_thread, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failed;
}

/* Let the pool have `size` threads, or as many as can be started. */
static void ap_grow_pool(int size)
{
    pthread_attr_t attributes;
    if (ap_pool.size >= size || pthread_attr_init(&attributes))
        return;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, AP_STACK_SIZE);
    while (ap_pool.size < size && ap_start(&attributes, (void *)(size_t)ap_pool.calls))
        ap_pool.size++;
    pthread_attr_destroy(&attributes);
}

static void ap_cut_into_shares(Py_ssize_t count, int members)
{
    Py_ssize_t each = count / members, more = count % members, job = 0;
    int k;
    for (k = 0; k < members; k++) {
        ap_pool.shares[k].next = job;
        job += each + (k < more);
        ap_pool.shares[k].end = job;
    }
}

/* Wake so many threads that `wanted` are awake. */
static void ap_call_threads(int wanted)
{
    int asleep = ap_load(&ap_pool.asleep);
    wanted -= ap_pool.size - asleep;
    if (asleep == 0 || wanted <= 0)
        return;
    pthread_mutex_lock(&ap_pool.mutex);         /* those who count sleep by now */
    pthread_mutex_unlock(&ap_pool.mutex);
    if (wanted >= asleep)
        pthread_cond_broadcast(&ap_pool.called);
    else
        while (wanted-- > 0)
            pthread_cond_signal(&ap_pool.called);
}

/* Let nobody come in any more, and wait for those who are inside. */
static void ap_close(void)
{
    unsigned door = __atomic_or_fetch(&ap_pool.door, AP_CLOSED, __ATOMIC_SEQ_CST);
    while (ap_inside(door) > 0 && ap_pool.spins && ap_changed_soon(&ap_pool.door, door))
        door = ap_load(&ap_pool.door);
    if (ap_inside(door) == 0)
        return;
    pthread_mutex_lock(&ap_pool.mutex);
    ap_store(&ap_pool.caller_asleep, 1);
    while (ap_inside(ap_load(&ap_pool.door)) > 0)
        pthread_cond_wait(&ap_pool.finished, &ap_pool.mutex);
    ap_store(&ap_pool.caller_asleep, 0);
    pthread_mutex_unlock(&ap_pool.mutex);
}

/* Do all jobs on so many threads of the pool, the caller included. */
static int ap_run_together(const ap_jobs *jobs, int members)
{
    int found;
    ap_pool.jobs = *jobs;
    ap_pool.members = members;
    ap_cut_into_shares(jobs->count, members);
    ap_store(&ap_pool.found, 0);
    ap_store(&ap_pool.spins, members <= ap_pool.cpus);
    ap_store(&ap_pool.door, (members - 1) * AP_SEAT);
    __atomic_add_fetch(&ap_pool.calls, 1, __ATOMIC_SEQ_CST);
    ap_call_threads(members - 1);
    found = ap_work(0);
    ap_close();
    return found | ap_load(&ap_pool.found);
}

/* Do all jobs on at most so many threads; what `work` returns, or-ed. */
static int ap_run_by_pool(const ap_jobs *jobs, int members)
{
    int others = __atomic_fetch_add(&ap_pool.callers, 1, __ATOMIC_SEQ_CST), found;
    if (members > AP_MOST_THREADS)
        members = AP_MOST_THREADS;
    if (others > 0 && members > ap_pool.cpus - others)  /* the others keep processors busy */
        members = ap_pool.cpus - others;
    if (members > 1 && !__atomic_exchange_n(&ap_pool.taken, 1, __ATOMIC_ACQUIRE)) {
        ap_grow_pool(members - 1);
        if (members > ap_pool.size + 1)
            members = ap_pool.size + 1;
        found = ap_run_together(jobs, members);
        __atomic_store_n(&ap_pool.taken, 0, __ATOMIC_RELEASE);
    } else {
        found = ap_run_alone(jobs);
    }
    __atomic_sub_fetch(&ap_pool.callers, 1, __ATOMIC_SEQ_CST);
    return found;
}

static void ap_empty_pool_in_child(void)
{
    static const pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static const pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    memcpy(&ap_pool.mutex, &mutex, sizeof(mutex));
    memcpy(&ap_pool.called, &cond, sizeof(cond));
    memcpy(&ap_pool.finished, &cond, sizeof(cond));
    ap_pool.door = AP_CLOSED;
    ap_pool.callers = ap_pool.taken = ap_pool.size = ap_pool.asleep = ap_pool.caller_asleep = 0;
    ap_pool.is_child = 1;
}

/* Whether this process is the child of a fork, in which no thread of OpenMP can be relied on. */
static int ap_is_forked_child(void)
{
    return ap_pool.is_child;
}

/* Once, before the first run: 0, or what went wrong. */
static int ap_prepare_pool(int cpus)
{
    ap_pool.cpus = cpus;
    return pthread_atfork(NULL, NULL, ap_empty_pool_in_child);
}

/* Let threads that are started from now on run on this processor, wherever the caller runs. */
static void ap_let_pool_run_on(int cpu)
{
#ifdef __linux__
    if (cpu >= 0 && cpu < CPU_SETSIZE)
        CPU_SET(cpu, &ap_pool_runs_on);
#else
    (void)cpu;
#endif
}

#endif
#endif
