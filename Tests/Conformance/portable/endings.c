// How connections end while writes are pending.
#include "check.h"
#include "support.h"

static const uint64_t ten_seconds = 10000000000u;

/// Fills the way from one end, closes that end and reads everything at the other.
static void closed_while_pending(uint64_t closing, uint64_t reading) {
    struct ends ends;
    ends_connect(&ends);
    size_t written = ends_fill(&ends, closing);
    gn_channel **channel = closing == TOKEN_A ? &ends.a : &ends.b;
    EXPECT(written > 0);
    gn_channel_close(*channel, ten_seconds);
    *channel = NULL;
    EXPECT(ends_read_to_end(&ends, reading) == written);
    ends_finish(&ends);
}

static void closed_with_pending_write(void) {
    closed_while_pending(TOKEN_A, TOKEN_B);
    closed_while_pending(TOKEN_B, TOKEN_A);
}

static void closed_outside_a_poller(void) {
    struct ends ends;
    ends_listen(&ends, 16);
    uint64_t before = support_open_descriptors();
    gn_error error;
    EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
    ends_accept_b(&ends);
    size_t written = ends_fill(&ends, TOKEN_A);
    gn_channel_close(ends.a, ten_seconds);
    ends.a = NULL;
    EXPECT(ends_read_to_end(&ends, TOKEN_B) == written);
    gn_channel_abort(ends.b);
    ends.b = NULL;
    ends_await_descriptors(&ends, before);
    ends_finish(&ends);
}

static void poller_closed_while_leaving(void) {
    struct ends ends;
    gn_poller *other;
    gn_error error;
    ends_listen(&ends, 2);
    uint64_t before = support_open_descriptors();
    EXPECT(poller_open(&other, &error) == GN_DONE && gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(other, ends.a, TOKEN_A, &error) == GN_DONE);
    ends_accept_b(&ends);
    size_t written = ends_fill(&ends, TOKEN_A);
    gn_channel_close(ends.a, ten_seconds);
    ends.a = NULL;
    gn_poller_close(other);
    EXPECT(ends_read_to_end(&ends, TOKEN_B) == written);
    gn_channel_abort(ends.b);
    ends.b = NULL;
    ends_await_descriptors(&ends, before);
    ends_finish(&ends);
}

static void nothing_is_left(void) {
    struct ends ends;
    gn_error error;
    ends_listen(&ends, 2);
    uint64_t before = support_open_descriptors();
    for (int turn = 0; turn < 500; turn++) {
        EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
        EXPECT(gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) == GN_DONE);
        ends_accept_b(&ends);
        if (turn % 50 == 0) (void)ends_fill(&ends, TOKEN_A);
        else ends_echo(&ends);
        if (turn % 2 == 0) gn_channel_abort(ends.a);
        else gn_channel_close(ends.a, ten_seconds);
        gn_channel_abort(ends.b);
        ends.a = ends.b = NULL;
    }
    ends_await_descriptors(&ends, before);
    ends_finish(&ends);
}

void suite_endings(void) {
    check("closing lets a pending write leave, whichever end it is", closed_with_pending_write);
    check("closing outside a poller lets a pending write leave", closed_outside_a_poller);
    check("a write leaves although its poller is closed, which does not wait for it", poller_closed_while_leaving);
    check("after 500 connections, pending writes among them, nothing of them is open", nothing_is_left);
}
