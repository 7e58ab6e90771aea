// Threads and locks over pthreads.
//
// A library's threads must not steal the program's signals, so all are blocked in them but those that a thread causes itself: a
// crash handler or a sanitizer of the program still sees those.
#include "posix.h"

#if !defined(_WIN32)

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gn_thread {
    pthread_t thread;
    void (*body)(void *);
    void *argument;
    char name[64];
};

static void *run(void *argument) {
    gn_thread *self = argument;
    gnp_thread_name(self->name);
    self->body(self->argument);
    return NULL;
}

/// As many bytes as are wanted, in whole pages, and no fewer than the system asks for.
static int set_stack(pthread_attr_t *attributes, size_t size) {
    if (size == 0) return 0;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), least = (size_t)PTHREAD_STACK_MIN;
    if (size < least) size = least;
    return pthread_attr_setstacksize(attributes, (size + page - 1) / page * page);
}

static int create(gn_thread *made, size_t stack_size) {
    pthread_attr_t attributes;
    int native = pthread_attr_init(&attributes);
    if (native != 0) return native;
    native = set_stack(&attributes, stack_size);
    sigset_t blocked, before;
    sigfillset(&blocked);
    const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) sigdelset(&blocked, own[i]);
    // A new thread begins with the mask of the one that makes it.
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    if (native == 0) native = gnp_fails("pthread_create") ? errno : pthread_create(&made->thread, &attributes, run, made);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return native;
}

gn_outcome gn_thread_start(const char *name, size_t stack_size, void (*body)(void *), void *argument, gn_thread **thread, gn_error *error) {
    gn_thread *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    made->body = body;
    made->argument = argument;
    strncpy(made->name, name, sizeof made->name - 1);
    int native = create(made, stack_size);
    if (native != 0) {
        free(made);
        // EAGAIN is the system's or the user's limit of threads.
        return gnp_fail(error, native == EAGAIN || native == ENOMEM ? GN_CODE_NO_MEMORY : GN_CODE_OTHER, native, "pthread_create");
    }
    *thread = made;
    return GN_DONE;
}

void gn_thread_join(gn_thread *thread) {
    (void)pthread_join(thread->thread, NULL);
    free(thread);
}

uint64_t gn_thread_current(void) {
    // Its address is the thread's own.
    static _Thread_local char here;
    return (uint64_t)(uintptr_t)&here;
}

// MARK: Locks

struct gn_mutex {
    pthread_mutex_t mutex;
};

gn_mutex *gn_mutex_create(void) {
    gn_mutex *made = gnp_allocate(sizeof *made);
    if (made != NULL && pthread_mutex_init(&made->mutex, NULL) != 0) {
        free(made);
        made = NULL;
    }
    return made;
}

void gn_mutex_destroy(gn_mutex *mutex) {
    (void)pthread_mutex_destroy(&mutex->mutex);
    free(mutex);
}

void gn_mutex_lock(gn_mutex *mutex) { (void)pthread_mutex_lock(&mutex->mutex); }

void gn_mutex_unlock(gn_mutex *mutex) { (void)pthread_mutex_unlock(&mutex->mutex); }

#endif
