// Clocks on Linux. CLOCK_MONOTONIC stands still in suspend; CLOCK_BOOTTIME does not. Both are read without a system call.
#include "../posix/posix.h"

#if defined(__linux__)

#include <time.h>

static uint64_t read_clock(clockid_t clock) {
    uint64_t scripted = gnp_time_scripted();
    if (scripted != 0) return scripted;
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t gn_clock_awake(void) { return read_clock(CLOCK_MONOTONIC); }

uint64_t gn_clock_continuous(void) { return read_clock(CLOCK_BOOTTIME); }

#endif
