// A ring in memory that two processes share, one producer and one consumer, as docs/shared-memory.md sections 1 to 3 lay it out: what a message through shared
// memory costs when nothing is around it. Each side keeps its own counter and a copy of the other's to itself and looks at the shared one only when that
// copy says "empty" or "full".
//
// Both sides copy, since whoever is to judge bytes that a peer can still change has to; what a real consumer checks besides (counters, lengths) is left out.
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

// The longest record is half of it, so that one with the largest payload fits an empty ring wherever that begins.
enum { RING_CAPACITY = 4 * MAX_PAYLOAD };

struct ring {
    alignas(4096) uint8_t magic[8];
    uint32_t version;
    uint32_t flags;
    uint64_t capacity;
    alignas(128) _Atomic uint64_t produced;
    _Atomic uint32_t producer_waits;
    alignas(128) _Atomic uint64_t consumed;
    _Atomic uint32_t consumer_waits;
    alignas(512) uint8_t data[RING_CAPACITY];
};
_Static_assert(offsetof(struct ring, produced) == 128 && offsetof(struct ring, producer_waits) == 136, "the producer's line");
_Static_assert(offsetof(struct ring, consumed) == 256 && offsetof(struct ring, consumer_waits) == 264, "the consumer's line");
_Static_assert(offsetof(struct ring, data) == 512, "the data follow 512 bytes of control");

// One side's view of one ring, on a cache line of its own.
struct ring_end {
    alignas(64) struct ring *ring;
    enum mode mode;    // SPINNING, FUTEX or EVENTFD: how it waits, and how it wakes the other side
    int own_bell;      // eventfd
    int peer_bell;     // eventfd
    uint64_t own;      // the counter that this side advances
    uint64_t seen;     // the other side's, as last looked at
};

// Both rings and both bells, made before the processes part.
struct segment {
    struct ring *to_client;
    struct ring *to_server;
    int client_bell;
    int server_bell;
};
struct segment segment_make(const struct options *options);

// The four ends. Each process uses its two from one thread.
struct ring_end server_reads(const struct segment *segment, const struct options *options);
struct ring_end server_writes(const struct segment *segment, const struct options *options);
struct ring_end client_reads(const struct segment *segment, const struct options *options);
struct ring_end client_writes(const struct segment *segment, const struct options *options);

// Waits for room, copies, publishes and, where sides sleep, wakes the consumer if it does.
void ring_send(struct ring_end *end, const void *payload, size_t length);

// Waits for a record, copies it to `payload`, which has room for MAX_PAYLOAD bytes, gives it back and wakes a producer that sleeps. Returns the length.
size_t ring_receive(struct ring_end *end, void *payload);

#endif
