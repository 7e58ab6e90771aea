// Listening descriptors from a service manager, by systemd's convention: LISTEN_PID names the process they are meant for,
// LISTEN_FDS how many there are, and the first is descriptor 3.
#include "posix.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { FIRST = 3, MOST = 1024 };

/// A decimal number that is the whole value of an environment variable, or 0.
static unsigned long number(const char *name) {
    const char *text = getenv(name);
    if (text == NULL || text[0] < '0' || text[0] > '9') return 0;
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    return *end == 0 ? value : 0;
}

size_t gn_inherited_listeners(gn_handle *first) {
    *first = GN_NO_HANDLE;
    unsigned long meant_for = number("LISTEN_PID"), announced = number("LISTEN_FDS");
    if (meant_for != (unsigned long)getpid() || announced > MOST) return 0;
    size_t count = 0;
    // They have to survive the exec that brought them here, but not the next one.
    while (count < announced && fcntl(FIRST + (int)count, F_SETFD, FD_CLOEXEC) == 0) count++;
    if (count > 0) *first = FIRST;
    return count;
}

#endif
