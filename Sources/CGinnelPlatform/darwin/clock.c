// Clocks on macOS. CLOCK_UPTIME_RAW stands still while the machine sleeps; CLOCK_MONOTONIC_RAW does not.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <time.h>

uint64_t gn_clock_awake(void) { return clock_gettime_nsec_np(CLOCK_UPTIME_RAW); }

uint64_t gn_clock_continuous(void) { return clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW); }

#endif
