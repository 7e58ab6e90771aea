// Events at the edges: how often they come, and what is heard of a peer that goes.
#include "check.h"
#include "support.h"

static void one_event_per_edge(void) {
    struct ends ends;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "x", 1);
    ends_await(&ends, TOKEN_B, GN_EVENT_READABLE);
    ends_look(&ends, 0);
    EXPECT(ends.seen[TOKEN_B] == 0);
    ends_discard(&ends, TOKEN_B, 1);
    ends_write(&ends, TOKEN_A, "y", 1);
    ends_discard(&ends, TOKEN_B, 1);
    ends_finish(&ends);
}

static void unread_news_are_told_once(void) {
    struct ends ends;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "x", 1);
    ends_await(&ends, TOKEN_B, GN_EVENT_READABLE);
    ends_look(&ends, 0);
    // A wait would never end by itself if it were told again what it was told.
    for (int turn = 0; turn < 2; turn++) {
        uint64_t begun = gn_clock_awake();
        ends_look(&ends, 2000000);
        EXPECT(ends.seen[TOKEN_B] == 0 && gn_clock_awake() - begun >= 2000000);
    }
    ends_finish(&ends);
}

static void writable_only_when_asked(void) {
    struct ends ends;
    ends_pair(&ends);
    for (int turn = 0; turn < 10; turn++) {
        ends_write(&ends, TOKEN_A, "x", 1);
        ends_discard(&ends, TOKEN_B, 1);
        ends_look(&ends, 0);
    }
    EXPECT(((ends.seen[TOKEN_A] | ends.seen[TOKEN_B]) & GN_EVENT_WRITABLE) == 0);
    ends_finish(&ends);
}

static void unblocked_writer_is_left_alone(void) {
    struct ends ends;
    ends_pair(&ends);
    ends_discard(&ends, TOKEN_B, ends_fill(&ends, TOKEN_A));
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    for (int turn = 0; turn < 10; turn++) {
        ends_write(&ends, TOKEN_A, "x", 1);
        ends_discard(&ends, TOKEN_B, 1);
        ends_look(&ends, 0);
    }
    EXPECT((ends.seen[TOKEN_A] & GN_EVENT_WRITABLE) == 0);
    ends_finish(&ends);
}

static void not_drained_after_hangup(void) {
    struct ends ends;
    char bytes[64];
    size_t count;
    bool drained;
    gn_error error;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "last words", 10);
    gn_channel_close(ends.a, 1000000000u);
    ends.a = NULL;
    ends_await(&ends, TOKEN_B, GN_EVENT_READABLE | GN_EVENT_HANGUP);
    EXPECT(gn_channel_read(ends.b, bytes, sizeof bytes, &count, &drained, &error) == GN_DONE && count == 10);
    // Drained or not, whoever waits for an event hears of the end.
    EXPECT(!drained || (ends.seen[TOKEN_B] & GN_EVENT_HANGUP) == 0);
    if (drained) ends_await(&ends, TOKEN_B, GN_EVENT_READABLE | GN_EVENT_HANGUP);
    EXPECT(ends_read(&ends, TOKEN_B, bytes, sizeof bytes, &count, &error) == GN_END);
    ends_finish(&ends);
}

static void blocked_writer_hears_of_the_end(void) {
    struct ends ends;
    gn_span span = {.bytes = "x", .count = 1};
    size_t count;
    gn_error error;
    ends_connect(&ends);
    (void)ends_fill(&ends, TOKEN_A);
    gn_channel_abort(ends.b);
    ends.b = NULL;
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    for (int turn = 0; turn < 2; turn++) EXPECT_CODE(gn_channel_write(ends.a, &span, 1, &count, &error), error, GN_CODE_RESET);
    ends_finish(&ends);
}

void suite_edges(void) {
    check("an event comes once until something new happens", one_event_per_edge);
    check("bytes that nobody reads are told once, and waiting goes on", unread_news_are_told_once);
    check("nobody hears of writing who was not told to wait", writable_only_when_asked);
    check("a writer that was blocked and is not any more hears nothing of its peer's reading", unblocked_writer_is_left_alone);
    check("after a hang-up the end is heard, and a short read does not hide it", not_drained_after_hangup);
    check("a blocked writer hears that its peer has gone, and each write is a reset", blocked_writer_hears_of_the_end);
}
