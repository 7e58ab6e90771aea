// stream.h: a bare stream over shared memory, written from docs/shared-memory.md §2 to §4: two rings in one segment, over the socket or pipe of which the opening went and that stays as
// the sign of life. A record is a message.
#ifndef STREAM_H
#define STREAM_H

#include "link.h"
#include "ring.h"

typedef enum stream_result {
    STREAM_DONE,
    STREAM_NONE,       ///< nothing to read, or no room, at the moment
    STREAM_END,        ///< the other side has said that this was the last, and has left
    STREAM_LOST,       ///< it has left without a word
    STREAM_VIOLATION,  ///< it has broken a rule
    STREAM_LATE,       ///< it took too long
    STREAM_FAILED,     ///< the system did not do its part; `link.error` says what
} stream_result;

struct stream {
    struct link link;
    gn_segment *segment;
    gn_doorbell *ours, *theirs;  ///< which wakes this side, and which the other
    struct ring out, in;
    uint8_t farewell[16];        ///< what of the `end` has arrived
    size_t farewell_count;
    bool farewell_said;          ///< by us
    stream_result state;         ///< DONE while the socket or pipe is open, then what it ended with
};

/// Offers a stream of two rings of so many bytes on a link, and waits for the answer. It takes the link over.
stream_result stream_offer(struct stream *stream, struct link *link, uint64_t capacity);
/// Takes the offer that comes on a link. It takes the link over.
stream_result stream_take(struct stream *stream, struct link *link);
/// With a farewell, unless the stream has ended already.
void stream_close(struct stream *stream);

/// One message, if there is room, or one that has arrived: never waits.
stream_result stream_try_write(struct stream *stream, const void *bytes, uint64_t count);
stream_result stream_try_read(struct stream *stream, void *bytes, uint64_t room, uint64_t *count);
/// Sleeps until it is worth trying again to read, to write, or both. At once when it is by now, or the stream has ended.
stream_result stream_wait(struct stream *stream, bool to_read, bool to_write);

/// The same, waiting.
stream_result stream_write(struct stream *stream, const void *bytes, uint64_t count);
stream_result stream_read(struct stream *stream, void *bytes, uint64_t room, uint64_t *count);

#endif
