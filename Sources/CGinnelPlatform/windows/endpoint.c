// Where a service listens: a pipe's name. Names are global to the machine, so that of a user's own service has the user's SID in it: a bare one would let only one user have it.
#include "win32.h"

#if defined(_WIN32)

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

gn_outcome gn_endpoint_path(gn_endpoint_kind kind, const char *name, size_t index, char *path, size_t capacity, bool *needs_parent,
                            gn_error *error) {
    char sid[GNP_SID_TEXT], whole[1024 + GNP_SID_TEXT];
    int length;
    *needs_parent = false;
    if (name[0] == 0 || strchr(name, '/') != NULL || strchr(name, '\\') != NULL) return gnp_fail(error, GN_CODE_INVALID, 0, "gn_endpoint_path");
    if (index > 0) return gnp_fail(error, GN_CODE_NOT_FOUND, 0, "gn_endpoint_path");
    if (kind == GN_ENDPOINT_SYSTEM) {
        length = snprintf(whole, sizeof whole, "\\\\.\\pipe\\%s-service", name);
    } else {
        if (!gnp_sid_own(sid)) return gnp_fail_last(error, "GetTokenInformation");
        length = snprintf(whole, sizeof whole, "\\\\.\\pipe\\%s-service-%s", name, sid);
    }
    if (length < 0 || (size_t)length >= sizeof whole || (size_t)length >= capacity) return gnp_fail(error, GN_CODE_NAME_TOO_LONG, 0, "gn_endpoint_path");
    WCHAR *checked;
    if (gnp_pipe_name(whole, &checked, error) != GN_DONE) return GN_FAILED;
    free(checked);
    memcpy(path, whole, (size_t)length + 1);
    return GN_DONE;
}

#endif
