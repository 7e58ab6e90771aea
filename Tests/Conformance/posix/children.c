// Child processes on Linux and macOS: descriptors, output, signals and those that nobody waits for.
#include "posix_support.h"

#include <signal.h>

static void only_what_is_given(void) {
    const char *const role[] = {"count-descriptors", NULL};
    int before = child_finish(child_start(role, NULL, 0, GN_NO_HANDLE));
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const gn_handle handles[] = {null, null, null, null};
    EXPECT(null >= 0);
    int with_four = child_finish(child_start(role, handles, 4, GN_NO_HANDLE));
    // What this program itself was born with may lie below them.
    EXPECT(with_four >= 4 && with_four <= before + 4);
    EXPECT(close(null) == 0);
}

static void output(void) {
    struct ends ends;
    char bytes[8];
    ends_pair(&ends);
    gn_handle handle = gn_channel_release(ends.b);
    ends.b = NULL;
    gn_process *process = child_start((const char *const[]){"say", "spoken", NULL}, NULL, 0, handle);
    gn_handle_close(handle);
    ends_read_exactly(&ends, TOKEN_A, bytes, 7);
    EXPECT(memcmp(bytes, "spoken\n", 7) == 0);
    EXPECT(ends_read_to_end(&ends, TOKEN_A) == 0);
    EXPECT(child_finish(process) == 0);
    ends_finish(&ends);
}

static void signals(void) {
    sigset_t blocked, before;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    char number[8];
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGUSR2);
    EXPECT(sigaction(SIGPIPE, &ignore, &old) == 0 && sigprocmask(SIG_BLOCK, &blocked, &before) == 0);
    (void)snprintf(number, sizeof number, "%d", SIGPIPE);
    int32_t status = child_finish(child_start((const char *const[]){"plain-signals", number, NULL}, NULL, 0, GN_NO_HANDLE));
    EXPECT(sigaction(SIGPIPE, &old, NULL) == 0 && sigprocmask(SIG_SETMASK, &before, NULL) == 0);
    EXPECT(status == 0);
}

static void forgotten_is_reaped(void) {
    struct place place;
    struct partner partner;
    char byte;
    size_t count;
    gn_error error;
    place_make(&place);
    partner_start(&partner, (const char *const[]){"hold", place.socket, NULL});
    partner_await(&partner);
    pid_t process = (pid_t)gn_process_id(partner.process);
    gn_process_forget(partner.process);
    EXPECT(kill(process, 0) == 0);
    EXPECT(kill(process, SIGKILL) == 0);
    // Its channel ends before it is a zombie, so look until it can be reaped by somebody else's start.
    EXPECT(ends_read(&partner.ends, TOKEN_A, &byte, 1, &count, &error) == GN_END);
    for (int turn = 0; kill(process, 0) == 0; turn++) {
        EXPECT(turn < 1000);
        EXPECT(child_finish(child_start((const char *const[]){"exit", "0", NULL}, NULL, 0, GN_NO_HANDLE)) == 0);
    }
    EXPECT(errno == ESRCH);
    ends_finish(&partner.ends);
    place_remove(&place);
}

void suite_children(void) {
    check("a child has the descriptors it was given and no more", only_what_is_given);
    check("a child's output goes where it was told to", output);
    check("a child begins with plain signals", signals);
    check("a child that was forgotten while it ran is reaped later", forgotten_is_reaped);
}
