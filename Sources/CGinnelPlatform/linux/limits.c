// What this process has and may use, on Linux.
#include "../posix/posix.h"

#if defined(__linux__)

#include <dirent.h>
#include <sched.h>
#include <sys/resource.h>

/// More processors than any kernel is built for.
enum { PROCESSORS = 8192 };

void gn_descriptor_limit(uint64_t *limit, uint64_t *open_now) {
    struct rlimit now;
    *limit = getrlimit(RLIMIT_NOFILE, &now) == 0 ? (uint64_t)now.rlim_cur : 0;
    *open_now = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) return;
    for (const struct dirent *each = readdir(directory); each != NULL; each = readdir(directory)) {
        if (each->d_name[0] != '.') *open_now += 1;
    }
    *open_now -= 1;  // the one that reads
    closedir(directory);
}

uint32_t gn_processors_allowed(void) {
    cpu_set_t sets[PROCESSORS / CPU_SETSIZE] = {0};
    if (sched_getaffinity(0, sizeof sets, sets) != 0) return 1;
    int count = CPU_COUNT_S(sizeof sets, sets);
    return count > 0 ? (uint32_t)count : 1;
}

#endif
