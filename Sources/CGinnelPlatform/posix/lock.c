// The lock file beside a socket: whoever holds it is the service, for as long as its process lives.
//
// The kernel lets go of the lock when the holder dies, however it dies, so there is no stale lock to judge. The file is
// removed while it is held, and whoever takes it makes sure that the file it has locked is still the one that has the name.
// In a directory where others may create files, a squatter's lock, a link or a second name for some file of ours is refused
// before anything is written.
#include "posix.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/// Times to start over when the file is replaced under our hands. Each one means that another service has just ended.
enum { ATTEMPTS = 64 };

uint32_t gnp_lock_holder(int descriptor) {
    char text[16] = {0};
    ssize_t count = pread(descriptor, text, sizeof text - 1, 0);
    if (count <= 0) return 0;
    char *end;
    unsigned long holder = strtoul(text, &end, 10);
    return end != text && *end == '\n' && holder <= INT_MAX ? (uint32_t)holder : 0;
}

/// Opens the file or makes it; never follows a link and never waits for a pipe's other end. -1 with errno.
static int open_lock(int directory, const char *name) {
    const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int descriptor;
        // First without O_CREAT: Linux forbids it on other people's files in sticky directories, and the reason would be lost.
        GNP_RETRY(descriptor, "openat", openat(directory, name, flags));
        if (descriptor >= 0 || errno != ENOENT) return descriptor;
        GNP_RETRY(descriptor, "openat", openat(directory, name, flags | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR));
        if (descriptor >= 0) (void)fchmod(descriptor, S_IRUSR | S_IWUSR);
        if (descriptor >= 0 || errno != EEXIST) return descriptor;
    }
    errno = EBUSY;
    return -1;
}

/// What to say about a lock file that cannot be opened: a stranger's file is unsafe, whatever the kernel said.
static gn_outcome fail_open(int directory, const char *name, const char *path, gn_endpoint_facts *facts, gn_error *error) {
    int native = errno;
    struct stat status;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        gnp_facts_lock(facts, &status);
        if (!S_ISREG(status.st_mode) || status.st_uid != geteuid()) {
            return gnp_blame(facts, path, GN_CODE_UNSAFE, native, "openat", error);
        }
    }
    return gnp_blame(facts, path, gnp_code_of(native), native, "openat", error);
}

/// Tries to lock an open file. GN_WOULD_BLOCK: the name has gone to another file meanwhile, start over.
static gn_outcome lock_file(int directory, const char *name, const char *path, int descriptor, gn_endpoint_facts *facts, gn_error *error) {
    struct stat ours, named;
    if (fstat(descriptor, &ours) != 0) return gnp_fail_errno(error, "fstat");
    gnp_facts_lock(facts, &ours);
    if (!S_ISREG(ours.st_mode) || ours.st_uid != geteuid() || ours.st_nlink > 1) {
        return gnp_blame(facts, path, GN_CODE_UNSAFE, 0, "fstat", error);
    }
    int result;
    GNP_RETRY(result, "flock", flock(descriptor, LOCK_EX | LOCK_NB));
    if (result != 0) {
        if (errno != EWOULDBLOCK) return gnp_fail_errno(error, "flock");
        facts->lock_held = true;
        facts->lock_holder = gnp_lock_holder(descriptor);
        return gnp_fail(error, GN_CODE_BUSY, errno, "flock");
    }
    bool same = fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_dev == ours.st_dev && named.st_ino == ours.st_ino;
    return same ? GN_DONE : GN_WOULD_BLOCK;
}

/// Writes our process id for whoever wants to know. That is a hint: a full disk must not keep a service from starting.
static void sign(int descriptor) {
    char text[16];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (fchmod(descriptor, S_IRUSR | S_IWUSR) != 0 || ftruncate(descriptor, 0) != 0) return;
    if (pwrite(descriptor, text, (size_t)length, 0) != length) (void)!ftruncate(descriptor, 0);
}

gn_outcome gnp_lock_take(int directory, const char *name, const char *path, int *descriptor, gn_endpoint_facts *facts, gn_error *error) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int opened = open_lock(directory, name);
        if (opened < 0) return fail_open(directory, name, path, facts, error);
        gn_outcome outcome = lock_file(directory, name, path, opened, facts, error);
        if (outcome == GN_DONE) {
            gnp_lock_mark(opened);
            sign(opened);
            *descriptor = opened;
            return GN_DONE;
        }
        gnp_close(opened);
        if (outcome == GN_FAILED) return GN_FAILED;
    }
    return gnp_fail(error, GN_CODE_BUSY, 0, "flock");
}

void gnp_lock_drop(int directory, const char *name, int descriptor) {
    struct stat ours, named;
    if (fstat(descriptor, &ours) == 0 && fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && ours.st_dev == named.st_dev &&
        ours.st_ino == named.st_ino) {
        (void)unlinkat(directory, name, 0);
    }
    gnp_close(descriptor);
}

#endif
