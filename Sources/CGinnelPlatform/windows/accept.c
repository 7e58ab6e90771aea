// Taking connections from a listener. The next instance exists before the one that is taken is handed over, so there is no moment in which a client finds nobody.
//
// A client that came and left again has an instance all the same: its channel says so when it is read. When there is no room for one more instance, a client can still be told
// so: its own instance is used up for that, and the place filled again afterwards.
#include "win32.h"

#if defined(_WIN32)

#include <string.h>

void gnp_instance_wait(gnp_instance *instance) {
    gnp_operation_begin(instance->connecting);
    bool succeeded = !gnp_fails("ConnectNamedPipe") && ConnectNamedPipe(instance->pipe, &instance->connecting->overlapped) != 0;
    (void)gnp_operation_begun(instance->connecting, succeeded, GetLastError());
}

/// Whether nobody would be heard who came to it: it was not made, the thread that had let it wait has ended and the kernel has given up with it, or there was no memory to wait with.
static bool is_deaf(const gnp_instance *instance) {
    const gnp_operation *connecting = instance->connecting;
    if (connecting == NULL) return true;
    return !atomic_load(&connecting->pending) && (connecting->error == ERROR_OPERATION_ABORTED || connecting->error == ERROR_NOT_ENOUGH_MEMORY);
}

/// Whether a client has come to it.
static bool is_taken(gnp_instance *instance) {
    if (instance->connecting != NULL && is_deaf(instance)) gnp_instance_wait(instance);
    // PIPE_CONNECTED: he came before we began to wait. NO_DATA: and has left again. Whatever else it is, the channel will say so.
    return !is_deaf(instance) && !atomic_load(&instance->connecting->pending);
}

gnp_instance *gnp_listener_next(gn_listener *listener) {
    // In turn, so that a client at one instance does not wait behind many at another.
    for (size_t i = 0; i < listener->count; i++) {
        gnp_instance *each = &listener->instances[(listener->next + i) % listener->count];
        if (!is_taken(each)) continue;
        listener->next = (size_t)(each - listener->instances) + 1;
        return each;
    }
    return NULL;
}

bool gnp_listener_is_ready(gn_listener *listener) {
    for (size_t i = 0; i < listener->count; i++) {
        if (is_taken(&listener->instances[i])) return true;
    }
    return false;
}

/// Takes the connection out of an instance's place.
static HANDLE hand_over(gnp_instance *instance) {
    HANDLE pipe = instance->pipe;
    gnp_operation_drop(instance->connecting, false, 0);
    *instance = (gnp_instance){.pipe = NULL, .connecting = NULL};
    return pipe;
}

/// Fills places that could not be filled before.
static gn_outcome refill(gn_listener *listener, gn_error *error) {
    for (size_t i = 0; i < listener->count; i++) {
        gnp_instance *each = &listener->instances[i];
        if (each->pipe == NULL && gnp_instance_open(listener, false, each, error) != GN_DONE) return GN_FAILED;
    }
    return GN_DONE;
}

/// Nobody has come. That is all right as long as one instance hears: a listener that has none would wait for ever.
static gn_outcome wait_on(gn_listener *listener, gn_error *error) {
    gn_outcome filled = refill(listener, error);
    for (size_t i = 0; i < listener->count; i++) {
        if (!is_deaf(&listener->instances[i])) return GN_WOULD_BLOCK;
    }
    return filled != GN_DONE ? filled : gnp_fail(error, GN_CODE_NO_MEMORY, ERROR_NOT_ENOUGH_MEMORY, "ConnectNamedPipe");
}

gn_outcome gn_listener_accept(gn_listener *listener, gn_channel **channel, gn_error *error) {
    gnp_instance *taken = gnp_listener_next(listener), fresh;
    gn_error later;
    if (taken == NULL) return wait_on(listener, error);
    if (gnp_instance_open(listener, false, &fresh, error) != GN_DONE) return GN_FAILED;
    HANDLE pipe = hand_over(taken);
    *taken = fresh;
    (void)refill(listener, &later);
    return gnp_channel_make(pipe, true, channel, error);
}

gn_outcome gn_listener_refuse(gn_listener *listener, const void *bytes, size_t count, gn_error *error) {
    gnp_instance *taken = gnp_listener_next(listener);
    gn_error later;
    if (taken == NULL) return GN_WOULD_BLOCK;
    // The event of the instance serves this write: nothing new is needed but what the write copies.
    OVERLAPPED overlapped = {.hEvent = (HANDLE)((ULONG_PTR)taken->connecting->event | 1)};
    DWORD part = count < GNP_PIPE_ROOM ? (DWORD)count : GNP_PIPE_ROOM;
    if (part > 0 && !WriteFile(taken->pipe, bytes, part, NULL, &overlapped) && GetLastError() == ERROR_IO_PENDING) {
        // It does not fit, and nobody waits for it.
        (void)CancelIoEx(taken->pipe, &overlapped);
        (void)WaitForSingleObject(taken->connecting->event, INFINITE);
    }
    gnp_close(hand_over(taken));
    // The client was told and has gone. When its place cannot be filled now, accepting tries again.
    (void)refill(listener, &later);
    (void)error;
    return GN_DONE;
}

#endif
