// The limit of descriptors, and the environment.
#include "posix.h"

#if !defined(_WIN32)

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

gn_outcome gn_descriptor_limit_set(uint64_t limit, gn_error *error) {
    struct rlimit now;
    if (limit == 0) return gnp_fail(error, GN_CODE_INVALID, 0, "setrlimit");
    if (getrlimit(RLIMIT_NOFILE, &now) != 0) return gnp_fail_errno(error, "getrlimit");
    now.rlim_cur = (rlim_t)limit;
    // Raising the hard limit takes a privilege; lowering it would be for good, so it stays.
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max < now.rlim_cur) now.rlim_max = now.rlim_cur;
    if (setrlimit(RLIMIT_NOFILE, &now) != 0) return gnp_fail_errno(error, "setrlimit");
    return GN_DONE;
}

bool gn_environment(const char *name, char *value, size_t capacity) {
    const char *found = getenv(name);
    size_t length = found == NULL ? 0 : strlen(found);
    if (found == NULL || length >= capacity) return false;
    memcpy(value, found, length + 1);
    return true;
}

#endif
