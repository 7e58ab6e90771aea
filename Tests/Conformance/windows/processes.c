// Child processes on Windows: arguments, exactly the handles that were given, and how they ended.
#include "windows_support.h"

#include <stdio.h>
#include <stdlib.h>

// MARK: Roles

/// Reads a byte from the given handle's number 3, and returns it until the other end closes.
static int echo(void) {
    struct ends ends = {0};
    gn_error error;
    char byte;
    size_t count;
    if (poller_open(&ends.poller, &error) != GN_DONE || gn_channel_adopt(3, &ends.a, &error) != GN_DONE ||
        gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) != GN_DONE) {
        return 2;
    }
    while (ends_read(&ends, TOKEN_A, &byte, 1, &count, &error) == GN_DONE) ends_write(&ends, TOKEN_A, &byte, 1);
    ends_finish(&ends);
    return 0;
}

/// Connects, leaves the connection to a child of its own, and ends.
static int give_away(const char *path) {
    gn_channel *channel;
    gn_error error;
    gn_span span = {.bytes = "hello", .count = 5};
    size_t count;
    if (gn_channel_connect(path, &channel, &error) != GN_DONE || gn_channel_write(channel, &span, 1, &count, &error) != GN_DONE) return 2;
    gn_handle handle = gn_channel_release(channel);
    gn_process_forget(child_start((const char *const[]){"echo", NULL}, &handle, 1, GN_NO_HANDLE));
    return 0;
}

static HANDLE told_event;
static gn_termination told_how;

static void tell(gn_termination how, void *argument) {
    (void)argument;
    told_how = how;
    (void)SetEvent(told_event);
}

/// Watches, asks itself to end from a console of its own, and watches no more.
static int ask_oneself(void) {
    gn_error error;
    (void)FreeConsole();
    if (!AllocConsole()) return 5;
    told_event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (gn_termination_watch(tell, NULL, &error) != GN_DONE) return 2;
    if (gn_termination_watch(tell, NULL, &error) != GN_FAILED || error.code != GN_CODE_EXISTS) return 3;
    if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) || WaitForSingleObject(told_event, 10000) != WAIT_OBJECT_0 || told_how != GN_TERMINATION_INTERRUPT) return 4;
    gn_termination_unwatch();
    gn_termination_unwatch();
    return 0;
}

int support_child(const char *role, int count, char **arguments) {
    if (strcmp(role, "echo") == 0) return echo();
    if (strcmp(role, "give-away") == 0 && count == 1) return give_away(arguments[0]);
    if (strcmp(role, "claim-and-answer") == 0 && count == 1) return claim_and_answer(arguments[0]);
    if (strcmp(role, "connect-closed-to-all") == 0 && count == 1) return connect_closed_to_all(arguments[0]);
    if (strcmp(role, "set-event") == 0 && count == 1) return SetEvent((HANDLE)(uintptr_t)strtoull(arguments[0], NULL, 10)) ? 1 : 0;
    if (strcmp(role, "print") == 0) return printf("printed by the child") > 0 && fflush(stdout) == 0 ? 0 : 1;
    if (strcmp(role, "ask-oneself") == 0) return ask_oneself();
    if (strcmp(role, "crash") == 0) ExitProcess((UINT)EXCEPTION_ACCESS_VIOLATION);
    return -1;
}

// MARK: Checks

static void variables_in_any_alphabet(void) {
    gn_peer self;
    gn_process *process;
    gn_error error;
    gn_peer_self(&self);
    // Names are alike in either case, as everywhere on Windows.
    const char *const arguments[] = {"conformance", "--child", "variable", "GINNEL_CHECK", "second", NULL};
    const char *const environment[] = {"ginnel_check=first \xc3\xbc\xe2\x82\xac\xf0\x9f\x90\x88", "Ginnel_Check=second", NULL};
    EXPECT(gn_process_start(self.executable, arguments, environment, NULL, 0, GN_NO_HANDLE, &process, &error) == GN_DONE);
    EXPECT(child_finish(process) == 0);
    char value[64];
    EXPECT(SetEnvironmentVariableW(L"GINNEL_ALPHABET", L"\x00fc\x20ac\xd83d\xdc08"));
    EXPECT(gn_environment("GINNEL_ALPHABET", value, sizeof value) && strcmp(value, "\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\x88") == 0);
    EXPECT(!gn_environment("GINNEL_ALPHABET", value, 9));
    // What is no text has no value.
    EXPECT(SetEnvironmentVariableW(L"GINNEL_ALPHABET", L"\xd83d") && !gn_environment("GINNEL_ALPHABET", value, sizeof value));
    EXPECT(SetEnvironmentVariableW(L"GINNEL_ALPHABET", NULL));
}

static void nothing_else_is_inherited(void) {
    SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};
    HANDLE event = CreateEventW(&inheritable, TRUE, FALSE, NULL);
    char number[32];
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)(uintptr_t)event);
    struct ends ends;
    ends_pair(&ends);
    const gn_handle handle = gn_channel_release(ends.b);
    ends.b = NULL;
    (void)child_finish(child_start((const char *const[]){"set-event", number, NULL}, &handle, 1, GN_NO_HANDLE));
    (void)child_finish(child_start((const char *const[]){"set-event", number, NULL}, NULL, 0, GN_NO_HANDLE));
    gn_handle_close(handle);
    EXPECT(WaitForSingleObject(event, 0) == WAIT_TIMEOUT && CloseHandle(event));
    ends_finish(&ends);
}

static void output(void) {
    HANDLE reading, writing;
    char text[64] = {0};
    DWORD count;
    EXPECT(CreatePipe(&reading, &writing, NULL, 0));
    gn_process *child = child_start((const char *const[]){"print", NULL}, NULL, 0, (gn_handle)writing);
    EXPECT(child_finish(child) == 0 && CloseHandle(writing));
    EXPECT(ReadFile(reading, text, sizeof text - 1, &count, NULL) && strcmp(text, "printed by the child") == 0);
    EXPECT(CloseHandle(reading));
}

static void crashed(void) {
    gn_error error;
    EXPECT(child_finish(child_start((const char *const[]){"crash", NULL}, NULL, 0, GN_NO_HANDLE)) == 256);
    gn_handle wrong = (gn_handle)0x7ffffff0;
    gn_process *process;
    const char *const arguments[] = {"conformance", NULL};
    gn_peer self;
    gn_peer_self(&self);
    EXPECT_CODE(gn_process_start(self.executable, arguments, NULL, &wrong, 1, GN_NO_HANDLE, &process, &error), error, GN_CODE_INVALID);
}

static void asked_to_end(void) { EXPECT(child_finish(child_start((const char *const[]){"ask-oneself", NULL}, NULL, 0, GN_NO_HANDLE)) == 0); }

static void supervising_fails(void) {
    static const struct { const char *operation; uint32_t skip; int32_t native; gn_code code; } faults[] = {
        {"CreateJobObjectW", 0, ERROR_NOT_ENOUGH_MEMORY, GN_CODE_NO_MEMORY},    {"CreateNamedPipeW", 1, ERROR_NO_SYSTEM_RESOURCES, GN_CODE_NO_MEMORY},
        {"CreateFileW", 0, ERROR_ACCESS_DENIED, GN_CODE_DENIED},                {"CreateEventW", 1, ERROR_TOO_MANY_OPEN_FILES, GN_CODE_NO_DESCRIPTORS},
        {"CreateProcessW", 0, ERROR_ACCESS_DENIED, GN_CODE_DENIED},             {"AssignProcessToJobObject", 0, ERROR_ACCESS_DENIED, GN_CODE_DENIED},
        {"calloc", 0, ERROR_NOT_ENOUGH_MEMORY, GN_CODE_NO_MEMORY}};
    const char *const arguments[] = {"conformance", "--child", "exit", "0", NULL};
    gn_peer self;
    gn_process *process;
    gn_error error;
    gn_peer_self(&self);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        EXPECT(gn_fault_add(faults[i].operation, faults[i].skip, 1, faults[i].native));
        EXPECT_CODE(gn_process_supervise(self.executable, arguments, NULL, NULL, 0, &process, &error), error, faults[i].code);
        gn_fault_clear();
    }
}

void suite_processes(void) {
    check("variables are UTF-8 on our side, and their names are alike in either case", variables_in_any_alphabet);
    check("a child inherits nothing that it was not given", nothing_else_is_inherited);
    check("a child's output goes where it is sent", output);
    check("a child that crashed has a status of its own, and a handle that is none cannot be inherited", crashed);
    check("being asked to end is told", asked_to_end);
    check("a supervised child whose job, pipe or process is not to be had leaves nothing behind", supervising_fails);
}
