// How channels begin and end.
//
// What was written stays in the kernel for the peer to read after the pipe's handle is closed, as long as nobody disconnects the pipe. So closing waits for a pending write only,
// and not itself: the record of that write takes the handle along and closes it in the end. Aborting disconnects, where this is the end that can, and what was not read is lost.
#include "win32.h"

#if defined(_WIN32)

#include <stdio.h>
#include <stdlib.h>

static uint64_t system_time(void) {
    FILETIME now;
    GetSystemTimePreciseAsFileTime(&now);
    return (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
}

gn_outcome gnp_channel_make(HANDLE pipe, bool server, gn_channel **channel, gn_error *error) {
    gn_channel *made = gnp_allocate(sizeof *made);
    if (made == NULL) {
        gnp_close(pipe);
        return gnp_fail_memory(error);
    }
    made->event = gnp_fails("CreateEventW") ? NULL : CreateEventW(NULL, TRUE, FALSE, NULL);
    if (made->event == NULL) {
        gnp_close(pipe);
        free(made);
        return gnp_fail_last(error, "CreateEventW");
    }
    InitializeSRWLock(&made->watch.lock);
    made->pipe = pipe;
    made->server = server;
    made->made_at = system_time();
    *channel = made;
    return GN_DONE;
}

// MARK: A pair, and inherited ends

gn_outcome gn_channel_pair(gn_channel **first, gn_channel **second, gn_error *error) {
    uint8_t random[16];
    WCHAR name[64] = L"\\\\.\\pipe\\ginnel-pair-";
    if (gn_random(random, sizeof random, error) != GN_DONE) return GN_FAILED;
    for (size_t i = 0; i < sizeof random; i++) (void)swprintf(name + 21 + 2 * i, 3, L"%02x", random[i]);
    PSECURITY_DESCRIPTOR descriptor = gnp_descriptor("", error);
    if (descriptor == NULL) return GN_FAILED;
    HANDLE server, client;
    gn_outcome outcome = gnp_pipe_create(name, descriptor, true, 1, &server, error);
    LocalFree(descriptor);
    if (outcome != GN_DONE) return outcome;
    if (gnp_pipe_connect(name, &client, error) != GN_DONE) {
        gnp_close(server);
        return GN_FAILED;
    }
    gn_channel *made;
    if (gnp_channel_make(server, true, &made, error) != GN_DONE) {
        gnp_close(client);
        return GN_FAILED;
    }
    if (gnp_channel_make(client, false, second, error) != GN_DONE) {
        gn_channel_abort(made);
        return GN_FAILED;
    }
    *first = made;
    return GN_DONE;
}

gn_outcome gn_channel_adopt(gn_handle handle, gn_channel **channel, gn_error *error) {
    HANDLE pipe = gnp_inherited(handle);
    gnp_pipe_state state;
    DWORD bytes = PIPE_READMODE_BYTE;
    if (handle == GN_NO_HANDLE || !gnp_pipe_look(pipe, &state)) return gnp_fail(error, GN_CODE_INVALID, (int32_t)GetLastError(), "GetNamedPipeInfo");
    if (!state.overlapped || !state.duplex || !state.connected) return gnp_fail(error, GN_CODE_INVALID, 0, "GetNamedPipeInfo");
    if (!SetHandleInformation(pipe, HANDLE_FLAG_INHERIT, 0) || !SetNamedPipeHandleState(pipe, &bytes, NULL, NULL)) {
        return gnp_fail(error, GN_CODE_INVALID, (int32_t)GetLastError(), "SetNamedPipeHandleState");
    }
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    gn_channel *made = event == NULL ? NULL : gnp_allocate(sizeof *made);
    if (made == NULL) {
        gnp_close(event);
        return event == NULL ? gnp_fail_last(error, "CreateEventW") : gnp_fail_memory(error);
    }
    InitializeSRWLock(&made->watch.lock);
    made->pipe = pipe;
    made->event = event;
    made->server = state.server;
    made->made_at = system_time();
    *channel = made;
    return GN_DONE;
}

// MARK: The end

/// Ends everything but the pipe itself. True when the pipe will be closed by the write that is still leaving.
static bool end(gn_channel *channel, uint64_t leave_ns) {
    gnp_channel_leave(channel);
    bool leaves = leave_ns > 0 && channel->writing != NULL && atomic_load(&channel->writing->pending);
    if (channel->writing != NULL) gnp_operation_drop(channel->writing, leaves, leave_ns);
    gnp_close(channel->event);
    free(channel);
    return leaves;
}

void gn_channel_close(gn_channel *channel, uint64_t drain_limit_ns) {
    HANDLE pipe = channel->pipe;
    if (!end(channel, drain_limit_ns)) gnp_close(pipe);
}

void gn_channel_abort(gn_channel *channel) {
    HANDLE pipe = channel->pipe;
    bool server = channel->server;
    (void)end(channel, 0);
    if (server) (void)DisconnectNamedPipe(pipe);
    gnp_close(pipe);
}

gn_handle gn_channel_release(gn_channel *channel) {
    HANDLE pipe = channel->pipe;
    gnp_channel_leave(channel);
    // A write that is pending goes on: its record does not close the pipe.
    if (channel->writing != NULL) gnp_operation_drop(channel->writing, false, UINT64_MAX);
    gnp_close(channel->event);
    free(channel);
    return (gn_handle)pipe;
}

#endif
