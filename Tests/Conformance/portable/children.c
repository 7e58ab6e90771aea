// This program as its own child: real second processes, in roles that are named on the command line.
#include "check.h"
#include "support.h"

#include <stdlib.h>

gn_process *child_start(const char *const *role, const gn_handle *inherited, size_t inherited_count, gn_handle output) {
    gn_peer self;
    gn_peer_self(&self);
    const char *arguments[12] = {"conformance", "--child"};
    for (size_t i = 0; role[i] != NULL && i < 9; i++) arguments[i + 2] = role[i];
    gn_process *process;
    gn_error error;
    EXPECT(gn_process_start(self.executable, arguments, NULL, inherited, inherited_count, output, &process, &error) == GN_DONE);
    return process;
}

int32_t child_finish(gn_process *process) {
    gn_poller *poller;
    gn_error error;
    EXPECT(poller_open(&poller, &error) == GN_DONE);
    int32_t status = -1;
    gn_outcome outcome;
    // There is no event for a child's end: look again each millisecond, for ten seconds.
    for (unsigned turn = 0; turn < 10000; turn++) {
        outcome = gn_process_status(process, &status, &error);
        if (outcome != GN_WOULD_BLOCK) break;
        gn_event event;
        size_t count;
        (void)gn_poller_wait(poller, &event, 1, 1000000, &count, &error);
    }
    gn_poller_close(poller);
    EXPECT(outcome == GN_DONE);
    gn_process_forget(process);
    return status;
}

/// Connects, says "hello" and stays until the other end closes.
static int connect_and_stay(const char *path) {
    struct ends ends = {0};
    gn_error error;
    if (poller_open(&ends.poller, &error) != GN_DONE || gn_channel_connect(path, &ends.a, &error) != GN_DONE ||
        gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) != GN_DONE) {
        return 2;
    }
    ends_write(&ends, TOKEN_A, "hello", 5);
    char byte;
    size_t count;
    while (ends_read(&ends, TOKEN_A, &byte, 1, &count, &error) == GN_DONE) {}
    ends_finish(&ends);
    return 0;
}

static int has_variable(const char *name, const char *expected) {
    char value[256];
    return gn_environment(name, value, sizeof value) && strcmp(value, expected) == 0 ? 0 : 1;
}

const char *const odd_arguments[ODD_ARGUMENTS] = {"", " ", "a b", "\"", "\\", "\\\\", "a\\", "a b\\", "a\\\"b", "\\\\\"", "\"quoted\"",
                                                  "tab\there", "C:\\path with\\spaces\\", "%PATH%", "^&|<>", "*.c", "end"};

static int compare_arguments(int count, char **arguments) {
    if (count != ODD_ARGUMENTS) return 100 + count;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], odd_arguments[i]) != 0) return 1 + i;
    }
    return 0;
}

int child_main(int count, char **arguments) {
    support_time_limit(60);
    if (count < 1) return 64;
    const char *role = arguments[0];
    if (strcmp(role, "exit") == 0 && count == 2) return atoi(arguments[1]);
    if (strcmp(role, "variable") == 0 && count == 3) return has_variable(arguments[1], arguments[2]);
    if (strcmp(role, "arguments") == 0) return compare_arguments(count - 1, arguments + 1);
    if (strcmp(role, "connect") == 0 && count == 2) return connect_and_stay(arguments[1]);
    if (strcmp(role, "answer-in-memory") == 0 && count == 2) return answer_in_memory(arguments[1]);
    int status = partner_main(role, count - 1, arguments + 1);
    if (status < 0) status = supervision_child(role, count > 1 ? arguments[1] : NULL);
    if (status < 0) status = support_child(role, count - 1, arguments + 1);
    return status >= 0 ? status : 64;
}
