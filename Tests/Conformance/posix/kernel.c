// What the contract leaves open and these kernels promise: writers that sleep through what is no news for them, resets, signals, threads.
#include "posix_support.h"

#include <pthread.h>
#include <signal.h>

static void unread_end_is_told_once(void) {
    struct ends ends;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "x", 1);
    gn_channel_abort(ends.a);
    ends.a = NULL;
    ends_await(&ends, TOKEN_B, GN_EVENT_GONE);
    ends.seen[TOKEN_B] = 0;
    ends_look(&ends, 0);
    uint64_t begun = gn_clock_awake();
    ends_look(&ends, 2000000);
    EXPECT(ends.seen[TOKEN_B] == 0 && gn_clock_awake() - begun >= 2000000);
    ends_finish(&ends);
}

static void reader_does_not_wake_writer(void) {
    gn_poller *poller;
    gn_channel *first, *second;
    gn_error error;
    gn_event event;
    gn_span span = {.bytes = "x", .count = 1};
    size_t count;
    char byte;
    bool drained;
    EXPECT(poller_open(&poller, &error) == GN_DONE && gn_channel_pair(&first, &second, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(poller, first, 1, &error) == GN_DONE);
    EXPECT(gn_channel_write(first, &span, 1, &count, &error) == GN_DONE);
    EXPECT(gn_channel_read(second, &byte, 1, &count, &drained, &error) == GN_DONE);
    // The kernel has nothing to say: the wait takes its time instead of coming back empty.
    uint64_t begun = gn_clock_awake();
    EXPECT(gn_poller_wait(poller, &event, 1, 2000000, &count, &error) == GN_DONE && count == 0);
    EXPECT(gn_clock_awake() - begun >= 2000000);
    gn_channel_abort(first);
    gn_channel_abort(second);
    gn_poller_close(poller);
}

static void unblocked_writer_sleeps_again(void) {
    gn_poller *poller;
    gn_channel *first, *second;
    gn_error error;
    gn_event event;
    static char bytes[65536];
    gn_span span = {.bytes = bytes, .count = sizeof bytes};
    size_t count, total = 0;
    bool drained;
    EXPECT(poller_open(&poller, &error) == GN_DONE && gn_channel_pair(&first, &second, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(poller, first, 1, &error) == GN_DONE);
    while (gn_channel_write(first, &span, 1, &count, &error) == GN_DONE) total += count;
    while (gn_channel_read(second, bytes, sizeof bytes, &count, &drained, &error) == GN_DONE) total -= count;
    EXPECT(total == 0);
    EXPECT(gn_poller_wait(poller, &event, 1, 1000000000, &count, &error) == GN_DONE && count == 1 && event.kind == GN_EVENT_WRITABLE);
    span.count = 1;
    EXPECT(gn_channel_write(first, &span, 1, &count, &error) == GN_DONE);
    EXPECT(gn_channel_read(second, bytes, 1, &count, &drained, &error) == GN_DONE);
    uint64_t begun = gn_clock_awake();
    EXPECT(gn_poller_wait(poller, &event, 1, 2000000, &count, &error) == GN_DONE && count == 0);
    EXPECT(gn_clock_awake() - begun >= 2000000);
    gn_channel_abort(first);
    gn_channel_abort(second);
    gn_poller_close(poller);
}

static void hangup_kinds(void) {
    struct ends ends;
    gn_error error;
    ends_pair(&ends);
    EXPECT(gn_channel_half_close(ends.a, &error) == GN_DONE);
    ends_await(&ends, TOKEN_B, GN_EVENT_HANGUP);
    EXPECT((ends.seen[TOKEN_B] & GN_EVENT_READABLE) != 0);
    EXPECT((ends.seen[TOKEN_A] & GN_EVENT_HANGUP) == 0);
    ends_finish(&ends);
}

static void reset_after_unread_bytes(void) {
    struct ends ends;
    char bytes[8];
    size_t count;
    gn_error error;
    ends_pair(&ends);
    ends_write(&ends, TOKEN_A, "unread", 6);
    ends_write(&ends, TOKEN_B, "answer", 6);
    gn_channel_abort(ends.b);
    ends.b = NULL;
    ends_read_exactly(&ends, TOKEN_A, bytes, 6);
    gn_outcome outcome = ends_read(&ends, TOKEN_A, bytes, sizeof bytes, &count, &error);
#if defined(__linux__)
    EXPECT_CODE(outcome, error, GN_CODE_RESET);
#endif
    // Once told, it is an end like any other.
    if (outcome == GN_FAILED) outcome = ends_read(&ends, TOKEN_A, bytes, sizeof bytes, &count, &error);
    EXPECT(outcome == GN_END);
    ends_finish(&ends);
}

static void no_signal_for_writing_to_nobody(void) {
    struct sigaction plain = {.sa_handler = SIG_DFL}, before;
    struct ends ends;
    size_t count;
    gn_error error;
    gn_span span = {.bytes = "x", .count = 1};
    EXPECT(sigaction(SIGPIPE, &plain, &before) == 0);
    ends_pair(&ends);
    gn_channel_abort(ends.b);
    ends.b = NULL;
    EXPECT_CODE(gn_channel_write(ends.a, &span, 1, &count, &error), error, GN_CODE_RESET);
    EXPECT(error.native == EPIPE);
    EXPECT(sigaction(SIGPIPE, &before, NULL) == 0);
    ends_finish(&ends);
}

// MARK: Waiting and signals

static void ignore_signal(int number) { (void)number; }

struct interrupted {
    pthread_t waiter;
    gn_poller *poller;
};

static void interrupt_often(void *argument) {
    struct interrupted *interrupted = argument;
    for (int turn = 0; turn < 50; turn++) {
        (void)pthread_kill(interrupted->waiter, SIGUSR1);
        gn_event event;
        size_t count;
        gn_error error;
        (void)gn_poller_wait(interrupted->poller, &event, 1, 100000, &count, &error);
    }
}

static void waits_through_signals(void) {
    struct sigaction action = {.sa_handler = ignore_signal}, before;
    struct interrupted interrupted = {.waiter = pthread_self()};
    gn_poller *poller;
    gn_thread *thread;
    gn_event event;
    size_t count;
    gn_error error;
    EXPECT(sigaction(SIGUSR1, &action, &before) == 0);
    EXPECT(poller_open(&poller, &error) == GN_DONE && poller_open(&interrupted.poller, &error) == GN_DONE);
    uint64_t begun = gn_clock_awake();
    EXPECT(gn_thread_start("signals", 0, interrupt_often, &interrupted, &thread, &error) == GN_DONE);
    EXPECT(gn_poller_wait(poller, &event, 1, 20000000, &count, &error) == GN_DONE && count == 0);
    uint64_t passed = gn_clock_awake() - begun;
    gn_thread_join(thread);
    EXPECT(passed >= 20000000 && passed < 5000000000u);
    gn_poller_close(poller);
    gn_poller_close(interrupted.poller);
    EXPECT(sigaction(SIGUSR1, &before, NULL) == 0);
}

static void waits_on_old_kernels(void) {
    EXPECT(child_finish(child_start((const char *const[]){"milliseconds", NULL}, NULL, 0, GN_NO_HANDLE)) == 0);
}

// MARK: Threads

typedef struct thread_facts {
    char name[64];
    sigset_t blocked;
} thread_facts;

static void note_thread(void *argument) {
    thread_facts *facts = argument;
    (void)pthread_getname_np(pthread_self(), facts->name, sizeof facts->name);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &facts->blocked);
}

static void thread_names_and_signals(void) {
    static const struct { const char *given, *expected; } names[] = {
        {"loop 1", "loop 1"}, {"", ""},
#if defined(__linux__)
        {"a name longer than fifteen", "a name longer t"}, {"fourteen bytesä", "fourteen bytes"},
#endif
    };
    sigset_t before, after;
    EXPECT(pthread_sigmask(SIG_SETMASK, NULL, &before) == 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        thread_facts facts = {.name = "none"};
        gn_thread *thread;
        gn_error error;
        EXPECT(gn_thread_start(names[i].given, 0, note_thread, &facts, &thread, &error) == GN_DONE);
        gn_thread_join(thread);
        EXPECT(strcmp(facts.name, names[i].expected) == 0);
        EXPECT(sigismember(&facts.blocked, SIGTERM) == 1 && sigismember(&facts.blocked, SIGCHLD) == 1);
        EXPECT(sigismember(&facts.blocked, SIGSEGV) == 0 && sigismember(&facts.blocked, SIGABRT) == 0);
    }
    EXPECT(pthread_sigmask(SIG_SETMASK, NULL, &after) == 0);
    EXPECT(sigismember(&before, SIGTERM) == 0 && sigismember(&after, SIGTERM) == 0);
}

void suite_kernel(void) {
    check("a peer that reads does not wake a writer that was never blocked", reader_does_not_wake_writer);
    check("a writer that was blocked and is not any more sleeps through its peer's reading", unblocked_writer_sleeps_again);
    check("an end that nobody reads is told once, and waiting goes on", unread_end_is_told_once);
    check("half a close hangs up at the other end only", hangup_kinds);
    check("bytes that the peer did not read make its end a reset, after what it sent", reset_after_unread_bytes);
    check("writing to nobody raises no signal", no_signal_for_writing_to_nobody);
    check("a wait that signals interrupt takes its time all the same", waits_through_signals);
#if defined(__linux__)
    check("a kernel that counts in milliseconds never waits too short", waits_on_old_kernels);
#endif
    check("threads have their names and take no signals of the program", thread_names_and_signals);
}
