// Addresses and well-known directories on macOS. sun_path holds 103 bytes, and there is no way around that.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = sizeof ((struct sockaddr_un *)0)->sun_path };

size_t gn_path_limit(bool *longer_works) {
    *longer_works = false;
    return ROOM - 1;
}

gn_outcome gnp_address_open(const char *path, gnp_address *address, gn_error *error) {
    memset(address, 0, sizeof *address);
    address->directory = -1;
    address->name.sun_family = AF_UNIX;
    address->name.sun_len = sizeof address->name;
    address->length = sizeof address->name;
    size_t length = strlen(path);
    if (length == 0) return gnp_fail(error, GN_CODE_INVALID, 0, "connect");
    if (length >= ROOM) return gnp_fail(error, GN_CODE_NAME_TOO_LONG, ENAMETOOLONG, "connect");
    memcpy(address->name.sun_path, path, length + 1);
    return GN_DONE;
}

void gnp_address_close(gnp_address *address) { (void)address; }

/// Without slashes at its end.
static bool trimmed(char base[PATH_MAX]) {
    for (size_t length = strlen(base); length > 1 && base[length - 1] == '/'; length--) base[length - 1] = 0;
    return base[0] == '/' && base[1] != 0;
}

bool gnp_endpoint_base(gn_endpoint_kind kind, size_t index, char base[PATH_MAX], bool *needs_parent) {
    *needs_parent = false;
    if (index != 0) return false;
    if (kind == GN_ENDPOINT_SYSTEM) {
        (void)snprintf(base, PATH_MAX, "/var/run");
        return true;
    }
    if (gn_environment("TMPDIR", base, PATH_MAX) && trimmed(base)) return true;
    // The same directory, for programs that were started without an environment.
    size_t length = confstr(_CS_DARWIN_USER_TEMP_DIR, base, PATH_MAX);
    return length > 0 && length <= PATH_MAX && trimmed(base);
}

#endif
