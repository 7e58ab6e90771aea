// Streams: see stream.h. Who sleeps has set its flag and looked once more; who publishes looks at the other's flag and rings. A bell is an object that came with the segment, or a byte
// of 0 on the pipe; there a byte of another value begins the farewell.
//
// The segment reaches the peer in the way that the platform has: beside the bytes of the offer, or lent, with its number in the offer's last eight bytes.
#include "stream.h"

#include <string.h>

enum { PREAMBLE = 8, BODY = 16, OFFER = 1, ACCEPT = 2, REFUSE = 3, FAREWELL = 5, VERSION = 1, MOST_BELLS = 2 };

static const uint8_t preamble[PREAMBLE] = {'G', 'I', 'N', 'S', 'H', 'M', 1, 0};

static uint64_t stride_of(uint64_t capacity) { return (RING_CONTROL + capacity + 4095) & ~UINT64_C(4095); }

static void put(uint8_t *bytes, size_t count, uint64_t value) {
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *bytes, size_t count) {
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static stream_result of_link(link_result result) {
    switch (result) {
    case LINK_DONE: return STREAM_DONE;
    case LINK_LATE: return STREAM_LATE;
    default: return STREAM_LOST;
    }
}

static void begin(struct stream *stream, struct link *link) {
    memset(stream, 0, sizeof *stream);
    stream->link = *link;
    memset(link, 0, sizeof *link);
}

/// Both rings, of which the service's way out is the first.
static void lay_out(struct stream *stream, uint64_t capacity, bool service) {
    uint8_t *bytes = gn_segment_bytes(stream->segment);
    struct ring first = ring_begin(bytes, capacity, 0), second = ring_begin(bytes + stride_of(capacity), capacity, 0);
    stream->out = service ? first : second;
    stream->in = service ? second : first;
}

static stream_result listen_to_bell(struct stream *stream) {
    uint64_t token = gn_doorbell_handles() == 0 ? LINK_TOKEN : LINK_BELL;
    return gn_poller_add_doorbell(stream->link.poller, stream->ours, token, &stream->link.error) == GN_DONE ? STREAM_DONE : STREAM_FAILED;
}

// MARK: The service's side of the opening

static stream_result make(struct stream *stream, uint64_t capacity) {
    gn_error *error = &stream->link.error;
    if (gn_segment_create(2 * stride_of(capacity), &stream->segment, error) != GN_DONE) return STREAM_FAILED;
    uint8_t *bytes = gn_segment_bytes(stream->segment);
    ring_make(bytes, capacity, 0);
    ring_make(bytes + stride_of(capacity), capacity, 0);
    // The first wakes the client, the second the service.
    if (gn_doorbell_create(stream->link.channel, &stream->theirs, error) != GN_DONE) return STREAM_FAILED;
    if (gn_doorbell_create(stream->link.channel, &stream->ours, error) != GN_DONE) return STREAM_FAILED;
    return listen_to_bell(stream);
}

static stream_result send_offer(struct stream *stream, uint8_t *message) {
    struct link *link = &stream->link;
    gn_handle handles[1 + MOST_BELLS] = {gn_segment_handle(stream->segment), gn_doorbell_handle(stream->theirs), gn_doorbell_handle(stream->ours)};
    size_t count = 1 + 2 * gn_doorbell_handles(), written = 0;
    uint64_t number;
    message[PREAMBLE + 2] = (uint8_t)count;
    if (!gn_handles_travel()) {
        if (gn_channel_lend_handle(link->channel, handles[0], &number, &link->error) != GN_DONE) return STREAM_FAILED;
        put(message + PREAMBLE + 8, 8, number);
        return of_link(link_write(link, message, PREAMBLE + BODY));
    }
    gn_span span = {.bytes = message, .count = PREAMBLE + BODY};
    gn_outcome outcome = gn_channel_write_handles(link->channel, &span, 1, handles, count, &written, &link->error);
    if (outcome != GN_DONE) return STREAM_FAILED;
    return of_link(link_write(link, message + written, PREAMBLE + BODY - written));
}

stream_result stream_offer(struct stream *stream, struct link *link, uint64_t capacity) {
    uint8_t message[PREAMBLE + BODY] = {0}, answer[PREAMBLE + BODY];
    begin(stream, link);
    stream_result result = make(stream, capacity);
    memcpy(message, preamble, PREAMBLE);
    message[PREAMBLE] = OFFER;
    message[PREAMBLE + 1] = VERSION;
    put(message + PREAMBLE + 4, 4, capacity);
    if (result == STREAM_DONE) result = send_offer(stream, message);
    if (result == STREAM_DONE) result = of_link(link_read(&stream->link, answer, sizeof answer));
    if (result == STREAM_DONE && (memcmp(answer, preamble, PREAMBLE) != 0 || answer[PREAMBLE] != ACCEPT || answer[PREAMBLE + 1] != VERSION)) result = STREAM_VIOLATION;
    stream->state = result;
    if (result != STREAM_DONE) return result;
    gn_segment_let_go(stream->segment);
    lay_out(stream, capacity, true);
    return STREAM_DONE;
}

// MARK: The client's side

static stream_result take_handles(struct stream *stream, const uint8_t *body, gn_handle handles[1 + MOST_BELLS]) {
    size_t count = 1 + 2 * gn_doorbell_handles();
    if (body[2] != count) return STREAM_VIOLATION;
    if (!gn_handles_travel()) return gn_handle_claim(get(body + 8, 8), &handles[0], &stream->link.error) == GN_DONE ? STREAM_DONE : STREAM_VIOLATION;
    if (gn_channel_lost_handles(stream->link.channel)) return STREAM_FAILED;
    for (size_t i = 0; i < count; i++) handles[i] = gn_channel_take_handle(stream->link.channel);
    gn_channel_refuse_handles(stream->link.channel);
    return STREAM_DONE;
}

static stream_result adopt(struct stream *stream, uint64_t capacity, const gn_handle handles[1 + MOST_BELLS]) {
    gn_error *error = &stream->link.error;
    gn_channel *channel = stream->link.channel;
    // Each takes its descriptor over, whatever comes of it, so that all three are tried.
    bool mapped = gn_segment_adopt(handles[0], 2 * stride_of(capacity), &stream->segment, error) == GN_DONE;
    bool first = gn_doorbell_adopt(handles[1], channel, &stream->ours, error) == GN_DONE;
    bool second = gn_doorbell_adopt(handles[2], channel, &stream->theirs, error) == GN_DONE;
    if (!mapped || !first || !second) return STREAM_VIOLATION;
    const uint8_t *bytes = gn_segment_bytes(stream->segment);
    if (!ring_is(bytes, capacity) || !ring_is(bytes + stride_of(capacity), capacity)) return STREAM_VIOLATION;
    return listen_to_bell(stream);
}

stream_result stream_take(struct stream *stream, struct link *link) {
    uint8_t message[PREAMBLE + BODY];
    gn_handle handles[1 + MOST_BELLS] = {GN_NO_HANDLE, GN_NO_HANDLE, GN_NO_HANDLE};
    begin(stream, link);
    stream_result result = of_link(link_read(&stream->link, message, sizeof message));
    const uint8_t *body = message + PREAMBLE;
    if (result == STREAM_DONE && (memcmp(message, preamble, PREAMBLE) != 0 || body[0] != OFFER || body[1] != VERSION)) result = STREAM_VIOLATION;
    uint64_t capacity = result == STREAM_DONE ? get(body + 4, 4) : 0;
    if (result == STREAM_DONE && (capacity < 64 || capacity > 1 << 30 || (capacity & (capacity - 1)) != 0)) result = STREAM_VIOLATION;
    if (result == STREAM_DONE) result = take_handles(stream, body, handles);
    if (result == STREAM_DONE) result = adopt(stream, capacity, handles);
    if (result == STREAM_DONE) {
        uint8_t answer[PREAMBLE + BODY] = {0};
        memcpy(answer, preamble, PREAMBLE);
        answer[PREAMBLE] = ACCEPT;
        answer[PREAMBLE + 1] = VERSION;
        lay_out(stream, capacity, false);
        result = of_link(link_write(&stream->link, answer, sizeof answer));
    }
    stream->state = result;
    return result;
}

// MARK: The end

void stream_close(struct stream *stream) {
    uint8_t farewell[BODY] = {FAREWELL, VERSION};
    if (stream->segment != NULL && stream->state == STREAM_DONE) (void)link_write(&stream->link, farewell, sizeof farewell);
    if (stream->ours != NULL) gn_poller_remove_doorbell(stream->link.poller, stream->ours);
    if (stream->ours != NULL) gn_doorbell_close(stream->ours);
    if (stream->theirs != NULL) gn_doorbell_close(stream->theirs);
    if (stream->segment != NULL) gn_segment_close(stream->segment);
    link_close(&stream->link);
    memset(stream, 0, sizeof *stream);
}

/// Judges the bytes that still come on the socket or pipe: bells, where they ring there, and the farewell.
static stream_result judge(struct stream *stream, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool bell = bytes[i] == 0 && gn_doorbell_handles() == 0 && (stream->farewell_count == 0 || stream->farewell_count == BODY);
        if (bell) continue;
        if (stream->farewell_count == BODY) return STREAM_VIOLATION;
        stream->farewell[stream->farewell_count++] = bytes[i];
    }
    static const uint8_t farewell[BODY] = {FAREWELL, VERSION};
    return memcmp(stream->farewell, farewell, stream->farewell_count) == 0 ? STREAM_DONE : STREAM_VIOLATION;
}

/// Reads the socket or pipe dry, which makes a bell on it silent.
static void look_at_link(struct stream *stream) {
    uint8_t bytes[256];
    size_t count = 1;
    while (stream->state == STREAM_DONE && count > 0) {
        link_result result = link_read_some(&stream->link, bytes, sizeof bytes, &count);
        if (result == LINK_DONE) stream->state = judge(stream, bytes, count);
        else stream->state = stream->farewell_count == BODY ? STREAM_END : STREAM_LOST;
    }
}

// MARK: Messages

stream_result stream_try_write(struct stream *stream, const void *bytes, uint64_t count) {
    bool rings;
    if (stream->state != STREAM_DONE) return stream->state;
    switch (ring_write(&stream->out, bytes, count, &rings)) {
    case RING_DONE: break;
    case RING_NONE: return STREAM_NONE;
    case RING_TOO_LONG: return STREAM_FAILED;
    default: return stream->state = STREAM_VIOLATION;
    }
    if (rings) gn_doorbell_ring(stream->theirs);
    return STREAM_DONE;
}

stream_result stream_try_read(struct stream *stream, void *bytes, uint64_t room, uint64_t *count) {
    bool rings;
    // The state is looked at first: what was published before the end is still there.
    stream_result state = stream->state;
    switch (ring_read(&stream->in, bytes, room, count, &rings)) {
    case RING_DONE: break;
    case RING_NONE: return state == STREAM_DONE ? STREAM_NONE : state;
    case RING_TOO_LONG: return STREAM_FAILED;
    default: return stream->state = STREAM_VIOLATION;
    }
    if (rings && state == STREAM_DONE) gn_doorbell_ring(stream->theirs);
    return STREAM_DONE;
}

stream_result stream_wait(struct stream *stream, bool to_read, bool to_write) {
    // The bell is made silent first: one that is heard after the last look at the rings stands for something that was not seen.
    stream->link.rung = false;
    stream->link.seen = 0;
    look_at_link(stream);
    if (stream->state != STREAM_DONE) return STREAM_DONE;
    if (to_read && !ring_waits_for_record(&stream->in)) return STREAM_DONE;
    if (to_write && !ring_waits_for_room(&stream->out)) return STREAM_DONE;
    link_result result = link_wait(&stream->link, GN_WAIT_FOR_EVER);
    if (result != LINK_DONE) return result == LINK_LATE ? STREAM_LATE : STREAM_FAILED;
    return STREAM_DONE;
}

stream_result stream_write(struct stream *stream, const void *bytes, uint64_t count) {
    for (;;) {
        stream_result result = stream_try_write(stream, bytes, count);
        if (result != STREAM_NONE) return result;
        result = stream_wait(stream, false, true);
        if (result != STREAM_DONE) return result;
    }
}

stream_result stream_read(struct stream *stream, void *bytes, uint64_t room, uint64_t *count) {
    for (;;) {
        stream_result result = stream_try_read(stream, bytes, room, count);
        if (result != STREAM_NONE) return result;
        result = stream_wait(stream, true, false);
        if (result != STREAM_DONE) return result;
    }
}
