// The runtime has a variable for a function that takes jobs in place of its own threads. It belongs to no module that could be imported, so it is looked up by name.
//
// Tasks that sleep have no such way out on Linux, where the runtime asks libdispatch: what is to run in virtual time sleeps through GinnelTransport's `System.sleep`.
#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include "test_jobs.h"

#if !defined(_WIN32)

#include <dlfcn.h>
#include <stddef.h>

static void (*taker)(void *job);

__attribute__((swiftcall)) static void take_job(void *job, void *original) {
    (void)original;
    taker(job);
}

typedef __attribute__((swiftcall)) void (*hook)(void *, void *);

bool ts_take_jobs(void (*take)(void *job)) {
    static const char *const names[] = {"swift_task_enqueueGlobal_hook", "swift_task_enqueueMainExecutor_hook"};
    taker = take;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        hook *place = (hook *)dlsym(RTLD_DEFAULT, names[i]);
        if (place == NULL) return false;
        *place = take_job;
    }
    return true;
}

#endif
