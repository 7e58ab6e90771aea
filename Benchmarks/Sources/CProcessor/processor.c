#define _GNU_SOURCE
#include "processor.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

static uint64_t read_clock(clockid_t clock) {
    struct timespec time;
    return clock_gettime(clock, &time) == 0 ? (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec : 0;
}

bool processor_pin(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

// Pins one thread. `news` is set when it was not pinned before.
static bool pin_thread(pid_t thread, const cpu_set_t *wanted, bool *news) {
    cpu_set_t set;
    if (sched_getaffinity(thread, sizeof set, &set) != 0) return errno == ESRCH;
    if (CPU_EQUAL(&set, wanted)) return true;
    *news = true;
    return sched_setaffinity(thread, sizeof *wanted, wanted) == 0 || errno == ESRCH;
}

bool processor_pin_threads(int processor) {
    cpu_set_t wanted;
    CPU_ZERO(&wanted);
    CPU_SET(processor, &wanted);
    bool is_pinned = true, news = true;
    while (news && is_pinned) { // a thread that was not pinned yet may have started another behind our back
        DIR *threads = opendir("/proc/self/task");
        if (threads == NULL) return false;
        news = false;
        for (struct dirent *entry; is_pinned && (entry = readdir(threads)) != NULL;) {
            pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10); // 0 for "." and ".."
            if (thread > 0) is_pinned = pin_thread(thread, &wanted, &news);
        }
        closedir(threads);
    }
    return is_pinned;
}

uint64_t processor_time(int process) {
    clockid_t clock;
    return clock_getcpuclockid(process, &clock) == 0 ? read_clock(clock) : 0;
}

uint64_t processor_now(void) { return read_clock(CLOCK_MONOTONIC); }
