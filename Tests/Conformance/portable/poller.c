// The poller: events after would-block, hang-ups, removal, time-outs and wakes.
#include "check.h"
#include "support.h"

#include <stdatomic.h>
#include <stdlib.h>

static const uint64_t ten_seconds = 10000000000u;

static size_t wait_for(gn_poller *poller, gn_event *events, size_t capacity, uint64_t timeout_ns) {
    size_t count = 99;
    gn_error error;
    EXPECT(gn_poller_wait(poller, events, capacity, timeout_ns, &count, &error) == GN_DONE);
    EXPECT(count <= capacity);
    return count;
}

static void nothing_happens(void) {
    struct ends ends;
    char byte;
    size_t count;
    bool drained;
    gn_error error;
    ends_pair(&ends);
    EXPECT(gn_channel_read(ends.b, &byte, 1, &count, &drained, &error) == GN_WOULD_BLOCK);
    ends_look(&ends, 0);
    EXPECT(ends.seen[TOKEN_B] == 0);
    ends_finish(&ends);
}

static void readable_after_would_block(void) {
    struct ends ends;
    char byte;
    size_t count;
    bool drained;
    gn_error error;
    ends_pair(&ends);
    // Again and again: each would-block is answered by an event of its own.
    for (int turn = 0; turn < 100; turn++) {
        EXPECT(gn_channel_read(ends.b, &byte, 1, &count, &drained, &error) == GN_WOULD_BLOCK);
        ends.seen[TOKEN_B] = 0;
        ends_write(&ends, TOKEN_A, "x", 1);
        ends_await(&ends, TOKEN_B, GN_EVENT_READABLE);
        EXPECT(gn_channel_read(ends.b, &byte, 1, &count, &drained, &error) == GN_DONE);
    }
    ends_finish(&ends);
}

static void hangup(void) {
    struct ends ends;
    char bytes[64];
    size_t count;
    bool drained;
    gn_error error;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "bye", 3);
    gn_channel_close(ends.a, ten_seconds);
    ends.a = NULL;
    // Read only when told to, and stop only when told to.
    for (gn_outcome outcome = GN_WOULD_BLOCK; outcome != GN_END;) {
        ends_await(&ends, TOKEN_B, GN_EVENT_READABLE | GN_EVENT_HANGUP);
        do {
            outcome = gn_channel_read(ends.b, bytes, sizeof bytes, &count, &drained, &error);
            EXPECT(outcome != GN_FAILED);
        } while (outcome == GN_DONE && !drained);
    }
    ends_finish(&ends);
}

static void blocked_before_added(void) {
    struct ends ends;
    gn_error error;
    static char bytes[65536];
    ends_pair(&ends);
    gn_poller_remove_channel(ends.poller, ends.a);
    gn_span span = {.bytes = bytes, .count = sizeof bytes};
    size_t count, total = 0;
    while (gn_channel_write(ends.a, &span, 1, &count, &error) == GN_DONE) total += count;
    EXPECT(gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) == GN_DONE);
    while (total > 0) {
        EXPECT(ends_read(&ends, TOKEN_B, bytes, sizeof bytes, &count, &error) == GN_DONE);
        total -= count;
    }
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    ends_finish(&ends);
}

static void removed_is_silent(void) {
    struct ends ends;
    gn_error error;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "x", 1);
    gn_poller_remove_channel(ends.poller, ends.b);
    ends_look(&ends, 0);
    EXPECT(ends.seen[TOKEN_B] == 0);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    char byte;
    ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    ends_finish(&ends);
}

static void closed_is_silent(void) {
    struct ends ends;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "x", 1);
    gn_channel_abort(ends.b);
    ends.b = NULL;
    ends_look(&ends, 0);
    EXPECT(ends.seen[TOKEN_B] == 0);
    ends_finish(&ends);
}

static void added_twice(void) {
    struct ends ends;
    gn_error error;
    gn_poller *other;
    ends_pair(&ends);
    EXPECT(poller_open(&other, &error) == GN_DONE);
    EXPECT_CODE(gn_poller_add_channel(ends.poller, ends.a, 9, &error), error, GN_CODE_EXISTS);
    EXPECT_CODE(gn_poller_add_channel(other, ends.a, 9, &error), error, GN_CODE_EXISTS);
    gn_poller_close(other);
    ends_finish(&ends);
}

static void tokens(void) {
    enum { PAIRS = 20 };
    gn_poller *poller;
    gn_channel *first[PAIRS], *second[PAIRS];
    gn_error error;
    gn_event event;
    bool seen[PAIRS] = {false};
    EXPECT(poller_open(&poller, &error) == GN_DONE);
    for (size_t i = 0; i < PAIRS; i++) {
        char byte;
        size_t count;
        bool drained;
        gn_span span = {.bytes = "x", .count = 1};
        EXPECT(gn_channel_pair(&first[i], &second[i], &error) == GN_DONE);
        EXPECT(gn_poller_add_channel(poller, second[i], i == 0 ? UINT64_MAX - 1 : i - 1, &error) == GN_DONE);
        EXPECT(gn_channel_read(second[i], &byte, 1, &count, &drained, &error) == GN_WOULD_BLOCK);
        EXPECT(gn_channel_write(first[i], &span, 1, &count, &error) == GN_DONE);
    }
    // One event at a time: nobody is forgotten because the room was small.
    for (size_t found = 0; found < PAIRS;) {
        EXPECT(wait_for(poller, &event, 1, ten_seconds) == 1);
        size_t index = event.token == UINT64_MAX - 1 ? 0 : (size_t)event.token + 1;
        EXPECT(index < PAIRS);
        if (!seen[index]) found++;
        seen[index] = true;
    }
    for (size_t i = 0; i < PAIRS; i++) {
        gn_channel_abort(first[i]);
        gn_channel_abort(second[i]);
    }
    gn_poller_close(poller);
}

static void timeouts(void) {
    gn_poller *poller;
    gn_error error;
    gn_event event;
    const uint64_t times[] = {0, 1, 200000, 1000000, 3500000};
    EXPECT(poller_open(&poller, &error) == GN_DONE);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        uint64_t begun = gn_clock_awake();
        EXPECT(wait_for(poller, &event, 1, times[i]) == 0);
        EXPECT(gn_clock_awake() - begun >= times[i]);
    }
    gn_poller_close(poller);
}

static void wake_beforehand(void) {
    gn_poller *poller;
    gn_error error;
    gn_event event;
    EXPECT(poller_open(&poller, &error) == GN_DONE);
    for (int turn = 0; turn < 100; turn++) {
        gn_poller_wake(poller);
        gn_poller_wake(poller);
        EXPECT(wait_for(poller, &event, 1, GN_WAIT_FOR_EVER) == 0);
    }
    gn_poller_close(poller);
}

struct waker {
    gn_poller *poller, *back;
    atomic_uint turns;
};

static void answer_wakes(void *argument) {
    struct waker *waker = argument;
    gn_event event;
    size_t count;
    gn_error error;
    for (unsigned turn = 1; turn <= 2000; turn++) {
        while (atomic_load(&waker->turns) < 2 * turn - 1) (void)gn_poller_wait(waker->back, &event, 1, GN_WAIT_FOR_EVER, &count, &error);
        atomic_store(&waker->turns, 2 * turn);
        gn_poller_wake(waker->poller);
    }
}

static void wake_from_another_thread(void) {
    struct waker waker = {0};
    gn_thread *thread;
    gn_error error;
    gn_event event;
    EXPECT(poller_open(&waker.poller, &error) == GN_DONE);
    EXPECT(poller_open(&waker.back, &error) == GN_DONE);
    EXPECT(gn_thread_start("waker", 0, answer_wakes, &waker, &thread, &error) == GN_DONE);
    // Each turn needs a wake in both directions: one that got lost would stop the game for ever.
    for (unsigned turn = 1; turn <= 2000; turn++) {
        atomic_store(&waker.turns, 2 * turn - 1);
        gn_poller_wake(waker.back);
        while (atomic_load(&waker.turns) < 2 * turn) (void)wait_for(waker.poller, &event, 1, GN_WAIT_FOR_EVER);
    }
    gn_thread_join(thread);
    gn_poller_close(waker.back);
    gn_poller_close(waker.poller);
}

// MARK: Writing on one thread, waiting on another

enum { STREAM = 16 << 20 };

struct writer {
    gn_channel *channel;
    gn_poller *bell;      ///< rung when the channel is writable
    atomic_uint writable; ///< events so far
    atomic_bool failed;
};

static void write_stream(void *argument) {
    struct writer *writer = argument;
    static char bytes[32768];
    for (size_t done = 0; done < STREAM && !atomic_load(&writer->failed);) {
        unsigned before = atomic_load(&writer->writable);
        gn_span span = {.bytes = bytes, .count = STREAM - done < sizeof bytes ? STREAM - done : sizeof bytes};
        size_t count = 0;
        gn_error error;
        gn_event event;
        gn_outcome outcome = gn_channel_write(writer->channel, &span, 1, &count, &error);
        if (outcome == GN_FAILED) atomic_store(&writer->failed, true);
        if (outcome == GN_DONE) done += count;
        while (outcome == GN_WOULD_BLOCK && atomic_load(&writer->writable) == before) {
            (void)gn_poller_wait(writer->bell, &event, 1, GN_WAIT_FOR_EVER, &count, &error);
        }
    }
}

static void write_while_another_waits(void) {
    struct ends ends;
    struct writer writer = {0};
    gn_thread *thread;
    gn_error error;
    char bytes[4096];
    ends_pair(&ends);
    writer.channel = ends.a;
    EXPECT(poller_open(&writer.bell, &error) == GN_DONE);
    EXPECT(gn_thread_start("writer", 0, write_stream, &writer, &thread, &error) == GN_DONE);
    size_t total = 0;
    while (total < STREAM && !atomic_load(&writer.failed)) {
        size_t count;
        bool drained;
        gn_outcome outcome = gn_channel_read(ends.b, bytes, sizeof bytes, &count, &drained, &error);
        if (outcome == GN_DONE) total += count;
        else if (outcome == GN_WOULD_BLOCK) ends_look(&ends, ten_seconds);
        else break;
        if (total % 65536 < 4096) ends_look(&ends, 0);
        if ((ends.seen[TOKEN_A] & GN_EVENT_WRITABLE) != 0) {
            ends.seen[TOKEN_A] = 0;
            atomic_fetch_add(&writer.writable, 1);
            gn_poller_wake(writer.bell);
        }
    }
    atomic_fetch_add(&writer.writable, 1);
    gn_poller_wake(writer.bell);
    gn_thread_join(thread);
    EXPECT(total == STREAM && !atomic_load(&writer.failed));
    gn_poller_close(writer.bell);
    ends_finish(&ends);
}

void suite_poller(void) {
    check("no event comes for a channel on which nothing happens", nothing_happens);
    check("an event comes each time a read has blocked and there is something to read", readable_after_would_block);
    check("a hang-up is reported, and reading on until it is drained finds the end", hangup);
    check("a write that blocked before the channel was added is answered", blocked_before_added);
    check("a channel that was removed reports nothing until it is added again", removed_is_silent);
    check("a channel that was closed reports nothing", closed_is_silent);
    check("a channel cannot be added twice", added_twice);
    check("every token comes back, also when there is room for one event only", tokens);
    check("a wait without events takes at least its time", timeouts);
    check("a wake before a wait ends it at once", wake_beforehand);
    check("no wake from another thread is lost", wake_from_another_thread);
    check("one thread may write while another reads and waits", write_while_another_waits);
}
