// Named pipes: their instances, foreign ones, names, and how many handles they leave.
#include "windows_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t ten_seconds = 10000000000u;

// MARK: Instances

struct caller {
    const char *path;
    gn_poller *poller;
    atomic_uint connected;
    atomic_int wrong;  ///< a code that is neither success nor BUSY
};

enum { CALLS = 300 };

static void call_again_and_again(void *argument) {
    struct caller *caller = argument;
    while (atomic_load(&caller->connected) < CALLS && atomic_load(&caller->wrong) == 0) {
        gn_channel *channel;
        gn_error error;
        if (gn_channel_connect(caller->path, &channel, &error) == GN_DONE) {
            atomic_fetch_add(&caller->connected, 1);
            gn_channel_abort(channel);
        } else if (error.code != GN_CODE_BUSY) {
            atomic_store(&caller->wrong, (int)error.code);
        }
    }
    gn_poller_wake(caller->poller);
}

static void no_gap(void) {
    struct ends ends;
    struct caller caller = {0};
    gn_thread *thread;
    gn_channel *channel;
    gn_error error;
    ends_listen(&ends, 2);
    caller.path = ends.path;
    caller.poller = ends.poller;
    EXPECT(gn_thread_start("caller", call_again_and_again, &caller, &thread, &error) == GN_DONE);
    while (atomic_load(&caller.connected) < CALLS && atomic_load(&caller.wrong) == 0) {
        gn_outcome outcome = gn_listener_accept(ends.listener, &channel, &error);
        if (outcome == GN_DONE) gn_channel_abort(channel);
        else ends_look(&ends, ten_seconds);
    }
    gn_thread_join(thread);
    EXPECT(atomic_load(&caller.wrong) == 0);
    ends_finish(&ends);
}

static void busy(void) {
    struct ends ends;
    gn_channel *first, *second, *third;
    gn_error error;
    ends_listen(&ends, 2);
    EXPECT(gn_channel_connect(ends.path, &first, &error) == GN_DONE);
    EXPECT(gn_channel_connect(ends.path, &second, &error) == GN_DONE);
    EXPECT_CODE(gn_channel_connect(ends.path, &third, &error), error, GN_CODE_BUSY);
    EXPECT(error.native == ERROR_PIPE_BUSY && strcmp(error.operation, "CreateFileW") == 0);
    gn_channel_abort(first);
    gn_channel_abort(second);
    ends_finish(&ends);
}

static void connected_before_waiting(void) {
    struct ends ends;
    gn_channel *nobody;
    gn_error error;
    // Neither instance waits, as after the end of the thread that had let them. The client finds one all the same, and it is told apart when waiting begins.
    EXPECT(gn_fault_add("ConnectNamedPipe", 0, 6, ERROR_OPERATION_ABORTED));
    ends_listen(&ends, 2);
    EXPECT_CODE(gn_listener_accept(ends.listener, &nobody, &error), error, GN_CODE_NO_MEMORY);
    EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
    ends_write(&ends, TOKEN_A, "early", 5);
    ends.b = ends_accept(&ends);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    char bytes[5];
    ends_read_exactly(&ends, TOKEN_B, bytes, 5);
    EXPECT(memcmp(bytes, "early", 5) == 0);
    ends_finish(&ends);
}

static void come_and_gone_before_waiting(void) {
    struct ends ends;
    gn_channel *channel;
    gn_error error;
    char byte;
    size_t count;
    EXPECT(gn_fault_add("ConnectNamedPipe", 0, 2, ERROR_OPERATION_ABORTED));
    ends_listen(&ends, 2);
    EXPECT(gn_channel_connect(ends.path, &channel, &error) == GN_DONE);
    gn_channel_abort(channel);
    for (gn_outcome outcome = GN_WOULD_BLOCK; outcome != GN_END;) {
        // Whatever became of the first, the next is served.
        if (ends.a == NULL) EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
        ends.b = ends_accept(&ends);
        EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
        gn_channel_close(ends.a, 0);
        ends.a = NULL;
        outcome = ends_read(&ends, TOKEN_B, &byte, 1, &count, &error);
        gn_channel_abort(ends.b);
        ends.b = NULL;
    }
    ends_finish(&ends);
}

struct opener {
    const char *path;
    gn_listener *listener;
};

static void open_and_end(void *argument) {
    struct opener *opener = argument;
    opener->listener = open_listener(opener->path, 0600);
}

static void opened_by_a_thread_that_ended(void) {
    char path[512];
    struct ends ends = {0};
    struct opener opener = {.path = path};
    gn_thread *thread;
    gn_error error;
    pipe_name(path);
    EXPECT(gn_thread_start("opener", open_and_end, &opener, &thread, &error) == GN_DONE);
    gn_thread_join(thread);
    EXPECT(opener.listener != NULL && gn_poller_open(&ends.poller, &error) == GN_DONE);
    ends.listener = opener.listener;
    EXPECT(gn_poller_add_listener(ends.poller, ends.listener, TOKEN_LISTENER, &error) == GN_DONE);
    EXPECT(gn_channel_connect(path, &ends.a, &error) == GN_DONE);
    ends.b = ends_accept(&ends);
    ends_finish(&ends);
}

static void name_is_kept_by_connections(void) {
    struct ends ends;
    gn_listen_options options;
    gn_listener *next;
    gn_endpoint_facts facts;
    gn_error error;
    char path[512];
    ends_connect(&ends);
    gn_listener_close(ends.listener);
    ends.listener = NULL;
    support_endpoint(path, &options);
    options.path = ends.path;
    EXPECT_CODE(gn_listener_open(&options, &next, &facts, &error), error, GN_CODE_BUSY);
    gn_channel_abort(ends.b);
    ends.b = NULL;
    gn_channel_abort(ends.a);
    ends.a = NULL;
    EXPECT(gn_listener_open(&options, &ends.listener, &facts, &error) == GN_DONE);
    ends_finish(&ends);
}

// MARK: Foreign pipes, and many

static void messages_of_a_foreign_pipe(void) {
    char path[512], bytes[10];
    WCHAR name[512];
    struct ends ends = {0};
    gn_error error;
    DWORD count;
    pipe_name(path);
    wide_name(path, name);
    HANDLE service = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 1, 4096, 4096, 0, NULL);
    EXPECT(service != INVALID_HANDLE_VALUE && gn_poller_open(&ends.poller, &error) == GN_DONE);
    EXPECT(gn_channel_connect(path, &ends.a, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) == GN_DONE);
    EXPECT(WriteFile(service, "a message of one piece", 22, &count, NULL) && WriteFile(service, "", 0, &count, NULL) && WriteFile(service, "next", 4, &count, NULL));
    ends_read_exactly(&ends, TOKEN_A, bytes, 10);
    EXPECT(memcmp(bytes, "a message ", 10) == 0);
    ends_read_exactly(&ends, TOKEN_A, bytes, 10);
    ends_read_exactly(&ends, TOKEN_A, bytes, 6);
    EXPECT(memcmp(bytes, "cenext", 6) == 0);
    EXPECT(CloseHandle(service));
    EXPECT(ends_read_to_end(&ends, TOKEN_A) == 0);
    ends_finish(&ends);
}

static void adopting_what_is_no_channel(void) {
    HANDLE reading, writing, event = CreateEventW(NULL, TRUE, FALSE, NULL);
    gn_channel *channel;
    gn_error error;
    EXPECT(CreatePipe(&reading, &writing, NULL, 0));
    EXPECT_CODE(gn_channel_adopt((gn_handle)reading, &channel, &error), error, GN_CODE_INVALID);
    EXPECT_CODE(gn_channel_adopt((gn_handle)event, &channel, &error), error, GN_CODE_INVALID);
    EXPECT_CODE(gn_channel_adopt(0x7ffffff0, &channel, &error), error, GN_CODE_INVALID);
    // On failure the caller keeps it.
    EXPECT(CloseHandle(reading) && CloseHandle(writing) && CloseHandle(event));
}

static void other_paths(void) {
    static const char *const paths[] = {"\\\\.\\pipe\\", "\\\\server\\pipe\\name", "C:\\file", "\\\\.\\C:", "NUL", "\\\\.\\pipe\\a\\b", "\\\\.\\pipe\\..", "\\\\.\\pipe\\a.",
                                        "\\\\.\\pipe\\a ", "\\\\.\\pipe\\a*", "\\\\.\\pipe\\a:b", "\\\\.\\pipe\\a\n", "//./pipe/a", "\\\\.\\pipe\\\xff"};
    gn_channel *channel;
    gn_error error;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        EXPECT_CODE(gn_channel_connect(paths[i], &channel, &error), error, GN_CODE_INVALID);
    }
    char path[512] = "\\\\.\\pipe\\";
    memset(path + 9, 'n', 256 - 9);
    EXPECT_CODE(gn_channel_connect(path, &channel, &error), error, GN_CODE_NOT_FOUND);
    gn_listener_close(open_listener(path, 0600));
    path[256] = 'n';
    EXPECT_CODE(gn_channel_connect(path, &channel, &error), error, GN_CODE_NAME_TOO_LONG);
}

static void no_handles_are_left(void) {
    struct ends ends;
    gn_error error;
    ends_listen(&ends, 2);
    uint64_t before = support_open_descriptors();
    for (int turn = 0; turn < 500; turn++) {
        EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
        EXPECT(gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) == GN_DONE);
        ends.b = ends_accept(&ends);
        EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
        if (turn % 50 == 0) (void)fill_channel(ends.a);
        else ends_echo(&ends);
        if (turn % 2 == 0) gn_channel_abort(ends.a);
        else gn_channel_close(ends.a, ten_seconds);
        gn_channel_abort(ends.b);
        ends.a = ends.b = NULL;
    }
    for (unsigned turn = 0; turn < 10000 && support_open_descriptors() != before; turn++) ends_look(&ends, 1000000);
    EXPECT(support_open_descriptors() == before);
    ends_finish(&ends);
}

static void handles_are_counted(void) {
    uint64_t before = support_open_descriptors();
    EXPECT(before > 0);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    EXPECT(support_open_descriptors() == before + 1);
    EXPECT(CloseHandle(event) && support_open_descriptors() == before);
}

void suite_pipes(void) {
    check("handles are counted, so that one that is left is noticed", handles_are_counted);
    check("a client that comes at any moment finds the name", no_gap);
    check("when every instance is taken a client is told busy, and by which call", busy);
    check("a client that came before an instance waited is accepted", connected_before_waiting);
    check("a client that came and went before an instance waited is passed over", come_and_gone_before_waiting);
    check("a listener outlives the thread that has opened it", opened_by_a_thread_that_ended);
    check("a name is kept until the last connection has ended", name_is_kept_by_connections);
    check("the messages of a foreign pipe are bytes", messages_of_a_foreign_pipe);
    check("what is no overlapped pipe of two directions is not adopted", adopting_what_is_no_channel);
    check("only names of local pipes are opened, and only as they are written", other_paths);
    check("after 500 connections no handle is left", no_handles_are_left);
}
