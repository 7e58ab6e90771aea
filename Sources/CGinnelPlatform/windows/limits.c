// What this process has and may use, and the environment.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>

/// Handles that one process may have: a limit of the kernel, which nobody can change.
enum { HANDLES = 1 << 24 };

void gn_descriptor_limit(uint64_t *limit, uint64_t *open_now) {
    DWORD count = 0;
    *limit = HANDLES;
    *open_now = GetProcessHandleCount(GetCurrentProcess(), &count) ? count : 0;
}

gn_outcome gn_descriptor_limit_set(uint64_t limit, gn_error *error) {
    if (limit == 0 || limit > HANDLES) return gnp_fail(error, GN_CODE_INVALID, 0, "gn_descriptor_limit_set");
    return limit == HANDLES ? GN_DONE : gnp_fail(error, GN_CODE_DENIED, 0, "gn_descriptor_limit_set");
}

uint32_t gn_processors_allowed(void) {
    DWORD_PTR ours, all;
    uint32_t count = 0;
    if (!GetProcessAffinityMask(GetCurrentProcess(), &ours, &all)) return 1;
    for (; ours != 0; ours &= ours - 1) count++;
    // A process that runs on several groups of processors has no mask.
    if (count == 0) count = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    return count > 0 ? count : 1;
}

bool gn_environment(const char *name, char *value, size_t capacity) {
    WCHAR *wide = gnp_wide(name);
    if (wide == NULL) return false;
    bool found = false;
    DWORD size = GetEnvironmentVariableW(wide, NULL, 0);
    WCHAR *text = size == 0 ? NULL : gnp_allocate((size_t)size * sizeof *text);
    // Another thread may have changed it in between: then it has no value that could be told.
    if (text != NULL && GetEnvironmentVariableW(wide, text, size) < size) found = gnp_narrow(text, value, capacity);
    free(text);
    free(wide);
    return found;
}

#endif
