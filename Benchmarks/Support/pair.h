// Two processes with a Unix stream socket or shared memory between them, each on its processor: what every benchmark here runs in.
//
// The socket is bound in a directory of its own, as a service's is, and not made by socketpair(2). The name is removed as
// soon as all connections stand, so that a killed run leaves nothing behind.
#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

#include "measurement.h"
#include "options.h"

struct workload {
    // The server's process: bind `path`, call pair_ready(), serve until every connection has been closed, return.
    void (*serve)(const struct options *options, const char *path);
    // The client's process: connect, call pair_connected(), plan and take the measurement, close, return.
    void (*drive)(const struct options *options, const char *path, pid_t server, struct measurement *measurement);
    // Before there are two processes: makes what both inherit. NULL where that is nothing.
    void (*prepare)(const struct options *options);
};

// Runs both sides to their end and prints the measurement. Any failure on either side ends the program with status 1.
void pair_run(const struct options *options, const struct workload *workload);

// The server accepts connections from now on.
void pair_ready(void);

// All connections stand: the socket's name is no longer needed.
void pair_connected(void);

#endif
