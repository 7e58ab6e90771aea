// Scripted faults: each system call is interrupted, and each fails once, without harm.
#include "posix_support.h"

/// Scripts that have not been used up.
static size_t scripts_left(void) {
    size_t added = 0;
    while (gn_fault_add("nothing", 0, 1, 1)) added++;
    return 16 - added;
}

// MARK: A life with everything in it

static const gn_span one_byte = {.bytes = "x", .count = 1};

/// The first failure, or GN_DONE. Ends what it has begun either way.
static gn_outcome live(const struct place *place, gn_error *error) {
    gn_listener *listener = NULL;
    gn_poller *poller = NULL;
    gn_channel *client = NULL, *accepted = NULL, *first = NULL, *second = NULL;
    gn_process *process = NULL;
    gn_endpoint_facts facts;
    gn_event event;
    gn_peer peer, self;
    size_t count;
    bool drained;
    char byte;
    int32_t status;
    gn_peer_self(&self);
    const char *const arguments[] = {"conformance", "--child", "exit", "0", NULL};
    gn_outcome outcome = gn_listener_open(&place->options, &listener, &facts, error);
    if (outcome == GN_DONE) outcome = poller_open(&poller, error);
    if (outcome == GN_DONE) outcome = gn_poller_add_listener(poller, listener, 1, error);
    if (outcome == GN_DONE) outcome = gn_channel_connect(place->socket, &client, error);
    if (outcome == GN_DONE) outcome = gn_poller_wait(poller, &event, 1, 1000000000, &count, error);
    if (outcome == GN_DONE) outcome = gn_listener_accept(listener, &accepted, error);
    if (outcome == GN_DONE) outcome = gn_channel_write(client, &one_byte, 1, &count, error);
    if (outcome == GN_DONE) outcome = gn_channel_read(accepted, &byte, 1, &count, &drained, error);
    if (outcome == GN_DONE) outcome = gn_peer_identify(accepted, GN_PEER_EXECUTABLE | GN_PEER_DIGEST, &peer, error);
    if (outcome == GN_DONE) outcome = gn_channel_half_close(client, error);
    if (outcome == GN_DONE) outcome = gn_channel_pair(&first, &second, error);
    if (outcome == GN_DONE) outcome = gn_random(&byte, 1, error);
    if (outcome == GN_DONE) outcome = gn_process_start(self.executable, arguments, NULL, NULL, 0, GN_NO_HANDLE, &process, error);
    if (outcome == GN_DONE) {
        while ((outcome = gn_process_status(process, &status, error)) == GN_WOULD_BLOCK) {}
    }
    if (process != NULL) gn_process_forget(process);
    gn_channel *const channels[] = {client, accepted, first, second};
    for (size_t i = 0; i < 4; i++) {
        if (channels[i] != NULL) gn_channel_abort(channels[i]);
    }
    if (listener != NULL) gn_listener_close(listener);
    if (poller != NULL) gn_poller_close(poller);
    return outcome;
}

#if defined(__linux__)
static const char *const accept_operation = "accept4", *const poller_operations[] = {"epoll_create1", "eventfd", "epoll_ctl"};
static const char *const wait_operation = "epoll_wait";
#else
static const char *const accept_operation = "accept", *const poller_operations[] = {"kqueue", "kevent"};
static const char *const wait_operation = "kevent_wait";
#endif

static void expect_to_survive_interruption(const char *operation) {
    struct place place;
    gn_error error;
    place_make(&place);
    EXPECT(gn_fault_add(operation, 0, 3, EINTR));
    gn_outcome outcome = live(&place, &error);
    size_t left = scripts_left();
    gn_fault_clear();
    if (outcome != GN_DONE || left != 0) {
        char what[128];
        (void)snprintf(what, sizeof what, "%s: outcome %d, %zu scripts left", operation, (int)outcome, left);
        check_fail(__FILE__, __LINE__, what);
    }
    place_remove(&place);
}

static void interruptions(void) {
    const char *const operations[] = {"openat",  "flock",      "socket",     "bind",       "listen", "connect", "sendmsg",
                                      "recvmsg", "getsockopt", "socketpair", "getentropy", "waitid", "waitpid", "shutdown", "mkdir",
                                      "posix_spawn"};
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) expect_to_survive_interruption(operations[i]);
    expect_to_survive_interruption(accept_operation);
    expect_to_survive_interruption(wait_operation);
    for (size_t i = 0; i < sizeof poller_operations / sizeof poller_operations[0]; i++) {
        expect_to_survive_interruption(poller_operations[i]);
    }
#if defined(__linux__)
    expect_to_survive_interruption("readlink");
    expect_to_survive_interruption("read");
    expect_to_survive_interruption("poll");
#endif
}

/// Fails the operation at its first, second, ... call until it has no such call any more. Nothing may be left behind each time.
static void expect_to_fail_cleanly(const char *operation, int32_t native, gn_code code) {
    for (uint32_t turn = 0;; turn++) {
        struct place place;
        gn_error error = {0};
        uint64_t limit, before, after;
        EXPECT(turn < 64);
        place_make(&place);
        gn_descriptor_limit(&limit, &before);
        EXPECT(gn_fault_add(operation, turn, 1, native));
        gn_outcome outcome = live(&place, &error);
        bool fired = scripts_left() == 0;
        gn_fault_clear();
        gn_descriptor_limit(&limit, &after);
        // Only who holds a lock file may remove it.
        bool clean = before == after && !exists(place.socket) && (!exists(place.lock) || strcmp(operation, "flock") == 0);
        // A field of the peer that cannot be read is no error; everything else is, and has the right code.
        bool right = outcome == GN_FAILED ? error.code == code && error.native == native && error.operation != NULL : outcome == GN_DONE;
        if (!clean || !right) {
            char what[192];
            (void)snprintf(what, sizeof what, "%s, call %u: outcome %d, code %d (%s), %s", operation, turn, (int)outcome, (int)error.code,
                           error.operation == NULL ? "" : error.operation, clean ? "clean" : "left something behind");
            check_fail(__FILE__, __LINE__, what);
        }
        place_remove(&place);
        if (!fired) {
            EXPECT(turn > 0);
            return;
        }
    }
}

static void failures(void) {
    expect_to_fail_cleanly("calloc", ENOMEM, GN_CODE_NO_MEMORY);
    expect_to_fail_cleanly("openat", EMFILE, GN_CODE_NO_DESCRIPTORS);
    expect_to_fail_cleanly("openat", ENOSPC, GN_CODE_NO_SPACE);
    expect_to_fail_cleanly("mkdir", ENOSPC, GN_CODE_NO_SPACE);
    expect_to_fail_cleanly("flock", ENOLCK, GN_CODE_OTHER);
    expect_to_fail_cleanly("socket", ENFILE, GN_CODE_NO_DESCRIPTORS);
    expect_to_fail_cleanly("bind", ENOSPC, GN_CODE_NO_SPACE);
    expect_to_fail_cleanly("bind", EACCES, GN_CODE_DENIED);
    expect_to_fail_cleanly("listen", ENOBUFS, GN_CODE_NO_MEMORY);
    expect_to_fail_cleanly("connect", EACCES, GN_CODE_DENIED);
    expect_to_fail_cleanly(accept_operation, EMFILE, GN_CODE_NO_DESCRIPTORS);
    expect_to_fail_cleanly(accept_operation, ENOMEM, GN_CODE_NO_MEMORY);
    expect_to_fail_cleanly("sendmsg", ENOMEM, GN_CODE_NO_MEMORY);
    expect_to_fail_cleanly("recvmsg", ECONNRESET, GN_CODE_RESET);
    expect_to_fail_cleanly("socketpair", EMFILE, GN_CODE_NO_DESCRIPTORS);
    expect_to_fail_cleanly("getentropy", EIO, GN_CODE_OTHER);
    expect_to_fail_cleanly("posix_spawn", ENOENT, GN_CODE_NOT_FOUND);
    expect_to_fail_cleanly("posix_spawn", EACCES, GN_CODE_DENIED);
    expect_to_fail_cleanly(wait_operation, EBADF, GN_CODE_OTHER);
    expect_to_fail_cleanly(poller_operations[0], EMFILE, GN_CODE_NO_DESCRIPTORS);
    expect_to_fail_cleanly(poller_operations[1], ENOMEM, GN_CODE_NO_MEMORY);
#if defined(__linux__)
    expect_to_fail_cleanly("epoll_ctl", ENOSPC, GN_CODE_NO_SPACE);
#endif
}

// MARK: Single operations

static void one_byte_at_a_time(void) {
    struct ends ends;
    char bytes[16];
    size_t count;
    bool drained;
    gn_error error;
    gn_span spans[] = {{.bytes = "", .count = 0}, {.bytes = "ab", .count = 2}, {.bytes = "cd", .count = 2}};
    ends_pair(&ends);
    EXPECT(gn_fault_add("sendmsg", 1, 2, 0));
    EXPECT(gn_channel_write(ends.a, spans, 3, &count, &error) == GN_DONE && count == 4);
    EXPECT(gn_channel_write(ends.a, spans, 3, &count, &error) == GN_DONE && count == 1);
    EXPECT(gn_channel_write(ends.a, spans + 2, 1, &count, &error) == GN_DONE && count == 1);
    EXPECT(gn_channel_write(ends.a, spans + 2, 1, &count, &error) == GN_DONE && count == 2);
    EXPECT(gn_fault_add("recvmsg", 0, 2, 0));
    for (int turn = 0; turn < 2; turn++) {
        EXPECT(gn_channel_read(ends.b, bytes + turn, 8, &count, &drained, &error) == GN_DONE && count == 1 && !drained);
    }
    EXPECT(gn_channel_read(ends.b, bytes + 2, 8, &count, &drained, &error) == GN_DONE && count == 6);
    EXPECT(memcmp(bytes, "abcdaccd", 8) == 0);
    ends_finish(&ends);
}

static void would_block_by_script(void) {
    struct ends ends;
    char byte;
    size_t count;
    bool drained;
    gn_error error;
    ends_pair(&ends);
    EXPECT(gn_fault_add("sendmsg", 0, 1, EAGAIN));
    EXPECT(gn_channel_write(ends.a, &one_byte, 1, &count, &error) == GN_WOULD_BLOCK);
    ends_await(&ends, TOKEN_A, GN_EVENT_WRITABLE);
    EXPECT(gn_channel_write(ends.a, &one_byte, 1, &count, &error) == GN_DONE);
    EXPECT(gn_fault_add("recvmsg", 0, 1, EAGAIN));
    EXPECT(gn_channel_read(ends.b, &byte, 1, &count, &drained, &error) == GN_WOULD_BLOCK);
    EXPECT(gn_channel_read(ends.b, &byte, 1, &count, &drained, &error) == GN_DONE);
    ends_finish(&ends);
}

static void descriptors_discarded(void) {
    for (int wanted = 0; wanted < 2; wanted++) {
        struct ends ends;
        char bytes[2];
        size_t count;
        bool drained;
        gn_error error;
        ends_pair(&ends);
        if (wanted) gn_channel_accept_handles(ends.b);
        EXPECT(gn_channel_write(ends.a, &one_byte, 1, &count, &error) == GN_DONE);
        EXPECT(gn_fault_add("recvmsg", 0, 1, EMSGSIZE));
        EXPECT(gn_channel_read(ends.b, bytes, sizeof bytes, &count, &drained, &error) == GN_DONE && count == 1 && !drained);
        EXPECT(gn_channel_lost_handles(ends.b) == (wanted != 0) && !gn_channel_lost_handles(ends.b));
        ends_finish(&ends);
    }
}

static void gone_before_accepted(void) {
    struct ends ends;
    gn_channel *channel;
    gn_error error;
    ends_listen(&ends, 16);
    EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
    EXPECT(gn_fault_add(accept_operation, 0, 2, ECONNABORTED));
    EXPECT(gn_listener_accept(ends.listener, &channel, &error) == GN_DONE);
    gn_channel_abort(channel);
    ends_finish(&ends);
}

static void busy_by_script(void) {
    struct ends ends;
    gn_channel *channel;
    gn_error error;
    ends_listen(&ends, 16);
    EXPECT(gn_fault_add("connect", 0, 1, EAGAIN));
    EXPECT_CODE(gn_channel_connect(ends.path, &channel, &error), error, GN_CODE_BUSY);
    EXPECT(strcmp(error.operation, "connect") == 0);
    ends_finish(&ends);
}

static void thread_fails(void) {
    gn_thread *thread;
    gn_error error;
    EXPECT(gn_fault_add("pthread_create", 0, 1, EAGAIN));
    EXPECT_CODE(gn_thread_start("never", 0, NULL, NULL, &thread, &error), error, GN_CODE_NO_MEMORY);
    EXPECT(gn_fault_add("calloc", 0, 1, ENOMEM));
    EXPECT(gn_mutex_create() == NULL);
}

void suite_faults(void) {
    check("an interrupted call is repeated, whichever it is", interruptions);
    check("a call that fails, whichever and whenever, is reported and leaves nothing behind", failures);
    check("scripts that shorten move one byte at a time", one_byte_at_a_time);
    check("a scripted would-block is answered like a real one", would_block_by_script);
    check("bytes are read whose descriptors the kernel has discarded, and only the wanted ones are lost", descriptors_discarded);
    check("connections that were aborted in the queue are passed over", gone_before_accepted);
    check("a full backlog is busy and names the call", busy_by_script);
    check("threads and locks that cannot be made are reported", thread_fails);
}
