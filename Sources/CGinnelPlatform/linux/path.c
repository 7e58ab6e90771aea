// Addresses and well-known directories on Linux.
//
// sun_path holds 107 bytes. A longer path is reached through a descriptor of its directory, which /proc/self/fd turns into a
// short one; only the last component still has to fit.
#include "../posix/posix.h"

#if defined(__linux__)

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = sizeof ((struct sockaddr_un *)0)->sun_path };

size_t gn_path_limit(bool *longer_works) {
    *longer_works = true;
    return ROOM - 1;
}

static gn_outcome through_directory(const char *path, gnp_address *address, gn_error *error) {
    char directory[PATH_MAX], name[NAME_MAX + 1];
    if (!gnp_path_split(path, directory, name)) return gnp_fail(error, GN_CODE_NAME_TOO_LONG, ENAMETOOLONG, "openat");
    GNP_RETRY(address->directory, "openat", openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (address->directory < 0) return gnp_fail_errno(error, "openat");
    int length = snprintf(address->name.sun_path, ROOM, "/proc/self/fd/%d/%s", address->directory, name);
    if (length < ROOM) return GN_DONE;
    gnp_address_close(address);
    return gnp_fail(error, GN_CODE_NAME_TOO_LONG, ENAMETOOLONG, "openat");
}

gn_outcome gnp_address_open(const char *path, gnp_address *address, gn_error *error) {
    memset(address, 0, sizeof *address);
    address->directory = -1;
    address->name.sun_family = AF_UNIX;
    address->length = sizeof address->name;
    size_t length = strlen(path);
    // An empty path would mean a name outside the file system, which no permissions protect.
    if (length == 0) return gnp_fail(error, GN_CODE_INVALID, 0, "connect");
    if (length >= ROOM) return through_directory(path, address, error);
    memcpy(address->name.sun_path, path, length + 1);
    return GN_DONE;
}

void gnp_address_close(gnp_address *address) {
    gnp_close(address->directory);
    address->directory = -1;
}

// MARK: Directories

/// An absolute directory from the environment, without slashes at its end.
static bool directory_from(const char *variable, char base[PATH_MAX]) {
    if (!gn_environment(variable, base, PATH_MAX) || base[0] != '/') return false;
    for (size_t length = strlen(base); length > 1 && base[length - 1] == '/'; length--) base[length - 1] = 0;
    return base[1] != 0;
}

bool gnp_endpoint_base(gn_endpoint_kind kind, size_t index, char base[PATH_MAX], bool *needs_parent) {
    *needs_parent = false;
    if (kind == GN_ENDPOINT_SYSTEM) {
        (void)snprintf(base, PATH_MAX, "/run");
        return index == 0;
    }
    unsigned long user = geteuid();
    char usual[64];
    (void)snprintf(usual, sizeof usual, "/run/user/%lu", user);
    // The session's directory comes first, and is not named twice where it is the usual one.
    if (directory_from("XDG_RUNTIME_DIR", base) && strcmp(base, usual) != 0 && index-- == 0) return true;
    if (index == 0) {
        memcpy(base, usual, sizeof usual);
        return true;
    }
    if (index != 1) return false;
    char temporary[PATH_MAX];
    if (!directory_from("TMPDIR", temporary)) (void)snprintf(temporary, sizeof temporary, "/tmp");
    *needs_parent = true;
    return snprintf(base, PATH_MAX, "%s/ginnel-%lu", temporary, user) < PATH_MAX;
}

#endif
