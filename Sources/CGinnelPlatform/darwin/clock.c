// Clocks on macOS. CLOCK_UPTIME_RAW stands still while the machine sleeps; CLOCK_MONOTONIC_RAW does not.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <time.h>

static uint64_t read_clock(clockid_t clock) {
    uint64_t scripted = gnp_time_scripted();
    return scripted != 0 ? scripted : clock_gettime_nsec_np(clock);
}

uint64_t gn_clock_awake(void) { return read_clock(CLOCK_UPTIME_RAW); }

uint64_t gn_clock_continuous(void) { return read_clock(CLOCK_MONOTONIC_RAW); }

#endif
