// Connecting to a named pipe without waiting.
//
// A pipe's instance that waits takes the client at once. When all are taken the system says so, and trying again is left to the caller; WaitNamedPipe would block, and
// promises nothing, since another client may be quicker.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>

gn_outcome gn_channel_connect(const char *path, gn_channel **channel, gn_error *error) {
    WCHAR *name;
    HANDLE pipe;
    if (gnp_pipe_name(path, &name, error) != GN_DONE) return GN_FAILED;
    gn_outcome outcome = gnp_pipe_connect(name, &pipe, error);
    free(name);
    return outcome == GN_DONE ? gnp_channel_make(pipe, false, channel, error) : outcome;
}

#endif
