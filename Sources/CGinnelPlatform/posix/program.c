// The digest of a program's file. It is a stranger's file, so it is read up to a limit, whatever size it claims to have.
#include "posix.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PORTION = 65536 };

static bool read_digest(int file, uint8_t digest[32]) {
    char *portion = gnp_allocate(PORTION);
    if (portion == NULL) return false;
    gnp_sha256 hash;
    uint64_t total = 0;
    ssize_t count;
    gnp_sha256_begin(&hash);
    for (;;) {
        GNP_RETRY(count, "read", read(file, portion, PORTION));
        if (count <= 0) break;
        total += (uint64_t)count;
        if (total > GN_DIGEST_LIMIT) break;
        gnp_sha256_add(&hash, portion, (size_t)count);
    }
    gnp_sha256_end(&hash, digest);
    free(portion);
    return count == 0;
}

bool gnp_program_digest(const char *path, uint8_t digest[32]) {
    int file;
    GNP_RETRY(file, "openat", openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
    if (file < 0) return false;
    struct stat status;
    bool small = fstat(file, &status) == 0 && status.st_size <= GN_DIGEST_LIMIT;
    bool whole = small && read_digest(file, digest);
    gnp_close(file);
    return whole;
}

#endif
