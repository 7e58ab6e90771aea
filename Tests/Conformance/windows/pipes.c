// Named pipes: their instances, foreign ones, and names.
#include "windows_support.h"

#include <stdio.h>
#include <stdlib.h>

// MARK: Instances

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
    EXPECT(service != INVALID_HANDLE_VALUE && poller_open(&ends.poller, &error) == GN_DONE);
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

static void messages_in_pieces(void) {
    char path[512], bytes[8];
    WCHAR name[512];
    struct ends ends = {0};
    gn_error error;
    DWORD count, mode = PIPE_READMODE_MESSAGE;
    size_t got;
    HANDLE other;
    pipe_name(path);
    wide_name(path, name);
    HANDLE service = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 1, 4096, 4096, 0, NULL);
    EXPECT(service != INVALID_HANDLE_VALUE && poller_open(&ends.poller, &error) == GN_DONE);
    EXPECT(gn_channel_connect(path, &ends.a, &error) == GN_DONE);
    // Whoever else has a handle of our end can have it read messages: then the system says of each piece but the last that there is more.
    HANDLE ours = (HANDLE)gn_channel_release(ends.a), self = GetCurrentProcess();
    EXPECT(DuplicateHandle(self, ours, self, &other, 0, FALSE, DUPLICATE_SAME_ACCESS));
    EXPECT(gn_channel_adopt((gn_handle)ours, &ends.a, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) == GN_DONE);
    EXPECT(SetNamedPipeHandleState(other, &mode, NULL, NULL) && CloseHandle(other));
    EXPECT(WriteFile(service, "twenty bytes in all.", 20, &count, NULL));
    static const size_t pieces[] = {8, 8, 4};
    for (size_t i = 0; i < 3; i++) {
        EXPECT(ends_read(&ends, TOKEN_A, bytes, sizeof bytes, &got, &error) == GN_DONE && got == pieces[i]);
        EXPECT(memcmp(bytes, &"twenty bytes in all."[8 * i], got) == 0);
    }
    EXPECT(CloseHandle(service) && ends_read_to_end(&ends, TOKEN_A) == 0);
    ends_finish(&ends);
}

static void one_write_of_one_unit(void) {
    struct ends ends;
    gn_error error;
    size_t count;
    static const char bytes[4 * GN_WRITE_UNIT];
    gn_span spans[] = {{.bytes = bytes, .count = sizeof bytes}, {.bytes = bytes, .count = sizeof bytes}}, byte = {.bytes = bytes, .count = 1};
    ends_pair(&ends);
    do {
        EXPECT(gn_channel_write(ends.a, spans, 2, &count, &error) == GN_DONE && count == GN_WRITE_UNIT);
        // As soon as one is pending not even a byte is taken.
    } while (gn_channel_write(ends.a, &byte, 1, &count, &error) == GN_DONE);
    EXPECT(gn_channel_write(ends.a, &byte, 1, &count, &error) == GN_WOULD_BLOCK);
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

static void handles_are_counted(void) {
    uint64_t before = support_open_descriptors();
    EXPECT(before > 0);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    EXPECT(support_open_descriptors() == before + 1);
    EXPECT(CloseHandle(event) && support_open_descriptors() == before);
}

void suite_pipes(void) {
    check("handles are counted, so that one that is left is noticed", handles_are_counted);
    check("when every instance is taken a client is told busy, and by which call", busy);
    check("a client that came before an instance waited is accepted", connected_before_waiting);
    check("a client that came and went before an instance waited is passed over", come_and_gone_before_waiting);
    check("a name is kept until the last connection has ended", name_is_kept_by_connections);
    check("the messages of a foreign pipe are bytes", messages_of_a_foreign_pipe);
    check("a message that is longer than the room comes in pieces", messages_in_pieces);
    check("a write takes 64 KiB, and while one is pending nothing more", one_write_of_one_unit);
    check("what is no overlapped pipe of two directions is not adopted", adopting_what_is_no_channel);
    check("only names of local pipes are opened, and only as they are written", other_paths);
}
