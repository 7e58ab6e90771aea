// Seeing a lock without taking it. On macOS flock() and record locks see each other, so the flock can be asked about directly.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <fcntl.h>
#include <unistd.h>

void gnp_lock_mark(int descriptor) { (void)descriptor; }

bool gnp_lock_seen(int descriptor) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(descriptor, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

#endif
