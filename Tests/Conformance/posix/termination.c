// Being asked to end on Linux and macOS, and what ends a supervised child there.
#include "posix_support.h"

#include <poll.h>
#include <signal.h>

// MARK: Signals

static int told_pipe[2];

static void tell(gn_termination how, void *argument) {
    char byte = (char)how;
    EXPECT(argument == told_pipe);
    (void)!write(told_pipe[1], &byte, 1);
}

/// The next request that is told, within ten seconds; 0 when there is none.
static int next_told(void) {
    struct pollfd readable = {.fd = told_pipe[0], .events = POLLIN};
    char byte = 0;
    return poll(&readable, 1, 10000) == 1 && read(told_pipe[0], &byte, 1) == 1 ? byte : 0;
}

static void two_are_told(void) {
    gn_error error;
    // Whoever started this in the background may have it ignore SIGINT.
    struct sigaction terminate, interrupt, now;
    EXPECT(sigaction(SIGTERM, NULL, &terminate) == 0 && sigaction(SIGINT, NULL, &interrupt) == 0);
    EXPECT(pipe(told_pipe) == 0);
    for (int turn = 0; turn < 2; turn++) {
        EXPECT(gn_termination_watch(tell, told_pipe, &error) == GN_DONE);
        EXPECT_CODE(gn_termination_watch(tell, told_pipe, &error), error, GN_CODE_EXISTS);
        EXPECT(kill(getpid(), SIGTERM) == 0 && next_told() == GN_TERMINATION_TERMINATE);
        EXPECT(kill(getpid(), SIGINT) == 0 && next_told() == GN_TERMINATION_INTERRUPT);
        gn_termination_unwatch();
        gn_termination_unwatch();
        EXPECT(sigaction(SIGTERM, NULL, &now) == 0 && now.sa_handler == terminate.sa_handler);
        EXPECT(sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == interrupt.sa_handler);
    }
    EXPECT(close(told_pipe[0]) == 0 && close(told_pipe[1]) == 0);
}

int ask_oneself(const char *times) {
    gn_error error;
    if (pipe(told_pipe) != 0 || gn_termination_watch(tell, told_pipe, &error) != GN_DONE) return 2;
    for (int i = 0; i < atoi(times); i++) {
        if (raise(SIGTERM) != 0) return 3;
    }
    gn_termination_unwatch();
    (void)raise(SIGINT);
    return 4;
}

static void the_third_ends(void) {
    EXPECT(child_finish(child_start((const char *const[]){"ask-oneself", "3", NULL}, NULL, 0, GN_NO_HANDLE)) == 256 + SIGTERM);
    // And without a watch the first.
    EXPECT(child_finish(child_start((const char *const[]){"ask-oneself", "2", NULL}, NULL, 0, GN_NO_HANDLE)) == 256 + SIGINT);
}

static void watching_fails(void) {
    static const struct { const char *operation; int32_t native; gn_code code; } faults[] = {
        {"pipe", EMFILE, GN_CODE_NO_DESCRIPTORS}, {"pthread_create", EAGAIN, GN_CODE_NO_MEMORY}};
    gn_error error;
    struct sigaction now;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        EXPECT(gn_fault_add(faults[i].operation, 0, 1, faults[i].native));
        EXPECT_CODE(gn_termination_watch(tell, told_pipe, &error), error, faults[i].code);
        EXPECT(sigaction(SIGTERM, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
    }
}

// MARK: Supervised children

static gn_outcome supervise(const char *const *arguments, gn_process **process, gn_error *error) {
    gn_peer self;
    gn_peer_self(&self);
    return gn_process_supervise(self.executable, arguments, NULL, NULL, 0, process, error);
}

/// Its exit status; what it says is passed over.
static int32_t finish(gn_process *process) {
    gn_process_event event = GN_PROCESS_OUTPUT;
    gn_error error;
    char bytes[256];
    size_t count;
    int32_t status = -1;
    while (event != GN_PROCESS_ENDED) EXPECT(gn_process_next(process, bytes, sizeof bytes, &event, &count, &status, &error) == GN_DONE);
    gn_process_forget(process);
    return status;
}

static void plain_in_every_way(void) {
    sigset_t blocked, before;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    char number[8];
    gn_process *process;
    gn_error error;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    EXPECT(sigaction(SIGPIPE, &ignore, &old) == 0 && sigprocmask(SIG_BLOCK, &blocked, &before) == 0);
    (void)snprintf(number, sizeof number, "%d", SIGPIPE);
    const char *const signals[] = {"conformance", "--child", "plain-signals", number, NULL};
    EXPECT(supervise(signals, &process, &error) == GN_DONE && finish(process) == 0);
    EXPECT(sigaction(SIGPIPE, NULL, &ignore) == 0 && ignore.sa_handler == SIG_IGN);
    EXPECT(sigaction(SIGPIPE, &old, NULL) == 0 && sigprocmask(SIG_SETMASK, &before, NULL) == 0);
    // What this program itself was born with may lie there in a plain child too.
    const char *const descriptors[] = {"conformance", "--child", "count-descriptors", NULL};
    EXPECT(supervise(descriptors, &process, &error) == GN_DONE);
    EXPECT(finish(process) == child_finish(child_start((const char *const[]){"count-descriptors", NULL}, NULL, 0, GN_NO_HANDLE)));
}

static void supervising_fails(void) {
    static const struct { const char *operation; uint32_t skip; int32_t native; gn_code code; } faults[] = {
        {"open", 0, EMFILE, GN_CODE_NO_DESCRIPTORS}, {"pipe", 0, EMFILE, GN_CODE_NO_DESCRIPTORS}, {"pipe", 1, ENFILE, GN_CODE_NO_DESCRIPTORS},
        {"fcntl", 2, EMFILE, GN_CODE_NO_DESCRIPTORS},
#if defined(__linux__)
        {"pipe", 2, EMFILE, GN_CODE_NO_DESCRIPTORS}, {"vfork", 0, EAGAIN, GN_CODE_NO_MEMORY},     {"execve", 0, EACCES, GN_CODE_DENIED},
#endif
    };
    const char *const arguments[] = {"conformance", "--child", "exit", "0", NULL};
    gn_process *process;
    gn_error error;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        EXPECT(gn_fault_add(faults[i].operation, faults[i].skip, 1, faults[i].native));
        EXPECT_CODE(supervise(arguments, &process, &error), error, faults[i].code);
        EXPECT(strcmp(error.operation, faults[i].operation) == 0);
        gn_fault_clear();
    }
}

#if defined(__linux__)
struct left_child {
    struct ends ends;
    gn_process *process;
};

/// Starts a child, hears from it, and is over.
static void start_and_leave(void *argument) {
    struct left_child *left = argument;
    const char *const arguments[] = {"conformance", "--child", "connect", left->ends.path, NULL};
    gn_error error;
    char bytes[5];
    if (supervise(arguments, &left->process, &error) != GN_DONE) return;
    left->ends.b = ends_accept(&left->ends);
    if (gn_poller_add_channel(left->ends.poller, left->ends.b, TOKEN_B, &error) == GN_DONE) ends_read_exactly(&left->ends, TOKEN_B, bytes, 5);
}

static void ends_with_its_thread(void) {
    struct left_child left = {0};
    gn_thread *thread;
    gn_error error;
    ends_listen(&left.ends, 16);
    EXPECT(gn_thread_start("starter", 0, start_and_leave, &left, &thread, &error) == GN_DONE);
    gn_thread_join(thread);
    EXPECT(left.process != NULL && left.ends.b != NULL);
    // Nobody has told it to end, and it would stay for ever.
    EXPECT(finish(left.process) == 256 + SIGKILL);
    ends_finish(&left.ends);
}

static void without_pidfd(void) {
    const char *const arguments[] = {"conformance", "--child", "exit", "9", NULL};
    gn_process *process;
    gn_error error;
    EXPECT(gn_fault_add("pidfd_open", 0, 1, ENOSYS));
    EXPECT(supervise(arguments, &process, &error) == GN_DONE);
    EXPECT(finish(process) == 9);
}
#endif

void suite_termination(void) {
    check("two requests to end are told, and afterwards things are as before", two_are_told);
    check("the third request ends the process", the_third_ends);
    check("a watch that cannot begin leaves signals alone", watching_fails);
    check("a supervised child begins with plain signals and what it was given", plain_in_every_way);
    check("a supervised child that cannot be started leaves nothing behind", supervising_fails);
#if defined(__linux__)
    check("a supervised child ends with the thread that started it", ends_with_its_thread);
    check("the end of a child is seen without a pidfd too", without_pidfd);
#endif
}
