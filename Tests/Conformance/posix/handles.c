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

/// Sends the descriptor so many times with one byte, and reads the byte.
static void pass_same(struct ends *ends, int descriptor, size_t count) {
    int same[GN_HANDLES_PER_WRITE];
    char byte = 0;
    for (size_t i = 0; i < count; i++) same[i] = descriptor;
    send_handles(ends->a, same, count);
    ends_read_exactly(ends, TOKEN_B, &byte, 1);
    EXPECT(byte == 'h');
}

/// The reading end of a pipe whose writing end has been sent into the channel and is held by nobody else.
static int pass_pipe(gn_channel *channel) {
    int pipes[2];
    EXPECT(pipe(pipes) == 0 && fcntl(pipes[0], F_SETFL, O_NONBLOCK) == 0);
    send_handles(channel, &pipes[1], 1);
    EXPECT(close(pipes[1]) == 0);
    return pipes[0];
}

static bool somebody_holds(int pipe_end) {
    char byte;
    ssize_t result = read(pipe_end, &byte, 1);
    EXPECT(result == 0 || (result < 0 && errno == EAGAIN));
    return result != 0;
}

static void refused(void) {
    struct ends ends;
    char byte;
    handles_pair(&ends);
    int file = file_with("again");
    // The oldest of those that wait does not stand at the beginning of the ring, and one is still on its way.
    pass_same(&ends, file, 2);
    expect_handle(ends.b, "again");
    int waiting = pass_pipe(ends.a), coming = pass_pipe(ends.a);
    ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    EXPECT(somebody_holds(waiting) && somebody_holds(coming));
    gn_channel_refuse_handles(ends.b);
    EXPECT(!somebody_holds(waiting) && gn_channel_take_handle(ends.b) == GN_NO_HANDLE);
    ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    EXPECT(!somebody_holds(coming) && gn_channel_take_handle(ends.b) == GN_NO_HANDLE);
    EXPECT(!gn_channel_lost_handles(ends.b));
    // Accepted again, and what was sent in between and not read yet is kept like what comes later.
    send_handles(ends.a, &file, 1);
    gn_channel_accept_handles(ends.b);
    ends_read_exactly(&ends, TOKEN_B, &byte, 1);
    pass_same(&ends, file, 2);
    for (int i = 0; i < 3; i++) expect_handle(ends.b, "again");
    EXPECT(gn_channel_take_handle(ends.b) == GN_NO_HANDLE && !gn_channel_lost_handles(ends.b));
    EXPECT(close(file) == 0 && close(waiting) == 0 && close(coming) == 0);
    ends_finish(&ends);
}

static void refused_after_loss(void) {
    struct ends ends;
    handles_pair(&ends);
    int file = file_with("x");
    for (int waiting = 0; waiting <= GN_HANDLES_WAITING; waiting += GN_HANDLES_PER_WRITE) pass_same(&ends, file, GN_HANDLES_PER_WRITE);
    gn_channel_refuse_handles(ends.b);
    EXPECT(gn_channel_lost_handles(ends.b));
    pass_same(&ends, file, GN_HANDLES_PER_WRITE);
    // All places are free again, and nothing that came while they were refused is in them.
    gn_channel_accept_handles(ends.b);
    for (int waiting = 0; waiting < GN_HANDLES_WAITING; waiting += GN_HANDLES_PER_WRITE) pass_same(&ends, file, GN_HANDLES_PER_WRITE);
    EXPECT(!gn_channel_lost_handles(ends.b));
    for (int i = 0; i < GN_HANDLES_WAITING; i++) expect_handle(ends.b, "x");
    EXPECT(gn_channel_take_handle(ends.b) == GN_NO_HANDLE);
    EXPECT(close(file) == 0);
    ends_finish(&ends);
}

static void too_many_waiting(void) {
    struct ends ends;
    handles_pair(&ends);
    int old = file_with("old"), excess = file_with("excess"), new = file_with("new");
    // All but one of those that may wait.
    for (int waiting = GN_HANDLES_PER_WRITE; waiting < GN_HANDLES_WAITING; waiting += GN_HANDLES_PER_WRITE) {
        pass_same(&ends, old, GN_HANDLES_PER_WRITE);
    }
    pass_same(&ends, old, GN_HANDLES_PER_WRITE - 1);
    EXPECT(!gn_channel_lost_handles(ends.b));
    // One of the two would fit.
    pass_same(&ends, excess, 2);
    EXPECT(gn_channel_lost_handles(ends.b) && !gn_channel_lost_handles(ends.b));
    pass_same(&ends, new, 1);
    pass_same(&ends, excess, 1);
    pass_same(&ends, excess, GN_HANDLES_PER_WRITE);
    EXPECT(gn_channel_lost_handles(ends.b) && !gn_channel_lost_handles(ends.b));
    // Taking one makes room for one.
    expect_handle(ends.b, "old");
    pass_same(&ends, new, 1);
    for (int i = 2; i < GN_HANDLES_WAITING; i++) expect_handle(ends.b, "old");
    expect_handle(ends.b, "new");
    expect_handle(ends.b, "new");
    EXPECT(gn_channel_take_handle(ends.b) == GN_NO_HANDLE && !gn_channel_lost_handles(ends.b));
    EXPECT(close(old) == 0 && close(excess) == 0 && close(new) == 0);
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
    byte = 0;
    EXPECT(gn_channel_read(second, &byte, 1, &count, &drained, &error) == GN_DONE && count == 1 && byte == 'x');
    EXPECT(gn_channel_take_handle(second) == GN_NO_HANDLE && gn_channel_lost_handles(second));
    EXPECT(close(raw) == 0);
    gn_channel_abort(second);
}

/// Three descriptors with a byte of their own come to a process that has room for `room` of them.
static void without_room(int room) {
    struct ends ends;
    char bytes[2] = {0};
    size_t count;
    bool drained;
    gn_error error;
    struct rlimit before, small;
    handles_pair(&ends);
    int early = file_with("early"), lost = file_with("lost"), late = file_with("late");
    const int three[] = {lost, lost, lost};
    pass_same(&ends, early, 1);
    send_handles(ends.a, three, 3);
    ends_write(&ends, TOKEN_A, "!", 1);
    EXPECT(getrlimit(RLIMIT_NOFILE, &before) == 0);
    int next[3];
    for (int i = 0; i <= room; i++) EXPECT((next[i] = dup(lost)) >= 0);
    for (int i = 0; i <= room; i++) EXPECT(close(next[i]) == 0);
    small = before;
    small.rlim_cur = (rlim_t)next[room];
    EXPECT(setrlimit(RLIMIT_NOFILE, &small) == 0);
    gn_outcome outcome = gn_channel_read(ends.b, bytes, 1, &count, &drained, &error);
    EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
    EXPECT(outcome == GN_DONE && count == 1 && bytes[0] == 'h' && !drained);
    EXPECT(gn_channel_lost_handles(ends.b) && !gn_channel_lost_handles(ends.b));
    // What was behind them comes, with its own descriptors, and what was before them is still there.
    ends_read_exactly(&ends, TOKEN_B, bytes, 1);
    EXPECT(bytes[0] == '!');
    pass_same(&ends, late, 1);
    EXPECT(!gn_channel_lost_handles(ends.b));
    expect_handle(ends.b, "early");
    expect_handle(ends.b, "late");
    EXPECT(gn_channel_take_handle(ends.b) == GN_NO_HANDLE);
    EXPECT(close(early) == 0 && close(lost) == 0 && close(late) == 0);
    ends_finish(&ends);
}

static void no_descriptors_left(void) {
    for (int room = 0; room < 3; room++) without_room(room);
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
    check("refusing closes the descriptors that wait and those still to come, until they are accepted again", refused);
    check("refusing makes all places free, and a loss from before is still told", refused_after_loss);
    check("a message that brings more than may wait loses all of its descriptors, once told, and neither its bytes nor those that wait", too_many_waiting);
    check("of descriptors that the kernel cuts off none stays, and their bytes arrive", cut_off_by_the_kernel);
    check("without room for all descriptors of a message none of them stays, its bytes arrive, and those before and after it come in order", no_descriptors_left);
    check("nothing that is open here is open in a child", closed_by_exec);
}
