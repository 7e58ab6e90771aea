// How a benchmark program gives up: one sentence on standard error, exit status 1, nothing on standard output. A
// measurement that went wrong in any way must not look like a measurement.
#ifndef BENCH_FAILURE_H
#define BENCH_FAILURE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define fail(...)                     \
    do {                              \
        fprintf(stderr, __VA_ARGS__); \
        fputc('\n', stderr);          \
        exit(1);                      \
    } while (0)

// For a system call that failed: names the call and what the kernel said.
#define fail_call(call) fail("%s: %s", call, strerror(errno))

#endif
