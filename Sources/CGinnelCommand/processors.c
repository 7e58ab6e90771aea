// Which processors there are, and running on one of them. Linux alone lets a process choose.
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "ginnel_command.h"

#include <errno.h>

#if defined(__linux__)

#include <dirent.h>
#include <sched.h>
#include <stdlib.h>

int gnc_processors(int *numbers, int capacity) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 0;
    int count = 0;
    for (int number = 0; number < CPU_SETSIZE; number++) {
        if (!CPU_ISSET((size_t)number, &allowed)) continue;
        if (count < capacity) numbers[count] = number;
        count++;
    }
    return count;
}

/// Thread 0 is the calling one.
static int run_on(int processor, int thread) {
    if (processor < 0 || processor >= CPU_SETSIZE) return EINVAL;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)processor, &one);
    return sched_setaffinity(thread, sizeof one, &one) == 0 ? 0 : errno;
}

int gnc_run_thread_on(int processor) { return run_on(processor, 0); }

int gnc_run_on(int processor) {
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL) return errno;
    int native = 0;
    for (struct dirent *entry; native == 0 && (entry = readdir(tasks)) != NULL;) {
        int thread = atoi(entry->d_name);
        if (thread > 0) native = run_on(processor, thread);
        // A thread that has just ended needs no processor.
        if (native == ESRCH) native = 0;
    }
    closedir(tasks);
    return native;
}

#else

int gnc_processors(int *numbers, int capacity) {
    (void)numbers;
    (void)capacity;
    return 0;
}

int gnc_run_thread_on(int processor) {
    (void)processor;
    return ENOTSUP;
}

int gnc_run_on(int processor) { return gnc_run_thread_on(processor); }

#endif
