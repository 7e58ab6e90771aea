// The process at the other end.
//
// It is named by a number, and numbers are used again. So the process is held open while anything is done with it, during which nobody else gets its number; it has to live, and must
// have been there before the connection was: whoever got the number later came later. Both who asks for a peer's program and who puts a handle into a peer come through here.
//
// The number is that of whoever opened this end, as the kernel noted it. One that has passed its end on to a child is still the peer as long as it lives, and when it has ended
// there is none. A client that ends between its connecting and our accepting, and whose number is given away in that very time, is not told from whoever got it: the kernel tells
// nobody when a client connected.
#include "win32.h"

#if defined(_WIN32)

gn_outcome gnp_peer_process_id(const gn_channel *channel, DWORD *id, gn_error *error) {
    const char *operation = channel->server ? "GetNamedPipeClientProcessId" : "GetNamedPipeServerProcessId";
    BOOL found = FALSE;
    if (!gnp_fails(operation)) found = channel->server ? GetNamedPipeClientProcessId(channel->pipe, id) : GetNamedPipeServerProcessId(channel->pipe, id);
    return found ? GN_DONE : gnp_fail(error, GN_CODE_OTHER, (int32_t)GetLastError(), operation);
}

bool gnp_process_lives(HANDLE process) { return !gnp_fails("WaitForSingleObject") && WaitForSingleObject(process, 0) == WAIT_TIMEOUT; }

static bool was_there_before(HANDLE process, uint64_t time) {
    FILETIME created, ended, kernel, user;
    if (gnp_fails("GetProcessTimes") || !GetProcessTimes(process, &created, &ended, &kernel, &user)) return false;
    return ((uint64_t)created.dwHighDateTime << 32 | created.dwLowDateTime) <= time;
}

gn_outcome gnp_peer_process_open(const gn_channel *channel, DWORD id, DWORD rights, HANDLE *process, gn_error *error) {
    HANDLE opened = gnp_fails("OpenProcess") ? NULL : OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE | rights, FALSE, id);
    if (opened == NULL) {
        // A number that nobody has is an argument that is wrong.
        DWORD native = GetLastError();
        return gnp_fail(error, native == ERROR_INVALID_PARAMETER ? GN_CODE_NOT_FOUND : gnp_code_of(native), (int32_t)native, "OpenProcess");
    }
    if (gnp_process_lives(opened) && was_there_before(opened, channel->made_at)) {
        *process = opened;
        return GN_DONE;
    }
    gnp_close(opened);
    return gnp_fail(error, GN_CODE_NOT_FOUND, 0, "OpenProcess");
}

#endif
