#define _GNU_SOURCE
#include "processor.h"

#include <sched.h>
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

uint64_t processor_time(int process) {
    clockid_t clock;
    return clock_getcpuclockid(process, &clock) == 0 ? read_clock(clock) : 0;
}

uint64_t processor_now(void) { return read_clock(CLOCK_MONOTONIC); }
