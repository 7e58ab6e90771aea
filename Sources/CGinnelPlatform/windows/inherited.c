// What a process was started with.
//
// Windows has no descriptor numbers, but its C libraries do, and tell a child about them in a block of the start-up information: a count, a byte of flags each, a handle each.
// gn_process_start writes that block and this reads it, so that the first inherited handle is number 3 here too, for children in any language.
#include "win32.h"

#if defined(_WIN32)

#include <string.h>

enum { FIRST = 3, OPEN = 1 };

HANDLE gnp_inherited(gn_handle handle) {
    STARTUPINFOW start;
    GetStartupInfoW(&start);
    int32_t count;
    if (handle < FIRST || handle > INT32_MAX || start.lpReserved2 == NULL || start.cbReserved2 < sizeof count) return (HANDLE)handle;
    memcpy(&count, start.lpReserved2, sizeof count);
    size_t index = (size_t)handle;
    if (count <= 0 || index >= (size_t)count || sizeof count + (size_t)count * (1 + sizeof(HANDLE)) > start.cbReserved2) return (HANDLE)handle;
    if ((start.lpReserved2[sizeof count + index] & OPEN) == 0) return (HANDLE)handle;
    HANDLE found;
    memcpy(&found, start.lpReserved2 + sizeof count + (size_t)count + index * sizeof found, sizeof found);
    return found;
}

size_t gn_inherited_listeners(gn_handle *first) {
    // The convention is one of Unix; the service manager of Windows passes no pipes.
    *first = GN_NO_HANDLE;
    return 0;
}

#endif
