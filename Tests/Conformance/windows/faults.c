// What happens when the system says no: each failure is told, leaves nothing behind, and is over when its cause is.
#include "windows_support.h"

#include <stdlib.h>

static const uint64_t ten_seconds = 10000000000u;

/// Fills the way from `a` to `b`; false when writing fails first.
static bool fill(struct ends *ends, gn_error *error) {
    static const char bytes[65536];
    for (;;) {
        gn_span span = {.bytes = bytes, .count = sizeof bytes};
        size_t count;
        gn_outcome outcome = gn_channel_write(ends->a, &span, 1, &count, error);
        if (outcome != GN_DONE) return outcome == GN_WOULD_BLOCK;
    }
}

// MARK: Channels

static void one_byte_at_a_time(void) {
    struct ends ends;
    gn_error error;
    char bytes[4];
    size_t count;
    ends_pair(&ends);
    EXPECT(gn_fault_add("WriteFile", 0, 4, 0) && gn_fault_add("ReadFile", 0, 4, 0));
    gn_span span = {.bytes = "abcd", .count = 4};
    EXPECT(gn_channel_write(ends.a, &span, 1, &count, &error) == GN_DONE && count == 1);
    span.bytes = "bcd", span.count = 3;
    EXPECT(gn_channel_write(ends.a, &span, 1, &count, &error) == GN_DONE && count == 1);
    ends_write(&ends, TOKEN_A, "cd", 2);
    EXPECT(ends_read(&ends, TOKEN_B, bytes, 4, &count, &error) == GN_DONE && count == 1);
    ends_read_exactly(&ends, TOKEN_B, bytes + 1, 3);
    EXPECT(memcmp(bytes, "abcd", 4) == 0);
    ends_finish(&ends);
}

static void failed_calls(void) {
    struct ends ends;
    gn_error error;
    char byte;
    size_t count;
    gn_span span = {.bytes = "x", .count = 1};
    ends_pair(&ends);
    EXPECT(gn_fault_add("WriteFile", 0, 1, ERROR_NO_SYSTEM_RESOURCES));
    EXPECT_CODE(gn_channel_write(ends.a, &span, 1, &count, &error), error, GN_CODE_NO_MEMORY);
    EXPECT(error.native == ERROR_NO_SYSTEM_RESOURCES && strcmp(error.operation, "WriteFile") == 0);
    EXPECT(gn_channel_write(ends.a, &span, 1, &count, &error) == GN_DONE);
    ends_await(&ends, TOKEN_B, GN_EVENT_READABLE);
    bool drained;
    EXPECT(gn_fault_add("ReadFile", 0, 1, ERROR_PIPE_NOT_CONNECTED));
    EXPECT_CODE(gn_channel_read(ends.b, &byte, 1, &count, &drained, &error), error, GN_CODE_RESET);
    EXPECT(gn_channel_read(ends.b, &byte, 1, &count, &drained, &error) == GN_DONE && byte == 'x');
    ends_finish(&ends);
}

static void no_memory_for_a_write(void) {
    struct ends ends;
    gn_error error;
    size_t count;
    gn_span span = {.bytes = "x", .count = 1};
    ends_pair(&ends);
    // The record, then the copy.
    for (uint32_t skip = 0; skip < 2; skip++) {
        EXPECT(gn_fault_add("calloc", skip, 1, ERROR_NOT_ENOUGH_MEMORY));
        EXPECT_CODE(gn_channel_write(ends.a, &span, 1, &count, &error), error, GN_CODE_NO_MEMORY);
        gn_fault_clear();
    }
    ends_echo(&ends);
    ends_finish(&ends);
}

static void no_event_for_a_write(void) {
    struct ends ends;
    gn_error error;
    size_t count;
    gn_span span = {.bytes = "x", .count = 1};
    ends_pair(&ends);
    gn_poller_remove_channel(ends.poller, ends.a);
    EXPECT(gn_fault_add("CreateEventW", 0, 1, ERROR_TOO_MANY_OPEN_FILES));
    EXPECT_CODE(gn_channel_write(ends.a, &span, 1, &count, &error), error, GN_CODE_NO_DESCRIPTORS);
    EXPECT(gn_channel_write(ends.a, &span, 1, &count, &error) == GN_DONE);
    ends_finish(&ends);
}

static void no_bridge_for_a_write(void) {
    struct ends ends;
    gn_error error;
    size_t count;
    gn_span span = {.bytes = "x", .count = 1};
    ends_pair(&ends);
    gn_poller_remove_channel(ends.poller, ends.a);
    EXPECT(gn_fault_add("CreateThreadpoolWait", 0, 1, ERROR_NOT_ENOUGH_MEMORY));
    // Nobody would hear of that write's end, so it has one at once, and what is lost with it is told from then on.
    EXPECT(!fill(&ends, &error) && error.code == GN_CODE_NO_MEMORY);
    EXPECT_CODE(gn_channel_write(ends.a, &span, 1, &count, &error), error, GN_CODE_NO_MEMORY);
    ends_finish(&ends);
}

static void no_timer_for_a_drain(void) {
    struct ends ends;
    gn_error error;
    char bytes[4096];
    size_t count;
    ends_connect(&ends);
    EXPECT(fill(&ends, &error) && gn_fault_add("CreateThreadpoolTimer", 0, 1, ERROR_NOT_ENOUGH_MEMORY));
    gn_channel_close(ends.a, ten_seconds);
    ends.a = NULL;
    // Cut off rather than left hanging for ever.
    gn_outcome outcome;
    while ((outcome = ends_read(&ends, TOKEN_B, bytes, sizeof bytes, &count, &error)) == GN_DONE) {}
    EXPECT(outcome == GN_END || error.code == GN_CODE_RESET);
    ends_finish(&ends);
}

static void no_channel(void) {
    gn_channel *first, *second;
    gn_error error;
    static const struct { const char *operation; int32_t native; gn_code code; } faults[] = {
        {"CreateNamedPipeW", ERROR_TOO_MANY_OPEN_FILES, GN_CODE_NO_DESCRIPTORS}, {"CreateFileW", ERROR_TOO_MANY_OPEN_FILES, GN_CODE_NO_DESCRIPTORS},
        {"CreateEventW", ERROR_TOO_MANY_OPEN_FILES, GN_CODE_NO_DESCRIPTORS},     {"calloc", ERROR_NOT_ENOUGH_MEMORY, GN_CODE_NO_MEMORY},
        {"GetTokenInformation", ERROR_NO_SYSTEM_RESOURCES, GN_CODE_NO_MEMORY}};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        EXPECT(gn_fault_add(faults[i].operation, 0, 1, faults[i].native));
        EXPECT_CODE(gn_channel_pair(&first, &second, &error), error, faults[i].code);
        EXPECT(error.native == faults[i].native);
    }
    // Of the second end.
    EXPECT(gn_fault_add("CreateEventW", 1, 1, ERROR_TOO_MANY_OPEN_FILES));
    EXPECT_CODE(gn_channel_pair(&first, &second, &error), error, GN_CODE_NO_DESCRIPTORS);
}

// MARK: Pollers

static void no_port(void) {
    struct ends ends;
    gn_poller *poller;
    gn_error error;
    EXPECT(gn_fault_add("CreateIoCompletionPort", 0, 1, ERROR_NO_SYSTEM_RESOURCES));
    EXPECT_CODE(poller_open(&poller, &error), error, GN_CODE_NO_MEMORY);
    EXPECT(gn_fault_add("calloc", 0, 1, ERROR_NOT_ENOUGH_MEMORY));
    EXPECT_CODE(poller_open(&poller, &error), error, GN_CODE_NO_MEMORY);
    // A pipe that cannot be associated goes the longer way.
    EXPECT(gn_fault_add("CreateIoCompletionPort", 1, 2, ERROR_INVALID_PARAMETER));
    ends_pair(&ends);
    for (int turn = 0; turn < 50; turn++) ends_echo(&ends);
    static char bytes[4 * 65536];
    size_t written = ends_fill(&ends, TOKEN_A);
    EXPECT(written <= sizeof bytes);
    ends_read_exactly(&ends, TOKEN_B, bytes, written);
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    ends_finish(&ends);
}

static void adding_fails(void) {
    struct ends ends;
    gn_error error;
    ends_pair(&ends);
    gn_poller_remove_channel(ends.poller, ends.a);
    // The note, then the record of the readiness.
    for (uint32_t skip = 0; skip < 2; skip++) {
        EXPECT(gn_fault_add("calloc", skip, 1, ERROR_NOT_ENOUGH_MEMORY));
        EXPECT_CODE(gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error), error, GN_CODE_NO_MEMORY);
        gn_fault_clear();
    }
    EXPECT(gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) == GN_DONE);
    ends_echo(&ends);
    ends_finish(&ends);
}

// MARK: Listeners

static void no_descriptors(void) {
    struct ends ends;
    gn_channel *channel;
    gn_error error;
    char bytes[8];
    ends_listen(&ends, 2);
    EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) == GN_DONE);
    ends_await(&ends, TOKEN_LISTENER, GN_EVENT_READABLE);
    EXPECT(gn_fault_add("CreateNamedPipeW", 0, 3, ERROR_TOO_MANY_OPEN_FILES));
    EXPECT_CODE(gn_listener_accept(ends.listener, &channel, &error), error, GN_CODE_NO_DESCRIPTORS);
    EXPECT_CODE(gn_listener_accept(ends.listener, &channel, &error), error, GN_CODE_NO_DESCRIPTORS);
    // Nothing is left for a new instance; the client is told all the same, and its place filled later.
    EXPECT(gn_listener_refuse(ends.listener, "too many", 8, &error) == GN_DONE);
    ends_read_exactly(&ends, TOKEN_A, bytes, 8);
    EXPECT(memcmp(bytes, "too many", 8) == 0 && ends_read_to_end(&ends, TOKEN_A) == 0);
    gn_channel_abort(ends.a);
    ends.a = NULL;
    for (int turn = 0; turn < 5; turn++) {
        EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
        gn_channel_abort(ends_accept(&ends));
        gn_channel_abort(ends.a);
        ends.a = NULL;
    }
    // Both places are there again.
    EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE && gn_channel_connect(ends.path, &ends.b, &error) == GN_DONE);
    ends_finish(&ends);
}

static void deaf_listener(void) {
    struct ends ends;
    gn_error error;
    // The only client uses up one place, and neither that nor the other can be filled: the listener says so instead of waiting for nothing.
    ends_listen(&ends, 2);
    EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE && gn_channel_connect(ends.path, &ends.b, &error) == GN_DONE);
    EXPECT(gn_fault_add("CreateNamedPipeW", 0, 4, ERROR_TOO_MANY_OPEN_FILES));
    for (int refused = 0; refused < 2;) {
        gn_outcome outcome = gn_listener_refuse(ends.listener, "", 0, &error);
        if (outcome == GN_DONE) refused++;
        else ends_await(&ends, TOKEN_LISTENER, GN_EVENT_READABLE);
    }
    gn_channel_abort(ends.a);
    gn_channel_abort(ends.b);
    ends.a = ends.b = NULL;
    gn_channel *channel;
    EXPECT_CODE(gn_listener_accept(ends.listener, &channel, &error), error, GN_CODE_NO_DESCRIPTORS);
    EXPECT_CODE(gn_channel_connect(ends.path, &channel, &error), error, GN_CODE_NOT_FOUND);
    gn_fault_clear();
    EXPECT(gn_listener_accept(ends.listener, &channel, &error) == GN_WOULD_BLOCK);
    EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
    ends.b = ends_accept(&ends);
    ends_finish(&ends);
}

static void listening_fails(void) {
    static const struct { const char *operation; int32_t native; gn_code code; } faults[] = {
        {"CreateNamedPipeW", ERROR_NO_SYSTEM_RESOURCES, GN_CODE_NO_MEMORY}, {"CreateEventW", ERROR_TOO_MANY_OPEN_FILES, GN_CODE_NO_DESCRIPTORS},
        {"GetTokenInformation", ERROR_ACCESS_DENIED, GN_CODE_DENIED},        {"calloc", ERROR_NOT_ENOUGH_MEMORY, GN_CODE_NO_MEMORY}};
    char path[512];
    gn_listen_options options = {.path = path, .directory_mode = 0700, .socket_mode = 0600, .group = -1, .backlog = 4};
    gn_listener *listener;
    gn_endpoint_facts facts;
    gn_error error;
    pipe_name(path);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        // At once, or when some instances exist already.
        for (uint32_t skip = 0; skip < (i < 2 ? 4u : 1u); skip++) {
            EXPECT(gn_fault_add(faults[i].operation, skip, 1, faults[i].native));
            EXPECT_CODE(gn_listener_open(&options, &listener, &facts, &error), error, faults[i].code);
            gn_fault_clear();
        }
    }
    gn_listener_close(open_listener(path, 0600));
}

static void starting_fails(void) {
    static const struct { const char *operation; int32_t native; gn_code code; } faults[] = {
        {"DuplicateHandle", ERROR_INVALID_HANDLE, GN_CODE_INVALID}, {"CreateProcessW", ERROR_ACCESS_DENIED, GN_CODE_DENIED},
        {"CreateProcessW", ERROR_BAD_EXE_FORMAT, GN_CODE_DENIED},   {"CreateProcessW", ERROR_NOT_ENOUGH_MEMORY, GN_CODE_NO_MEMORY}};
    struct ends ends;
    gn_process *process;
    gn_error error;
    gn_peer self;
    const char *const arguments[] = {"conformance", NULL}, *const broken[] = {"conformance", "\xff", NULL};
    gn_peer_self(&self);
    ends_pair(&ends);
    const gn_handle handle = gn_channel_release(ends.b);
    ends.b = NULL;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        EXPECT(gn_fault_add(faults[i].operation, i == 0 ? 3 : 0, 1, faults[i].native));
        EXPECT_CODE(gn_process_start(self.executable, arguments, NULL, &handle, 1, GN_NO_HANDLE, &process, &error), error, faults[i].code);
        gn_fault_clear();
    }
    EXPECT_CODE(gn_process_start(self.executable, broken, NULL, NULL, 0, GN_NO_HANDLE, &process, &error), error, GN_CODE_INVALID);
    for (uint32_t skip = 0; skip < 6; skip++) {
        EXPECT(gn_fault_add("calloc", skip, 1, ERROR_NOT_ENOUGH_MEMORY));
        EXPECT_CODE(gn_process_start(self.executable, arguments, NULL, &handle, 1, GN_NO_HANDLE, &process, &error), error, GN_CODE_NO_MEMORY);
        gn_fault_clear();
    }
    gn_handle_close(handle);
    ends_finish(&ends);
}

static void random_fails(void) {
    char bytes[8];
    gn_error error;
    EXPECT(gn_fault_add("BCryptGenRandom", 0, 1, 5));
    EXPECT_CODE(gn_random(bytes, sizeof bytes, &error), error, GN_CODE_OTHER);
    gn_thread *thread;
    EXPECT(gn_fault_add("_beginthreadex", 0, 1, ERROR_NOT_ENOUGH_MEMORY));
    EXPECT_CODE(gn_thread_start("none", 0, free, NULL, &thread, &error), error, GN_CODE_NO_MEMORY);
}

void suite_faults(void) {
    check("bytes that move one at a time arrive", one_byte_at_a_time);
    check("a call that fails says by which name, and the next one works", failed_calls);
    check("without memory nothing is written", no_memory_for_a_write);
    check("without a handle nothing is written outside a poller", no_event_for_a_write);
    check("a write whose end nobody could hear of is ended and told", no_bridge_for_a_write);
    check("a drain that cannot be limited is none", no_timer_for_a_drain);
    check("a pair that fails leaves nothing behind", no_channel);
    check("a pipe that no port takes is heard through the thread pool", no_port);
    check("adding a channel that fails can be repeated", adding_fails);
    check("without handles a client is refused politely, and served again later", no_descriptors);
    check("a listener that nobody can come to any more says so, and is mended by accepting", deaf_listener);
    check("listening that fails leaves no name behind", listening_fails);
    check("a child that cannot be started leaves nothing behind", starting_fails);
    check("random bytes and threads that are not to be had are errors", random_fails);
}
