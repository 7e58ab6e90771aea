// How connections end while writes are pending, and channels that move between pollers.
#include "windows_support.h"

static const uint64_t ten_seconds = 10000000000u;

/// Reads until there is no more; the number of bytes, and how it ended.
static size_t read_all(struct ends *ends, uint64_t token, gn_outcome *outcome, gn_error *error) {
    static char bytes[65536];
    for (size_t total = 0, count;; total += count) {
        *outcome = ends_read(ends, token, bytes, sizeof bytes, &count, error);
        if (*outcome != GN_DONE) return total;
    }
}

/// The poller with which `await` waits is one more.
static bool has_handles(void *expected) { return support_open_descriptors() == *(uint64_t *)expected + 1; }

// MARK: The ends of connections

static void no_half_close(void) {
    struct ends ends;
    gn_error error;
    ends_pair(&ends);
    EXPECT_CODE(gn_channel_half_close(ends.a, &error), error, GN_CODE_UNSUPPORTED);
    ends_finish(&ends);
}

static void abort_destroys(void) {
    struct ends ends;
    gn_outcome outcome;
    gn_error error;
    ends_connect(&ends);
    ends_write(&ends, TOKEN_B, "never read", 10);
    gn_channel_abort(ends.b);
    ends.b = NULL;
    EXPECT(read_all(&ends, TOKEN_A, &outcome, &error) == 0);
    EXPECT_CODE(outcome, error, GN_CODE_RESET);
    ends_finish(&ends);
}

/// Fills the way from one end, closes that end and reads everything at the other.
static void closed_while_pending(bool service) {
    struct ends ends;
    gn_outcome outcome;
    gn_error error;
    ends_connect(&ends);
    gn_channel **closing = service ? &ends.b : &ends.a;
    size_t written = fill_channel(*closing);
    EXPECT(written > GN_WRITE_UNIT);
    gn_channel_close(*closing, ten_seconds);
    *closing = NULL;
    EXPECT(read_all(&ends, service ? TOKEN_A : TOKEN_B, &outcome, &error) == written && outcome == GN_END);
    ends_finish(&ends);
}

static void closed_with_pending_write(void) {
    closed_while_pending(false);
    closed_while_pending(true);
}

static void closed_outside_a_poller(void) {
    struct ends ends;
    gn_outcome outcome;
    gn_error error;
    uint64_t before = support_open_descriptors();
    ends_connect(&ends);
    gn_poller_remove_channel(ends.poller, ends.a);
    size_t written = fill_channel(ends.a);
    gn_channel_close(ends.a, ten_seconds);
    ends.a = NULL;
    EXPECT(read_all(&ends, TOKEN_B, &outcome, &error) == written && outcome == GN_END);
    ends_finish(&ends);
    // The thread pool lets go of the last of it.
    await(has_handles, &before);
}

static void poller_closed_while_leaving(void) {
    struct ends ends;
    gn_poller *other;
    gn_outcome outcome;
    gn_error error;
    uint64_t before = support_open_descriptors();
    ends_listen(&ends, 2);
    EXPECT(gn_poller_open(&other, &error) == GN_DONE && gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(other, ends.a, TOKEN_A, &error) == GN_DONE);
    ends.b = ends_accept(&ends);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    size_t written = fill_channel(ends.a);
    gn_channel_close(ends.a, ten_seconds);
    ends.a = NULL;
    gn_poller_close(other);
    EXPECT(read_all(&ends, TOKEN_B, &outcome, &error) == written && outcome == GN_END);
    ends_finish(&ends);
    await(has_handles, &before);
}

static void drain_has_a_limit(void) {
    struct ends ends;
    gn_outcome outcome;
    gn_error error;
    ends_connect(&ends);
    uint64_t before = support_open_descriptors();
    size_t written = fill_channel(ends.a);
    gn_channel_close(ends.a, 50000000);
    ends.a = NULL;
    // The pipe and its event, given up although nobody reads.
    before -= 2;
    for (unsigned turn = 0; turn < 10000 && support_open_descriptors() != before; turn++) ends_look(&ends, 1000000);
    EXPECT(support_open_descriptors() == before);
    size_t got = read_all(&ends, TOKEN_B, &outcome, &error);
    EXPECT(got < written && (outcome == GN_END || error.code == GN_CODE_RESET));
    ends_finish(&ends);
}

static void aborted_with_pending_write(void) {
    struct ends ends;
    gn_outcome outcome;
    gn_error error;
    for (int turn = 0; turn < 2; turn++) {
        ends_connect(&ends);
        // Once with a packet to come, once with a bridge.
        if (turn == 1) gn_poller_remove_channel(ends.poller, ends.a);
        size_t written = fill_channel(ends.a);
        gn_channel_abort(ends.a);
        ends.a = NULL;
        EXPECT(read_all(&ends, TOKEN_B, &outcome, &error) < written);
        EXPECT(outcome == GN_END || error.code == GN_CODE_RESET);
        ends_finish(&ends);
    }
}

static void reader_gone_while_pending(void) {
    struct ends ends;
    gn_error error;
    gn_span span = {.bytes = "x", .count = 1};
    size_t count;
    ends_connect(&ends);
    (void)fill_channel(ends.a);
    gn_channel_abort(ends.b);
    ends.b = NULL;
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    EXPECT_CODE(gn_channel_write(ends.a, &span, 1, &count, &error), error, GN_CODE_RESET);
    EXPECT_CODE(gn_channel_write(ends.a, &span, 1, &count, &error), error, GN_CODE_RESET);
    ends_finish(&ends);
}

// MARK: Pollers

static void moved_to_another_poller(void) {
    struct ends ends;
    gn_poller *other;
    gn_error error;
    ends_connect(&ends);
    ends_echo(&ends);
    EXPECT(gn_poller_open(&other, &error) == GN_DONE);
    gn_poller_remove_channel(ends.poller, ends.a);
    gn_poller_remove_channel(ends.poller, ends.b);
    gn_poller_remove_listener(ends.poller, ends.listener);
    gn_poller_close(ends.poller);
    ends.poller = other;
    EXPECT(gn_poller_add_channel(other, ends.a, TOKEN_A, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(other, ends.b, TOKEN_B, &error) == GN_DONE);
    EXPECT(gn_poller_add_listener(other, ends.listener, TOKEN_LISTENER, &error) == GN_DONE);
    for (int turn = 0; turn < 50; turn++) ends_echo(&ends);
    size_t written = fill_channel(ends.a);
    static char bytes[4 * 65536];
    EXPECT(written <= sizeof bytes);
    ends_read_exactly(&ends, TOKEN_B, bytes, written);
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    ends_echo(&ends);
    ends_finish(&ends);
}

static void ended_outside_a_poller(void) {
    struct ends ends;
    gn_error error;
    static char bytes[4 * 65536];
    ends_connect(&ends);
    gn_poller_remove_channel(ends.poller, ends.a);
    size_t written = fill_channel(ends.a);
    EXPECT(written <= sizeof bytes);
    ends_read_exactly(&ends, TOKEN_B, bytes, written);
    ends_look(&ends, 20000000);
    EXPECT(gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) == GN_DONE);
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    ends_echo(&ends);
    ends_finish(&ends);
}

static void moved_with_pending_write(void) {
    struct ends ends;
    gn_poller *other, *first;
    gn_error error;
    static char bytes[4 * 65536];
    ends_connect(&ends);
    size_t written = fill_channel(ends.a);
    EXPECT(written <= sizeof bytes && gn_poller_open(&other, &error) == GN_DONE);
    gn_poller_remove_channel(ends.poller, ends.a);
    EXPECT(gn_poller_add_channel(other, ends.a, TOKEN_A, &error) == GN_DONE);
    ends_read_exactly(&ends, TOKEN_B, bytes, written);
    ends_look(&ends, 0);
    // The packet came to the first poller, the news to the second.
    first = ends.poller;
    ends.poller = other;
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    gn_channel_abort(ends.a);
    ends.a = NULL;
    ends.poller = first;
    gn_poller_close(other);
    ends_finish(&ends);
}

static void full_doorbell(void) {
    struct ends ends;
    gn_doorbell *doorbell;
    gn_error error;
    ends_pair(&ends);
    EXPECT(gn_doorbell_create(ends.a, &doorbell, &error) == GN_DONE);
    size_t written = fill_channel(ends.a), got = 0;
    for (int turn = 0; turn < 1000; turn++) gn_doorbell_ring(doorbell);
    static char bytes[4096];
    for (size_t count; got < written; got += count) EXPECT(ends_read(&ends, TOKEN_B, bytes, sizeof bytes, &count, &error) == GN_DONE);
    EXPECT(got == written);
    gn_doorbell_close(doorbell);
    ends_finish(&ends);
}

void suite_endings(void) {
    check("half a close is unsupported", no_half_close);
    check("a service that aborts destroys what was not read", abort_destroys);
    check("closing lets a pending write leave, whichever end it is", closed_with_pending_write);
    check("closing outside a poller lets a pending write leave", closed_outside_a_poller);
    check("a write leaves although its poller is closed, which does not wait for it", poller_closed_while_leaving);
    check("a peer that reads nothing holds up a closed channel no longer than the limit", drain_has_a_limit);
    check("aborting cancels a pending write", aborted_with_pending_write);
    check("a pending write whose reader goes is a reset on the next one", reader_gone_while_pending);
    check("channels and listeners move from one poller to another", moved_to_another_poller);
    check("a write that ended outside a poller is told to the next one", ended_outside_a_poller);
    check("the end of a pending write is told to the poller the channel has moved to", moved_with_pending_write);
    check("ringing on a full channel does not block", full_doorbell);
}
