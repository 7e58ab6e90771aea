// Listeners: connecting, accepting, refusing, and what can be seen from outside.
#include "check.h"
#include "support.h"

static void connect_and_talk(void) {
    struct ends ends;
    char bytes[5];
    ends_connect(&ends);
    ends_write(&ends, TOKEN_A, "hello", 5);
    ends_read_exactly(&ends, TOKEN_B, bytes, 5);
    EXPECT(memcmp(bytes, "hello", 5) == 0);
    ends_write(&ends, TOKEN_B, "world", 5);
    ends_read_exactly(&ends, TOKEN_A, bytes, 5);
    EXPECT(memcmp(bytes, "world", 5) == 0);
    ends_finish(&ends);
}

static void bytes_before_accept(void) {
    struct ends ends;
    gn_error error;
    char bytes[5];
    ends_listen(&ends, 16);
    EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) == GN_DONE);
    ends_write(&ends, TOKEN_A, "early", 5);
    ends.b = ends_accept(&ends);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    ends_read_exactly(&ends, TOKEN_B, bytes, 5);
    EXPECT(memcmp(bytes, "early", 5) == 0);
    ends_finish(&ends);
}

static void nobody_waits(void) {
    struct ends ends;
    gn_error error;
    gn_channel *channel;
    ends_listen(&ends, 16);
    EXPECT(gn_listener_accept(ends.listener, &channel, &error) == GN_WOULD_BLOCK);
    EXPECT(gn_listener_refuse(ends.listener, "no", 2, &error) == GN_WOULD_BLOCK);
    ends_look(&ends, 0);
    EXPECT(ends.seen[TOKEN_LISTENER] == 0);
    ends_finish(&ends);
}

static void event_after_would_block(void) {
    struct ends ends;
    gn_error error;
    gn_channel *channel;
    ends_listen(&ends, 16);
    for (int turn = 0; turn < 20; turn++) {
        EXPECT(gn_listener_accept(ends.listener, &channel, &error) == GN_WOULD_BLOCK);
        ends.seen[TOKEN_LISTENER] = 0;
        EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
        ends_await(&ends, TOKEN_LISTENER, GN_EVENT_READABLE);
        channel = ends_accept(&ends);
        gn_channel_abort(channel);
        gn_channel_abort(ends.a);
        ends.a = NULL;
    }
    ends_finish(&ends);
}

static void nobody_listens(void) {
    char path[512];
    gn_listen_options options;
    gn_channel *channel;
    gn_error error;
    support_endpoint(path, &options);
    EXPECT_CODE(gn_channel_connect(path, &channel, &error), error, GN_CODE_NOT_FOUND);
    EXPECT(error.operation != NULL && error.native != 0);
    EXPECT_CODE(gn_channel_connect("", &channel, &error), error, GN_CODE_INVALID);
}

static void name_is_free_after_close(void) {
    char path[512];
    gn_listen_options options;
    gn_listener *listener;
    gn_channel *channel;
    gn_endpoint_facts facts;
    gn_error error;
    support_endpoint(path, &options);
    for (int turn = 0; turn < 20; turn++) {
        EXPECT(gn_listener_open(&options, &listener, &facts, &error) == GN_DONE);
        gn_listener_close(listener);
        EXPECT_CODE(gn_channel_connect(path, &channel, &error), error, GN_CODE_NOT_FOUND);
    }
    support_endpoint_remove(path);
}

static void second_service(void) {
    struct ends ends;
    char path[512];
    gn_listen_options options;
    gn_listener *second;
    gn_endpoint_facts facts;
    gn_error error;
    ends_connect(&ends);
    support_endpoint(path, &options);
    options.path = ends.path;
    EXPECT_CODE(gn_listener_open(&options, &second, &facts, &error), error, GN_CODE_BUSY);
    // The first goes on undisturbed.
    char byte;
    ends_write(&ends, TOKEN_A, "x", 1);
    ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    gn_channel_abort(ends.a);
    EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
    gn_channel_abort(ends_accept(&ends));
    ends_finish(&ends);
}

static void come_and_gone(void) {
    struct ends ends;
    gn_error error;
    gn_channel *channel;
    char byte;
    size_t count;
    ends_listen(&ends, 16);
    EXPECT(gn_channel_connect(ends.path, &channel, &error) == GN_DONE);
    gn_channel_abort(channel);
    gn_outcome outcome = gn_listener_accept(ends.listener, &ends.b, &error);
    EXPECT(outcome == GN_DONE || outcome == GN_WOULD_BLOCK);
    if (outcome == GN_DONE) {
        EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
        outcome = ends_read(&ends, TOKEN_B, &byte, 1, &count, &error);
        EXPECT(outcome == GN_END || (outcome == GN_FAILED && error.code == GN_CODE_RESET));
    }
    ends_finish(&ends);
}

static void backlog_full(void) {
    enum { MOST = 300 };
    struct ends ends;
    gn_channel *clients[MOST], *late;
    gn_error error = {0};
    size_t count = 0;
    ends_listen(&ends, 2);
    while (count < MOST && gn_channel_connect(ends.path, &clients[count], &error) == GN_DONE) count++;
    EXPECT(count > 0 && count < MOST && error.code == GN_CODE_BUSY);
    gn_channel_abort(ends_accept(&ends));
    EXPECT(gn_channel_connect(ends.path, &late, &error) == GN_DONE);
    gn_channel_abort(late);
    for (size_t i = 0; i < count; i++) gn_channel_abort(clients[i]);
    ends_finish(&ends);
}

static void refuse(void) {
    struct ends ends;
    gn_error error;
    char bytes[8];
    ends_listen(&ends, 16);
    for (int turn = 0; turn < 5; turn++) {
        EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
        EXPECT(gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) == GN_DONE);
        gn_outcome outcome;
        while ((outcome = gn_listener_refuse(ends.listener, "too many", 8, &error)) == GN_WOULD_BLOCK) {
            ends_await(&ends, TOKEN_LISTENER, GN_EVENT_READABLE);
        }
        EXPECT(outcome == GN_DONE);
        ends_read_exactly(&ends, TOKEN_A, bytes, 8);
        EXPECT(memcmp(bytes, "too many", 8) == 0);
        EXPECT(ends_read_to_end(&ends, TOKEN_A) == 0);
        gn_channel_abort(ends.a);
        ends.a = NULL;
    }
    ends_finish(&ends);
}

static void invalid_options(void) {
    char path[512];
    gn_listen_options options, changed;
    gn_listener *listener;
    gn_endpoint_facts facts;
    gn_error error;
    support_endpoint(path, &options);
    changed = options, changed.backlog = 0;
    EXPECT_CODE(gn_listener_open(&changed, &listener, &facts, &error), error, GN_CODE_INVALID);
    changed = options, changed.backlog = 4097;
    EXPECT_CODE(gn_listener_open(&changed, &listener, &facts, &error), error, GN_CODE_INVALID);
    changed = options, changed.path = "";
    EXPECT_CODE(gn_listener_open(&changed, &listener, &facts, &error), error, GN_CODE_INVALID);
    changed = options, changed.path = "relative";
    EXPECT_CODE(gn_listener_open(&changed, &listener, &facts, &error), error, GN_CODE_INVALID);
}

static void inspection(void) {
    struct ends ends;
    char path[512];
    gn_listen_options options;
    gn_endpoint_facts facts;
    support_endpoint(path, &options);
    gn_endpoint_inspect(path, &facts);
    EXPECT(!facts.socket_exists && !facts.answers && !facts.lock_held);
    ends_listen(&ends, 16);
    gn_endpoint_inspect(ends.path, &facts);
    EXPECT(facts.socket_exists && facts.answers && facts.offender[0] == 0);
    ends_finish(&ends);
}

static void endpoint_names(void) {
    char path[1024];
    bool needs_parent;
    gn_error error;
    const char *const invalid[] = {"", "a/b", "/"};
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        EXPECT_CODE(gn_endpoint_path(GN_ENDPOINT_USER, invalid[i], 0, path, sizeof path, &needs_parent, &error), error, GN_CODE_INVALID);
    }
    for (int kind = GN_ENDPOINT_USER; kind <= GN_ENDPOINT_SYSTEM; kind++) {
        size_t index = 0;
        gn_endpoint_kind each = (gn_endpoint_kind)kind;
        gn_outcome outcome;
        while ((outcome = gn_endpoint_path(each, "recorder", index, path, sizeof path, &needs_parent, &error)) == GN_DONE) {
            EXPECT(strstr(path, "recorder") != NULL);
            EXPECT(++index < 10);
        }
        EXPECT_CODE(outcome, error, GN_CODE_NOT_FOUND);
        EXPECT(index > 0);
        outcome = gn_endpoint_path(each, "recorder", 0, path, 5, &needs_parent, &error);
        EXPECT_CODE(outcome, error, GN_CODE_NAME_TOO_LONG);
    }
}

void suite_listener(void) {
    check("a client connects, is accepted, and both talk", connect_and_talk);
    check("what a client writes before it is accepted is not lost", bytes_before_accept);
    check("accepting and refusing would block when nobody waits", nobody_waits);
    check("an event comes each time accepting has blocked and somebody connects", event_after_would_block);
    check("connecting where nobody listens finds nothing", nobody_listens);
    check("the name is free when a listener has closed", name_is_free_after_close);
    check("a second service on the same endpoint is told busy and the first goes on", second_service);
    check("a client that has come and gone is no error", come_and_gone);
    check("connecting to a full backlog is busy and works again later", backlog_full);
    check("a refused client reads the bytes and then the end", refuse);
    check("options out of range are invalid", invalid_options);
    check("an inspection tells whether somebody answers", inspection);
    check("endpoint names become paths, and bad names are refused", endpoint_names);
}
