// The least that each workload can cost on this machine: raw system calls or bare memory, no library between. Everything else is measured
// as a ratio to these programs.
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include "pair.h"

extern const struct workload blocking_round_trip; // one connection, read(2) and write(2) that block
extern const struct workload epoll_round_trip;    // any number of connections on one epoll loop a side
extern const struct workload one_way;             // one connection, writev(2) into read(2)
extern const struct workload stream_echo;         // two rings in shared memory, no system call unless a side sleeps
extern const struct workload stream_one_way;      // one ring

#endif
