// ring.h: one ring of shared memory, written from docs/shared-memory.md §1 and §3 and nothing else.
//
// A side keeps its own counter to itself, publishes it, and believes of the other's only what the page allows. Each record is given back at once.
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

enum { RING_CONTROL = 512 };

typedef enum ring_result {
    RING_DONE,
    RING_NONE,       ///< nothing to read, or no room
    RING_TOO_LONG,   ///< longer than any record of this ring
    RING_VIOLATION,  ///< the other side has written what cannot be
} ring_result;

/// One side's view of a ring.
struct ring {
    uint8_t *control;
    uint64_t capacity;
    uint64_t produced, consumed;  ///< one is this side's own counter, the other the last that was seen of the other side's
};

/// Writes the control block of a new ring of zeros, the magic last.
void ring_make(uint8_t *control, uint64_t capacity, uint64_t start);
/// Whether a control block is that of a ring of this capacity.
bool ring_is(const uint8_t *control, uint64_t capacity);
/// Begins on either side of a ring both of whose counters stand at `start`.
struct ring ring_begin(uint8_t *control, uint64_t capacity, uint64_t start);

uint64_t ring_longest(const struct ring *ring);

/// As producer: one record. `rings` says that the consumer slept.
ring_result ring_write(struct ring *ring, const void *bytes, uint64_t count, bool *rings);
/// As consumer: the next record, of at most `room` bytes. `rings` says that the producer slept.
ring_result ring_read(struct ring *ring, void *bytes, uint64_t room, uint64_t *count, bool *rings);

/// As consumer, before sleeping: false when something has come in the meantime.
bool ring_waits_for_record(struct ring *ring);
/// As producer, before sleeping: false when there is room by now.
bool ring_waits_for_room(struct ring *ring);

#endif
