// Who has a pipe's name. There is no lock file here: the name itself is the lock, held by whoever has an instance of it (FILE_FLAG_FIRST_PIPE_INSTANCE), and the kernel lets go of it
// when the process ends, however it ends. This looks at the holder, to tell a living service of ours from a squatter.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>
#include <string.h>

static gn_outcome blame(gn_endpoint_facts *facts, const char *path, DWORD native, gn_error *error) {
    size_t length = strlen(path) < sizeof facts->offender ? strlen(path) : sizeof facts->offender - 1;
    memcpy(facts->offender, path, length);
    facts->offender[length] = 0;
    return gnp_fail(error, GN_CODE_UNSAFE, (int32_t)native, "CreateFileW");
}

gn_outcome gnp_name_judge(const WCHAR *name, const char *path, gn_endpoint_facts *facts, gn_error *error) {
    HANDLE pipe;
    gn_outcome found = gnp_pipe_connect(name, &pipe, error);
    if (found == GN_FAILED && error->code == GN_CODE_NOT_FOUND) return GN_DONE;
    facts->socket_exists = facts->socket_is_socket = true;
    facts->lock_exists = facts->lock_held = true;
    if (found == GN_FAILED && error->code == GN_CODE_BUSY) {
        facts->answers = true;
        return GN_FAILED;
    }
    // A pipe that does not let us in is not one of ours.
    if (found == GN_FAILED) return error->code == GN_CODE_DENIED ? blame(facts, path, (DWORD)error->native, error) : GN_FAILED;
    char owner[GNP_SID_TEXT], own[GNP_SID_TEXT];
    ULONG process;
    facts->answers = true;
    if (GetNamedPipeServerProcessId(pipe, &process)) facts->lock_holder = process;
    bool ours = gnp_sid_of_owner(pipe, owner) && gnp_sid_own(own) && strcmp(owner, own) == 0;
    gnp_close(pipe);
    return ours ? gnp_fail(error, GN_CODE_BUSY, ERROR_PIPE_BUSY, "CreateFileW") : blame(facts, path, 0, error);
}

void gn_endpoint_inspect(const char *path, gn_endpoint_facts *facts) {
    WCHAR *name;
    gn_error error;
    memset(facts, 0, sizeof *facts);
    if (gnp_pipe_name(path, &name, &error) != GN_DONE) return;
    (void)gnp_name_judge(name, path, facts, &error);
    free(name);
}

#endif
