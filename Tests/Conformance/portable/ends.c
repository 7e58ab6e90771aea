// Two ends and a poller: see support.h.
#include "check.h"
#include "support.h"

#include <stdlib.h>

static const uint64_t ten_seconds = 10000000000u;

gn_poller_kind poller_kind = GN_POLLER_QUEUE;

gn_outcome poller_open(gn_poller **poller, gn_error *error) { return gn_poller_open(poller_kind, poller, error); }

static void add(struct ends *ends, gn_channel *channel, uint64_t token) {
    gn_error error;
    EXPECT(gn_poller_add_channel(ends->poller, channel, token, &error) == GN_DONE);
}

static void begin(struct ends *ends) {
    gn_error error;
    memset(ends, 0, sizeof *ends);
    EXPECT(poller_open(&ends->poller, &error) == GN_DONE);
}

void ends_pair(struct ends *ends) {
    gn_error error;
    begin(ends);
    EXPECT(gn_channel_pair(&ends->a, &ends->b, &error) == GN_DONE);
    add(ends, ends->a, TOKEN_A);
    add(ends, ends->b, TOKEN_B);
}

void ends_listen(struct ends *ends, int backlog) {
    gn_error error;
    gn_endpoint_facts facts;
    gn_listen_options options;
    begin(ends);
    support_endpoint(ends->path, &options);
    options.backlog = backlog;
    EXPECT(gn_listener_open(&options, &ends->listener, &facts, &error) == GN_DONE);
    EXPECT(gn_poller_add_listener(ends->poller, ends->listener, TOKEN_LISTENER, &error) == GN_DONE);
}

void ends_connect(struct ends *ends) {
    gn_error error;
    ends_listen(ends, 16);
    EXPECT(gn_channel_connect(ends->path, &ends->a, &error) == GN_DONE);
    add(ends, ends->a, TOKEN_A);
    ends->b = ends_accept(ends);
    add(ends, ends->b, TOKEN_B);
}

void ends_finish(struct ends *ends) {
    if (ends->a != NULL) gn_channel_abort(ends->a);
    if (ends->b != NULL) gn_channel_abort(ends->b);
    if (ends->listener != NULL) gn_listener_close(ends->listener);
    gn_poller_close(ends->poller);
    if (ends->path[0] != 0) support_endpoint_remove(ends->path);
    memset(ends, 0, sizeof *ends);
}

void ends_look(struct ends *ends, uint64_t timeout_ns) {
    gn_event events[8];
    size_t count = 0;
    gn_error error;
    EXPECT(gn_poller_wait(ends->poller, events, 8, timeout_ns, &count, &error) == GN_DONE);
    for (size_t i = 0; i < count; i++) {
        EXPECT(events[i].token >= TOKEN_A && events[i].token <= TOKEN_LISTENER);
        ends->seen[events[i].token] |= events[i].kind;
    }
}

void ends_await(struct ends *ends, uint64_t token, uint32_t kinds) {
    uint64_t begun = gn_clock_awake();
    while ((ends->seen[token] & kinds) == 0) {
        EXPECT(gn_clock_awake() - begun < ten_seconds);
        ends_look(ends, ten_seconds);
    }
    ends->seen[token] &= ~kinds;
}

gn_outcome ends_read(struct ends *ends, uint64_t token, void *bytes, size_t capacity, size_t *count, gn_error *error) {
    for (;;) {
        bool drained;
        gn_outcome outcome = gn_channel_read(token == TOKEN_A ? ends->a : ends->b, bytes, capacity, count, &drained, error);
        if (outcome != GN_WOULD_BLOCK) return outcome;
        ends_await(ends, token, GN_EVENT_READABLE | GN_EVENT_HANGUP);
    }
}

void ends_read_exactly(struct ends *ends, uint64_t token, void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        size_t part;
        gn_error error;
        EXPECT(ends_read(ends, token, (char *)bytes + done, count - done, &part, &error) == GN_DONE);
        done += part;
    }
}

size_t ends_read_to_end(struct ends *ends, uint64_t token) {
    char bytes[4096];
    for (size_t total = 0;;) {
        size_t part;
        gn_error error;
        gn_outcome outcome = ends_read(ends, token, bytes, sizeof bytes, &part, &error);
        if (outcome == GN_END) return total;
        EXPECT(outcome == GN_DONE);
        total += part;
    }
}

void ends_write(struct ends *ends, uint64_t token, const void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        gn_span span = {.bytes = (const char *)bytes + done, .count = count - done};
        size_t part;
        gn_error error;
        gn_outcome outcome = gn_channel_write(token == TOKEN_A ? ends->a : ends->b, &span, 1, &part, &error);
        if (outcome == GN_WOULD_BLOCK) {
            ends_await(ends, token, GN_EVENT_WRITABLE);
            continue;
        }
        EXPECT(outcome == GN_DONE && part >= 1 && part <= span.count);
        done += part;
    }
}

gn_channel *ends_accept(struct ends *ends) {
    for (;;) {
        gn_channel *channel;
        gn_error error;
        gn_outcome outcome = gn_listener_accept(ends->listener, &channel, &error);
        if (outcome == GN_DONE) return channel;
        EXPECT(outcome == GN_WOULD_BLOCK);
        ends_await(ends, TOKEN_LISTENER, GN_EVENT_READABLE);
    }
}

size_t ends_fill(struct ends *ends, uint64_t token) {
    static const char bytes[65536];
    for (size_t total = 0;;) {
        gn_span span = {.bytes = bytes, .count = sizeof bytes};
        size_t count;
        gn_error error;
        gn_outcome outcome = gn_channel_write(token == TOKEN_A ? ends->a : ends->b, &span, 1, &count, &error);
        if (outcome == GN_WOULD_BLOCK) return total;
        EXPECT(outcome == GN_DONE);
        total += count;
    }
}

void ends_discard(struct ends *ends, uint64_t token, size_t count) {
    static char bytes[4096];
    for (size_t done = 0; done < count;) {
        size_t part;
        gn_error error;
        EXPECT(ends_read(ends, token, bytes, count - done < sizeof bytes ? count - done : sizeof bytes, &part, &error) == GN_DONE);
        done += part;
    }
}

void ends_echo(struct ends *ends) {
    char bytes[4];
    ends_write(ends, TOKEN_A, "ping", 4);
    ends_read_exactly(ends, TOKEN_B, bytes, 4);
    ends_write(ends, TOKEN_B, "pong", 4);
    ends_read_exactly(ends, TOKEN_A, bytes, 4);
    EXPECT(memcmp(bytes, "pong", 4) == 0);
}

void ends_accept_b(struct ends *ends) {
    ends->b = ends_accept(ends);
    add(ends, ends->b, TOKEN_B);
}

void ends_await_descriptors(struct ends *ends, uint64_t count) {
    for (unsigned turn = 0; turn < 10000 && support_open_descriptors() != count; turn++) ends_look(ends, 1000000);
    EXPECT(support_open_descriptors() == count);
}
