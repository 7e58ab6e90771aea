// test_jobs.h: the jobs of Swift's concurrency that no executor was asked for, taken away from the runtime's threads.
#ifndef TEST_JOBS_H
#define TEST_JOBS_H

#include <stdbool.h>

/// From now on each such job goes to `take`, on the thread that makes it, and to no thread of the runtime. False where the runtime cannot be asked for that.
bool ts_take_jobs(void (*take)(void *job));

#endif
