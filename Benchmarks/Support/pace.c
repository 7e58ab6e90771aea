#include "pace.h"

#include <errno.h>
#include <time.h>

#include "measurement.h"

struct pace pace_start(const struct options *options) {
    if (options->pace == 0) return (struct pace){0};
    return (struct pace){.interval = 1000000000u / (uint64_t)options->pace, .next = clock_now()};
}

uint64_t pace_next(struct pace *pace, uint64_t now) {
    if (pace->interval == 0) return now;
    pace->next += pace->interval;
    if (pace->next < now) pace->next = now;
    struct timespec due = {.tv_sec = (time_t)(pace->next / 1000000000u), .tv_nsec = (long)(pace->next % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) continue;
    return clock_now();
}
