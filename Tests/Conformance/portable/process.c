// Child processes.
#include "check.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

static void exit_statuses(void) {
    const int statuses[] = {0, 1, 7, 255};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        char text[8];
        (void)snprintf(text, sizeof text, "%d", statuses[i]);
        EXPECT(child_finish(child_start((const char *const[]){"exit", text, NULL}, NULL, 0, GN_NO_HANDLE)) == statuses[i]);
    }
}

static void no_such_program(void) {
    gn_process *process;
    gn_error error;
    const char *const arguments[] = {"nothing", NULL};
    gn_outcome outcome = gn_process_start("/nowhere/nothing", arguments, NULL, NULL, 0, GN_NO_HANDLE, &process, &error);
    EXPECT_CODE(outcome, error, GN_CODE_NOT_FOUND);
}

static void variables(void) {
    gn_peer self;
    gn_peer_self(&self);
    const char *const arguments[] = {"conformance", "--child", "variable", "GINNEL_CHECK", "the second", NULL};
    const char *const environment[] = {"GINNEL_OTHER=the first", "GINNEL_CHECK=the second", NULL};
    gn_process *process;
    gn_error error;
    EXPECT(gn_process_start(self.executable, arguments, environment, NULL, 0, GN_NO_HANDLE, &process, &error) == GN_DONE);
    EXPECT(child_finish(process) == 0);
    // Not in ours, and not in a child that was not given it.
    const char *const role[] = {"variable", "GINNEL_CHECK", "the second", NULL};
    EXPECT(child_finish(child_start(role, NULL, 0, GN_NO_HANDLE)) == 1);
}

static void killed(void) {
    struct ends ends;
    gn_error error;
    int32_t status;
    ends_listen(&ends, 16);
    gn_process *child = child_start((const char *const[]){"connect", ends.path, NULL}, NULL, 0, GN_NO_HANDLE);
    ends.b = ends_accept(&ends);
    EXPECT(gn_process_status(child, &status, &error) == GN_WOULD_BLOCK);
    gn_process_end(child, true);
    EXPECT(child_finish(child) != 0);
    ends_finish(&ends);
}

static void ended_twice(void) {
    gn_process *child = child_start((const char *const[]){"exit", "3", NULL}, NULL, 0, GN_NO_HANDLE);
    gn_error error;
    int32_t first = -1, second = -1;
    while (gn_process_status(child, &first, &error) == GN_WOULD_BLOCK) {}
    gn_process_end(child, false);
    gn_process_end(child, true);
    EXPECT(gn_process_status(child, &second, &error) == GN_DONE);
    EXPECT(first == 3 && second == 3);
    gn_process_forget(child);
}

static void forgotten_while_running(void) {
    struct ends ends;
    gn_error error;
    char bytes[5];
    ends_listen(&ends, 16);
    gn_process *child = child_start((const char *const[]){"connect", ends.path, NULL}, NULL, 0, GN_NO_HANDLE);
    gn_process_forget(child);
    ends.b = ends_accept(&ends);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    ends_read_exactly(&ends, TOKEN_B, bytes, 5);
    ends_finish(&ends);
}

void suite_process(void) {
    check("a child's exit status comes back", exit_statuses);
    check("a program that does not exist is not found", no_such_program);
    check("a child gets additional variables, and nobody else does", variables);
    check("a child that runs has no status, and one that was ended has a bad one", killed);
    check("a child that has ended can be ended again and keeps its status", ended_twice);
    check("a child that was forgotten goes on", forgotten_while_running);
}
