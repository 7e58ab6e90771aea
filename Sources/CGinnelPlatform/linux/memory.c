// Shared memory on Linux: a memfd whose size nobody can change, and the boot's identity.
//
// A memfd is memory with a descriptor and no name, so nothing is left behind by a crash. Its seals are for good: what was sealed against shrinking
// cannot be cut off under a mapping. A peer can still punch holes into it, which costs it the bytes and makes the kernel find new pages; that only fails
// where memory is strictly accounted, since a memfd has no quota. Sealing against writing, which would forbid holes too, would forbid the peer to map it.
#include "../posix/posix.h"

#if defined(__linux__)

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

enum { SIZE_SEALS = F_SEAL_SHRINK | F_SEAL_GROW, WRITE_SEALS = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE };

/// What shm_open took before glibc 2.34 and musl take, one less than a file's name may have.
size_t gn_segment_name_limit(void) { return NAME_MAX - 1; }

static int open_memory(void) {
    int descriptor;
    GNP_RETRY(descriptor, "memfd_create", memfd_create("ginnel", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL));
    if (descriptor >= 0 || errno != EINVAL) return descriptor;
    // Before Linux 6.3 memory without the right to be executed was unknown.
    GNP_RETRY(descriptor, "memfd_create", memfd_create("ginnel", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    return descriptor;
}

gn_outcome gnp_memory_make(uint64_t size, int *descriptor, gn_error *error) {
    int result, opened = open_memory();
    if (opened < 0) return gnp_fail(error, errno == EINVAL ? GN_CODE_UNSUPPORTED : gnp_code_of(errno), errno, "memfd_create");
    gn_outcome outcome = gnp_memory_extend(opened, size, error);
    if (outcome == GN_DONE) {
        GNP_RETRY(result, "fcntl", fcntl(opened, F_ADD_SEALS, SIZE_SEALS | F_SEAL_SEAL));
        // A kernel without tmpfs has memory that cannot be sealed.
        if (result != 0) outcome = gnp_fail(error, errno == EINVAL ? GN_CODE_UNSUPPORTED : gnp_code_of(errno), errno, "fcntl");
    }
    if (outcome == GN_DONE) *descriptor = opened;
    else gnp_close(opened);
    return outcome;
}

gn_outcome gnp_memory_check(int descriptor, uint64_t size, gn_error *error) {
    int seals, flags;
    struct stat status;
    struct statfs system;
    GNP_RETRY(seals, "fcntl", fcntl(descriptor, F_GET_SEALS));
    if (seals < 0) return gnp_fail(error, GN_CODE_UNSAFE, errno, "fcntl");
    GNP_RETRY(flags, "fcntl", fcntl(descriptor, F_GETFL));
    if (flags < 0) return gnp_fail(error, GN_CODE_UNSAFE, errno, "fcntl");
    if ((seals & SIZE_SEALS) != SIZE_SEALS || (seals & WRITE_SEALS) != 0 || (flags & O_ACCMODE) != O_RDWR) {
        return gnp_fail(error, GN_CODE_UNSAFE, 0, "fcntl");
    }
    // Memory in huge pages can be sealed too, and a hole in it need not be filled again: there are only so many.
    if (fstatfs(descriptor, &system) != 0 || system.f_type != TMPFS_MAGIC) return gnp_fail(error, GN_CODE_UNSAFE, 0, "fstatfs");
    if (fstat(descriptor, &status) != 0 || (uint64_t)status.st_size != size) return gnp_fail(error, GN_CODE_UNSAFE, 0, "fstat");
    return GN_DONE;
}

gn_outcome gnp_boot_uuid(char uuid[37], gn_error *error) {
    int file;
    ssize_t count;
    GNP_RETRY(file, "openat", openat(AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    if (file < 0) return gnp_fail_errno(error, "openat");
    GNP_RETRY(count, "read", read(file, uuid, 36));
    gnp_close(file);
    if (count < 0) return gnp_fail_errno(error, "read");
    uuid[count] = 0;
    return GN_DONE;
}

#endif
