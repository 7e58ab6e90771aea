// Descriptors that travel over channels.
#include "posix_support.h"

#include <sys/resource.h>
#include <sys/socket.h>

static const gn_span one_byte = {.bytes = "h", .count = 1};

/// A descriptor of a file whose only content is `text`.
static int file_with(const char *text) {
    char path[] = "/tmp/ginnel-conformance-XXXXXX";
    int descriptor = mkstemp(path);
    EXPECT(descriptor >= 0 && unlink(path) == 0);
    EXPECT(write(descriptor, text, strlen(text)) == (ssize_t)strlen(text));
    return descriptor;
}

static void send_handles(gn_channel *channel, const int *descriptors, size_t count) {
    gn_handle handles[GN_HANDLES_PER_WRITE];
    size_t written;
    gn_error error;
    for (size_t i = 0; i < count; i++) handles[i] = descriptors[i];
    EXPECT(gn_channel_write_handles(channel, &one_byte, 1, handles, count, &written, &error) == GN_DONE && written == 1);
}

static void expect_handle(gn_channel *channel, const char *text) {
    char found[16] = {0};
    gn_handle handle = gn_channel_take_handle(channel);
    EXPECT(handle != GN_NO_HANDLE);
    EXPECT(pread((int)handle, found, sizeof found - 1, 0) == (ssize_t)strlen(text) && strcmp(found, text) == 0);
    EXPECT((fcntl((int)handle, F_GETFD) & FD_CLOEXEC) != 0);
    gn_handle_close(handle);
}

/// A pair of which both ends want descriptors.
static void handles_pair(struct ends *ends) {
    ends_pair(ends);
    gn_channel_accept_handles(ends->a);
    gn_channel_accept_handles(ends->b);
}

static void unasked(void) {
    struct ends ends;
    char byte;
    ends_pair(&ends);
    int pipes[2];
    EXPECT(pipe(pipes) == 0);
    send_handles(ends.a, &pipes[1], 1);
    EXPECT(close(pipes[1]) == 0);
    ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    EXPECT(gn_channel_take_handle(ends.b) == GN_NO_HANDLE);
    // The kernel has closed the copy that travelled: nobody holds the writing end any more.
    EXPECT(read(pipes[0], &byte, 1) == 0 && close(pipes[0]) == 0);
    ends_finish(&ends);
}

static void unasked_and_more_behind(void) {
    struct ends ends;
    char bytes[64];
    size_t count, total = 0;
    bool drained = false;
    gn_error error;
    ends_pair(&ends);
    int pipes[2];
    EXPECT(pipe(pipes) == 0);
    gn_handle handle = pipes[1];
    const gn_span twenty = {.bytes = "twenty bytes that bring", .count = 20};
    EXPECT(gn_channel_write_handles(ends.a, &twenty, 1, &handle, 1, &count, &error) == GN_DONE && count == 20);
    EXPECT(close(pipes[0]) == 0 && close(pipes[1]) == 0);
    ends_write(&ends, TOKEN_A, "thirty bytes that bring nothing", 30);
    // As a caller does that trusts the contract: once drained, it waits for an event, and none would come.
    while (!drained) {
        gn_outcome outcome = gn_channel_read(ends.b, bytes, sizeof bytes, &count, &drained, &error);
        if (outcome == GN_WOULD_BLOCK) break;
        EXPECT(outcome == GN_DONE);
        total += count;
    }
    EXPECT(total == 50);
    ends_finish(&ends);
}

static void one(void) {
    struct ends ends;
    char byte;
    handles_pair(&ends);
    int file = file_with("content");
    send_handles(ends.a, &file, 1);
    EXPECT(fcntl(file, F_GETFD) >= 0 && close(file) == 0);
    ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    expect_handle(ends.b, "content");
    EXPECT(gn_channel_take_handle(ends.b) == GN_NO_HANDLE);
    ends_finish(&ends);
}

static void in_order(void) {
    struct ends ends;
    char bytes[64], text[16];
    handles_pair(&ends);
    // Groups of different sizes with plain bytes between them, all of it before the first read.
    int number = 0, total = 0;
    for (int group = 1; group <= 8; group++) {
        int files[8];
        for (int i = 0; i < group; i++) {
            (void)snprintf(text, sizeof text, "%d", number++);
            files[i] = file_with(text);
        }
        send_handles(ends.a, files, (size_t)group);
        ends_write(&ends, TOKEN_A, "between", 7);
        for (int i = 0; i < group; i++) EXPECT(close(files[i]) == 0);
        total += 8;
    }
    for (size_t count, got = 0; got < (size_t)total; got += count) {
        bool drained;
        gn_error error;
        // Never would-block, and never drained too early: everything is there already.
        EXPECT(gn_channel_read(ends.b, bytes, sizeof bytes, &count, &drained, &error) == GN_DONE);
        EXPECT(!drained || got + count == (size_t)total);
    }
    for (int i = 0; i < number; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        expect_handle(ends.b, text);
    }
    EXPECT(gn_channel_take_handle(ends.b) == GN_NO_HANDLE);
    ends_finish(&ends);
}

static void most_at_once(void) {
    struct ends ends;
    char byte;
    gn_handle handles[GN_HANDLES_PER_WRITE + 1];
    size_t count;
    gn_error error;
    handles_pair(&ends);
    int file = file_with("same");
    for (size_t i = 0; i <= GN_HANDLES_PER_WRITE; i++) handles[i] = file;
    gn_outcome outcome = gn_channel_write_handles(ends.a, &one_byte, 1, handles, GN_HANDLES_PER_WRITE, &count, &error);
    EXPECT(outcome == GN_DONE && count == 1);
    EXPECT_CODE(gn_channel_write_handles(ends.a, &one_byte, 1, handles, GN_HANDLES_PER_WRITE + 1, &count, &error), error, GN_CODE_INVALID);
    EXPECT_CODE(gn_channel_write_handles(ends.a, &one_byte, 1, handles, 0, &count, &error), error, GN_CODE_INVALID);
    handles[3] = GN_NO_HANDLE;
    EXPECT_CODE(gn_channel_write_handles(ends.a, &one_byte, 1, handles, 4, &count, &error), error, GN_CODE_INVALID);
    handles[3] = (gn_handle)1 << 40;
    EXPECT_CODE(gn_channel_write_handles(ends.a, &one_byte, 1, handles, 4, &count, &error), error, GN_CODE_INVALID);
    EXPECT(close(file) == 0);
    ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    for (size_t i = 0; i < GN_HANDLES_PER_WRITE; i++) expect_handle(ends.b, "same");
    EXPECT(gn_channel_take_handle(ends.b) == GN_NO_HANDLE);
    ends_finish(&ends);
}

static void with_the_first_byte(void) {
    struct ends ends;
    char byte;
    handles_pair(&ends);
    int file = file_with("early");
    gn_handle handle = file;
    static const char large[1 << 20];
    gn_span span = {.bytes = large, .count = sizeof large};
    size_t count;
    gn_error error;
    // More than fits: a part is taken, and the descriptor comes with its first byte.
    EXPECT(gn_channel_write_handles(ends.a, &span, 1, &handle, 1, &count, &error) == GN_DONE && count >= 1 && count < sizeof large);
    EXPECT(gn_channel_write_handles(ends.a, &span, 1, &handle, 1, &count, &error) == GN_WOULD_BLOCK);
    EXPECT(close(file) == 0);
    ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    expect_handle(ends.b, "early");
    ends_finish(&ends);
}

static void never_taken(void) {
    struct ends ends;
    char bytes[8];
    handles_pair(&ends);
    int file = file_with("x");
    send_handles(ends.a, &file, 1);
    send_handles(ends.a, &file, 1);
    ends_read_exactly(&ends, TOKEN_B, bytes, 1);
    EXPECT(close(file) == 0);
    // One waits in the channel and one in the kernel; closing takes both. The framework counts.
    ends_finish(&ends);
}

static void too_many_waiting(void) {
    struct ends ends;
    char byte;
    size_t count;
    gn_error error;
    handles_pair(&ends);
    int files[GN_HANDLES_PER_WRITE];
    files[0] = file_with("w");
    for (size_t i = 1; i < GN_HANDLES_PER_WRITE; i++) files[i] = files[0];
    for (int turn = 0; turn < GN_HANDLES_WAITING / GN_HANDLES_PER_WRITE; turn++) {
        send_handles(ends.a, files, GN_HANDLES_PER_WRITE);
        ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    }
    send_handles(ends.a, files, 1);
    EXPECT_CODE(ends_read(&ends, TOKEN_B, &byte, 1, &count, &error), error, GN_CODE_TRUNCATED);
    // Those that were there before still are, and room for one more is made by taking one.
    expect_handle(ends.b, "w");
    send_handles(ends.a, files, 1);
    ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    for (int i = 0; i < GN_HANDLES_WAITING; i++) expect_handle(ends.b, "w");
    EXPECT(gn_channel_take_handle(ends.b) == GN_NO_HANDLE);
    EXPECT(close(files[0]) == 0);
    ends_finish(&ends);
}

/// A peer that keeps to no contract: as many descriptors as the kernel takes at once.
static void cut_off_by_the_kernel(void) {
    enum { MOST = 250 };
    gn_channel *first, *second;
    gn_error error;
    EXPECT(gn_channel_pair(&first, &second, &error) == GN_DONE);
    gn_channel_accept_handles(second);
    int raw = (int)gn_channel_release(first), file = file_with("k"), descriptors[MOST];
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(sizeof descriptors)];
    } control;
    char byte = 'x';
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    for (int i = 0; i < MOST; i++) descriptors[i] = file;
    memset(&control, 0, sizeof control);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptors);
    memcpy(CMSG_DATA(header), descriptors, sizeof descriptors);
    EXPECT(sendmsg(raw, &message, 0) == 1);
    EXPECT(close(file) == 0);
    size_t count;
    bool drained;
    EXPECT_CODE(gn_channel_read(second, &byte, 1, &count, &drained, &error), error, GN_CODE_TRUNCATED);
    EXPECT(gn_channel_take_handle(second) == GN_NO_HANDLE);
    EXPECT(close(raw) == 0);
    gn_channel_abort(second);
}

static void no_descriptors_left(void) {
    struct ends ends;
    char byte;
    size_t count;
    bool drained;
    gn_error error;
    struct rlimit before, none;
    handles_pair(&ends);
    int file = file_with("n");
    const int files[] = {file, file, file};
    send_handles(ends.a, files, 3);
    EXPECT(getrlimit(RLIMIT_NOFILE, &before) == 0);
    // Room for two of three.
    int two[2] = {dup(file), dup(file)};
    EXPECT(two[0] >= 0 && two[1] >= 0);
    none = before;
    none.rlim_cur = (rlim_t)two[1] + 1;
    EXPECT(close(two[0]) == 0 && close(two[1]) == 0);
    EXPECT(setrlimit(RLIMIT_NOFILE, &none) == 0);
    gn_outcome outcome = gn_channel_read(ends.b, &byte, 1, &count, &drained, &error);
    EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
    EXPECT_CODE(outcome, error, GN_CODE_TRUNCATED);
    EXPECT(gn_channel_take_handle(ends.b) == GN_NO_HANDLE);
    EXPECT(close(file) == 0);
    ends_finish(&ends);
}

static void closed_by_exec(void) {
    struct ends ends;
    char byte;
    const char *const role[] = {"count-descriptors", NULL};
    int before = child_finish(child_start(role, NULL, 0, GN_NO_HANDLE));
    ends_connect(&ends);
    int file = file_with("c");
    EXPECT(fcntl(file, F_SETFD, FD_CLOEXEC) == 0);
    send_handles(ends.a, &file, 1);
    ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    // Poller, listener, lock, channels and the received descriptor are open now, and a child has none of them.
    EXPECT(child_finish(child_start(role, NULL, 0, GN_NO_HANDLE)) == before);
    EXPECT(close(file) == 0);
    ends_finish(&ends);
}

void suite_handles(void) {
    check("descriptors that nobody asked for are closed, and their byte arrives", unasked);
    check("what was sent behind descriptors that nobody asked for is not left unread", unasked_and_more_behind);
    check("a descriptor arrives with its byte, and the sender keeps its own", one);
    check("descriptors keep their order over many writes, and none is left behind by an early drained", in_order);
    check("sixteen descriptors travel at once; none, seventeen and bad ones are invalid", most_at_once);
    check("a descriptor comes with the first byte of a write that was cut", with_the_first_byte);
    check("descriptors that nobody takes are closed with the channel", never_taken);
    check("more than may wait are closed and reported as truncated", too_many_waiting);
    check("descriptors that the kernel cuts off are closed and reported as truncated", cut_off_by_the_kernel);
    check("descriptors that find no place are reported as truncated, and none stays open", no_descriptors_left);
    check("nothing that is open here is open in a child", closed_by_exec);
}
