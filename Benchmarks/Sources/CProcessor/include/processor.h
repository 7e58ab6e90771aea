// What Swift cannot ask glibc for: on which processor a process runs, and the time it has had.
#ifndef PROCESSOR_H
#define PROCESSOR_H
#include <stdbool.h>
#include <stdint.h>

/// Pins this process to one processor; threads started afterwards inherit it. False when that is not allowed.
bool processor_pin(int processor);

/// Pins every thread that this process has, and those that they start meanwhile. False when that is not allowed.
bool processor_pin_threads(int processor);

/// Processor time of a process, user and system, in nanoseconds; 0 when it is gone.
uint64_t processor_time(int process);

/// Nanoseconds of a clock that only goes forward.
uint64_t processor_now(void);

#endif
