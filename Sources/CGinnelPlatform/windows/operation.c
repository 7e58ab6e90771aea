// Overlapped operations: records that the kernel writes to until they have ended, and the two ways in which their end is told.
//
// "Direct" is a packet in the completion port of the poller that the pipe is associated with: one step, no other thread. That association is for ever, so a pipe has it with the
// first poller it is added to. "Bridged" is an event for which the system's thread pool waits, for all the rest: clients that come to a listener (their pipe will belong to another
// poller), writes outside a poller, pipes that some other poller or process has associated. The low bit of an operation's event keeps its packet out of any port.
//
// A record may be dropped at any moment. Its memory stays until the kernel has told the end, since it is written to until then. A pending write that may still leave has a
// timer, whose only work is to cancel it.
//
// When a thread ends, the kernel cancels what it has begun on a pipe without a port. A write outside a poller that is pending at that moment is lost, and the next one says so.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>
#include <string.h>

gnp_operation *gnp_operation_make(HANDLE pipe, gn_poller *poller, gnp_watch *watch, uint32_t kind) {
    gnp_operation *made = gnp_allocate(sizeof *made);
    if (made == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    InitializeSRWLock(&made->lock);
    InitializeConditionVariable(&made->ended);
    atomic_init(&made->holders, 1);
    made->pipe = pipe;
    made->poller = poller;
    made->watch = watch;
    made->kind = kind;
    if (poller != NULL) return made;
    made->event = gnp_fails("CreateEventW") ? NULL : CreateEventW(NULL, TRUE, FALSE, NULL);
    if (made->event != NULL) return made;
    free(made);
    return NULL;
}

static void release(gnp_operation *operation) {
    if (atomic_fetch_sub(&operation->holders, 1) > 1) return;
    if (operation->limit != NULL) {
        SetThreadpoolTimer(operation->limit, NULL, 0, 0);
        WaitForThreadpoolTimerCallbacks(operation->limit, TRUE);
        CloseThreadpoolTimer(operation->limit);
    }
    // From within its own callback this takes effect when the callback returns.
    if (operation->bridge != NULL) CloseThreadpoolWait(operation->bridge);
    gnp_close(operation->event);
    if (operation->owns_pipe) gnp_close(operation->pipe);
    free(operation->buffer);
    free(operation);
}

// MARK: The end

/// Notes the end and tells it; `here` is the poller whose thread this is, or NULL. True when the event is filled in.
static bool finish(gnp_operation *operation, const gn_poller *here, gn_event *event) {
    bool reported = false;
    AcquireSRWLockExclusive(&operation->lock);
    operation->error = gnp_error_of_status(operation->overlapped.Internal);
    uint32_t kinds = operation->kind | (operation->error != 0 && operation->error != ERROR_OPERATION_ABORTED ? operation->lost : 0u);
    // Whoever asks for the news after this finds the operation ended; who asked before is told.
    atomic_store(&operation->pending, false);
    if (operation->watch != NULL && here != NULL) reported = gnp_watch_report(operation->watch, here, kinds, operation->wanted, event);
    else if (operation->watch != NULL) gnp_watch_tell(operation->watch, kinds, operation->wanted);
    WakeAllConditionVariable(&operation->ended);
    ReleaseSRWLockExclusive(&operation->lock);
    release(operation);
    return reported;
}

bool gnp_operation_arrived(gnp_operation *operation, gn_poller *poller, gn_event *event) {
    gnp_poller_expect_no_more(poller, operation->slow);
    return finish(operation, poller, event);
}

static VOID CALLBACK bridged(PTP_CALLBACK_INSTANCE instance, PVOID argument, PTP_WAIT wait, TP_WAIT_RESULT result) {
    (void)instance, (void)wait, (void)result;
    (void)finish(argument, NULL, NULL);
}

/// Lets the thread pool wait for the event.
static bool build_bridge(gnp_operation *operation) {
    if (operation->bridge == NULL && !gnp_fails("CreateThreadpoolWait")) operation->bridge = CreateThreadpoolWait(bridged, operation, NULL);
    if (operation->bridge == NULL) return false;
    SetThreadpoolWait(operation->bridge, operation->event, NULL);
    return true;
}

// MARK: The beginning

void gnp_operation_begin(gnp_operation *operation) {
    memset(&operation->overlapped, 0, sizeof operation->overlapped);
    if (operation->event != NULL) operation->overlapped.hEvent = (HANDLE)((ULONG_PTR)operation->event | 1);
    operation->error = 0;
    atomic_fetch_add(&operation->holders, 1);
    atomic_store(&operation->pending, true);
    if (operation->poller != NULL) gnp_poller_expect(operation->poller, operation->slow);
}

bool gnp_operation_begun(gnp_operation *operation, bool succeeded, DWORD native) {
    if (!succeeded && native == ERROR_IO_PENDING) {
        // From here on a direct record may have ended already and be in other hands.
        if (operation->poller != NULL || build_bridge(operation)) return true;
        // Without a bridge nobody would ever hear of the end, so it is brought about.
        (void)CancelIoEx(operation->pipe, &operation->overlapped);
        (void)WaitForSingleObject(operation->event, INFINITE);
        native = ERROR_NOT_ENOUGH_MEMORY;
    }
    operation->error = succeeded ? 0 : native;
    if (operation->poller != NULL) gnp_poller_expect_no_more(operation->poller, operation->slow);
    atomic_store(&operation->pending, false);
    release(operation);
    return false;
}

// MARK: Letting go

static VOID CALLBACK cancel(PTP_CALLBACK_INSTANCE instance, PVOID argument, PTP_TIMER timer) {
    (void)instance, (void)timer;
    gnp_operation *operation = argument;
    (void)CancelIoEx(operation->pipe, &operation->overlapped);
}

/// Gives what is pending so much time; false when there is no timer for it.
static bool limit(gnp_operation *operation, uint64_t leave_ns) {
    operation->limit = gnp_fails("CreateThreadpoolTimer") ? NULL : CreateThreadpoolTimer(cancel, operation, NULL);
    if (operation->limit == NULL) return false;
    uint64_t ticks = leave_ns / 100;
    LARGE_INTEGER due = {.QuadPart = ticks < INT64_MAX ? -(int64_t)ticks : -INT64_MAX};  // negative: from now on
    FILETIME time = {.dwLowDateTime = due.LowPart, .dwHighDateTime = (DWORD)due.HighPart};
    SetThreadpoolTimer(operation->limit, &time, 0, 0);
    return true;
}

/// Cancels what is pending. The end of a bridged operation is waited for, so that nothing of it is left behind; a packet comes later.
static void stop(gnp_operation *operation) {
    if (atomic_load(&operation->pending)) (void)CancelIoEx(operation->pipe, &operation->overlapped);
    if (operation->bridge == NULL) return;
    // The bridge is not taken down under what may be on it: its callback comes once for each operation, and is the only one to say that it has ended.
    AcquireSRWLockExclusive(&operation->lock);
    while (atomic_load(&operation->pending)) (void)SleepConditionVariableSRW(&operation->ended, &operation->lock, INFINITE, 0);
    ReleaseSRWLockExclusive(&operation->lock);
    while (atomic_load(&operation->holders) > 1) (void)SwitchToThread();
}

void gnp_operation_drop(gnp_operation *operation, bool owns_pipe, uint64_t leave_ns) {
    AcquireSRWLockExclusive(&operation->lock);
    operation->watch = NULL;
    operation->owns_pipe = owns_pipe;
    ReleaseSRWLockExclusive(&operation->lock);
    bool leaves = leave_ns > 0 && atomic_load(&operation->pending) && limit(operation, leave_ns);
    if (!leaves) stop(operation);
    release(operation);
}

#endif
