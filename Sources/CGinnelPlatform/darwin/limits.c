// What this process has and may use, on macOS.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <libproc.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/// Places for descriptors that are opened while they are counted.
enum { SPARE = 64 };

void gn_descriptor_limit(uint64_t *limit, uint64_t *open_now) {
    struct rlimit now;
    *limit = getrlimit(RLIMIT_NOFILE, &now) == 0 ? (uint64_t)now.rlim_cur : 0;
    *open_now = 0;
    int size = proc_pidinfo(getpid(), PROC_PIDLISTFDS, 0, NULL, 0);
    if (size <= 0) return;
    size += SPARE * (int)sizeof(struct proc_fdinfo);
    void *list = gnp_allocate((size_t)size);
    if (list == NULL) return;
    // The first answer is the room to bring along, the second is what was used of it.
    int used = proc_pidinfo(getpid(), PROC_PIDLISTFDS, 0, list, size);
    if (used > 0) *open_now = (uint64_t)used / sizeof(struct proc_fdinfo);
    free(list);
}

uint32_t gn_processors_allowed(void) {
    // macOS does not tie processes to processors.
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (uint32_t)count : 1;
}

#endif
