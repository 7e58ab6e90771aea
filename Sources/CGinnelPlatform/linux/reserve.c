// The memory behind a segment, had before anybody touches it.
//
// tmpfs finds a page when it is first touched, and when there is none left (a container's /dev/shm is 64 MiB; memory may be strictly accounted) the
// process gets SIGBUS. fallocate takes all pages at once and says ENOSPC instead. For 2 MiB it costs 0.45 ms where the first touch of all pages costs
// 1.04 ms without and 0.48 ms after it, so it costs nothing that is not due anyway once a ring has gone round; over pages that are there already, as with a segment
// from a peer, it takes 0.06 ms. The price is that a segment takes its whole size from the beginning.
//
// fallocate starts over after a signal, so it is asked for small pieces: a process with a fast interval timer would never get a large one. And it takes what is there
// before it finds that it is not enough, so large requests are first held against what is available: the kernel kills processes to get memory.
#include "../posix/posix.h"

#if defined(__linux__)

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

static const uint64_t piece = (uint64_t)256 << 10, large = (uint64_t)64 << 20;

/// A line of /proc/meminfo in bytes, 0 when it is not there.
static uint64_t line(const char *table, const char *name) {
    const char *found = strstr(table, name);
    return found == NULL ? 0 : strtoull(found + strlen(name), NULL, 10) * 1024;
}

/// Bytes that the machine can give before it has to take them from somebody; UINT64_MAX when it does not say.
static uint64_t available_memory(void) {
    char table[4096];
    int file;
    ssize_t count;
    GNP_RETRY(file, "openat", openat(AT_FDCWD, "/proc/meminfo", O_RDONLY | O_CLOEXEC));
    if (file < 0) return UINT64_MAX;
    GNP_RETRY(count, "read", read(file, table, sizeof table - 1));
    gnp_close(file);
    table[count > 0 ? count : 0] = 0;
    uint64_t memory = line(table, "\nMemAvailable:");
    return memory == 0 ? UINT64_MAX : memory + line(table, "\nSwapFree:");
}

/// Bytes left on the object's file system; UINT64_MAX for one without a limit.
static uint64_t available_space(int descriptor) {
    struct statfs system;
    if (fstatfs(descriptor, &system) != 0 || system.f_blocks == 0) return UINT64_MAX;
    return (uint64_t)system.f_bavail * (uint64_t)system.f_bsize;
}

gn_outcome gnp_memory_reserve(int descriptor, uint64_t size, gn_error *error) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return gnp_fail_errno(error, "fstat");
    uint64_t had = (uint64_t)status.st_blocks * 512, missing = had < size ? size - had : 0;
    if (missing > large && missing > available_space(descriptor)) return gnp_fail(error, GN_CODE_NO_SPACE, ENOSPC, "fallocate");
    if (missing > large && missing > available_memory()) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "fallocate");
    for (uint64_t done = 0; done < size; done += piece) {
        uint64_t part = size - done < piece ? size - done : piece;
        int result;
        GNP_RETRY(result, "fallocate", fallocate(descriptor, FALLOC_FL_KEEP_SIZE, (off_t)done, (off_t)part));
        if (result != 0) return gnp_fail_errno(error, "fallocate");
    }
    return GN_DONE;
}

gn_outcome gnp_memory_extend(int descriptor, uint64_t size, gn_error *error) {
    // Going over this limit is answered with a signal.
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < size) {
        return gnp_fail(error, GN_CODE_NO_SPACE, EFBIG, "ftruncate");
    }
    if (gnp_memory_reserve(descriptor, size, error) != GN_DONE) return GN_FAILED;
    int result;
    GNP_RETRY(result, "ftruncate", ftruncate(descriptor, (off_t)size));
    return result == 0 ? GN_DONE : gnp_fail_errno(error, "ftruncate");
}

#endif
