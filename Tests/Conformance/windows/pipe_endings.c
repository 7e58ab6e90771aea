// How the ends of pipes differ from those of sockets: nothing is half closed, and what was not read goes with the end that wrote it.
#include "windows_support.h"

/// Reads until there is no more; the number of bytes, and how it ended.
static size_t read_all(struct ends *ends, uint64_t token, gn_outcome *outcome, gn_error *error) {
    static char bytes[65536];
    for (size_t total = 0, count;; total += count) {
        *outcome = ends_read(ends, token, bytes, sizeof bytes, &count, error);
        if (*outcome != GN_DONE) return total;
    }
}

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

static void drain_has_a_limit(void) {
    struct ends ends;
    gn_outcome outcome;
    gn_error error;
    ends_connect(&ends);
    uint64_t before = support_open_descriptors();
    size_t written = ends_fill(&ends, TOKEN_A);
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
        size_t written = ends_fill(&ends, TOKEN_A);
        gn_channel_abort(ends.a);
        ends.a = NULL;
        EXPECT(read_all(&ends, TOKEN_B, &outcome, &error) < written);
        EXPECT(outcome == GN_END || error.code == GN_CODE_RESET);
        ends_finish(&ends);
    }
}

void suite_pipe_endings(void) {
    check("half a close is unsupported", no_half_close);
    check("a service that aborts destroys what was not read", abort_destroys);
    check("a peer that reads nothing holds up a closed channel no longer than the limit", drain_has_a_limit);
    check("aborting cancels a pending write", aborted_with_pending_write);
}
