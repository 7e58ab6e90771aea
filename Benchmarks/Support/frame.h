// The messages that the programs exchange: a 16-byte header, like the native protocol's, and a payload.
//
// The receiver does not know sizes in advance: it reads what has arrived and finds the end of a message by its header, as
// any framed protocol must. The floor therefore is what a message costs, not what bytes of known number cost.
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <stdint.h>

#include "options.h"

enum frame_kind {
    FRAME_MESSAGE, // to be echoed in a round trip, to be counted one-way
    FRAME_COUNT,   // "how many messages have you had?"; the id of the answer is the number
};

struct frame_header {
    uint32_t length; // bytes of payload
    uint32_t kind;
    uint64_t id;
};
_Static_assert(sizeof(struct frame_header) == 16, "the header is 16 bytes on the socket");

// More than one message, so that a read that empties the socket is seen to have done so.
enum { INBOX_SIZE = 2 * MAX_PAYLOAD };

// What has arrived of the message that comes next.
struct inbox {
    uint8_t *bytes; // INBOX_SIZE
    size_t have;
};

enum arrival { ARRIVED, PARTIAL, CLOSED };

void inbox_open(struct inbox *inbox);

// `count` more bytes lie behind those that the inbox had. After ARRIVED the message is at `bytes` and the inbox counts as
// empty. A second message behind the first is a failure: only one is ever in flight.
enum arrival inbox_advance(struct inbox *inbox, size_t count);

// Reads once and advances. On a socket that does not block, PARTIAL also stands for "nothing there".
enum arrival inbox_read(struct inbox *inbox, int descriptor);

// Length of a whole message, header included.
size_t frame_length(const uint8_t *message);

// A message of `size` payload bytes, to be sent again and again with another id.
uint8_t *frame_make(size_t size);
void frame_set_id(uint8_t *message, uint64_t id);

// Writes the whole message with one system call, or fails.
void frame_send(int descriptor, const uint8_t *message);

// Fails unless `reply` is the echo of `request`. The payload is compared once a connection, while the warm-up runs.
void frame_check_echo(const uint8_t *request, const uint8_t *reply, uint64_t id);

#endif
