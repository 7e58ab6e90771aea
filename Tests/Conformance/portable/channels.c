// Channels: bytes in order, would-block, ends and resets.
#include "check.h"
#include "support.h"

#include <stdlib.h>

enum { LARGE = 4 << 20 };

static void empty_channel(void) {
    struct ends ends;
    char byte;
    size_t count;
    bool drained;
    gn_error error;
    ends_pair(&ends);
    EXPECT(gn_channel_read(ends.a, &byte, 1, &count, &drained, &error) == GN_WOULD_BLOCK);
    EXPECT(gn_channel_read(ends.a, &byte, 1, &count, &drained, &error) == GN_WOULD_BLOCK);
    ends_finish(&ends);
}

static void spans_in_order(void) {
    struct ends ends;
    ends_pair(&ends);
    gn_span spans[64];
    char sent[64], received[64];
    for (size_t i = 0; i < 64; i++) {
        sent[i] = (char)('0' + i);
        spans[i] = (gn_span){.bytes = &sent[i], .count = 1};
    }
    spans[10].count = 0;
    size_t count;
    gn_error error;
    EXPECT(gn_channel_write(ends.a, spans, 64, &count, &error) == GN_DONE && count == 63);
    ends_read_exactly(&ends, TOKEN_B, received, 63);
    EXPECT(memcmp(received, sent, 10) == 0 && memcmp(received + 10, sent + 11, 53) == 0);
    ends_finish(&ends);
}

static void spans_out_of_range(void) {
    struct ends ends;
    size_t count;
    gn_error error;
    gn_span spans[65];
    for (size_t i = 0; i < 65; i++) spans[i] = (gn_span){.bytes = "x", .count = 1};
    ends_pair(&ends);
    EXPECT_CODE(gn_channel_write(ends.a, spans, 0, &count, &error), error, GN_CODE_INVALID);
    EXPECT_CODE(gn_channel_write(ends.a, spans, 65, &count, &error), error, GN_CODE_INVALID);
    spans[0].count = 0;
    EXPECT_CODE(gn_channel_write(ends.a, spans, 1, &count, &error), error, GN_CODE_INVALID);
    ends_finish(&ends);
}

static uint8_t pattern(size_t index) { return (uint8_t)(index * 131 + (index >> 8) * 7 + (index >> 16)); }

static uint8_t *patterned(void) {
    uint8_t *bytes = malloc(LARGE);
    EXPECT(bytes != NULL);
    for (size_t i = 0; i < LARGE; i++) bytes[i] = pattern(i);
    return bytes;
}

/// Writes until the channel is full; the number of bytes it took.
static size_t fill(gn_channel *channel, const uint8_t *bytes) {
    for (size_t done = 0;;) {
        gn_span span = {.bytes = bytes + done, .count = LARGE - done};
        size_t part = 0;
        gn_error error;
        gn_outcome outcome = gn_channel_write(channel, &span, 1, &part, &error);
        if (outcome == GN_WOULD_BLOCK) return done;
        EXPECT(outcome == GN_DONE && part >= 1);
        done += part;
        EXPECT(done < LARGE);
    }
}

/// Writes once; false when that would block.
static bool write_some(gn_channel *channel, const uint8_t *bytes, size_t *done) {
    gn_span span = {.bytes = bytes + *done, .count = LARGE - *done};
    size_t part = 0;
    gn_error error;
    gn_outcome outcome = gn_channel_write(channel, &span, 1, &part, &error);
    EXPECT(outcome != GN_FAILED);
    *done += part;
    return outcome == GN_DONE;
}

static void full_channel(void) {
    struct ends ends;
    uint8_t *bytes = patterned(), received[8192];
    ends_pair(&ends);
    size_t sent = fill(ends.a, bytes), got = 0;
    EXPECT(sent > 0);
    for (bool blocked = true; got < LARGE;) {
        size_t part;
        gn_error error;
        EXPECT(got == sent || ends_read(&ends, TOKEN_B, received, sizeof received, &part, &error) == GN_DONE);
        if (got < sent) {
            EXPECT(memcmp(received, bytes + got, part) == 0);
            got += part;
        }
        // Nothing is written before the event has said so: one that is lost ends in the time limit.
        if (blocked && got == sent && sent < LARGE) ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
        else if (blocked && (ends.seen[TOKEN_A] & GN_EVENT_WRITABLE) == 0) continue;
        ends.seen[TOKEN_A] = 0;
        blocked = sent < LARGE && !write_some(ends.a, bytes, &sent);
    }
    free(bytes);
    ends_finish(&ends);
}

static void both_directions_full(void) {
    struct ends ends;
    uint8_t *bytes = patterned(), *received = malloc(LARGE);
    EXPECT(received != NULL);
    ends_pair(&ends);
    size_t from_a = fill(ends.a, bytes), from_b = fill(ends.b, bytes);
    ends_read_exactly(&ends, TOKEN_B, received, from_a);
    EXPECT(memcmp(received, bytes, from_a) == 0);
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    ends_read_exactly(&ends, TOKEN_A, received, from_b);
    EXPECT(memcmp(received, bytes, from_b) == 0);
    ends_await(&ends, TOKEN_B, GN_EVENT_WRITABLE);
    free(received);
    free(bytes);
    ends_finish(&ends);
}

static void memory_is_free_after_write(void) {
    struct ends ends;
    ends_pair(&ends);
    char bytes[6] = "first", received[5];
    ends_write(&ends, TOKEN_A, bytes, 5);
    memset(bytes, '!', sizeof bytes);
    ends_read_exactly(&ends, TOKEN_B, received, 5);
    EXPECT(memcmp(received, "first", 5) == 0);
    ends_finish(&ends);
}

static void drained_never_lies(void) {
    struct ends ends;
    char bytes[64];
    size_t count;
    bool drained;
    gn_error error;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "0123456789", 10);
    ends_await(&ends, TOKEN_B, GN_EVENT_READABLE);
    EXPECT(gn_channel_read(ends.b, bytes, 4, &count, &drained, &error) == GN_DONE && count == 4 && !drained);
    EXPECT(gn_channel_read(ends.b, bytes, sizeof bytes, &count, &drained, &error) == GN_DONE && count == 6);
    EXPECT(!drained || gn_channel_read(ends.b, bytes, 1, &count, &drained, &error) == GN_WOULD_BLOCK);
    ends_finish(&ends);
}

static void close_keeps_what_was_written(void) {
    struct ends ends;
    ends_pair(&ends);
    static const char bytes[50000];
    ends_write(&ends, TOKEN_A, bytes, sizeof bytes);
    gn_channel_close(ends.a, 1000000000u);
    ends.a = NULL;
    EXPECT(ends_read_to_end(&ends, TOKEN_B) == sizeof bytes);
    char byte;
    size_t count;
    bool drained;
    gn_error error;
    EXPECT(gn_channel_read(ends.b, &byte, 1, &count, &drained, &error) == GN_END);
    ends_finish(&ends);
}

static void half_close(void) {
    struct ends ends;
    char byte;
    gn_error error;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "last", 4);
    gn_outcome outcome = gn_channel_half_close(ends.a, &error);
    if (outcome == GN_FAILED) {
        EXPECT(error.code == GN_CODE_UNSUPPORTED);
    } else {
        EXPECT(ends_read_to_end(&ends, TOKEN_B) == 4);
        ends_write(&ends, TOKEN_B, "!", 1);
        ends_read_exactly(&ends, TOKEN_A, &byte, 1);
        EXPECT(byte == '!');
    }
    ends_finish(&ends);
}

/// Writes until it fails; a failure may surface one call late.
static gn_code failure_of_writing(struct ends *ends) {
    for (unsigned turn = 0; turn < 1000; turn++) {
        gn_span span = {.bytes = "x", .count = 1};
        size_t count;
        gn_error error;
        gn_outcome outcome = gn_channel_write(ends->a, &span, 1, &count, &error);
        if (outcome == GN_FAILED) return error.code;
        ends_look(ends, 1000000);
    }
    return (gn_code)0;
}

static void write_to_nobody(void) {
    struct ends ends;
    ends_pair(&ends);
    gn_channel_abort(ends.b);
    ends.b = NULL;
    EXPECT(failure_of_writing(&ends) == GN_CODE_RESET);
    ends_finish(&ends);
}

static void readable_after_failed_write(void) {
    struct ends ends;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_B, "farewell", 8);
    gn_channel_close(ends.b, 1000000000u);
    ends.b = NULL;
    EXPECT(failure_of_writing(&ends) == GN_CODE_RESET);
    char bytes[8];
    ends_read_exactly(&ends, TOKEN_A, bytes, 8);
    EXPECT(memcmp(bytes, "farewell", 8) == 0);
    ends_finish(&ends);
}

static void abort_with_unread_bytes(void) {
    struct ends ends;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "never read", 10);
    gn_channel_abort(ends.b);
    ends.b = NULL;
    char byte;
    size_t count;
    gn_error error;
    gn_outcome outcome = ends_read(&ends, TOKEN_A, &byte, 1, &count, &error);
    EXPECT(outcome == GN_END || (outcome == GN_FAILED && error.code == GN_CODE_RESET));
    ends_finish(&ends);
}

static void release_and_adopt(void) {
    struct ends ends;
    gn_error error;
    char bytes[5];
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "moved", 5);
    gn_handle handle = gn_channel_release(ends.b);
    ends.b = NULL;
    EXPECT(handle != GN_NO_HANDLE);
    EXPECT(gn_channel_adopt(handle, &ends.b, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    ends_read_exactly(&ends, TOKEN_B, bytes, 5);
    EXPECT(memcmp(bytes, "moved", 5) == 0);
    ends_finish(&ends);
}

static void adopt_nothing(void) {
    gn_channel *channel;
    gn_listener *listener;
    gn_error error;
    EXPECT_CODE(gn_channel_adopt(GN_NO_HANDLE, &channel, &error), error, GN_CODE_INVALID);
    EXPECT_CODE(gn_listener_adopt(GN_NO_HANDLE, &listener, &error), error, GN_CODE_INVALID);
}

static void buffers(void) {
    struct ends ends;
    gn_error error;
    char bytes[5];
    ends_pair(&ends);
    EXPECT(gn_channel_set_buffers(ends.a, 1 << 16, 1 << 16, &error) == GN_DONE);
    EXPECT(gn_channel_set_buffers(ends.a, 0, 0, &error) == GN_DONE);
    EXPECT(gn_channel_set_buffers(ends.a, SIZE_MAX, 1, &error) == GN_DONE);
    ends_write(&ends, TOKEN_A, "still", 5);
    ends_read_exactly(&ends, TOKEN_B, bytes, 5);
    ends_finish(&ends);
}

static void no_handle(void) {
    struct ends ends;
    ends_pair(&ends);
    EXPECT(gn_channel_take_handle(ends.a) == GN_NO_HANDLE);
    EXPECT(!gn_channel_lost_handles(ends.a));
    gn_handle_close(GN_NO_HANDLE);
    gn_channel_refuse_handles(ends.a);
    gn_channel_accept_handles(ends.a);
    gn_channel_refuse_handles(ends.a);
    EXPECT(gn_channel_take_handle(ends.a) == GN_NO_HANDLE);
    EXPECT(!gn_channel_lost_handles(ends.a));
    ends_finish(&ends);
}

void suite_channels(void) {
    check("a read from a channel with nothing in it would block", empty_channel);
    check("up to 64 spans arrive in order, empty ones among them", spans_in_order);
    check("no spans, too many spans and no bytes at all are invalid", spans_out_of_range);
    check("the memory of a write may be used again when it returns", memory_is_free_after_write);
    check("a full channel takes a part, would block, and says when to go on", full_channel);
    check("a channel that is full in both directions says so in both", both_directions_full);
    check("drained is false while there is more to read", drained_never_lies);
    check("closing lets the peer read everything and then the end", close_keeps_what_was_written);
    check("half a close ends one direction and leaves the other, or is unsupported", half_close);
    check("writing to a peer that has gone is a reset", write_to_nobody);
    check("what the peer sent before it went can be read after a failed write", readable_after_failed_write);
    check("aborting with unread bytes is an end or a reset for the peer", abort_with_unread_bytes);
    check("a channel that was released and adopted goes on where it was", release_and_adopt);
    check("a handle that is none cannot be adopted", adopt_nothing);
    check("buffer sizes are a hint", buffers);
    check("a channel without received handles has none to take, and has lost none", no_handle);
}
