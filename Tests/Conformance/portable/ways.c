// The two ways in which descriptors reach a peer: a platform has one of them, and says so for the other.
#include "check.h"
#include "support.h"

enum { SIZE = 1 << 16 };

static void one_way_only(void) {
    struct ends ends;
    gn_error error;
    uint64_t number = 0;
    gn_handle claimed = GN_NO_HANDLE;
    size_t count = 0;
    ends_pair(&ends);
    gn_segment *segment = segment_create(SIZE);
    gn_handle handle = gn_segment_handle(segment);
    gn_span span = {.bytes = "h", .count = 1};
    if (gn_handles_travel()) {
        EXPECT_CODE(gn_channel_lend_handle(ends.a, handle, &number, &error), error, GN_CODE_UNSUPPORTED);
        EXPECT_CODE(gn_handle_claim((uint64_t)handle, &claimed, &error), error, GN_CODE_UNSUPPORTED);
    } else {
        EXPECT_CODE(gn_channel_write_handles(ends.a, &span, 1, &handle, 1, &count, &error), error, GN_CODE_UNSUPPORTED);
    }
    EXPECT(number == 0 && claimed == GN_NO_HANDLE && count == 0);
    gn_segment_close(segment);
    ends_finish(&ends);
}

/// Over to the other end, in the way there is.
static gn_handle hand_over(struct ends *ends, gn_handle handle) {
    gn_handle taken = GN_NO_HANDLE;
    gn_error error;
    uint64_t number;
    if (gn_handles_travel()) {
        support_send(ends, TOKEN_A, 0, &handle, 1);
        support_take(ends, TOKEN_B, &taken, 1);
        return taken;
    }
    EXPECT(gn_channel_lend_handle(ends->a, handle, &number, &error) == GN_DONE);
    ends_write(ends, TOKEN_A, &number, sizeof number);
    number = 0;
    ends_read_exactly(ends, TOKEN_B, &number, sizeof number);
    EXPECT(gn_handle_claim(number, &taken, &error) == GN_DONE);
    return taken;
}

static void a_segment_arrives(void) {
    struct ends ends;
    gn_error error;
    gn_segment *adopted;
    ends_pair(&ends);
    gn_channel_accept_handles(ends.b);
    gn_segment *segment = segment_create(SIZE);
    for (int turn = 0; turn < 3; turn++) {
        gn_handle taken = hand_over(&ends, gn_segment_handle(segment));
        EXPECT(taken != gn_segment_handle(segment));
        EXPECT(gn_segment_adopt(taken, SIZE, &adopted, &error) == GN_DONE);
        // What was taken over is not to be sent on.
        EXPECT(gn_segment_handle(adopted) == GN_NO_HANDLE);
        ((char *)gn_segment_bytes(segment))[SIZE - 1] = (char)('a' + turn);
        EXPECT(((char *)gn_segment_bytes(adopted))[SIZE - 1] == (char)('a' + turn));
        gn_segment_close(adopted);
    }
    // What was taken and is not wanted is closed.
    gn_handle_close(hand_over(&ends, gn_segment_handle(segment)));
    gn_segment_close(segment);
    ends_finish(&ends);
}

void suite_ways(void) {
    check("descriptors travel beside bytes or are lent as numbers, one of the two", one_way_only);
    check("a segment arrives in the way there is, as often as it is sent", a_segment_arrives);
}
