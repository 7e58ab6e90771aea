// Channels and listeners that move from one poller to another.
#include "check.h"
#include "support.h"

static void moved_to_another_poller(void) {
    struct ends ends;
    gn_poller *other;
    gn_error error;
    ends_connect(&ends);
    ends_echo(&ends);
    EXPECT(poller_open(&other, &error) == GN_DONE);
    gn_poller_remove_channel(ends.poller, ends.a);
    gn_poller_remove_channel(ends.poller, ends.b);
    gn_poller_remove_listener(ends.poller, ends.listener);
    gn_poller_close(ends.poller);
    ends.poller = other;
    EXPECT(gn_poller_add_channel(other, ends.a, TOKEN_A, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(other, ends.b, TOKEN_B, &error) == GN_DONE);
    EXPECT(gn_poller_add_listener(other, ends.listener, TOKEN_LISTENER, &error) == GN_DONE);
    for (int turn = 0; turn < 50; turn++) ends_echo(&ends);
    ends_discard(&ends, TOKEN_B, ends_fill(&ends, TOKEN_A));
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    ends_echo(&ends);
    ends_finish(&ends);
}

static void unblocked_outside_a_poller(void) {
    struct ends ends;
    gn_error error;
    ends_connect(&ends);
    gn_poller_remove_channel(ends.poller, ends.a);
    ends_discard(&ends, TOKEN_B, ends_fill(&ends, TOKEN_A));
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
    ends_connect(&ends);
    size_t written = ends_fill(&ends, TOKEN_A);
    EXPECT(poller_open(&other, &error) == GN_DONE);
    gn_poller_remove_channel(ends.poller, ends.a);
    EXPECT(gn_poller_add_channel(other, ends.a, TOKEN_A, &error) == GN_DONE);
    ends_discard(&ends, TOKEN_B, written);
    ends_look(&ends, 0);
    // What the first poller has still to do with it is its own affair; the second tells.
    first = ends.poller;
    ends.poller = other;
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    gn_channel_abort(ends.a);
    ends.a = NULL;
    ends.poller = first;
    gn_poller_close(other);
    ends_finish(&ends);
}

void suite_moves(void) {
    check("channels and listeners move from one poller to another", moved_to_another_poller);
    check("a writer that was unblocked outside a poller is told by the next one", unblocked_outside_a_poller);
    check("a writer that is unblocked after it has moved is told by the poller it has moved to", moved_with_pending_write);
}
