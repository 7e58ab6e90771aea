// Files that are read for their digest: somebody's program, or what the caller names.
//
// A name may lead to anything. Only a regular file is opened and read: a pipe would have us wait for its other end, a device may have no end, or do something when it is opened.
#include "posix.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <unistd.h>

static gn_outcome open_file(const char *path, int *file, struct stat *status, gn_error *error) {
    int result;
    // To open a device or a pipe can do something to it, so it is looked at before; and again behind the name that may have changed meanwhile.
    GNP_RETRY(result, "stat", stat(path, status));
    if (result < 0) return gnp_fail_errno(error, "stat");
    if (!S_ISREG(status->st_mode)) return gnp_fail(error, GN_CODE_INVALID, 0, "stat");
    GNP_RETRY(*file, "openat", openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (*file < 0) return gnp_fail_errno(error, "openat");
    GNP_RETRY(result, "fstat", fstat(*file, status));
    gn_outcome outcome = GN_DONE;
    if (result < 0) {
        outcome = gnp_fail_errno(error, "fstat");
    } else if (!S_ISREG(status->st_mode)) {
        outcome = gnp_fail(error, GN_CODE_INVALID, 0, "fstat");
    }
    if (outcome != GN_DONE) gnp_close(*file);
    return outcome;
}

gn_outcome gn_file_open(const char *path, gn_handle *file, gn_error *error) {
    int descriptor;
    struct stat status;
    gn_outcome outcome = open_file(path, &descriptor, &status, error);
    if (outcome == GN_DONE) *file = descriptor;
    return outcome;
}

gn_outcome gn_file_read(gn_handle file, void *bytes, size_t capacity, size_t *count, gn_error *error) {
    ssize_t result;
    GNP_RETRY(result, "read", read((int)file, bytes, capacity));
    if (result < 0) return gnp_fail_errno(error, "read");
    *count = (size_t)result;
    return result == 0 ? GN_END : GN_DONE;
}

bool gnp_program_digest(const char *path, uint8_t digest[32]) {
    int file;
    struct stat status;
    gn_error error;
    if (open_file(path, &file, &status, &error) != GN_DONE) return false;
    bool whole = status.st_size <= GN_DIGEST_LIMIT && gnp_digest_program(file, digest);
    gnp_close(file);
    return whole;
}

#endif
