// Being asked to end: SIGINT and SIGTERM.
//
// The handler does what is safe in one: it writes a byte into a pipe, and a thread of ours reads it and tells. Handlers may run on other threads while the watch ends, so the pipe is closed
// only when none of them is inside.
#include "process.h"

#if !defined(_WIN32)

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

enum { SIGNALS = 2, TOLD = 2 };

static const int numbers[SIGNALS] = {GN_TERMINATION_INTERRUPT, GN_TERMINATION_TERMINATE};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/// The watch; with a thread while there is one.
static struct {
    gn_thread *thread;
    int ends[2];
    struct sigaction before[SIGNALS];
    void (*told)(gn_termination how, void *argument);
    void *argument;
} watch;

// What the handler touches.
static atomic_int write_end = -1, inside, requests;

static void handle(int number) {
    int saved = errno;
    atomic_fetch_add(&inside, 1);
    if (atomic_fetch_add(&requests, 1) >= TOLD) {
        // Delivered when this handler has returned.
        (void)signal(number, SIG_DFL);
        (void)raise(number);
    } else {
        char byte = (char)number;
        int end = atomic_load(&write_end);
        if (end >= 0) (void)!write(end, &byte, 1);
    }
    atomic_fetch_sub(&inside, 1);
    errno = saved;
}

/// Tells until it reads a zero.
static void listen_to_pipe(void *argument) {
    (void)argument;
    char byte = 0;
    ssize_t result;
    do {
        result = read(watch.ends[0], &byte, 1);
        if (result == 1 && byte != 0) watch.told((gn_termination)byte, watch.argument);
    } while ((result == 1 && byte != 0) || (result < 0 && errno == EINTR));
}

static gn_outcome begin(gn_error *error) {
    if (gnp_fails("pipe") || gnp_pipe(watch.ends) != 0) return gnp_fail_errno(error, "pipe");
    if (gn_thread_start("ginnel-signals", 0, listen_to_pipe, NULL, &watch.thread, error) != GN_DONE) {
        watch.thread = NULL;
        gnp_close(watch.ends[0]);
        gnp_close(watch.ends[1]);
        return GN_FAILED;
    }
    atomic_store(&requests, 0);
    atomic_store(&write_end, watch.ends[1]);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++) (void)sigaction(numbers[i], &action, &watch.before[i]);
    return GN_DONE;
}

gn_outcome gn_termination_watch(void (*told)(gn_termination how, void *argument), void *argument, gn_error *error) {
    pthread_mutex_lock(&lock);
    gn_outcome outcome;
    if (watch.thread != NULL) {
        outcome = gnp_fail(error, GN_CODE_EXISTS, 0, "sigaction");
    } else {
        watch.told = told;
        watch.argument = argument;
        outcome = begin(error);
    }
    pthread_mutex_unlock(&lock);
    return outcome;
}

void gn_termination_unwatch(void) {
    pthread_mutex_lock(&lock);
    if (watch.thread != NULL) {
        for (int i = 0; i < SIGNALS; i++) (void)sigaction(numbers[i], &watch.before[i], NULL);
        atomic_store(&write_end, -1);
        while (atomic_load(&inside) > 0) (void)sched_yield();
        ssize_t result;
        GNP_RETRY(result, "write", write(watch.ends[1], "", 1));
        gn_thread_join(watch.thread);
        watch.thread = NULL;
        gnp_close(watch.ends[0]);
        gnp_close(watch.ends[1]);
    }
    pthread_mutex_unlock(&lock);
}

#endif
