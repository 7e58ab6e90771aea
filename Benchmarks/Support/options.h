// The arguments that every benchmark program takes, so that one runner can start any of them for the same workload.
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stddef.h>

// The largest payload. A message of this size fits the default buffer of a Unix socket, so that with one message in
// flight a write is never cut short and the programs need no queue of unfinished writes.
enum { MAX_PAYLOAD = 65536 };

enum placement { ONE_CPU, TWO_CPU };
enum mode { BLOCKING, EPOLL, SPINNING, FUTEX, EVENTFD }; // the first two wait on a socket, the others for a ring in shared memory
enum work { ROUND_TRIP, ONE_WAY, STREAM_ECHO, STREAM_ONE_WAY, PROTOBUF_ENCODE, PROTOBUF_DECODE };

struct options {
    size_t size;              // bytes of payload, 1...MAX_PAYLOAD
    int connections;          // 1...4096
    double seconds;           // measured time, after the warm-up
    enum placement placement; // where the two processes run
    enum mode mode;           // how the floor waits; other programs ignore it
    enum work work;
    int batch; // messages handed over at once, 1...64; one-way only
    int pace;  // round trips begun in a second, 0 for as many as there can be; for one connection
};

// Reads the command line. Prints the usage and exits, with status 2, on anything it does not understand.
struct options options_parse(int count, char **arguments);

// Ends the program as an argument that is not understood does: for combinations that a program cannot measure.
_Noreturn void options_refuse(const char *reason);

#endif
