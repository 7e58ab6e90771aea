// Supervised children: what they say, their end, and that none is left behind.
#include "check.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

enum { MUCH = 300000 };

/// Everything that a child says, to its end.
struct heard {
    size_t output, errors;
    char first_output[64], first_errors[64];
    int32_t status;
};

static gn_process *supervise(const char *role, const char *operand) {
    gn_peer self;
    gn_peer_self(&self);
    const char *const arguments[] = {"conformance", "--child", role, operand, NULL};
    gn_process *process;
    gn_error error;
    EXPECT(gn_process_supervise(self.executable, arguments, NULL, NULL, 0, &process, &error) == GN_DONE);
    return process;
}

static void keep(char *first, size_t total, const char *bytes, size_t count) {
    for (size_t i = 0; i < count && total + i < 63; i++) first[total + i] = bytes[i];
}

/// Listens to a child until it has ended, and forgets it.
static struct heard hear(gn_process *process) {
    struct heard heard = {0};
    gn_process_event event;
    gn_error error;
    size_t count;
    char bytes[1000];
    do {
        EXPECT(gn_process_next(process, bytes, sizeof bytes, &event, &count, &heard.status, &error) == GN_DONE);
        EXPECT((event == GN_PROCESS_ENDED) == (count == 0) && count <= sizeof bytes);
        if (event == GN_PROCESS_OUTPUT) {
            keep(heard.first_output, heard.output, bytes, count);
            heard.output += count;
        } else if (event == GN_PROCESS_ERRORS) {
            keep(heard.first_errors, heard.errors, bytes, count);
            heard.errors += count;
        }
    } while (event != GN_PROCESS_ENDED);
    // It stays ended.
    int32_t again;
    EXPECT(gn_process_next(process, bytes, sizeof bytes, &event, &count, &again, &error) == GN_DONE);
    EXPECT(event == GN_PROCESS_ENDED && again == heard.status);
    gn_process_forget(process);
    return heard;
}

static void streams_apart(void) {
    struct heard heard = hear(supervise("say-both", NULL));
    EXPECT(strcmp(heard.first_output, "to the output") == 0 && strcmp(heard.first_errors, "to the errors") == 0);
    EXPECT(heard.status == 3);
}

static void nothing_to_read(void) { EXPECT(hear(supervise("read-input", NULL)).status == 0); }

static void much(void) {
    struct heard heard = hear(supervise("say-much", NULL));
    EXPECT(heard.output == MUCH && heard.errors == MUCH && heard.status == 0);
}

static void quiet(void) {
    struct heard heard = hear(supervise("exit", "7"));
    EXPECT(heard.output == 0 && heard.errors == 0 && heard.status == 7);
}

static void left_to_another(void) {
    struct ends ends;
    gn_error error;
    ends_listen(&ends, 16);
    gn_process *process = supervise("leave-output", ends.path);
    ends.b = ends_accept(&ends);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    char bytes[5];
    ends_read_exactly(&ends, TOKEN_B, bytes, 5);
    struct heard heard = hear(process);
    EXPECT(strcmp(heard.first_output, "left") == 0 && heard.status == 0);
    ends_finish(&ends);
}

/// Waits until whoever connected is gone.
static void await_its_end(struct ends *ends) {
    char bytes[8];
    size_t count;
    gn_error error;
    while (ends_read(ends, TOKEN_B, bytes, sizeof bytes, &count, &error) == GN_DONE) {}
    ends_finish(ends);
}

static void begin_connected(struct ends *ends) {
    gn_error error;
    char bytes[5];
    ends->b = ends_accept(ends);
    EXPECT(gn_poller_add_channel(ends->poller, ends->b, TOKEN_B, &error) == GN_DONE);
    ends_read_exactly(ends, TOKEN_B, bytes, 5);
}

static void not_left_behind(void) {
#if defined(__APPLE__)
    (void)printf("# macOS ends no child with its parent, not looked at\n");
#else
    struct ends ends;
    ends_listen(&ends, 16);
    gn_process *middle = child_start((const char *const[]){"supervise", ends.path, NULL}, NULL, 0, GN_NO_HANDLE);
    begin_connected(&ends);
    gn_process_end(middle, true);
    EXPECT(child_finish(middle) != 0);
    await_its_end(&ends);
#endif
}

static void forgotten(void) {
    struct ends ends;
    ends_listen(&ends, 16);
    gn_process *process = supervise("connect", ends.path);
    begin_connected(&ends);
    gn_process_forget(process);
    await_its_end(&ends);
}

static void not_started(void) {
    gn_process *process;
    gn_error error;
    gn_process_event event;
    char byte;
    size_t count;
    int32_t status;
    const char *const arguments[] = {"nothing", NULL};
    EXPECT_CODE(gn_process_supervise("/nowhere/nothing", arguments, NULL, NULL, 0, &process, &error), error, GN_CODE_NOT_FOUND);
    process = child_start((const char *const[]){"exit", "0", NULL}, NULL, 0, GN_NO_HANDLE);
    EXPECT_CODE(gn_process_next(process, &byte, 1, &event, &count, &status, &error), error, GN_CODE_INVALID);
    EXPECT(child_finish(process) == 0);
}

// MARK: Roles

static int say_both(void) {
    (void)fputs("to the output", stdout);
    (void)fputs("to the errors", stderr);
    (void)fflush(stdout);
    return 3;
}

static int say_much(void) {
    for (int i = 0; i < MUCH / 1000; i++) {
        char bytes[1000];
        memset(bytes, 'a' + i % 26, sizeof bytes);
        if (fwrite(bytes, 1, sizeof bytes, stdout) != sizeof bytes || fwrite(bytes, 1, sizeof bytes, stderr) != sizeof bytes) return 2;
    }
    return fflush(stdout) == 0 && fflush(stderr) == 0 ? 0 : 2;
}

/// Leaves its output to a child of its own, which stays.
static int leave_output(const char *path) {
    gn_process_forget(child_start((const char *const[]){"connect", path, NULL}, NULL, 0, GN_NO_HANDLE));
    return fputs("left", stdout) >= 0 && fflush(stdout) == 0 ? 0 : 2;
}

int supervision_child(const char *role, const char *operand) {
    if (strcmp(role, "say-both") == 0) return say_both();
    if (strcmp(role, "say-much") == 0) return say_much();
    if (strcmp(role, "read-input") == 0) return getchar() == EOF ? 0 : 1;
    if (operand != NULL && strcmp(role, "leave-output") == 0) return leave_output(operand);
    if (operand != NULL && strcmp(role, "supervise") == 0) return hear(supervise("connect", operand)).status;
    return -1;
}

void suite_supervision(void) {
    check("a supervised child's output and errors are read apart, each to its end", streams_apart);
    check("a supervised child has nothing to read", nothing_to_read);
    check("much on both streams at once arrives whole", much);
    check("a supervised child that says nothing ends all the same", quiet);
    check("the end of a supervised child does not wait for whom it has left its output to", left_to_another);
    check("a supervised child does not outlive a parent that is killed", not_left_behind);
    check("a supervised child that is forgotten ends", forgotten);
    check("a supervised child that does not exist is not found, and a plain one is not watched", not_started);
}
