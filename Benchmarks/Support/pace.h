// When the next request is sent: as soon as the last has been answered, or so many a second, which leaves both sides time to fall asleep in between.
#ifndef BENCH_PACE_H
#define BENCH_PACE_H

#include <stdint.h>

#include "options.h"

struct pace {
    uint64_t interval; // nanoseconds, 0 for none
    uint64_t next;
};

struct pace pace_start(const struct options *options);

// Sleeps until the next request is due and returns the time then; `now` when there is no pace to keep. What is late is sent at once and not made up for.
uint64_t pace_next(struct pace *pace, uint64_t now);

#endif
