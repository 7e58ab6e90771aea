// Seeing a lock without taking it.
//
// flock() cannot be asked who holds a lock: the only way to find out is to take it, and an observer that takes it, however
// briefly, can make a starting service believe that another is alive. A record lock on the same file can be asked, so the
// holder of the flock takes one too. It decides nothing.
#include "../posix/posix.h"

#if defined(__linux__)

#include <fcntl.h>

void gnp_lock_mark(int descriptor) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    (void)fcntl(descriptor, F_OFD_SETLK, &whole);
}

bool gnp_lock_seen(int descriptor) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(descriptor, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

#endif
