// Being asked to end: the events of the console, which Windows also has for programs whose console is closed and for a user who logs off.
//
// The system calls the handler on a thread that it makes for it. When it returns from an event that is an end, the process has ended, so there it waits for the watch to end first.
#include "win32.h"

#if defined(_WIN32)

enum { TOLD = 2 };

static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE unwatched = CONDITION_VARIABLE_INIT;
/// NULL: nobody watches.
static void (*told)(gn_termination how, void *argument);
static void *told_argument;
static int requests;

static BOOL WINAPI handle(DWORD kind) {
    bool asks = kind == CTRL_C_EVENT || kind == CTRL_BREAK_EVENT;
    AcquireSRWLockExclusive(&lock);
    // False: the next handler is asked, in the end the system's own, which ends the process.
    BOOL taken = told != NULL && requests++ < TOLD;
    if (taken) told(kind == CTRL_C_EVENT ? GN_TERMINATION_INTERRUPT : GN_TERMINATION_TERMINATE, told_argument);
    while (taken && !asks && told != NULL) (void)SleepConditionVariableSRW(&unwatched, &lock, INFINITE, 0);
    ReleaseSRWLockExclusive(&lock);
    return taken;
}

gn_outcome gn_termination_watch(void (*tell)(gn_termination how, void *argument), void *argument, gn_error *error) {
    gn_outcome outcome = GN_DONE;
    AcquireSRWLockExclusive(&lock);
    if (told != NULL) {
        outcome = gnp_fail(error, GN_CODE_EXISTS, 0, "SetConsoleCtrlHandler");
    } else if (gnp_fails("SetConsoleCtrlHandler") || !SetConsoleCtrlHandler(handle, TRUE)) {
        outcome = gnp_fail_last(error, "SetConsoleCtrlHandler");
    } else {
        told = tell;
        told_argument = argument;
        requests = 0;
    }
    ReleaseSRWLockExclusive(&lock);
    return outcome;
}

void gn_termination_unwatch(void) {
    AcquireSRWLockExclusive(&lock);
    bool watched = told != NULL;
    told = NULL;
    ReleaseSRWLockExclusive(&lock);
    if (!watched) return;
    WakeAllConditionVariable(&unwatched);
    (void)SetConsoleCtrlHandler(handle, FALSE);
}

#endif
