// Errors: errno values become portable codes in one place, so that no caller has its own table.
#if defined(__linux__)
// Without this, glibc declares its own strerror_r, which returns a string.
#define _POSIX_C_SOURCE 200809L
#endif

#include "posix.h"

#if !defined(_WIN32)

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

gn_code gnp_code_of(int native) {
    // Where two names may stand for one number, only one of them can be a case.
    if (native == EAGAIN || native == EWOULDBLOCK) return GN_CODE_BUSY;
    if (native == EOPNOTSUPP || native == ENOTSUP) return GN_CODE_UNSUPPORTED;
    switch (native) {
    case ENOENT: case ENOTDIR: case ESRCH: return GN_CODE_NOT_FOUND;
    case ECONNREFUSED: return GN_CODE_REFUSED;
    case EBUSY: case EADDRINUSE: return GN_CODE_BUSY;
    case EEXIST: return GN_CODE_EXISTS;
    case EACCES: case EPERM: case EROFS: case ENOEXEC: return GN_CODE_DENIED;
    case ENAMETOOLONG: return GN_CODE_NAME_TOO_LONG;
    case EINVAL: case EBADF: return GN_CODE_INVALID;
    case ECONNRESET: case EPIPE: case ENOTCONN: return GN_CODE_RESET;
    case EMFILE: case ENFILE: case ETOOMANYREFS: return GN_CODE_NO_DESCRIPTORS;
    case ENOMEM: case ENOBUFS: return GN_CODE_NO_MEMORY;
    case ENOSPC: case EDQUOT: case EFBIG: return GN_CODE_NO_SPACE;
    case ENOSYS: case ENOPROTOOPT: return GN_CODE_UNSUPPORTED;
    case ENOTSOCK: return GN_CODE_NOT_A_SOCKET;
    default: return GN_CODE_OTHER;
    }
}

gn_outcome gnp_fail_errno(gn_error *error, const char *operation) {
    int native = errno;
    return gnp_fail(error, gnp_code_of(native), native, operation);
}

void gn_error_describe(int32_t native, char *text, size_t capacity) {
    if (capacity == 0) return;
    text[0] = 0;
    // Cut or unknown: both leave a usable sentence in the buffer on Linux and macOS.
    (void)strerror_r(native, text, capacity);
}

void *gnp_allocate(size_t size) { return gnp_fails("calloc") ? NULL : calloc(1, size); }

void gnp_close(int descriptor) {
    if (descriptor < 0) return;
    int kept = errno;
    (void)close(descriptor);
    errno = kept;
}

#endif
