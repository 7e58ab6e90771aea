// Processor time and random bytes.
#include "posix.h"

#if !defined(_WIN32)

#include <time.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

/// Bytes that getentropy gives at once.
enum { PORTION = 256 };

uint64_t gn_clock_processor(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

gn_outcome gn_random(void *bytes, size_t count, gn_error *error) {
    if (gnp_random_scripted(bytes, count)) return GN_DONE;
    char *next = bytes;
    while (count > 0) {
        size_t part = count < PORTION ? count : PORTION;
        int result;
        GNP_RETRY(result, "getentropy", getentropy(next, part));
        if (result != 0) return gnp_fail(error, GN_CODE_OTHER, errno, "getentropy");
        next += part;
        count -= part;
    }
    return GN_DONE;
}

#endif
