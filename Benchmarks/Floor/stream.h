// What the two workloads through a ring have in common: the segment, the messages, and how a side that spins learns that the other is gone.
//
// A message begins with its number, eight bytes; it needs no other header, since a record has its length. One without bytes ends the exchange.
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include "pair.h"
#include "ring.h"

extern struct segment stream_segment;

// Before the processes part: makes the segment.
void stream_prepare(const struct options *options);

// The client from now on ends with status 1 when the server does: nobody else would tell a loop that looks at memory.
void stream_watch_server(void);

// The exchange is over: the server may end.
void stream_close(struct ring_end *out);

// A message of `size` bytes.
uint8_t *stream_message(size_t size);
void stream_set_number(uint8_t *message, uint64_t number);
uint64_t stream_number(const uint8_t *message);

#endif
