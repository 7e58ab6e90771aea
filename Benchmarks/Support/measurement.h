// What a benchmark program measures and prints: latencies in a histogram of fixed size, the time from the first counted
// message to the last, and the processor time of both processes over exactly that time.
//
// The warm-up runs the same code uncounted: caches, branch predictors and the kernel's buffers are then in the state that
// a long-lived service has them in.
#ifndef BENCH_MEASUREMENT_H
#define BENCH_MEASUREMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "options.h"

// Buckets are exact below 256 ns and 1/128 of their value wide above: a percentile is off by 0.4 percent at most.
enum { HISTOGRAM_BUCKETS = 58 * 128 };

// In the place of a server, where there is none.
enum { OWN_PROCESS_ONLY = -1 };

struct measurement {
    pid_t server;          // the other process, whose processor time counts too
    uint64_t begin;        // when the warm-up may end, as clock_now() tells it
    uint64_t duration;     // nanoseconds to measure from then on
    bool started;          // the warm-up is over
    bool finished;         // the time is up
    uint64_t started_at;   // when the counted time began
    uint64_t end;          // when it is up
    double elapsed;        // seconds from start to the last counted message, the duration at least
    double cpu;            // seconds, user and system, of both processes
    uint64_t messages;
    uint64_t writes;       // system calls that they took, where that is counted
    uint64_t message_bytes; // how long one is, where the program makes them itself
    bool has_latencies;
    uint64_t latencies;    // their sum, in nanoseconds
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

// Nanoseconds of a clock that only moves forward.
uint64_t clock_now(void);

// Sets the times: a warm-up of a tenth of the measured time, 0.1 s at least, then the measured time. This begins when the
// warm-up has really ended: a pause of the machine in between must not shorten it.
void measurement_plan(struct measurement *measurement, const struct options *options, pid_t server);

// The counted time begins and ends, for work that is counted by the receiver.
void measurement_start(struct measurement *measurement, uint64_t now);
void measurement_finish(struct measurement *measurement, uint64_t now, uint64_t messages);

// One round trip ended at `now` and took `latency` nanoseconds; counted once the warm-up is over. False when the time is
// up, and from then on: what is still in flight may come in without being counted.
bool measurement_record(struct measurement *measurement, uint64_t now, uint64_t latency);

// One JSON object on one line of standard output. Latencies are null for work that has none.
void measurement_print(const struct measurement *measurement);

#endif
