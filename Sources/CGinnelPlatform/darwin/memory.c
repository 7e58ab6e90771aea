// Shared memory on macOS: a POSIX shared memory object whose name is gone before anybody could learn it, and the boot's identity.
//
// There are no seals, and no need for them: the size of such an object can be set once and never again, and it has whole pages. There is no
// quota either: a page that is touched is taken from memory that is compressed and swapped for everybody, so nothing is reserved.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <fcntl.h>
#include <libproc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sysctl.h>
#include <unistd.h>

/// Names to try. They are random, so a second one is never needed.
enum { ATTEMPTS = 16 };

/// The largest page of any process on this system. A peer under translation has smaller ones, and an object has whole pages of whoever made it.
enum { LARGEST_PAGE = 16384 };

/// PSHMNAMLEN, 31, is for the slash too.
size_t gn_segment_name_limit(void) { return 30; }

static gn_outcome open_unnamed(int *descriptor, gn_error *error) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t number;
        char path[24];
        if (gn_random(&number, sizeof number, error) != GN_DONE) return GN_FAILED;
        (void)snprintf(path, sizeof path, "/gn-%016llx", (unsigned long long)number);
        GNP_RETRY(*descriptor, "shm_open", shm_open(path, O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR));
        if (*descriptor >= 0) {
            int result;
            GNP_RETRY(result, "shm_unlink", shm_unlink(path));
            if (result == 0) return GN_DONE;
            gn_outcome outcome = gnp_fail_errno(error, "shm_unlink");
            gnp_close(*descriptor);
            return outcome;
        }
        if (errno != EEXIST) break;
    }
    return gnp_fail_errno(error, "shm_open");
}

gn_outcome gnp_memory_make(uint64_t size, int *descriptor, gn_error *error) {
    int opened;
    if (open_unnamed(&opened, error) != GN_DONE) return GN_FAILED;
    if (gnp_memory_extend(opened, size, error) == GN_DONE) {
        *descriptor = opened;
        return GN_DONE;
    }
    gnp_close(opened);
    return GN_FAILED;
}

gn_outcome gnp_memory_extend(int descriptor, uint64_t size, gn_error *error) {
    int result;
    GNP_RETRY(result, "ftruncate", ftruncate(descriptor, (off_t)size));
    return result == 0 ? GN_DONE : gnp_fail_errno(error, "ftruncate");
}

gn_outcome gnp_memory_reserve(int descriptor, uint64_t size, gn_error *error) {
    (void)descriptor;
    (void)size;
    (void)error;
    return GN_DONE;
}

gn_outcome gnp_memory_check(int descriptor, uint64_t size, gn_error *error) {
    struct pshm_fdinfo information;
    struct stat status;
    int flags;
    // Only for this kind of descriptor the system has this answer.
    int length = proc_pidfdinfo(getpid(), descriptor, PROC_PIDFDPSHMINFO, &information, sizeof information);
    if (length < (int)sizeof information) return gnp_fail(error, GN_CODE_UNSAFE, errno, "proc_pidfdinfo");
    GNP_RETRY(flags, "fcntl", fcntl(descriptor, F_GETFL));
    if (flags < 0 || (flags & O_ACCMODE) != O_RDWR) return gnp_fail(error, GN_CODE_UNSAFE, 0, "fcntl");
    // A size that was never set could still be; it is 0 until then.
    if (fstat(descriptor, &status) != 0 || (uint64_t)status.st_size < size || (uint64_t)status.st_size - size >= LARGEST_PAGE) {
        return gnp_fail(error, GN_CODE_UNSAFE, 0, "fstat");
    }
    return GN_DONE;
}

gn_outcome gnp_boot_uuid(char uuid[37], gn_error *error) {
    size_t size = 37;
    int result;
    GNP_RETRY(result, "sysctlbyname", sysctlbyname("kern.bootsessionuuid", uuid, &size, NULL, 0));
    if (result != 0) return gnp_fail_errno(error, "sysctlbyname");
    uuid[36] = 0;
    return GN_DONE;
}

#endif
